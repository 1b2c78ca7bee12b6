"""Fold a model: the same function with fewer steps, exact but for float32 rounding.

Normalisation, the scaled tanh's two constants, batch normalisation, dropout and anything else that
only scales and shifts are moved into the weights of neighbouring layers. Layer classes stay the same.

While it walks through the model, fold writes each tensor of the old model as

    old = factor * new + offset        (numbers, or one number a channel)

where `new` is a tensor of the folded model. A linear layer takes factor and offset of its input into
its kernel and bias; a layer that must have the old value itself has them put into the linear layer
before it, or, where that cannot be, computed by a stock `Rescaling`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel, TfTensor
from converters.model import fold_activations, fold_linear, fold_passing, fold_scalings
from converters.model.float32 import float32_policy, in_float32
from converters.model.fold_rules import keep, rule_of
from converters.model.fold_steps import Folding
from converters.model.fold_values import Step, Value
from converters.model.graph import Call, Graph, Wire, assembled_model, check_model, graph_of, new_input
from converters.model.unrounded import check_unrounded

# Importing them registers their rules.
_RULES = (fold_activations, fold_linear, fold_passing, fold_scalings)


def fold(model: KerasModel) -> KerasModel:
    """Return a model that computes the same function with the scalings folded into the weights.

    `model`: a built functional or sequential model of Keras 3 or Keras 2; the result is of the same Keras. A
    layer without a rule is kept as it is, and receives the exact values; so does a layer that is called
    several times. The folded model has the same inputs, output shapes and layer names; models within the
    model are inlined. Its layers are new and compute in float32; the given model is not changed. Raises
    InputError if `model` is no such model, if it was made by `quantize_aware`, or if a layer stands where it
    cannot be folded (EuclideanRBF without a softmax).
    """
    return fold_with_notes(model)[0]


def fold_with_notes(model: KerasModel) -> tuple[KerasModel, list[str]]:
    """Fold, and also return a line for each layer that went elsewhere: "normalise: into C1"."""
    check_model(model)
    check_unrounded(model)
    exact = in_float32(model)
    with float32_policy(keras_of(model)):
        folding = _Walk(graph_of(exact))
        if exact is not model:
            folding.notes.append("mixed precision is for training: computed in float32 with the same weights")
        return folding.run(), folding.notes


class _Walk(Folding):
    """One walk through a model, call by call."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph.keras, names=[call.name for call in graph.calls])
        self.graph = graph
        self.values: dict[Wire, Value] = {}
        self.kept: dict[int, KerasLayer] = {}

    def run(self) -> KerasModel:
        """Fold call by call, then build the folded model."""
        readers = _readers(self.graph)
        for call in self.graph.calls:
            known = len(self.steps)
            results = self._folded(call)
            for wire, value in zip(call.outputs, results, strict=True):
                if value.step in self.steps[:known]:
                    value.step.readers -= 1  # this call was one of its readers, and is gone
                    value = self.taken_back(value)
                value.step.readers += readers.get(wire, 0)
                self.values[wire] = value
        name = f"{self.graph.model.name}_output"
        outputs = [self.exact(self.values[wire], name) for wire in self.graph.outputs]
        return self._built(outputs)

    def _folded(self, call: Call) -> list[Value]:
        """Return the values of the call's outputs."""
        layer = call.layer
        if call.is_input:
            return [Value(self.add(Step(layer, call=call)))]
        inputs = [self.values[wire] for wire in call.inputs]
        self.call = call
        shared = self.graph.calls_of(layer) > 1
        if not shared and len(call.outputs) == 1:
            return [rule_of(layer)(layer, inputs, self)]
        value = keep(layer, inputs, self)
        if shared:  # one layer with one set of weights, as before
            value.step.layer = self.kept.setdefault(id(layer), value.step.layer)
        return [Value(value.step, index=index) for index in range(len(call.outputs))]

    def _built(self, outputs: Sequence[Value]) -> KerasModel:
        tensors: dict[int, list[TfTensor]] = {}
        for step in self.steps:
            if step.call is not None and step.call.is_input:
                tensors[id(step)] = [new_input(step.call, self.keras)]
                continue
            inputs = [tensors[id(value.step)][value.index] for value in step.inputs]
            tensors[id(step)] = (
                [step.layer(inputs[0])] if step.call is None else step.call.again(step.layer, inputs)
            )
            _set_weights(step)
        sides = [
            *((wire, self.values[wire]) for wire in self.graph.inputs),
            *zip(self.graph.outputs, outputs, strict=True),
        ]
        by_wire = {wire: tensors[id(value.step)][value.index] for wire, value in sides}
        return assembled_model(self.graph, self.keras, by_wire)


def _set_weights(step: Step) -> None:
    layer = step.layer
    if step.linear:
        pairs = [(getattr(layer, name), array) for name, array in step.linear.weights().items()]
    else:
        pairs = list(zip(getattr(layer, "weights", ()), step.weights, strict=True))
    for variable, array in pairs:
        dtype = np.asarray(variable).dtype
        variable.assign(np.broadcast_to(np.asarray(array).astype(dtype), tuple(variable.shape)))


def _readers(graph: Graph) -> dict[Wire, int]:
    """Return how often each wire is read, by calls and as an output of the model."""
    counts: dict[Wire, int] = {}
    for wire in [*graph.outputs, *(wire for call in graph.calls for wire in call.inputs)]:
        counts[wire] = counts.get(wire, 0) + 1
    return counts
