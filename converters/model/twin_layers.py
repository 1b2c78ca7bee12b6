"""Make the Keras 2 layer that computes what a Keras 3 layer does, from its configuration and weights."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect
from converters.base.kerases import KERAS_2, KERAS_3, import_keras
from converters.base.untyped import Activation, Json, KerasLayer, KerasOptimizer, TfTensor
from converters.layers.definition import class_for, defined_class, definition_of, register_functions

# Names of options and weights that differ; the names are those of Keras 3, then of Keras 2.
_OPTION_NAMES = {"LeakyReLU": {"negative_slope": "alpha"}}
_WEIGHT_NAMES = {
    "DepthwiseConv1D": {"kernel": "depthwise_kernel"},
    "DepthwiseConv2D": {"kernel": "depthwise_kernel"},
}

# They decide how numbers are drawn or computed, or repeat another option; the function is the same.
_WITHOUT_EFFECT = ("autocast", "seed", "use_cudnn", "flash_attention", "vocabulary_size")

# Options of Keras 3 alone whose neutral value is not what their constructor has as the default.
_NEUTRAL = {"data_format": "channels_last", "rms_scaling": False}

# The same name for another function: Keras 3 changed its slope.
_OTHER_FUNCTIONS = ("hard_sigmoid",)

_registered_here: dict[str, Activation] = {}

_HELP = (
    "write it once for both, decorated by @keras_layer (converters), or register a layer of tf_keras under "
    "that name"
)


def twin_layer(layer: KerasLayer, name: str) -> KerasLayer:
    """Return a new Keras 2 layer called `name` that computes what the Keras 3 `layer` does; weights not set.

    Raises InputError, naming the layer and the reason, when Keras 2 has no such layer.
    """
    translation = _Translation(layer.name)
    kind = translation.class_of(layer)
    config = {**layer.get_config(), "name": name}
    return translation.made(kind, translation.options(layer, config, kind))


def copy_weights(old: KerasLayer, new: KerasLayer) -> None:
    """Copy the weights of the Keras 3 layer `old` to the Keras 2 layer `new`, by their names.

    Weights that share a name, within a wrapper, must be in the same order. Raises InputError, naming the
    layer and what differs, when names or shapes differ.
    """
    source = twin_weights(old)
    target = in_order_of(source, [(name_of(weight), weight) for weight in new.weights])
    got = [(name, array.shape) for name, array in source]
    found = [(name, tuple(weight.shape)) for name, weight in target]
    expect(
        got == found,
        f"the same weights in Keras 2 as in {old.name} of Keras 3, {listed(got)}",
        listed(found),
    )
    for (_, weight), (_, array) in zip(target, source, strict=True):
        weight.assign(array)
    if type(new) is import_keras(KERAS_2).layers.Normalization:
        new.finalize_state()  # it computes with copies


def in_order_of(
    wanted: Sequence[tuple[str, object]], weights: Sequence[tuple[str, TfTensor]]
) -> list[tuple[str, TfTensor]]:
    """Return named `weights` in the order of the names in `wanted`; unchanged where a name comes twice."""
    places = {name: place for place, (name, _) in enumerate(wanted)}
    if len(places) < len(wanted):
        return list(weights)
    return sorted(weights, key=lambda one: places.get(one[0], -1))


def twin_optimizer(optimizer: KerasOptimizer) -> KerasOptimizer:
    """Return the optimizer of Keras 2 that does what the Keras 3 `optimizer` does.

    Raises InputError when Keras 2 has no such optimizer.
    """
    old, new = import_keras(KERAS_3), import_keras(KERAS_2)
    kind = type(optimizer)
    known = isinstance(optimizer, old.optimizers.Optimizer) and hasattr(new.optimizers, kind.__name__)
    expect(known, "an optimizer that Keras 2 has too", getattr(optimizer, "name", kind.__name__))
    translation = _Translation(optimizer.name)
    found = getattr(new.optimizers, kind.__name__)
    return translation.made(found, translation.accepted(kind, optimizer.get_config(), found))


def twin_weights(layer: KerasLayer) -> list[tuple[str, NDArray[np.generic]]]:
    """Return the weights of a layer of Keras 3 in order, each with the name that it has in Keras 2."""
    names = _WEIGHT_NAMES.get(type(layer).__name__, {})
    named = ((name_of(weight), np.asarray(weight)) for weight in layer.weights)
    return [(names.get(name, name), array) for name, array in named]


def name_of(weight: TfTensor) -> str:
    """Return the name of a weight of either Keras within its layer: "kernel"."""
    return str(weight.name).rpartition("/")[2].partition(":")[0]


class _Translation:
    """Translates the configuration of one layer, called `name` in messages, to Keras 2."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.old, self.new = import_keras(KERAS_3), import_keras(KERAS_2)

    def class_of(self, layer: KerasLayer) -> Any:
        """Return the class of Keras 2 for a layer of Keras 3."""
        kind = type(layer)
        if self._is_stock(kind, self.old.layers):
            found = getattr(self.new.layers, kind.__name__, None)
            expect(found, "a layer that Keras 2 has too", f"{self.name}, a {kind.__name__}")
            return found
        definition = definition_of(layer)
        if definition is not None:
            return class_for(definition, self.new)
        registered = self.old.saving.get_registered_name(kind)
        found = defined_class(registered, self.new) or self.new.saving.get_registered_object(registered)
        is_layer = inspect.isclass(found) and issubclass(found, self.new.layers.Layer)
        expect(
            is_layer,
            f"a layer that Keras 2 has too, as {registered}",
            f"{self.name}, a {kind.__name__}: {_HELP}",
        )
        return found

    def options(self, layer: KerasLayer, config: Mapping[str, Json], kind: type) -> dict[str, Json]:
        """Return the configuration for `kind` that means what `config`, that of `layer`, means."""
        names = _OPTION_NAMES.get(kind.__name__, {})
        known = {
            names.get(key, key): self.value(layer, key, value)
            for key, value in config.items()
            if key != "autocast"
        }
        if not self._is_stock(kind, self.new.layers):
            return known  # a custom layer: its own class checks its options
        return self.accepted(type(layer), known, kind)

    def accepted(self, old: type, options: Mapping[str, Json], new: type) -> dict[str, Json]:
        """Return those `options` of the Keras 3 class `old` that the Keras 2 class `new` takes.

        Raises InputError when one that it does not take has an effect.
        """
        taken = _options_of(new)
        for key in sorted(options.keys() - taken):
            value = options[key]
            without = key in _WITHOUT_EFFECT or value in (None, _neutral(old, key))
            expect(without, f"an option of {self.name} that Keras 2 has too", f"{key}={value}")
        return {key: value for key, value in options.items() if key in taken}

    def value(self, layer: KerasLayer, key: str, value: Json) -> Json:
        """Return the value in Keras 2 that means what `value` of the option `key` means in Keras 3."""
        if value is not None and key.endswith("initializer"):
            return "zeros"  # every weight is copied
        if key == "seed":
            return value if isinstance(value, int) else None  # Keras 3 may have a generator
        if isinstance(value, str) and key.endswith("activation"):
            return self.activation(self.old.activations.get(value))
        if isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
            return [self.value(layer, key, one) for one in value]
        if not isinstance(value, dict):
            return value
        own = getattr(layer, key, None)
        if inspect.isfunction(own):
            return self.activation(own)
        return self.thing(self.restored(value)) if "class_name" in value else value

    def restored(self, value: Json) -> Any:
        """Return the object of Keras 3 that `value` describes."""
        try:
            return self.old.saving.deserialize_keras_object(value)
        except Exception as error:  # of many kinds: a class may need anything
            raise InputError(
                f"expected {self.name} to hold what Keras can restore, got {value['class_name']}: "
                f"{first_line(error)}"
            ) from error

    def thing(self, thing: Any) -> Json:
        """Return what a configuration of Keras 2 has in place of an object of Keras 3."""
        old, kind = self.old, type(thing)
        if isinstance(thing, old.layers.Layer):
            return self.new.layers.serialize(twin_layer(thing, thing.name), use_legacy_format=True)
        if isinstance(thing, old.DTypePolicy):
            known = kind in (old.DTypePolicy, old.dtype_policies.FloatDTypePolicy)
            expect(known, f"a dtype policy of {self.name} that Keras 2 has too", thing.name)
            return thing.name
        if inspect.isfunction(thing):
            return self.activation(thing)
        for part in ("regularizers", "constraints"):
            if self._is_stock(kind, getattr(old, part)):
                found = getattr(getattr(self.new, part), kind.__name__, None)
                expect(found, f"a {part[:-1]} of {self.name} that Keras 2 has too", kind.__name__)
                return self.made(found, old.saving.serialize_keras_object(thing)["config"])
        registered = old.saving.get_registered_name(kind)
        found = defined_class(registered, self.new) or self.new.saving.get_registered_object(registered)
        where = f"{registered} of {self.name} to be registered in tf_keras too"
        expect(found is not None, where, "it only in Keras 3")
        return self.made(found, thing.get_config())

    def activation(self, function: Activation) -> Activation:
        """Return the activation of Keras 2 for a function of Keras 3: that function, if Keras 2 has none."""
        name = getattr(function, "__name__", type(function).__name__)
        if getattr(self.old.activations, name, None) is function:
            same = getattr(self.new.activations, name, None)
            if same is not None and name not in _OTHER_FUNCTIONS:
                return same
            return _registered(function, f"keras>{name}", self.new)
        expect(name.isidentifier(), f"a function with a name in {self.name}", f"{name}: define it with def")
        register_functions(self.new)
        registered = self.old.saving.get_registered_name(function)
        return _registered(function, registered if ">" in registered else f"Custom>{name}", self.new)

    def made(self, kind: Any, options: Mapping[str, Json]) -> KerasLayer:
        """Return the object that `kind`, of Keras 2, makes of `options`."""
        try:
            if kind in (self.new.layers.MultiHeadAttention, self.new.layers.Lambda):
                return kind(**options)  # their from_config wants what Keras 3 does not store
            return kind.from_config(dict(options))
        except Exception as error:  # of many kinds: a class may refuse its options by any
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"expected {self.name} to be rebuilt in Keras 2, got {type(error).__name__}: "
                f"{first_line(error)}"
            ) from error

    @staticmethod
    def _is_stock(kind: type, home: ModuleType) -> bool:
        return getattr(home, kind.__name__, None) is kind


