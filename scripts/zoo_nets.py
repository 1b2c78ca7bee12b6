"""The nets of scripts/zoo.py: by construction with random weights, and MLPerf Tiny's trained ones by file.

Random weights with statistics set by a pass of data have the ranges, and so the trouble, of trained ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CALIBRATION, TESTED = 32, 64
"""How many inputs find the ranges, and how many others the errors."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Net:
    """A Keras `model`; for each of its inputs arrays of `calibration` and `tested` (n, ...)."""

    model: Any
    calibration: list[np.ndarray]
    tested: list[np.ndarray]


def net(name: str, folder: Path) -> Net:
    """Return the net of that name: of NETS built, of FILES loaded from `folder`."""
    import keras

    from converters import load_model

    keras.utils.set_random_seed(1)
    if name in FILES:
        model: Any = load_model(folder / FILES[name])
    else:
        model = NETS[name](keras, keras.layers)
    inputs = [_data(tensor, name) for tensor in model.inputs]
    if name in NETS:
        _set_statistics(model, inputs)
    calibration, tested = (
        [one[part] for one in inputs] for part in (slice(CALIBRATION), slice(-TESTED, None))
    )
    return Net(model=model, calibration=calibration, tested=tested)


def _data(tensor: Any, name: str) -> np.ndarray:
    """Return inputs: smooth pictures of 0..255 (MobileNetV1: 0..1), numbers around 0, tokens."""
    rng, count = np.random.default_rng(1998), CALIBRATION + TESTED
    shape = (count, *tensor.shape[1:])
    if "int" in str(tensor.dtype):
        return rng.integers(0, 50, shape).astype(np.int32)
    if len(shape) != 4 or shape[3] > 4:
        return rng.normal(size=shape).astype(np.float32)
    coarse = rng.uniform(0, 1, (count, 4, 4, shape[3]))
    rows, columns = (np.arange(side) * 4 // side for side in shape[1:3])
    smooth = 0.8 * coarse[:, rows][:, :, columns] + 0.2 * rng.uniform(0, 1, shape)
    return (smooth if name == "MobileNetV1 0.25" else np.rint(smooth * 255)).astype(np.float32)


def _set_statistics(model: Any, inputs: list[np.ndarray]) -> None:
    """Set each batch normalisation to the statistics of `inputs`, its scale and shift to random ones."""
    rng = np.random.default_rng(2)
    found = [one for one in model._flatten_layers() if type(one).__name__ == "BatchNormalization"]
    for layer in found:
        layer.momentum = 0.0
        for variable, middle in ((layer.gamma, 1.0), (layer.beta, 0.0)):
            if variable is not None:
                variable.assign(middle + 0.2 * rng.normal(size=tuple(variable.shape)))
    model(inputs if len(inputs) > 1 else inputs[0], training=True)
    for layer in found:
        layer.momentum = 0.99


def _unet(keras: Any, layers: Any) -> Any:
    pixels = keras.Input((32, 32, 3), name="pixels")
    x = fine = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(pixels))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(layers.MaxPooling2D()(x))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Concatenate()([fine, layers.Conv2DTranspose(8, 2, strides=2)(x)])
    x = layers.UpSampling2D()(layers.Conv2D(8, 3, padding="same", activation="relu")(x))
    return keras.Model(pixels, layers.Conv2D(1, 1, activation="sigmoid")(x), name="unet")


