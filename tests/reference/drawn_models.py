"""Draw small Keras 3 models with Hypothesis: each is the lines of Python that build it.

A model grows line by line. Each line reads tensors of earlier lines, and what it may do depends on their
shapes, so that every drawn model is one that Keras builds. The lines are what a failure shows, and run as
they are, after `import keras`, `from keras import layers`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from converters.base.kerases import KERAS_3, import_keras

SAMPLES = 24
LARGEST = 512
"""Most values of a tensor: models stay small enough for hundreds of them."""

_COMMON_ACTIVATIONS = ("relu", "relu6", "tanh", "sigmoid", "leaky_relu", "swish", "hard_silu", "gelu")
_ACTIVATIONS = (*_COMMON_ACTIVATIONS, "elu", "hard_sigmoid")
_ACTIVATION_LAYERS = (
    *("layers.ReLU()", "layers.ReLU(6.0)", "layers.LeakyReLU(0.1)", "layers.PReLU()", "layers.Softmax()"),
)
_TRAINING_ONLY = (
    *("layers.Dropout(0.3, seed=1)", "layers.GaussianNoise(0.1, seed=1)", "layers.AlphaDropout(0.2, seed=1)"),
    *("layers.SpatialDropout2D(0.2, seed=1)", "layers.RandomFlip(seed=1)"),
)
_ARITHMETIC = ("{} * 0.5", "{} + 1.0", "1.0 - {}", "{} / 4.0", "-{}", "{} - 0.5", "keras.ops.relu({})")
_PICTURES = ((8, 8), (7, 5), (6, 6), (5, 9))
_MERGES = ("Add", "Multiply", "Subtract", "Average", "Maximum")
_OPERATORS = ("{} + {}", "{} - {}", "{} * {}", "keras.ops.maximum({}, {})")

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnModel:
    """A Keras 3 `model` as the `lines` that build it; its weights and `samples` are drawn from `seed`.

    `samples`: SAMPLES inputs (n, ...), float32: pixels of 0..255, or numbers around 0.
    """

    lines: tuple[str, ...]
    seed: int
    model: Any
    samples: np.ndarray

    def __repr__(self) -> str:
        return "\n".join(["", *self.lines, f"# weights and samples: seed {self.seed}"])


def built(lines: Sequence[str], seed: int) -> DrawnModel:
    """Return the model that `lines` build, the same each time."""
    keras = import_keras(KERAS_3)
    names = {"keras": keras, "layers": keras.layers}
    exec("\n".join(lines), names)
    return _finished(lines, seed, names["model"])


def _finished(lines: Sequence[str], seed: int, model: Any) -> DrawnModel:
    """Return `model` with weights set and samples drawn."""
    _set_weights(model, np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    shape = (SAMPLES, *model.input_shape[1:])
    # Whole numbers are the same in float32 and in a file whose input has steps of 1.
    samples = rng.integers(0, 256, shape) if _of_pixels(lines) else rng.normal(size=shape)
    return DrawnModel(lines=tuple(lines), seed=seed, model=model, samples=samples.astype(np.float32))


def _of_pixels(lines: Sequence[str]) -> bool:
    return "Rescaling(1 / 255)" in lines[1] or "Normalization" in lines[1]


def _set_weights(model: Any, rng: np.random.Generator) -> None:
    """Set weights under which values neither vanish nor grow: positive variances, some negative scales."""
    for variable in model.weights:
        name, shape = variable.path.rsplit("/", 1)[-1], tuple(variable.shape)
        if np.dtype(variable.dtype).kind != "f" or name in ("mean", "variance", "seed"):
            continue  # a Normalization's are in its line
        if name == "moving_variance":
            values = rng.uniform(0.3, 2.0, shape)
        elif name == "gamma":
            values = rng.uniform(0.5, 1.5, shape) * rng.choice([1, 1, 1, -1], shape)
        elif "kernel" in name:
            values = rng.normal(size=shape) / np.sqrt(max(_fan_in(name, shape), 1))
        elif name == "alpha":  # a PReLU's
            values = rng.uniform(0.05, 0.4, shape)
        else:
            values = rng.normal(size=shape) * 0.3
        variable.assign(values.astype(np.float32))


def _fan_in(name: str, shape: Shape) -> int:
    return int(np.prod(shape[:-2] if "depthwise" in name else shape[:-1]))


@st.composite
def drawn_models(
    draw: st.DrawFn, *, most_steps: int = 8, outputs: int = 1, skipping: bool = False, common: bool = False
) -> DrawnModel:
    """Draw a model of at most `most_steps` steps between input and head, with up to `outputs` outputs.

    `skipping`: whether strides may be larger than a kernel of padding "same". XNNPACK computes such a
    convolution wrongly (TensorFlow 2.21), whoever wrote the file. `common`: only layers and functions for
    which `quantize_aware` has rules, and a layer with a kernel at the end.
    """
    state = random.getstate()  # Keras draws seeds with it, which Hypothesis does not want here
    try:
        return _drawn(
            _Growing(draw, skipping=skipping, common=common), draw, most_steps=most_steps, outputs=outputs
        )
    finally:
        random.setstate(state)


def _drawn(growing: _Growing, draw: st.DrawFn, *, most_steps: int, outputs: int) -> DrawnModel:
    for _ in range(draw(st.integers(1, most_steps))):
        growing.grow()
    if growing.common or draw(st.booleans()):  # fine-tuning wants a kernel
        growing.head()
    names = [growing.last]
    if outputs > 1 and draw(st.integers(0, 3)) == 0:
        names = list(dict.fromkeys([*names, draw(st.sampled_from(growing.tensors))]))
    ends = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    growing.run(f"model = keras.Model(x0, {ends}, name='drawn')")
    return _finished(growing.lines, draw(st.integers(0, 2**16)), growing.names["model"])


class _Growing:
    """The lines so far, run as they are drawn: the tensors' shapes decide what may come next."""

    def __init__(self, draw: st.DrawFn, *, skipping: bool, common: bool) -> None:
        self.draw, self.skipping, self.common = draw, skipping, common
        keras = import_keras(KERAS_3)
        self.names: dict[str, Any] = {"keras": keras, "layers": keras.layers}
        self.lines: list[str] = []
        self.tensors: list[str] = []
        self.reusable: list[tuple[str, Shape]] = []  # a layer or model, and the shape it was built for
        self.count = 0
        sides = draw(st.sampled_from((*_PICTURES, (9,), (16,))))
        shape = (*sides, draw(st.integers(1, 4)))
        self.run(f"x0 = keras.Input({shape}, name='pixels')")
        self.tensors.append("x0")
        self.start(shape[-1])

    @property
    def activations(self) -> tuple[str, ...]:
        return _COMMON_ACTIVATIONS if self.common else _ACTIVATIONS

    @property
    def last(self) -> str:
        return self.tensors[-1]

    def pick(self, values: Any) -> Any:
        return self.draw(st.sampled_from(list(values)))

    def run(self, line: str) -> None:
        exec(line, self.names)
        self.lines.append(line)

    def shape(self, name: str) -> Shape:
        """Return the shape of a tensor without the batch."""
        return tuple(self.names[name].shape[1:])

    def add(self, expression: str) -> None:
        """Add the tensor that `expression` gives, if it is one of a size that we take."""
        self.count += 1
        name = f"x{self.count}"
        line = f"{name} = {expression}"
        exec(line, self.names)
        if not 0 < np.prod(self.shape(name)) <= LARGEST:
            del self.names[name]
            return
        self.lines.append(line)
        self.tensors.append(name)

    def start(self, channels: int) -> None:
        """Normalise the input, in one of the ways in which people do."""
        mean, variance = [100.0 + 9 * i for i in range(channels)], [900.0 + 99 * i for i in range(channels)]
        expression = self.pick(
            [
                "layers.Rescaling(1 / 255)(x0)",
                f"layers.Normalization(mean={mean}, variance={variance})(x0)",
                "layers.Rescaling(0.5, offset=0.25)(x0)",
                "x0 * 1.0",
                "layers.Activation('linear')(x0)",
            ]
        )
        self.add(expression)

    def grow(self) -> None:
        """Add one step behind the last tensor, or behind an earlier one: a branch."""
        source = self.last if self.draw(st.integers(0, 4)) else self.pick(self.tensors)
        shape = self.shape(source)
        kinds: list[Callable[[str, Shape], None]] = [self.normalise, self.activate, self.calculate]
        if len(shape) == 3:
            kinds += [self.convolve, self.convolve, self.convolve_by_channel, self.pool, self.other_picture]
        if len(shape) == 2:
            kinds += [self.convolve_line, self.convolve_line, self.pool_line]
        if len(shape) == 1:
            kinds += [self.dense, self.dense]
        if len(self.tensors) > 2:
            kinds += [self.merge, self.merge]
        kinds += [self.again, self.nest]
        self.pick(kinds)(source, shape)

    def layer(self, expression: str, source: str, shape: Shape) -> None:
        """Call a layer, by a name of its own if it may be called again."""
        if self.draw(st.integers(0, 2)) == 0:
            name = f"f{self.count + 1}"
            self.run(f"{name} = {expression}")
            self.reusable.append((name, shape))
            expression = name
        self.add(f"{expression}({source})")

    def options(self, *, activation: bool = True) -> str:
        text = "" if self.draw(st.booleans()) else ", use_bias=False"
        if activation and self.draw(st.integers(0, 2)) == 0:
            text += f", activation={self.pick(self.activations)!r}"
        return text

    def window(self, sides: Shape) -> str:
        """Return kernel size, padding, strides or dilation that fit."""
        kernel = tuple(self.draw(st.integers(1, min(3, side))) for side in sides)
        kind, strides, padding = self.draw(st.integers(0, 4)), self.pick([2, 3]), self.pick(["same", "valid"])
        if kind == 0 and strides > min(kernel) and not self.skipping:
            padding = "valid"
        text = f"{kernel if len(kernel) > 1 else kernel[0]}, padding={padding!r}"
        if kind == 0:
            return f"{text}, strides={strides}"
        widest = min((side - 1) // max(size - 1, 1) for side, size in zip(sides, kernel, strict=True))
        return f"{text}, dilation_rate=2" if kind == 1 and widest >= 2 else text

    def convolve(self, source: str, shape: Shape) -> None:
        groups = self.pick([n for n in (1, 1, 2, 3) if shape[-1] % n == 0])
        filters = groups * self.draw(st.integers(1, 6 // groups))
        grouped = f", groups={groups}" if groups > 1 else ""
        self.layer(
            f"layers.Conv2D({filters}, {self.window(shape[:2])}{grouped}{self.options()})", source, shape
        )

    def convolve_by_channel(self, source: str, shape: Shape) -> None:
        window = self.window(shape[:2])
        times = self.pick(["", ", depth_multiplier=2"])
        if self.draw(st.integers(0, 2)):
            self.layer(f"layers.DepthwiseConv2D({window}{times}{self.options()})", source, shape)
        else:
            filters = self.draw(st.integers(1, 5))
            self.layer(f"layers.SeparableConv2D({filters}, {window}{times}{self.options()})", source, shape)

    def other_picture(self, source: str, shape: Shape) -> None:
        padding, filters = self.pick(["same", "valid"]), self.draw(st.integers(1, 4))
        expression = self.pick(
            [
                f"layers.Conv2DTranspose({filters}, 3, strides=2, padding={padding!r}{self.options()})",
                f"layers.Conv2DTranspose({filters}, 2, padding={padding!r}{self.options()})",
                "layers.UpSampling2D(2)",
                "layers.UpSampling2D(2, interpolation='bilinear')",
                "layers.ZeroPadding2D(((1, 0), (0, 2)))",
                "layers.ZeroPadding2D(1)",
                "layers.Cropping2D(((1, 0), (0, 1)))",
                f"layers.Reshape(({shape[0] * shape[1]}, {shape[2]}))",
                "layers.Permute((2, 1, 3))",
            ]
        )
        if min(shape[:2]) > 2:
            self.layer(expression, source, shape)

    def pool(self, source: str, shape: Shape) -> None:
        kind, padding = self.pick(["Max", "Average"]), self.pick(["same", "valid"])
        if min(shape[:2]) > 2:
            strides = self.pick(["", ", strides=1"])
            self.layer(f"layers.{kind}Pooling2D(2{strides}, padding={padding!r})", source, shape)
        else:
            self.layer(f"layers.Global{kind}Pooling2D()", source, shape)

    def convolve_line(self, source: str, shape: Shape) -> None:
        filters, window = self.draw(st.integers(1, 5)), self.window(shape[:1])
        if self.draw(st.integers(0, 3)):
            if "strides" not in window and self.draw(st.integers(0, 3)) == 0:
                window = window.replace("'same'", "'causal'")
            self.layer(f"layers.Conv1D({filters}, {window}{self.options()})", source, shape)
        else:
            self.layer(f"layers.SeparableConv1D({filters}, {window}{self.options()})", source, shape)

    def pool_line(self, source: str, shape: Shape) -> None:
        kind, padding = self.pick(["Max", "Average"]), self.pick(["same", "valid"])
        choices = [f"layers.Global{kind}Pooling1D()", "layers.Flatten()", "layers.ZeroPadding1D(1)"]
        choices += ["layers.UpSampling1D(2)", f"layers.Dense(3{self.options()})"]
        if shape[0] > 2:
            choices += [f"layers.{kind}Pooling1D(2, padding={padding!r})"] * 2
        self.layer(self.pick(choices), source, shape)

    def dense(self, source: str, shape: Shape) -> None:
        self.layer(f"layers.Dense({self.draw(st.integers(1, 6))}{self.options()})", source, shape)

    def normalise(self, source: str, shape: Shape) -> None:
        options = self.pick(["", "", "center=False", "scale=False", "epsilon=0.01"])
        choices = [f"layers.BatchNormalization({options})"] * 3
        choices += ["layers.Rescaling(0.5, offset=-0.25)", "layers.Rescaling(2.0)"]
        scales = [round(0.5 + 0.25 * i, 2) for i in range(shape[-1])]
        choices.append(f"layers.Normalization(mean={scales}, variance={scales})")
        self.layer(self.pick(choices), source, shape)

    def activate(self, source: str, shape: Shape) -> None:
        choices = list(_ACTIVATION_LAYERS)
        choices += [f"layers.Activation({name!r})" for name in self.activations]
        if self.draw(st.integers(0, 4)) == 0:
            choices = [
                one for one in _TRAINING_ONLY if len(shape) == 3 or ("2D" not in one and "Flip" not in one)
            ]
        self.layer(self.pick(choices), source, shape)

    def calculate(self, source: str, shape: Shape) -> None:
        self.add(self.pick(_ARITHMETIC).format(source))

    def merge(self, source: str, shape: Shape) -> None:
        """Join two tensors of one shape, or of one picture's sides."""
        same = [name for name in self.tensors if self.shape(name) == shape]
        sides = [name for name in self.tensors if self.shape(name)[:-1] == shape[:-1]]
        other = self.pick(same)
        merge = self.pick(_MERGES[:3] if self.common else _MERGES)
        expression = self.pick(
            [
                f"layers.{merge}()([{source}, {other}])",
                self.pick(_OPERATORS[:3] if self.common else _OPERATORS).format(source, other),
                f"layers.Concatenate()([{source}, {self.pick(sides)}])",
            ]
        )
        self.add(expression)

    def again(self, source: str, shape: Shape) -> None:
        """Call a layer or model again, on a tensor of the shape that it was built for."""
        fitting = [name for name, built in self.reusable if built == shape]
        if fitting:
            self.add(f"{self.pick(fitting)}({source})")

    def nest(self, source: str, shape: Shape) -> None:
        """Call a model of a few layers on `source`."""
        count = self.count + 1
        steps = [f"layers.BatchNormalization()(i{count})"]
        if len(shape) == 3:
            steps.append(f"layers.Conv2D({shape[-1]}, 3, padding='same')(i{count})")
        if len(shape) == 1:
            steps.append(f"layers.Dense({shape[-1]})(i{count})")
        self.run(f"i{count} = keras.Input({shape}, name='inner{count}')")
        body = f"layers.ReLU()({self.pick(steps)})"
        body = self.pick([body, f"layers.BatchNormalization()({body})", f"{body} + i{count}"])
        self.run(f"m{count} = keras.Model(i{count}, {body}, name='model{count}')")
        self.reusable.append((f"m{count}", shape))
        self.add(f"m{count}({source})")

    def head(self) -> None:
        """End with what classifies."""
        shape = self.shape(self.last)
        if len(shape) > 1:
            sides = len(shape) - 1
            pool = self.pick([f"layers.GlobalAveragePooling{sides}D()", "layers.Flatten()"])
            self.add(f"{pool}({self.last})")
        self.add(f"layers.Dense(4{self.pick(['', ', activation=' + repr('softmax')])})({self.last})")
