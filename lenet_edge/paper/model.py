"""Build LeNet-5 as the paper prints it, the usual simplified net, and the teacher of both."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

from converters.base.errors import expect
from converters.base.kerases import current_keras, keras_of
from lenet_edge.paper.codes import codes_with_empty, digit_codes
from lenet_edge.paper.in_keras import Classes, classes
from lenet_edge.paper.layers import TrainableSubsampling, scaled_tanh


def _uniform(paper: Classes, fan_in: int) -> dict[str, Any]:
    """Return the paper's initialiser for a kernel and a bias (appendix A)."""
    return {
        "kernel_initializer": paper.FanInUniform(fan_in=fan_in),
        "bias_initializer": paper.FanInUniform(fan_in=fan_in),
    }


def lenet5(
    *,
    wide: bool = False,
    empty: bool = False,
    name: str | None = None,
    keras: ModuleType | None = None,
) -> Any:
    """Build LeNet-5 as printed (pages 7 and 8, figure 2): 60,000 trainable weights, 340,908 connections.

    In: (batch, 32, 32, 1), pixels 0..255, background 0, the digit within the middle 28x28 and its body
    within 20x20. Out: (batch, 10), the squared distances of F6 from the ten digits' codes; the
    smallest is the answer. `with_probabilities` turns them into scores. The weights are random: the trained
    net is `released_model("lenet5")`.

    `wide`: the same layers and weights on any height H and width W of 32 or more (section VII; why C5 is a
    convolution). In: (batch, H, W, 1). Out: (batch, (H - 32) // 4 + 1, (W - 32) // 4 + 1, 10): one answer
    for each 32x32 window, four pixels apart. `empty`: an eleventh code, "no character here"
    (`codes_with_empty`); it is fixed like the others, so the trainable weights stay 60,000. `keras`: the
    package `keras` or `tf_keras` to build it in; by default the one that `tf.keras` is.
    """
    keras = keras or current_keras()
    layers, paper = keras.layers, classes(keras)
    side = None if wide else 32
    pixels = keras.Input((side, side, 1), name="pixels")
    # "the background level (white) corresponds to a value of -0.1 and the foreground (black) to 1.175"
    x = layers.Rescaling(0.005, -0.1, name="normalise")(pixels)  # 32x32x1
    x = layers.Conv2D(6, 5, activation=scaled_tanh, name="C1", **_uniform(paper, 25))(x)  # 28x28x6, 156
    x = paper.TrainableSubsampling(name="S2")(x)  # 14x14x6, 12
    x = paper.PartialConv2D(name="C3")(x)  # 10x10x16, 1,516
    x = paper.TrainableSubsampling(name="S4")(x)  # 5x5x16, 32
    x = layers.Conv2D(120, 5, activation=scaled_tanh, name="C5", **_uniform(paper, 400))(x)  # 1x1x120, 48,120
    if not wide:
        x = layers.Flatten(name="flatten")(x)  # 120
    # On a wide image Dense works at each position, like a 1x1 convolution with weights of the same shape.
    x = layers.Dense(84, activation=scaled_tanh, name="F6", **_uniform(paper, 120))(x)  # 84, 10,164
    codes = codes_with_empty() if empty else digit_codes()
    distances = paper.EuclideanRBF(codes=codes, name="OUTPUT")(x)  # 10 or 11, nothing trainable
    return keras.Model(pixels, distances, name=name or ("lenet5_wide" if wide else "lenet5"))


def stock_lenet5(
    *,
    subsampling: Literal["average", "trainable"] = "average",
    name: str = "stock_lenet5",
    keras: ModuleType | None = None,
) -> Any:
    """Build the usual simplified "LeNet-5": 61,706 weights, average pooling without any, full C3.

    In: (batch, 28, 28, 1), pixels 0..255. Out: (batch, 10), logits: train it with a loss that has
    `from_logits=True`, because one that expects scores teaches it nothing. With `subsampling="trainable"`,
    TrainableSubsampling replaces the average pooling: 61,750 weights. The weights are random: the trained net
    is `released_model("stock_lenet5")`. `keras`: as for `lenet5`.
    """
    expect(subsampling in ("average", "trainable"), "subsampling 'average' or 'trainable'", repr(subsampling))
    keras = keras or current_keras()
    layers, paper = keras.layers, classes(keras)

    def subsample(layer_name: str) -> Any:
        if subsampling == "trainable":
            return paper.TrainableSubsampling(name=layer_name)
        return layers.AveragePooling2D(2, name=layer_name)

    pixels = keras.Input((28, 28, 1), name="pixels")
    x = layers.Rescaling(1 / 255, name="normalise")(pixels)  # 28x28x1
    x = layers.Conv2D(6, 5, padding="same", activation="tanh", name="C1")(x)  # 28x28x6, 156
    x = subsample("S2")(x)  # 14x14x6, 0 (or 12)
    x = layers.Conv2D(16, 5, activation="tanh", name="C3")(x)  # 10x10x16, 2,416
    x = subsample("S4")(x)  # 5x5x16, 0 (or 32)
    x = layers.Flatten(name="flatten")(x)  # 400
    x = layers.Dense(120, activation="tanh", name="C5")(x)  # 120, 48,120
    x = layers.Dense(84, activation="tanh", name="F6")(x)  # 84, 10,164
    logits = layers.Dense(10, name="OUTPUT")(x)  # 10, 850
    return keras.Model(pixels, logits, name=name)


