"""Rebuild layers from their configuration, even those whose function is a lambda, and models of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from converters.base.kerases import KERAS_3, keras_name, keras_of
from converters.base.untyped import Json, KerasLayer, KerasModel
from converters.model.graph import assembled_model, graph_of, new_input

Weights = list[NDArray[Any]]


def made_anew(layer: KerasLayer, config: dict[str, Json]) -> KerasLayer:
    """Return an unbuilt layer of the class of `layer` with the configuration `config`.

    Keras 3 refuses the configuration of a Lambda layer as code from a file; that of `layer` is its own.
    """
    scope: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
    if keras_name(layer) == KERAS_3:
        scope = keras_of(layer).src.saving.serialization_lib.SafeModeScope(False)
    with scope:
        return type(layer).from_config(config)


def copied(layer: KerasLayer, name: str) -> KerasLayer:
    """Return an unbuilt copy of `layer` of that name; an operation of `keras.ops` has no state: itself."""
    if not is_layer(layer):
        return layer
    return made_anew(layer, {**layer.get_config(), "name": name})


def is_layer(layer: KerasLayer) -> bool:
    """Return whether `layer` is one; what else a model calls is an operation of `keras.ops`."""
    return isinstance(layer, keras_of(layer).layers.Layer)


def remade(
    model: KerasModel,
    make: Callable[[KerasLayer, str], KerasLayer | None],
    *,
    weights: Callable[[KerasLayer, KerasLayer], Weights] = lambda old, new: old.get_weights(),
) -> KerasModel:
    """Return a model like `model` of the layers that `make(layer, name)` returns for its own.

    Each layer is made once, however often it is called; operations of `keras.ops` stay. One for which `make`
    returns None is left out: what it reads takes the place of what it gives. `weights(old, new)`: the arrays
    for the layer `new`.
    """
    graph = graph_of(model)
    tensors = {call.outputs[0]: new_input(call, graph.keras) for call in graph.calls if call.is_input}
    made: dict[int, tuple[KerasLayer, KerasLayer]] = {}
    for call in graph.calls:
        if call.is_input:
            continue
        if id(call.layer) not in made:
            new = make(call.layer, call.name) if is_layer(call.layer) else call.layer
            made[id(call.layer)] = (call.layer, new)
        new, results = made[id(call.layer)][1], [tensors[wire] for wire in call.inputs]
        if new is not None:
            results = call.again(new, results)
        tensors.update(zip(call.outputs, results, strict=True))
    copy = assembled_model(graph, graph.keras, tensors)
    for old, new in made.values():
        if is_layer(old) and new is not None:
            new.set_weights(weights(old, new))
    return copy
