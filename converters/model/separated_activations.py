"""Give an activation, or an offset, a layer of its own where a file has an operator of its own for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.kerases import KERAS_2, import_keras
from converters.base.untyped import Activation, KerasLayer, KerasModel, TfTensor
from converters.model.graph import Wire, assembled_model, free_name, graph_of, new_input
from converters.model.making_anew import copied, made_anew

keras = import_keras(KERAS_2)  # a twin's
layers = keras.layers

OF_THEIR_OWN = ("relu6", "leaky_relu", "silu", "swish", "hard_silu", "hard_swish", "gelu")
"""The activations that a file of int8 computes behind the layer, from int8 to int8, by name."""

TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose)
"""The layers of which a file makes a TRANSPOSE_CONV, which computes no activation."""

_RELUS = {"relu": None, "relu6": 6.0}  # the most that they give


def separated(model: KerasModel) -> KerasModel:
    """Return `model`, of Keras 2, with each activation of `OF_THEIR_OWN` in a layer behind the one it is of.

    The same function. The file rounds the sum first, and the activation of it then, as two layers do; a relu6
    it computes together with the layer, as it does a ReLU layer. With a transposed convolution the file
    computes no ReLU. A Rescaling with an offset is a MUL and an ADD there, and becomes two: a product that is
    not rounded would be computed in float32. Its factors and offsets are rounded as the file stores them.
    `model` itself if there is nothing to separate.
    """
    graph = graph_of(model)
    if not any(_is_rescaling(call.layer) or _is_of_its_own(call.layer) for call in graph.calls):
        return model
    taken = {call.name for call in graph.calls}
    tensors: dict[Wire, TfTensor] = {}
    made: dict[int, list[KerasLayer]] = {}
    for call in graph.calls:
        if call.is_input:
            tensors[call.outputs[0]] = new_input(call, keras)
            continue
        if id(call.layer) not in made:
            made[id(call.layer)] = _parts(call.layer, call.name, taken)
        first, *behind = made[id(call.layer)]
        results = call.again(first, [tensors[wire] for wire in call.inputs])
        for layer in behind:
            results = [layer(results[0])]
        tensors.update(zip(call.outputs, results, strict=True))
    copy = assembled_model(graph, keras, tensors)
    for call in graph.calls:
        if not call.is_input:
            made[id(call.layer)][0].set_weights(call.layer.get_weights())
    return copy


def activation_name(activation: Activation) -> str:
    """Return the name of an activation; a custom function is never one of `OF_THEIR_OWN`."""
    name = getattr(activation, "__name__", type(activation).__name__)
    home = str(getattr(activation, "__module__", "")).partition(".")[0]
    known = home in ("keras", "tf_keras", "tensorflow") or name not in OF_THEIR_OWN
    return name if known else f"{name} of {home}"


def _is_rescaling(layer: KerasLayer) -> bool:
    return type(layer) is layers.Rescaling


def _is_of_its_own(layer: KerasLayer) -> bool:
    """Return whether the activation of `layer` has an operator of its own."""
    if not hasattr(layer, "activation") or isinstance(layer, layers.InputLayer):
        return False
    name = activation_name(layer.activation)
    if type(layer) is layers.Activation:
        return name == "relu6"
    return name in OF_THEIR_OWN or (type(layer) in TRANSPOSED and name == "relu")


def _parts(layer: KerasLayer, name: str, taken: set[str]) -> list[KerasLayer]:
    """Return a new layer like `layer`, and the one that computes its activation or offset by itself."""
    if _is_rescaling(layer):
        factors = layers.Rescaling(_as_stored(layer.scale), name=name)
        if not np.any(layer.offset):
            return [factors]
        behind = free_name(f"{name}_offset", taken)
        return [factors, layers.Rescaling(1.0, _as_stored(layer.offset), name=behind)]
    if not _is_of_its_own(layer):
        return [copied(layer, name)]
    if type(layer) is layers.Activation:
        return [layers.ReLU(6.0, name=name)]
    function = activation_name(layer.activation)
    behind = free_name(f"{name}_{function}", taken)
    linear = made_anew(layer, {**layer.get_config(), "name": name, "activation": "linear"})
    if function in _RELUS:
        return [linear, layers.ReLU(_RELUS[function], name=behind)]
    return [linear, layers.Activation(layer.activation, name=behind)]


def _as_stored(constants: float | NDArray[np.float32]) -> float | list[float]:
    """Return the constants of a Rescaling as an int8 file stores them: one scale for all, 0 within."""
    values = np.asarray(constants, np.float32)
    least, most = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if least == most:
        return values.tolist()
    return tf.quantization.fake_quant_with_min_max_vars(values, least, most).numpy().tolist()
