"""Fold: the same function with fewer steps, exact but for float32 rounding.

Normalisation, the scaled tanh's two constants, batch normalisation, dropout and anything else that
only scales and shifts are moved into the weights of neighbouring layers. Layer classes stay the same.

While it walks through the model, fold writes each tensor of the old model as

    old = factor * new + offset        (numbers, or one number a channel)

where `new` is a tensor of the folded model. A linear layer takes factor and offset of its input into
its kernel and bias; a layer that must have the old value itself has them put into the linear layer
before it, or, where that cannot be, computed by a stock `Rescaling`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from converters.assembled import AssembledConv2D
from converters.environment import keras
from converters.errors import InputError, expect

Number = Any  # a float, or float64 (channels,)


@dataclass(frozen=True)
class Value:
    """A tensor of the old model: `factor * new + offset`, `new` being the output of `step`.

    `shifted` says that it is known only up to a number that all values of a row have in common, which
    softmax does not see.
    """

    step: Step
    factor: Number = 1.0
    offset: Number = 0.0
    shifted: bool = False

    @property
    def plain(self) -> bool:
        """Whether the old value is the new one."""
        return bool(np.all(self.factor == 1.0) and np.all(self.offset == 0.0) and not self.shifted)

    def scaled(self, factor: Number, offset: Number = 0.0) -> Value:
        """Return `factor * self + offset`."""
        return replace(self, factor=self.factor * factor, offset=self.offset * factor + offset)


@dataclass(eq=False)
class Step:
    """A layer of the folded model: a fresh instance, its inputs and the weights that it will have."""

    layer: Any
    inputs: list[Step] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    linear: Linear | None = None
    node: Any = None  # the old node, when the layer is called as it was there
    readers: int = 0  # of the old tensors that this step computes


class Squashing(NamedTuple):
    """An activation that is `amplitude * tanh(slope * a)`."""

    amplitude: float
    slope: float


Rule = Callable[[Any, list[Value], "Folding"], Value]
_rules: dict[type, Rule] = {}
_squashings: dict[Callable[..., Any], Squashing] = {}


def fold_rule(*classes: type) -> Callable[[Rule], Rule]:
    """Register `rule(layer, inputs, folding) -> Value` as the way to fold the layers of `classes`."""

    def register(rule: Rule) -> Rule:
        _rules.update(dict.fromkeys(classes, rule))
        return rule

    return register


def register_squashing(function: Callable[..., Any], *, amplitude: float, slope: float) -> None:
    """Say that the activation `function(a)` is `amplitude * tanh(slope * a)`."""
    _squashings[function] = Squashing(amplitude, slope)


def fold(model: Any) -> Any:
    """Return a model that computes the same function with the scalings folded into the weights.

    `model`: a built Keras 2 functional or sequential model. Layers without a rule are kept as they
    are, with exact values before them. The folded model has the same inputs, output shapes and layer
    names; its layers are new, the given model is not changed. Raises InputError when `model` is no such
    model, or a layer can be folded only where it does not stand (EuclideanRBF without a softmax).
    """
    return fold_with_notes(model)[0]


def fold_with_notes(model: Any) -> tuple[Any, list[str]]:
    """Fold, and also return a line for each layer that went elsewhere: "normalise: into C1"."""
    expect(isinstance(model, keras.Model) and model.built, "a built tf_keras model", type(model).__name__)
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    expect(hasattr(model, "_nodes_by_depth"), "a functional or sequential model", type(model).__name__)
    folding = Folding(model)
    return folding.run(), folding.notes


class Folding:
    """One walk through a model; the rules call `emit`, `linear` and `exact`."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.values: dict[int, Value] = {}
        # The nodes that make up this model; a layer may have been called elsewhere too.
        depths = sorted(model._nodes_by_depth, reverse=True)
        self.nodes = [node for depth in depths for node in model._nodes_by_depth[depth]]
        self.uses: dict[int, int] = {}
        for node in self.nodes:
            self.uses[id(node.layer)] = self.uses.get(id(node.layer), 0) + 1

    def run(self) -> Any:
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

    def _fold_node(self, node: Any) -> tuple[Any, Value]:
        layer, tensors = node.layer, _flat(node.outputs)
        expect(
            self.uses[id(layer)] == 1,
            "each layer used once",
            f"{layer.name} used {self.uses[id(layer)]} times",
        )
        expect(len(tensors) == 1, "layers with one output", f"{layer.name} with {len(tensors)}")
        if isinstance(layer, keras.layers.InputLayer):
            return tensors[0], Value(self._add(Step(layer)))
        inputs = [self.values[id(tensor)] for tensor in _flat(node.keras_inputs)]
        self.node = node
        return tensors[0], (_rule_of(layer) or keep)(layer, inputs, self)

    def emit(self, layer: Any, inputs: list[Value], **weights: np.ndarray) -> Value:
        """Add `layer` (a fresh instance) over exact or already absorbed `inputs`, to have `weights`."""
        return Value(self._add(Step(layer, [value.step for value in inputs], dict(weights))))

    def linear(self, layer: Any, value: Value, form: Linear) -> Value:
        """Add a linear layer with the weights of `form`, its input's factor and offset taken in."""
        if form.padded and np.any(np.asarray(value.offset) != 0.0):
            value = self.exact(value, form.name)  # a shifted border would not be zeros
        expect(not value.shifted, f"a softmax after the squared distances that {form.name} takes", "none")
        form.take_input(value.factor, value.offset)
        return Value(self._add(Step(layer, [value.step], linear=form)))

    def exact(self, value: Value, wanted_by: str) -> Value:
        """Return `value` as a tensor itself: put into the linear layer before, or computed."""
        expect(not value.shifted, f"a softmax after the squared distances that {wanted_by} takes", "none")
        if value.plain:
            return value
        form = value.step.linear
        if form is not None and form.open and value.step.readers <= 1:
            form.take_output(value.factor, value.offset)
            return Value(value.step)
        self.notes.append(f"a scaling before {wanted_by} could not be folded: a Rescaling computes it")
        name = f"{wanted_by}_rescaling"
        return self.emit(
            keras.layers.Rescaling(_config_number(value.factor), _config_number(value.offset), name=name),
            [value],
        )

    def _add(self, step: Step) -> Step:
        self.steps.append(step)
        return step

    def _build(self, outputs: list[Value]) -> Any:
        tensors: dict[int, Any] = {}
        for step in self.steps:
            if isinstance(step.layer, keras.layers.InputLayer):
                tensors[id(step)] = keras.Input(**_input_options(step.layer))
                continue
            tensors[id(step)] = _call(step, [tensors[id(source)] for source in step.inputs])
            weights = step.linear.weights() if step.linear else step.weights
            _set_weights(step.layer, weights)
        by_name = {step.layer.name: tensors[id(step)] for step in self.steps}
        inputs = [by_name[name] for name in self.model.input_names]
        results = [tensors[id(value.step)] for value in outputs]
        return keras.Model(_one_or_list(inputs), _one_or_list(results), name=self.model.name)


