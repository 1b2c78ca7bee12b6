"""Read the graph of a functional or sequential model, of Keras 3 or Keras 2, as calls that can be made again.

Models within the model are looked through: the calls are those of their layers. What flows from call to call
is a *wire*, a number: a layer of a shared model is called on other wires each time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from converters.base.errors import expect
from converters.base.kerases import KERAS_3, TITLES, keras_name, keras_of
from converters.base.untyped import KerasLayer, KerasModel, KerasNode, TfTensor

Wire = int
Shape = tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One call of a layer, or in Keras 3 of an operation of `keras.ops`.

    `name`: the layer's, made unique where models within the model use it again. `inputs`, `outputs`: wires;
    `input_shapes`, `output_shapes`: theirs, the batch counted, None for a side of unknown size;
    `input_types`, `output_types`: the names of their types.
    """

    layer: KerasLayer
    name: str
    inputs: Sequence[Wire]
    outputs: Sequence[Wire]
    node: KerasNode = field(repr=False)

    @property
    def input_shapes(self) -> list[Shape]:
        """The shapes of the inputs."""
        return [tuple(tensor.shape) for tensor in _sources(self.node)]

    @property
    def output_shapes(self) -> list[Shape]:
        """The shapes of the outputs."""
        return [tuple(tensor.shape) for tensor in _results(self.node)]

    @property
    def input_types(self) -> list[str]:
        """The types of the inputs."""
        return [type_name(tensor) for tensor in _sources(self.node)]

    @property
    def output_types(self) -> list[str]:
        """The types of the outputs."""
        return [type_name(tensor) for tensor in _results(self.node)]

    @property
    def is_input(self) -> bool:
        """Whether this is an input of the model."""
        return not self.inputs and type(self.layer).__name__ == "InputLayer"

    @property
    def arguments(self) -> tuple[Sequence[object], dict[str, object]]:
        """The arguments of an operation of `keras.ops`, positional and by name, tensors among them."""
        return self.node.arguments.args, self.node.arguments.kwargs

    def again(
        self, layer: KerasLayer, tensors: Sequence[TfTensor], *, training: bool | None = None
    ) -> list[TfTensor]:
        """Call `layer` on `tensors` as this call is made on its inputs, with its other arguments.

        `training`: what a layer that asks is told, where it is called outside a model; a model tells its
        layers, whatever they were called with.
        """
        if keras_name(self.layer) == KERAS_3:
            arguments, options = self._filled_in(tensors)
            asks = "training" in options
            if keras_name(layer) != KERAS_3:  # what Keras 2 calls otherwise, or finds out by itself
                options = {name: one for name, one in options.items() if one is not None}
                options.pop("training", None)
            if asks and training is not None:
                options["training"] = training
        else:
            fresh: dict[str, list[TfTensor]] = {}
            for old, new in zip(_sources(self.node), tensors, strict=True):
                fresh.setdefault(str(id(old)), []).append(new)  # map_arguments takes one for each use
            arguments, options = self.node.map_arguments(fresh)
        return flat(layer(*arguments, **options))

    def _filled_in(self, tensors: Sequence[TfTensor]) -> tuple[tuple[object, ...], dict[str, object]]:
        left = iter(tensors)
        old = self.node.arguments
        arguments, options = old.convert(lambda one: next(left) if _is_tensor(one) else one)
        return arguments, dict(options)


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A model's `calls` in an order in which each comes behind what it reads; its wires."""

    model: KerasModel
    calls: Sequence[Call]
    inputs: Sequence[Wire]
    outputs: Sequence[Wire]

    @property
    def keras(self) -> ModuleType:
        """The model's Keras."""
        return keras_of(self.model)

    def calls_of(self, layer: KerasLayer) -> int:
        """Return how often `layer` is called."""
        return sum(call.layer is layer for call in self.calls)

    def readers(self, wire: Wire) -> list[Call]:
        """Return the calls that read `wire`."""
        return [call for call in self.calls if wire in call.inputs]