def _accelerometer(keras: Any, layers: Any) -> Any:
    samples = keras.Input((128, 3), name="samples")
    x = layers.Normalization(mean=[0.0, 0.1, 0.9], variance=[0.5, 0.6, 1.5])(samples)
    x = layers.Conv1D(16, 5, padding="same", use_bias=False)(x)
    x = layers.MaxPooling1D()(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.GlobalAveragePooling1D()(layers.SeparableConv1D(16, 3, activation="relu")(x))
    return keras.Model(samples, layers.Dense(5, activation="softmax")(x), name="accelerometer")


def _recurrent(cell: str) -> Callable[[Any, Any], Any]:
    def build(keras: Any, layers: Any) -> Any:
        samples = keras.Input((20, 4), name="samples")
        x = getattr(layers, cell)(16)(layers.Rescaling(0.5)(samples))
        return keras.Model(samples, layers.Dense(3, activation="softmax")(x), name=cell.lower())

    return build


def _transformer(keras: Any, layers: Any) -> Any:
    tokens = keras.Input((16,), dtype="int32", name="tokens")
    x = layers.Embedding(50, 16)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(16)(layers.Dense(32, activation="gelu")(x)))
    x = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x))
    return keras.Model(tokens, x, name="transformer")


def _two_inputs(keras: Any, layers: Any) -> Any:
    pixels, facts = keras.Input((16, 16, 1), name="pixels"), keras.Input((5,), name="facts")
    x = layers.Conv2D(8, 3, use_bias=False)(layers.Rescaling(1 / 255)(pixels))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Concatenate()([x, layers.Dense(8, activation="relu")(facts)])
    return keras.Model([pixels, facts], layers.Dense(4, activation="softmax")(x), name="two_inputs")


def _detection(keras: Any, layers: Any) -> Any:
    pixels = x = keras.Input((64, 64, 3), name="pixels")
    x = layers.Rescaling(1 / 255)(x)
    for filters in (8, 16, 24):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(0.1)(layers.BatchNormalization()(x))
    boxes = layers.Reshape((-1, 4))(layers.Conv2D(8, 1)(x))
    scores = layers.Reshape((-1, 3))(layers.Conv2D(6, 1, activation="sigmoid")(x))
    return keras.Model(pixels, layers.Concatenate()([boxes, scores]), name="detection")


def _nested(keras: Any, layers: Any) -> Any:
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
    pixels = keras.Input((32, 32, 3), name="pixels")
    x = base(keras.applications.mobilenet_v2.preprocess_input(pixels))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(pixels, layers.Dense(5, activation="softmax")(x), name="nested")


def _shared(keras: Any, layers: Any) -> Any:
    pixels = keras.Input((16, 16, 3), name="pixels")
    convolution = layers.Conv2D(3, 3, padding="same", activation="relu")
    x = layers.BatchNormalization()(convolution(convolution(pixels / 255.0)))
    return keras.Model(pixels, layers.Dense(3)(layers.Flatten()(x)), name="shared")


def _application(name: str, **options: Any) -> Callable[[Any, Any], Any]:
    def build(keras: Any, layers: Any) -> Any:
        make = getattr(keras.applications, name)
        made = make(input_shape=(96, 96, 3), weights=None, classes=10, **options)
        if name != "MobileNetV2":  # the others have their normalisation within
            return made
        pixels = keras.Input((96, 96, 3), name="pixels")
        return keras.Model(pixels, made(layers.Rescaling(1 / 127.5, offset=-1)(pixels)), name="mobilenet_v2")

    return build


NETS: dict[str, Callable[[Any, Any], Any]] = {
    "U-Net": _unet,
    "accelerometer": _accelerometer,
    "LSTM": _recurrent("LSTM"),
    "GRU": _recurrent("GRU"),
    "transformer block": _transformer,
    "two inputs": _two_inputs,
    "detection head": _detection,
    "shared layer": _shared,
    "MobileNetV2 0.35": _application("MobileNetV2", alpha=0.35),
    "MobileNetV2, nested": _nested,
    "MobileNetV3Small": _application("MobileNetV3Small"),
    "EfficientNetB0": _application("EfficientNetB0"),
}
"""How each net of random weights is built, of Keras 3 and its layers."""

FILES = {
    "autoencoder": "ad01.h5",
    "ResNet-8": "pretrainedResnet.h5",
    "MobileNetV1 0.25": "vww_96.h5",
    "wake word": "str_ww_ref_model.h5",
}
"""The trained nets of MLPerf Tiny, and their files. Of DS-CNN there is a .tflite file only."""