class Linear:
    """The weights of a layer that computes `kernel * input + bias`, in float64, to be scaled exactly.

    `scale(kernel weight, by_input=, by_output=)` returns the scaled kernel weight; `gain(kernel weight,
    offset)` returns what a constant input of `offset` adds to each output; `padded` says that the
    border is filled with zeros, which an offset would change.
    """

    def __init__(
        self,
        name: str,
        *,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        scale: Callable[..., np.ndarray],
        gain: Callable[[np.ndarray, Number], np.ndarray],
        kernel_name: str = "kernel",
        padded: bool = False,
    ) -> None:
        self.name = name
        self.kernel = np.asarray(kernel, np.float64)
        self.bias: Number = 0.0 if bias is None else np.asarray(bias, np.float64)
        self.scale, self.gain = scale, gain
        self.kernel_name, self.padded = kernel_name, padded
        self.open = True  # whether its output may still be scaled: no activation follows within the layer

    def take_input(self, factor: Number, offset: Number) -> None:
        """Take in an input that is `factor * new + offset`."""
        if np.any(np.asarray(offset) != 0.0):
            self.bias = self.bias + self.gain(self.kernel, offset)
        self.kernel = self.scale(self.kernel, by_input=factor)

    def take_output(self, factor: Number, offset: Number = 0.0) -> None:
        """Put out `factor * output + offset` instead."""
        self.kernel = self.scale(self.kernel, by_output=factor)
        self.bias = self.bias * factor + offset

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights by attribute name."""
        return {self.kernel_name: self.kernel, "bias": self.bias}


def full_kernel(name: str, *, kernel: np.ndarray, bias: np.ndarray | None, padded: bool = False) -> Linear:
    """Return the linear form of a kernel (..., inputs, outputs) whose entries are all weights."""

    def scale(kernel: np.ndarray, *, by_input: Number = 1.0, by_output: Number = 1.0) -> np.ndarray:
        return kernel * np.asarray(by_input)[..., None] * by_output

    def gain(kernel: np.ndarray, offset: Number) -> np.ndarray:
        return (kernel * np.asarray(offset)[..., None]).reshape(-1, kernel.shape[-1]).sum(axis=0)

    return Linear(name, kernel=kernel, bias=bias, scale=scale, gain=gain, padded=padded)


def _with_activation(value: Value, activation: Any) -> Value:
    """Give a linear step its activation: a scaled tanh becomes tanh, with its constants moved away."""
    form, layer = value.step.linear, value.step.layer
    assert form is not None  # its only callers have just made it
    squashing = _squashings.get(activation)
    if squashing is not None:
        form.take_output(squashing.slope)
        form.open = False
        layer.activation = keras.activations.tanh
        return value.scaled(squashing.amplitude)
    layer.activation = activation
    form.open = activation is keras.activations.linear
    return value


def _fresh(layer: Any, **changes: Any) -> Any:
    """Return a new, unbuilt instance of `layer`, with a bias if it can have one."""
    config = {**layer.get_config(), **changes}
    if "use_bias" in config and hasattr(layer, "bias"):
        config["use_bias"] = True  # folding may need one
    return type(layer).from_config(config)


@fold_rule(keras.layers.Conv2D, keras.layers.Dense)
def _fold_full(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    if getattr(layer, "groups", 1) != 1 or _channels_first(layer):
        return keep(layer, inputs, folding)
    padded = getattr(layer, "padding", "valid") != "valid"
    form = full_kernel(layer.name, kernel=layer.kernel.numpy(), bias=_array(layer.bias), padded=padded)
    return _with_activation(folding.linear(_fresh(layer), inputs[0], form), layer.activation)


@fold_rule(keras.layers.DepthwiseConv2D)
def _fold_depthwise(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    if _channels_first(layer):
        return keep(layer, inputs, folding)
    multiplier = layer.depth_multiplier

    def scale(kernel: np.ndarray, *, by_input: Number = 1.0, by_output: Number = 1.0) -> np.ndarray:
        channels = kernel.shape[2]
        outputs = np.broadcast_to(by_output, channels * multiplier).reshape(channels, multiplier)
        return kernel * np.broadcast_to(by_input, channels)[:, None] * outputs

    def gain(kernel: np.ndarray, offset: Number) -> np.ndarray:
        return (kernel.sum(axis=(0, 1)) * np.broadcast_to(offset, kernel.shape[2])[:, None]).reshape(-1)

    form = Linear(
        layer.name,
        kernel=layer.depthwise_kernel.numpy(),
        bias=_array(layer.bias),
        scale=scale,
        gain=gain,
        kernel_name="depthwise_kernel",
        padded=layer.padding != "valid",
    )
    return _with_activation(folding.linear(_fresh(layer), inputs[0], form), layer.activation)


def _fold_assembled(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    depthwise = layer.operation == "depthwise_conv2d"

    def gain(weight: np.ndarray, offset: Number) -> np.ndarray:
        kernel = np.asarray(layer.assemble(weight.astype(np.float32)), np.float64)
        if depthwise:
            return kernel.sum(axis=(0, 1)).reshape(-1) * offset
        return (kernel * np.broadcast_to(offset, kernel.shape[2])[:, None]).sum(axis=(0, 1, 2))

    form = Linear(
        layer.name,
        kernel=getattr(layer, layer.kernel_weight).numpy(),
        bias=_array(layer.bias),
        scale=layer.scale,
        gain=gain,
        kernel_name=layer.kernel_weight,
    )
    return _with_activation(folding.linear(_fresh(layer), inputs[0], form), layer.activation)


@fold_rule(keras.layers.Rescaling)
def _fold_rescaling(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(layer.scale), _number(layer.offset))


@fold_rule(keras.layers.Normalization)
def _fold_normalization(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    if {axis % inputs_rank(layer) for axis in layer.axis} not in (set(), {inputs_rank(layer) - 1}):
        return keep(layer, inputs, folding)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), keras.backend.epsilon())
    mean = np.asarray(layer.mean, np.float64)
    factor, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(factor), _number(offset))


@fold_rule(keras.layers.BatchNormalization)
def _fold_batch_normalization(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    if [axis % inputs_rank(layer) for axis in layer.axis] != [inputs_rank(layer) - 1]:
        return keep(layer, inputs, folding)
    mean, variance = (v.numpy().astype(np.float64) for v in (layer.moving_mean, layer.moving_variance))
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * layer.gamma.numpy()
    offset = -mean * factor + (layer.beta.numpy() if layer.center else 0.0)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(factor, offset)


@fold_rule(
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianNoise,
    keras.layers.GaussianDropout,
    keras.layers.ActivityRegularization,
)
def _fold_identity(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    folding.notes.append(f"{layer.name}: left out, it acts in training only")
    return inputs[0]


@fold_rule(keras.layers.Activation)
def _fold_activation(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    squashing = _squashings.get(layer.activation)
    if squashing is not None:
        return fold_squashing(layer, inputs, folding, squashing)
    if layer.activation is keras.activations.softmax:
        return _fold_softmax(layer, inputs, folding)
    return keep(layer, inputs, folding)


def fold_squashing(layer: Any, inputs: list[Value], folding: Folding, squashing: Squashing) -> Value:
    """Fold a layer that computes `amplitude * tanh(slope * a)`: the slope before it, the amplitude after."""
    exact = folding.exact(inputs[0].scaled(squashing.slope), layer.name)
    tanh = folding.emit(keras.layers.Activation("tanh", name=layer.name), [exact])
    return tanh.scaled(squashing.amplitude)


@fold_rule(keras.layers.Softmax)
def _fold_softmax(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    value = inputs[0]
    if getattr(layer, "axis", -1) in (-1, inputs_rank(layer) - 1):
        value = replace(value, shifted=False)  # softmax(a + t) = softmax(a)
    return keep(layer, [value], folding)


@fold_rule(keras.layers.Flatten)
def _fold_flatten(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    if _channels_first(layer):
        return keep(layer, inputs, folding)
    positions = int(np.prod(layer.input_shape[1:-1]))
    value = folding.emit(_fresh(layer), inputs)
    return value.scaled(_tiled(inputs[0].factor, positions), _tiled(inputs[0].offset, positions))


@fold_rule(
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Cropping2D,
)
def _fold_channelwise(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    """Scaling and shifting each channel commutes with averaging and cropping."""
    if _channels_first(layer):
        return keep(layer, inputs, folding)
    return folding.emit(_fresh(layer), inputs).scaled(inputs[0].factor, inputs[0].offset)


@fold_rule(keras.layers.MaxPooling2D, keras.layers.GlobalMaxPooling2D)
def _fold_max_pooling(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    if np.any(np.asarray(inputs[0].factor) < 0):
        return keep(layer, inputs, folding)
    return _fold_channelwise(layer, inputs, folding)


def keep(layer: Any, inputs: list[Value], folding: Folding) -> Value:
    """Keep `layer` as it is, over exact inputs: the rule of every layer without one."""
    exact = [folding.exact(value, layer.name) for value in inputs]
    weights = {str(index): variable.numpy() for index, variable in enumerate(layer.weights)}
    value = folding.emit(type(layer).from_config(layer.get_config()), exact, **weights)
    value.step.node = folding.node
    return value


def inputs_rank(layer: Any) -> int:
    """Return the rank of the layer's first input, the batch counted."""
    return len(layer.input_shape)