def graph_of(model: KerasModel) -> Graph:
    """Return the graph of a built functional or sequential model of either Keras.

    Raises InputError: no Keras model, one that is not built, a subclass whose calls are not known, a layer
    of the other Keras.
    """
    check_model(model)
    model = _functional(model)
    expect(hasattr(model, "_nodes_by_depth"), "a functional or sequential model", type(model).__name__)
    reading = _Reading(model)
    return Graph(model=model, calls=reading.calls, inputs=reading.inputs, outputs=reading.outputs)


def check_model(model: KerasModel) -> None:
    """Raise InputError unless `model` is a built model of Keras 3 or Keras 2."""
    is_model = keras_name(model) is not None and isinstance(model, keras_of(model).Model)
    expect(is_model and model.built, "a built Keras model", type(model).__name__)


def new_input(call: Call, keras: ModuleType) -> TfTensor:
    """Return an input of `keras` like that of `call`."""
    (tensor,) = _results(call.node)
    return keras.Input(batch_shape=tuple(tensor.shape), dtype=type_name(tensor), name=call.layer.name)


def assembled_model(graph: Graph, keras: ModuleType, tensors: dict[Wire, TfTensor]) -> KerasModel:
    """Return the model of `keras` over `tensors`, inputs and outputs nested as those of the old model."""
    inputs = _packed(graph.model, "inputs", [tensors[wire] for wire in graph.inputs])
    outputs = _packed(graph.model, "outputs", [tensors[wire] for wire in graph.outputs])
    return keras.Model(inputs, outputs, name=graph.model.name)


def input_names(model: KerasModel) -> list[str]:
    """Return the names of the model's inputs: its keys where it takes a dict, else those of the layers."""
    return _end_names(model, "inputs")


def output_names(model: KerasModel) -> list[str]:
    """Return the names of the model's outputs: its keys where it gives a dict, else those of the layers.

    A layer with several outputs has its name numbered: "lstm", "lstm_1", "lstm_2".
    """
    return _end_names(model, "outputs")


def nested_inputs(model: KerasModel, inputs: Sequence[TfTensor]) -> TfTensor:
    """Return `inputs`, an array or tensor for each input, nested as the model takes them."""
    return _packed(model, "inputs", list(inputs))


def flat(nest: TfTensor) -> list[TfTensor]:
    """Return what a model takes or gives, however nested, in the order of `input_names` or `output_names`."""
    if isinstance(nest, dict):
        return [leaf for key in sorted(nest) for leaf in flat(nest[key])]
    return [leaf for part in nest for leaf in flat(part)] if isinstance(nest, (list, tuple)) else [nest]


def type_name(tensor: TfTensor) -> str:
    """Return the name of the type of a tensor or variable of either Keras: "float32"."""
    return getattr(tensor.dtype, "name", str(tensor.dtype))


