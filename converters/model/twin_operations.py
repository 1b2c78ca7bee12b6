"""Make a layer of Keras 2 of an operation of `keras.ops`, which a Keras 3 model may have in its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from converters.base.errors import InputError
from converters.base.kerases import KERAS_2, KERAS_3, import_keras
from converters.base.untyped import Json, KerasLayer, TfTensor
from converters.model.graph import Call

keras = import_keras(KERAS_2)  # the twin's
layers: Any = keras.layers


@keras.utils.register_keras_serializable(package="converters")
class KerasOperation(layers.Layer):
    """Computes an operation of `keras.ops` on TensorFlow's tensors, by Keras 3 itself.

    `operation`, and the `arguments` that it is called with, positional and by name: as Keras 3 serialises
    them. A tensor among the arguments stands for the next of the layer's inputs.
    """

    def __init__(self, *, operation: Json, arguments: Json, **options: object) -> None:
        super().__init__(**options, autocast=False)
        self._config = {"operation": operation, "arguments": arguments}
        self._keras = import_keras(KERAS_3)
        self.operation = self._keras.saving.deserialize_keras_object(operation)
        self._arguments = self._keras.saving.deserialize_keras_object(arguments)

    def call(self, inputs: TfTensor) -> TfTensor:
        """Compute it for one tensor or a list of them."""
        left = iter(inputs if isinstance(inputs, (list, tuple)) else [inputs])

        def filled(one: object) -> object:
            return next(left) if isinstance(one, self._keras.KerasTensor) else one

        arguments, options = self._keras.tree.map_structure(filled, self._arguments)
        return self.operation(*arguments, **options)

    def get_config(self) -> dict[str, object]:
        """Return what `from_config` needs."""
        return {**super().get_config(), **self._config}


def operation_layer(call: Call) -> KerasLayer:
    """Return a layer of Keras 2 that computes what `call`, of an operation of `keras.ops`, computes.

    It is a stock layer where one does the same, so that the rules for that layer hold. It is called with the
    call's inputs: one tensor, or a list. Raises InputError for what Keras 3 cannot rebuild: a custom
    operation that is not registered, a variable among the arguments.
    """
    stock = _STOCK.get(operation_name(call.layer), lambda call: None)(call)
    if stock is not None:
        return stock
    serialize = import_keras(KERAS_3).saving.serialize_keras_object
    arguments, options = call.arguments
    try:
        return KerasOperation(
            operation=serialize(call.layer),
            arguments=serialize((tuple(arguments), options)),
            name=call.name,
        )
    except Exception as error:  # of many kinds: an operation may need anything
        kind = type(call.layer).__name__
        raise InputError(
            f"expected layers, functions of keras.ops or registered operations, got {call.name}, a {kind}"
        ) from error


def operation_name(operation: KerasLayer) -> str:
    """Return the name of the class of an operation of `keras.ops`; "" for a custom one."""
    kind = type(operation)
    return kind.__name__ if kind.__module__.startswith(f"{KERAS_3}.") else ""


def _merging(layer: Callable[..., KerasLayer]) -> Callable[[Call], KerasLayer]:
    """For two tensors of one rank and type; for different ranks Keras 2 does not follow NumPy's rule."""

    def stock(call: Call) -> KerasLayer:
        alike = len({len(shape) for shape in call.input_shapes}) == len({*call.input_types}) == 1
        return layer(name=call.name) if alike and len(call.inputs) == 2 else None

    return stock


def _concatenating(call: Call) -> KerasLayer:
    alike = len({*call.input_types}) == 1 and len(call.inputs) > 1
    return layers.Concatenate(axis=call.layer.axis, name=call.name) if alike else None


def _softmax(call: Call) -> KerasLayer:
    one = isinstance(call.layer.axis, int)
    return layers.Softmax(axis=call.layer.axis, name=call.name) if one else None


def _activation(name: str) -> Callable[[Call], KerasLayer]:
    return lambda call: layers.Activation(name, name=call.name)


_STOCK: dict[str, Callable[[Call], KerasLayer]] = {
    "Add": _merging(layers.Add),
    "Subtract": _merging(layers.Subtract),
    "Multiply": _merging(layers.Multiply),
    "Maximum": _merging(layers.Maximum),
    "Minimum": _merging(layers.Minimum),
    "Concatenate": _concatenating,
    "Softmax": _softmax,
    "Relu": _activation("relu"),
    "Relu6": lambda call: layers.ReLU(6.0, name=call.name),
    "Tanh": _activation("tanh"),
    "Sigmoid": _activation("sigmoid"),
}


def called(layer: KerasLayer, tensors: Sequence[TfTensor]) -> list[TfTensor]:
    """Call a layer of `operation_layer` with the tensors of its call's inputs; return its outputs."""
    results = layer(tensors[0] if len(tensors) == 1 else list(tensors))
    return list(results) if isinstance(results, (list, tuple)) else [results]