def teacher(*, name: str = "teacher", keras: ModuleType | None = None) -> Any:
    """Build a larger net on the paper's plan, whose answers the smaller nets can learn from.

    In: (batch, 32, 32, 1), pixels 0..255. Out: (batch, 10), logits. It is never released.
    `keras`: as for `lenet5`.
    """
    keras = keras or current_keras()
    layers = keras.layers
    pixels = keras.Input((32, 32, 1), name="pixels")
    x = layers.Rescaling(1 / 255, name="normalise")(pixels)
    x = layers.Conv2D(32, 5, activation="relu", name="C1")(x)  # 28x28x32
    x = layers.MaxPooling2D(2, name="S2")(x)  # 14x14x32
    x = layers.Conv2D(64, 5, activation="relu", name="C3")(x)  # 10x10x64
    x = layers.MaxPooling2D(2, name="S4")(x)  # 5x5x64
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(256, activation="relu", name="F5")(x)
    logits = layers.Dense(10, name="OUTPUT")(x)
    return keras.Model(pixels, logits, name=name)


def string_teacher(*, name: str = "string_teacher", keras: ModuleType | None = None) -> Any:
    """Build a larger net whose answers the wide lenet5 can learn from: each also sees the windows beside it.

    In: (batch, 32, W, 1), pixels 0..255, W a multiple of 4. Out: (batch, 1, (W - 32) // 4 + 1, 11), to be
    read like the distances of `lenet5(wide=True, empty=True)`: the smallest is the answer, and
    softmax(-0.1 * output) are the scores. It is never released. `keras`: as for `lenet5`.
    """
    keras = keras or current_keras()
    layers = keras.layers

    def block(x: Any, part: str, filters: int, kernel: Any, padding: str = "same") -> Any:
        # Half as many bits halve the time on processors that have them; the weights are float32 all the same.
        half = {"dtype": "mixed_bfloat16"}
        x = layers.Conv2D(filters, kernel, padding=padding, use_bias=False, name=part, **half)(x)
        return layers.ReLU(**half)(layers.BatchNormalization(name=f"{part}_norm", **half)(x))

    pixels = keras.Input((32, None, 1), name="pixels")
    x = layers.Rescaling(1 / 255, name="normalise")(pixels)
    x = layers.MaxPooling2D(2, name="S2")(block(x, "C1", 24, 5))  # 16 rows
    x = block(block(x, "C3", 48, 3), "C3b", 48, 3)
    x = layers.MaxPooling2D(2, name="S4")(x)  # 8 rows, columns 4 pixels apart
    x = block(block(x, "C5", 96, 3), "C5b", 96, 3)
    x = block(block(x, "rows", 192, (8, 1), "valid"), "window", 192, (1, 8), "valid")  # 1 row: of windows
    x = layers.Add(name="F6")([x, block(x, "beside", 192, (1, 5))])
    logits = layers.Dense(11, name="logits")(x)
    return keras.Model(pixels, layers.Rescaling(-10.0, name="OUTPUT")(logits), name=name)


def with_probabilities(model: Any, *, scale: float) -> Any:
    """Return `model` with softmax(scale * output) appended: scores of sum 1, the largest is the answer.

    `scale` is below 0 for distances and above 0 for logits; its size is the inverse temperature.
    The layers and weights of `model` are shared, not copied.
    """
    keras = keras_of(model)
    x = keras.layers.Rescaling(scale, name="temperature")(model.output)
    return keras.Model(model.input, keras.layers.Softmax(name="scores")(x), name=model.name)


def connections(model: Any) -> dict[str, int]:
    """Count the connections of each layer as the paper does: each use of a weight or a bias is one."""
    counts = {}
    for layer in model.layers:
        if layer.count_params():
            outputs = layer.output.shape[1:]
            positions = outputs[0] * outputs[1] if len(outputs) == 3 else 1
            counts[layer.name] = positions * _connections_per_position(layer)
    return counts


def _connections_per_position(layer: Any) -> int:
    if isinstance(layer, TrainableSubsampling):
        # Four inputs and a bias per unit: the coefficient is used once for each input.
        return layer.count_params() // 2 * (layer.pool_size[0] * layer.pool_size[1] + 1)
    return layer.count_params()