class _Reading:
    """Reads a model's calls, and in their places those of the models within."""

    def __init__(self, model: KerasModel) -> None:
        self.keras = keras_name(model)
        self.calls: list[Call] = []
        self.names: dict[int, str] = {}
        self.taken: set[str] = set()
        self.numbers = itertools.count()
        inputs = [next(self.numbers) for _ in model.inputs]
        self.outputs = self.read(model, inputs, inner=False)
        self.inputs = inputs

    def read(self, model: KerasModel, inputs: Sequence[Wire], *, inner: bool) -> list[Wire]:
        """Read `model`, called on the wires `inputs`; return the wires of its outputs."""
        wires = {id(tensor): wire for tensor, wire in zip(model.inputs, inputs, strict=True)}
        for node in _nodes(model):
            results = _results(node)
            if type(_layer(node)).__name__ == "InputLayer":
                if not inner:
                    self.add(node, [], [wires[id(results[0])]])
                continue
            sources = [wires[id(tensor)] for tensor in _sources(node)]
            wires.update(zip(map(id, results), self.called(node, sources), strict=True))
        return [wires[id(tensor)] for tensor in flat(model.outputs)]

    def called(self, node: KerasNode, sources: Sequence[Wire]) -> list[Wire]:
        """Read one call; return the wires of its outputs."""
        layer = _layer(node)
        expect(
            keras_name(layer) in (None, self.keras),
            f"layers of {TITLES[str(self.keras)]} throughout the model",
            f"{layer.name}, which is of the other Keras",
        )
        inside = _functional(layer)
        if hasattr(inside, "_nodes_by_depth"):
            return self.read(inside, sources, inner=True)
        outputs = [next(self.numbers) for _ in _results(node)]
        self.add(node, sources, outputs)
        return outputs

    def add(self, node: KerasNode, inputs: Sequence[Wire], outputs: Sequence[Wire]) -> None:
        layer = _layer(node)
        if id(layer) not in self.names:
            self.names[id(layer)] = free_name(layer.name, self.taken)
        self.calls.append(
            Call(layer=layer, name=self.names[id(layer)], inputs=inputs, outputs=outputs, node=node)
        )


def free_name(name: str, taken: set[str]) -> str:
    """Return `name`, or `name` with the first number from 2 on that is not in `taken`, and take it."""
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    free = next(one for one in itertools.chain([name], numbered) if one not in taken)
    taken.add(free)
    return free


def _functional(model: KerasModel) -> KerasModel:
    """Return `model`, or what a built Sequential is: a functional model of its layers."""
    if keras_name(model) is None or not isinstance(model, keras_of(model).Sequential) or not model.built:
        return model
    return keras_of(model).Model(model.inputs[0], model.outputs[0], name=model.name)


def _nodes(model: KerasModel) -> Iterator[KerasNode]:
    """Yield the nodes that make up this model: a layer may have been called elsewhere too."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        yield from model._nodes_by_depth[depth]


def _layer(node: KerasNode) -> KerasLayer:
    return node.operation if hasattr(node, "operation") else node.layer


def _sources(node: KerasNode) -> list[TfTensor]:
    return list(node.arguments.keras_tensors) if hasattr(node, "arguments") else flat(node.keras_inputs)


def _results(node: KerasNode) -> list[TfTensor]:
    return flat(node.outputs)


def _is_tensor(thing: object) -> bool:
    return type(thing).__name__ == "KerasTensor" and keras_name(thing) == KERAS_3


def _end_names(model: KerasModel, side: str) -> list[str]:
    structure = _structure(model, side)
    if isinstance(structure, dict) and all(_is_leaf(one) for one in structure.values()):
        return sorted(structure)
    if keras_name(model) != KERAS_3:
        return list(model.input_names if side == "inputs" else model.output_names)
    tensors = getattr(_functional(model), side)
    taken: dict[str, int] = {}
    names = []
    for tensor in flat(tensors):
        name = tensor._keras_history.operation.name
        times = taken[name] = taken.get(name, -1) + 1
        names.append(f"{name}_{times}" if times else name)  # as Keras 2 numbers them
    return names


def _structure(model: KerasModel, side: str) -> TfTensor:
    """Return the model's inputs or outputs as it nests them, None for a Sequential."""
    names = (f"_{side}_struct", f"_nested_{side}")
    return next((getattr(model, name) for name in names if hasattr(model, name)), None)


def _is_leaf(nest: TfTensor) -> bool:
    return not isinstance(nest, (dict, list, tuple))


def _packed(model: KerasModel, side: str, ends: list[TfTensor]) -> TfTensor:
    """Return `ends` nested as the model's inputs or outputs are."""
    structure = _structure(model, side)
    if isinstance(structure, dict):
        return dict(zip(sorted(structure), ends, strict=True))
    return ends[0] if len(ends) == 1 and not isinstance(structure, (list, tuple)) else ends
