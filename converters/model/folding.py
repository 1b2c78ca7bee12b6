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

import numpy as np

from converters.base.environment import keras
from converters.base.errors import InputError, expect
from converters.base.untyped import KerasLayer, KerasModel, KerasNode, TfTensor
from converters.model.float32 import float32_policy, in_float32
from converters.model.fold_rules import rule_of
from converters.model.fold_steps import Folding
from converters.model.fold_values import Step, Value


def fold(model: KerasModel) -> KerasModel:
    """Return a model that computes the same function with the scalings folded into the weights.

    `model`: a built Keras 2 functional or sequential model. Layers without a rule are kept as they
    are, with exact values before them. The folded model has the same inputs, output shapes and layer
    names; its layers are new and compute in float32, the given model is not changed. Raises InputError
    when `model` is no such model, or a layer is not where it can be folded (EuclideanRBF without a softmax).
    """
    return fold_with_notes(model)[0]


@float32_policy()
def fold_with_notes(model: KerasModel) -> tuple[KerasModel, list[str]]:
    """Fold, and also return a line for each layer that went elsewhere: "normalise: into C1"."""
    expect(isinstance(model, keras.Model) and model.built, "a built tf_keras model", type(model).__name__)
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    expect(hasattr(model, "_nodes_by_depth"), "a functional or sequential model", type(model).__name__)
    exact = in_float32(model)
    folding = _Walk(exact)
    if exact is not model:
        folding.notes.append("mixed precision is for training: computed in float32 with the same weights")
    return folding.run(), folding.notes


class _Walk(Folding):
    """One walk through a model, node by node."""

    def __init__(self, model: KerasModel) -> None:
        super().__init__(names=[layer.name for layer in model.layers])
        self.model = model
        self.values: dict[int, Value] = {}
        # The nodes that make up this model; a layer may have been called elsewhere too.
        depths = sorted(model._nodes_by_depth, reverse=True)
        self.nodes = [node for depth in depths for node in model._nodes_by_depth[depth]]
        self.uses: dict[int, int] = {}
        for node in self.nodes:
            self.uses[id(node.layer)] = self.uses.get(id(node.layer), 0) + 1

    def run(self) -> KerasModel:
        """Fold node by node, then build the folded model."""
        readers = _readers(self.nodes, self.model.outputs)
        for node in self.nodes:
            known = len(self.steps)
            tensor, value = self._fold_node(node)
            value.step.readers += readers.get(id(tensor), 0)
            if value.step in self.steps[:known]:
                value.step.readers -= 1  # this node was one of its readers, and is gone
            self.values[id(tensor)] = value
        outputs = [
            self.exact(self.values[id(tensor)], f"{self.model.name}_output") for tensor in self.model.outputs
        ]
        return self._build(outputs)

    def _fold_node(self, node: KerasNode) -> tuple[TfTensor, Value]:
        layer, tensors = node.layer, _flat(node.outputs)
        expect(
            self.uses[id(layer)] == 1,
            "each layer used once",
            f"{layer.name} used {self.uses[id(layer)]} times",
        )
        expect(len(tensors) == 1, "layers with one output", f"{layer.name} with {len(tensors)}")
        if isinstance(layer, keras.layers.InputLayer):
            return tensors[0], Value(self.add(Step(layer)))
        inputs = [self.values[id(tensor)] for tensor in _flat(node.keras_inputs)]
        self.node = node
        self.input_shape = tuple(_flat(node.keras_inputs)[0].shape)
        return tensors[0], rule_of(layer)(layer, inputs, self)

    def _build(self, outputs: list[Value]) -> KerasModel:
        tensors: dict[int, TfTensor] = {}
        for step in self.steps:
            if isinstance(step.layer, keras.layers.InputLayer):
                tensors[id(step)] = keras.Input(**_input_options(step.layer))
                continue
            tensors[id(step)] = _call(step, [tensors[id(source)] for source in step.inputs])
            _set_weights(step)
        by_name = {step.layer.name: tensors[id(step)] for step in self.steps}
        inputs = [by_name[name] for name in self.model.input_names]
        results = [tensors[id(value.step)] for value in outputs]
        return keras.Model(_one_or_list(inputs), _one_or_list(results), name=self.model.name)


def _call(step: Step, inputs: list[TfTensor]) -> TfTensor:
    """Call the step's layer, with the other arguments of the old call where it had some."""
    if step.node is None:
        return step.layer(inputs[0])
    old = _flat(step.node.keras_inputs)
    fresh: dict[str, list[TfTensor]] = {}
    for tensor, new in zip(old, inputs, strict=True):
        fresh.setdefault(str(id(tensor)), []).append(new)  # map_arguments takes one for each use
    arguments, options = step.node.map_arguments(fresh)
    return step.layer(*arguments, **options)


def _input_options(layer: KerasLayer) -> dict[str, object]:
    shape = layer.input_shape[0] if isinstance(layer.input_shape, list) else layer.input_shape
    return {"batch_shape": shape, "dtype": layer.dtype, "name": layer.name}


def _set_weights(step: Step) -> None:
    layer = step.layer
    if step.linear:
        pairs = [(getattr(layer, name), array) for name, array in step.linear.weights().items()]
    else:
        pairs = list(zip(layer.weights, step.weights, strict=True))
    for variable, array in pairs:
        dtype = variable.dtype.as_numpy_dtype
        variable.assign(np.broadcast_to(np.asarray(array).astype(dtype), variable.shape))


def _readers(nodes: list[KerasNode], outputs: list[TfTensor]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for tensor in [*outputs, *(t for node in nodes for t in _flat(node.keras_inputs))]:
        counts[id(tensor)] = counts.get(id(tensor), 0) + 1
    return counts


def _flat(nest: TfTensor) -> list[TfTensor]:
    if isinstance(nest, dict):
        raise InputError("expected layers that take tensors or lists of them, got a dictionary")
    return [leaf for part in nest for leaf in _flat(part)] if isinstance(nest, (list, tuple)) else [nest]


def _one_or_list(tensors: list[TfTensor]) -> TfTensor:
    return tensors[0] if len(tensors) == 1 else tensors
