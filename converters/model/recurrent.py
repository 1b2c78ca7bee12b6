"""Layers that loop over time: convert an LSTM to one operator, and name the layers that loop in a message.

Keras 3 computes an LSTM in a loop. The converter makes a WHILE of it; in int8 it crashes the process. It
recognises the LSTM of Keras 2 and writes one operator for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError
from converters.base.kerases import KERAS_3, keras_name, keras_of
from converters.base.untyped import KerasLayer, KerasModel
from converters.model.graph import flat, graph_of, nested_inputs, type_name
from converters.model.twin import TOLERANCE, twin

_SAMPLES = 20
_OPEN_SIDE = 8  # of made-up inputs


def with_fused_lstm(model: KerasModel, samples: Mapping[str, Numbers] | None) -> KerasModel:
    """Return the twin in Keras 2 of a Keras 3 `model` with an LSTM; `model` itself where there is none.

    The model itself also if the twin does not give its numbers for `samples`, (n, ...) for each input by
    name; without samples, for random numbers.
    """
    keras = keras_of(model)
    if keras_name(model) != KERAS_3 or not any(
        isinstance(layer, keras.layers.LSTM) for layer in _looping(model)
    ):
        return model
    try:
        two = twin(model)
    except InputError:
        return model
    inputs = _drawn(model) if samples is None else [array[:_SAMPLES] for array in samples.values()]
    return two if _distance(model, two, inputs) <= TOLERANCE else model


def loops_in_words(model: KerasModel) -> str:
    """Return the kinds and names of the layers that loop: "GRU (gru)"; "a loop" if none is known."""
    named = dict.fromkeys(f"{type(layer).__name__} ({layer.name})" for layer in _looping(model))
    return ", ".join(named) or "a loop"


def _looping(model: KerasModel) -> Iterator[KerasLayer]:
    """Yield the recurrent layers of `model`, also those within other layers, that are not unrolled."""
    layers = keras_of(model).layers
    for layer in {id(call.layer): call.layer for call in graph_of(model).calls}.values():
        parts = layer._flatten_layers() if isinstance(layer, layers.Layer) else []
        for part in parts:
            if isinstance(part, layers.RNN) and not part.unroll:
                yield part


def _drawn(model: KerasModel) -> list[Numbers]:
    """Return made-up inputs: numbers around 0, or 0 and 1 where they are to be whole."""
    draw, inputs = np.random.default_rng(0), []
    for tensor in model.inputs:
        shape = (_SAMPLES, *(_OPEN_SIDE if side is None else side for side in tensor.shape[1:]))
        kind = np.dtype(type_name(tensor))
        numbers = draw.normal(size=shape) if kind.kind == "f" else draw.integers(0, 2, shape)
        inputs.append(numbers.astype(kind))
    return inputs


def _distance(model: KerasModel, two: KerasModel, inputs: list[Numbers]) -> float:
    """Return the largest difference between outputs of both, as a share of the largest number."""
    answers = [flat(one(nested_inputs(one, inputs), training=False)) for one in (model, two)]
    shares = []
    for wanted, got in zip(*answers, strict=True):
        left, right = np.asarray(wanted, np.float64), np.asarray(got, np.float64)
        if left.shape != right.shape:
            return float("inf")
        shares.append(np.abs(left - right).max() / (np.abs(left).max() or 1.0))
    return float(max(shares))