def _registered(function: Activation, name: str, keras: ModuleType) -> Activation:
    """Return what is registered in `keras` as `name`; `function`, now registered, if nothing else is."""
    found = keras.saving.get_registered_object(name)
    if found is not None and found is not _registered_here.get(name):
        return found
    package, _, own = name.partition(">")
    _registered_here[name] = function  # in a notebook it may be defined anew
    return keras.saving.register_keras_serializable(package=package, name=own)(function)


def _options_of(kind: type) -> set[str]:
    """Return the options that the constructors of a layer's class and its bases take."""
    return {name for parameters in _constructors(kind) for name in parameters} | {"activity_regularizer"}


def _neutral(kind: type, option: str) -> Json:
    """Return the value with which an option of Keras 3 changes nothing, mostly its default."""
    if option in _NEUTRAL:
        return _NEUTRAL[option]
    found = (parameters[option].default for parameters in _constructors(kind) if option in parameters)
    return next(found, None)


def _constructors(kind: type) -> list[Mapping[str, inspect.Parameter]]:
    """Return the parameters of the constructors of a class and its bases."""
    own = [vars(one) for one in kind.__mro__]
    return [inspect.signature(one["__init__"]).parameters for one in own if "__init__" in one]


def listed(weights: Sequence[tuple[str, tuple[int, ...]]]) -> str:
    """Return names and shapes of weights for a message: "kernel 3x3x1x2, bias 2"."""
    return ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in weights) or "none"


def first_line(error: Exception) -> str:
    """Return the first line of an error's message that says what is wrong; much comes before it."""
    text = re.sub(r"\x1b\[\d+m", "", str(error)).rpartition("Exception encountered: ")[2]
    text = re.sub(r"^ *File .*\n.*$", "", text, flags=re.MULTILINE)  # where in the code, and the code
    lines = (re.sub(r"^\w+: (?=Exception encountered)", "", line.strip()) for line in text.splitlines())
    around = ("Exception encountered", "in user code:")
    return next((line for line in lines if line and not line.startswith(around)), "no reason given")[:200]