def _rule_of(layer: Any) -> Rule | None:
    if isinstance(layer, AssembledConv2D):
        return _fold_assembled
    # A subclass may compute something else than its parent: only the class itself counts.
    return _rules.get(type(layer))


def _call(step: Step, inputs: list[Any]) -> Any:
    """Call the step's layer, with the other arguments of the old call where it had some."""
    if step.node is None:
        return step.layer(inputs[0])
    old = _flat(step.node.keras_inputs)
    fresh: dict[str, list[Any]] = {}
    for tensor, new in zip(old, inputs, strict=True):
        fresh.setdefault(str(id(tensor)), []).append(new)  # map_arguments takes one for each use
    arguments, options = step.node.map_arguments(fresh)
    return step.layer(*arguments, **options)


def _input_options(layer: Any) -> dict[str, Any]:
    shape = layer.input_shape[0] if isinstance(layer.input_shape, list) else layer.input_shape
    return {"batch_shape": shape, "dtype": layer.dtype, "name": layer.name}


def _array(variable: Any) -> np.ndarray | None:
    return None if variable is None else variable.numpy()


def _channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", "channels_last") != "channels_last"


def _set_weights(layer: Any, weights: dict[str, np.ndarray]) -> None:
    for name, array in weights.items():
        variable = layer.weights[int(name)] if name.isdigit() else getattr(layer, name)
        dtype = variable.dtype.as_numpy_dtype
        variable.assign(np.broadcast_to(np.asarray(array).astype(dtype), variable.shape))


def _readers(nodes: list[Any], outputs: list[Any]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for tensor in [*outputs, *(t for node in nodes for t in _flat(node.keras_inputs))]:
        counts[id(tensor)] = counts.get(id(tensor), 0) + 1
    return counts


def _flat(nest: Any) -> list[Any]:
    if isinstance(nest, dict):
        raise InputError("expected layers that take tensors or lists of them, got a dictionary")
    return [leaf for part in nest for leaf in _flat(part)] if isinstance(nest, (list, tuple)) else [nest]


def _tiled(number: Number, times: int) -> Number:
    return number if np.ndim(number) == 0 else np.tile(number, times)


def _number(value: Any) -> Number:
    array = np.asarray(value, np.float64)
    return float(array) if array.size == 1 else array.reshape(-1)


def _config_number(number: Number) -> Any:
    return float(number) if np.ndim(number) == 0 else np.asarray(number).tolist()


def _one_or_list(things: list[Any]) -> Any:
    return things[0] if len(things) == 1 else things
