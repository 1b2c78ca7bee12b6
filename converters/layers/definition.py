"""Write a layer, loss or initialiser once, and have it as a class of Keras 3 and of Keras 2.

A *definition* is a class that says what the layer does with `self.ops` and `self.keras`. It is not yet a
layer of either Keras: `class_for` makes the layer class from the definition and keras.layers.Layer. A Keras 3
model is fine-tuned as its twin in Keras 2 (converters.model.twin); a layer defined in this way has a twin.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from converters.base.errors import InputError, expect
from converters.base.kerases import KERAS_2, KERAS_3, TITLES, current_keras, keras_name
from converters.layers.operations import Operations, operations_of


class Definition:
    """What definitions have in common.

    `keras`: the Keras of the class; `ops`: its operations, those of `keras.ops`
    (converters.layers.operations). A definition itself has neither.
    """

    keras: ClassVar[ModuleType]
    ops: ClassVar[Operations]
    keras_base: ClassVar[str]
    package: ClassVar[str] = ""
    homes: ClassVar[dict[str, str]]


class LayerDefinition(Definition):
    """The definition of a layer: `__init__`, `build`, `call`, `get_config` as in any Keras layer.

    Compute with `self.ops`, whose functions are those of `keras.ops`. Make weights with
    `self.add_weight(name=..., shape=..., initializer=...)`, all by keyword. Take anything else from
    `self.keras`. Make the layer class with `@keras_layer(package=...)`.
    """

    keras_base = "layers.Layer"

    if TYPE_CHECKING:  # what keras.layers.Layer has
        name: str
        built: bool
        add_weight: Callable[..., Any]
        build: Callable[..., None]
        count_params: Callable[[], int]
        get_config: Callable[[], dict[str, Any]]

        def __init__(self, **options: Any) -> None: ...

    def __new__(cls, *arguments: object, **options: object) -> Any:
        """Refuse to make an object of a definition that is no class of a Keras."""
        expect(
            keras_name(cls) is not None,
            f"{cls.__name__} decorated by @keras_layer(package=...), which makes a Keras layer of it",
            "a definition",
        )
        keras_class: Any = super()
        return keras_class.__new__(cls, *arguments, **options)

    def __call__(self, *arguments: object, **options: object) -> Any:
        """Call the layer; raises InputError for a tensor of the other Keras."""
        for tensor in arguments:
            other = keras_name(tensor)
            if other not in (None, self.keras.__name__):
                raise InputError(
                    f"expected tensors of {TITLES[self.keras.__name__]} for {type(self).__name__}, got those "
                    f"of {TITLES[str(other)]}: build the model with one Keras"
                )
        keras_class: Any = super()
        return keras_class.__call__(*arguments, **options)


class LossDefinition(Definition):
    """The definition of a loss: `__init__`, `call`, `get_config`."""

    keras_base = "losses.Loss"

    if TYPE_CHECKING:  # what keras.losses.Loss has
        __call__: Callable[..., Any]
        get_config: Callable[[], dict[str, Any]]

        def __init__(self, **options: Any) -> None: ...


class InitializerDefinition(Definition):
    """The definition of an initialiser: `__init__`, `__call__`, `get_config`."""

    keras_base = "initializers.Initializer"


AnyDefinition = TypeVar("AnyDefinition", bound=Definition)
AnyLayer = TypeVar("AnyLayer", bound=LayerDefinition)
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

_definitions: dict[str, type[Definition]] = {}
_functions: dict[str, Callable[..., Any]] = {}
_classes: dict[tuple[type[Definition], ModuleType], Any] = {}


def define(
    *, package: str, homes: dict[str, str] | None = None
) -> Callable[[type[AnyDefinition]], type[AnyDefinition]]:
    """Name the package that the classes of a definition are registered under, "package>Name" in files.

    `homes`: for "keras" and "tf_keras" the module that has the class under its name, where that is not the
    definition's own module; saved models name it. A definition whose name is taken replaces the other.
    """

    def named(definition: type[AnyDefinition]) -> type[AnyDefinition]:
        definition.package = package
        definition.homes = homes or dict.fromkeys((KERAS_2, KERAS_3), definition.__module__)
        _definitions[f"{package}>{definition.__name__}"] = definition
        return definition

    return named


def define_function(*, package: str) -> Callable[[AnyFunction], AnyFunction]:
    """Register a function, an activation for instance, in each Keras for which a class is made."""

    def named(function: AnyFunction) -> AnyFunction:
        _functions[f"{package}>{function.__name__}"] = function
        return function

    return named


def keras_layer(*, package: str) -> Callable[[type[AnyLayer]], type[AnyLayer]]:
    """Make a definition a Keras layer: a registered class of the Keras that `tf.keras` is.

    >>> @keras_layer(package="mine")
    ... class Double(LayerDefinition):
    ...     def call(self, inputs):
    ...         return self.ops.multiply(inputs, 2.0)

    `package`: as for keras.saving.register_keras_serializable. The class for the other Keras is made when a
    model needs it. Raises InputError for a class that is no LayerDefinition, or is already a layer.
    """

    def made(definition: type[AnyLayer]) -> type[AnyLayer]:
        is_one = isinstance(definition, type) and issubclass(definition, LayerDefinition)
        expect(is_one, "a subclass of LayerDefinition", getattr(definition, "__name__", definition))
        expect(keras_name(definition) is None, "a definition", f"{definition.__name__}, already a layer")
        return class_for(define(package=package)(definition), current_keras())

    return made


def class_for(definition: type[AnyDefinition], keras: ModuleType) -> type[AnyDefinition]:
    """Return the class of `keras` that `definition` defines; the same one at each call."""
    expect(definition.package, f"{definition.__name__} to have a package", "none")
    if (definition, keras) not in _classes:
        _classes[definition, keras] = _new_class(definition, keras)
    return _classes[definition, keras]


def _new_class(definition: type[Definition], keras: ModuleType) -> Any:
    register_functions(keras)
    content = {
        "keras": keras,
        "ops": operations_of(keras),
        "definition": definition,
        "__doc__": definition.__doc__,
        "__module__": definition.homes[keras.__name__],
        "__qualname__": definition.__qualname__,
    }
    bases = (definition, attrgetter(definition.keras_base)(keras))
    made = type(definition.__name__, bases, content)
    return keras.saving.register_keras_serializable(package=definition.package)(made)


def register_functions(keras: ModuleType) -> None:
    """Register in `keras` what `define_function` registers for all Kerases."""
    for name, function in _functions.items():
        if keras.saving.get_registered_object(name) is not function:
            keras.saving.register_keras_serializable(package=name.partition(">")[0])(function)


def definition_of(thing: object) -> type[Definition] | None:
    """Return the definition that the class of the layer `thing`, or the class, was made of; None for none.

    A subclass of such a class has none: it may compute something else.
    """
    own: type[Definition] | None = vars(thing if isinstance(thing, type) else type(thing)).get("definition")
    return own


def defined_class(registered_name: str, keras: ModuleType) -> type[Definition] | None:
    """Return the class of `keras` whose definition is registered as "package>Name"; None for none."""
    definition = _definitions.get(registered_name)
    return None if definition is None else class_for(definition, keras)
