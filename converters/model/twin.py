"""Make the twin in Keras 2 of a Keras 3 model: tensorflow-model-optimization works with Keras 2 only.

Layers are rebuilt from their configurations, and weights are matched by name. Models within the model are
inlined; a layer that is called several times stays one layer. `check_twin` checks that the twin gives the
model's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.kerases import KERAS_2, KERAS_3, check_backend, import_keras, keras_name, keras_of
from converters.base.untyped import KerasLayer, KerasModel, TfTensor
from converters.model.float32 import float32_policy
from converters.model.graph import (
    Call,
    Graph,
    Wire,
    assembled_model,
    check_model,
    graph_of,
    nested_inputs,
    new_input,
)
from converters.model.twin_layers import copy_weights, first_line, twin_layer
from converters.model.twin_operations import called, operation_layer

TOLERANCE = 1e-4
"""How far an output of a twin may be from the model's, as a share of the largest.

Both compute the same sums in float32, perhaps in another order, so in the deepest models they differ by a few
hundred times 2^-24. An option that means something else in the other Keras changes the second digit.
"""

_BATCH = 100


def twin(model: KerasModel) -> KerasModel:
    """Return the twin in Keras 2 of a built functional or sequential Keras 3 model: the same function.

    Layers keep their names; models within the model are inlined. Weights are copied; `model` is not changed.
    A custom layer that is written once for both Kerases (`keras_layer`) is made for Keras 2; any other custom
    layer must be registered in tf_keras under the same name. A function is used as it is: it must compute on
    TensorFlow's tensors, as one that uses `keras.ops` does. Operations of `keras.ops` in the graph become
    layers. Raises InputError: no such model; Keras on another backend than TensorFlow; a layer, option,
    function or weight that Keras 2 does not have, by its name and with the reason.
    """
    check_model(model)
    expect(keras_name(model) == KERAS_3, "a model of Keras 3", f"one of Keras 2, {model.name}")
    check_backend(keras_of(model))
    graph = graph_of(model)
    keras = import_keras(KERAS_2)
    with float32_policy(keras):
        return _built(graph)


def check_twin(two: KerasModel, model: KerasModel, samples: Sequence[Numbers]) -> None:
    """Raise InputError unless `two` gives the numbers of the Keras 3 `model` for `samples`.

    `samples`: an array (n, ...) for each input. The numbers may differ by `TOLERANCE`. The
    message names the first layer that departs, given the same inputs, and by how much.
    """
    for start in range(0, len(samples[0]), _BATCH):
        batch = [array[start : start + _BATCH] for array in samples]
        answers = [_flat(one(nested_inputs(one, batch), training=False)) for one in (model, two)]
        distance = max(_distance(left, right) for left, right in zip(*answers, strict=True))
        if not distance <= TOLERANCE:
            name, distance = _first_departure(graph_of(model), two, batch) or (model.name, distance)
            raise InputError(
                f"expected the twin of {model.name} in Keras 2 to give the model's numbers, got others from "
                f"{name}, off by {distance:.2g} of the largest (allowed: {TOLERANCE:g})"
            )


def _built(graph: Graph) -> KerasModel:
    """Return the twin of the model that `graph` is of."""
    keras = import_keras(KERAS_2)
    tensors: dict[Wire, TfTensor] = {}
    for call in graph.calls:
        if call.is_input:
            tensors[call.outputs[0]] = new_input(call, keras)
    made: dict[int, KerasLayer] = {}
    for call in graph.calls:
        if call.is_input:
            continue
        key = id(call.layer) if _is_layer(call.layer) else id(call.node)  # an operation has no state
        if key not in made:
            made[key] = _made(call)
        results = _called(call, made[key], [tensors[wire] for wire in call.inputs])
        tensors.update(zip(call.outputs, results, strict=True))
    two = assembled_model(graph, keras, tensors)
    for layer, name in _layers(graph):
        copy_weights(layer, two.get_layer(name))
    return two


def _is_layer(layer: KerasLayer) -> bool:
    return isinstance(layer, keras_of(layer).layers.Layer)


def _made(call: Call) -> KerasLayer:
    return twin_layer(call.layer, call.name) if _is_layer(call.layer) else operation_layer(call)


def _called(
    call: Call, layer: KerasLayer, tensors: Sequence[TfTensor], *, training: bool | None = None
) -> list[TfTensor]:
    """Call the twin's `layer` on `tensors` as `call` is made in the model."""
    try:
        if _is_layer(call.layer):
            return call.again(layer, tensors, training=training)
        return called(layer, tensors)
    except Exception as error:  # of many kinds: a custom function may do anything
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"expected {call.name} to compute in Keras 2, got {type(error).__name__}: {first_line(error)}"
        ) from error


def _layers(graph: Graph) -> list[tuple[KerasLayer, str]]:
    """Return the layers that have weights, each once, and their names in the twin."""
    calls = {id(call.layer): call for call in graph.calls if getattr(call.layer, "weights", ())}
    return [(call.layer, call.name) for call in calls.values()]


def _first_departure(graph: Graph, two: KerasModel, batch: Sequence[Numbers]) -> tuple[str, float] | None:
    """Return the name of the first layer whose twin departs on the same inputs, and by how much."""
    values: dict[Wire, TfTensor] = dict(zip(graph.inputs, batch, strict=True))
    for call in graph.calls:
        if call.is_input:
            continue
        inputs = [values[wire] for wire in call.inputs]
        wanted = call.again(call.layer, inputs, training=False)
        got = _called(call, two.get_layer(call.name), inputs, training=False)
        distance = max(_distance(left, right) for left, right in zip(wanted, got, strict=True))
        if not distance <= TOLERANCE:
            return call.name, distance
        values.update(zip(call.outputs, wanted, strict=True))
    return None


def _distance(wanted: TfTensor, got: TfTensor) -> float:
    """Return the largest difference as a share of the largest number; infinity for other shapes."""
    left, right = (np.asarray(one, np.float64) for one in (wanted, got))
    if left.shape != right.shape:
        return float("inf")
    differing = ~((left == right) | (np.isnan(left) & np.isnan(right)))
    difference = np.abs(left - right)[differing].max(initial=0)
    return float(difference / max(np.abs(left).max(initial=0), np.finfo(np.float32).tiny))


def _flat(nest: TfTensor) -> list[TfTensor]:
    return import_keras(KERAS_3).tree.flatten(nest)
