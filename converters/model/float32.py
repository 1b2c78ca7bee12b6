"""Make a model that was trained in another precision compute in float32, as TensorFlow Lite does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType

from converters.base.errors import InputError
from converters.base.kerases import KERAS_3, keras_of
from converters.base.untyped import Json, KerasLayer, KerasModel
from converters.model.graph import graph_of
from converters.model.making_anew import made_anew, remade

_OTHERS = ("float16", "bfloat16", "float64")
_OTHER_POLICIES = (*_OTHERS, "mixed_float16", "mixed_bfloat16")


@contextlib.contextmanager
def float32_policy(keras: ModuleType) -> Iterator[None]:
    """Let new layers of `keras` compute in float32, whatever its global policy is; then put that back."""
    if keras.__name__ == KERAS_3:
        get, put = keras.config.dtype_policy, keras.config.set_dtype_policy
    else:
        get, put = keras.mixed_precision.global_policy, keras.mixed_precision.set_global_policy
    policy = get()
    put("float32")
    try:
        yield
    finally:
        put(policy)


def in_float32(model: KerasModel) -> KerasModel:
    """Return a copy of `model` with its weights that computes in float32; `model` itself if it does already.

    Mixed precision ("mixed_float16") is for training: TensorFlow Lite has no operators for it. Raises
    InputError when the model cannot be copied so: an operation on tensors that asks for another type.
    """
    policies = _other_policies(model)
    if not policies:
        return model

    def make(layer: KerasLayer, name: str) -> KerasLayer:
        return made_anew(layer, _with_float32({**layer.get_config(), "name": name}))

    try:
        with float32_policy(keras_of(model)):
            return remade(model, make)
    except Exception as error:  # each Keras and TensorFlow has errors of its own for types that differ
        raise InputError(
            f"expected a model that can be built in float32, got {model.name} with {', '.join(policies)}: "
            "build it under the policy float32 and load its weights"
        ) from error


def _other_policies(model: KerasModel) -> list[str]:
    """Return the names of the policies by which a layer of `model` computes otherwise than in float32."""
    # An input has a policy too, by which nothing is computed.
    layers = {id(call.layer): call.layer for call in graph_of(model).calls if not call.is_input}
    parts = (part for layer in layers.values() for part in _with_parts(layer))
    return list(dict.fromkeys(part.dtype_policy.name for part in parts if part.compute_dtype in _OTHERS))


def _with_parts(layer: KerasLayer) -> list[KerasLayer]:
    """Return `layer` and the layers within it; none for an operation of `keras.ops`."""
    return layer._flatten_layers() if hasattr(layer, "_flatten_layers") else []


def _with_float32(config: Json) -> Json:
    """Return `config`, that of a layer, with float32 for each other policy, within wrapped layers too."""
    if isinstance(config, (list, tuple)):
        parts = [_with_float32(one) for one in config]
        return tuple(parts) if isinstance(config, tuple) else parts
    if not isinstance(config, dict):
        return config
    return {
        key: "float32" if key == "dtype" and _policy_name(value) in _OTHER_POLICIES else _with_float32(value)
        for key, value in config.items()
    }


def _policy_name(value: Json) -> str | None:
    """Return the name of the policy `value`, as a layer's configuration has it: a name, or an object."""
    if isinstance(value, dict):
        value = value.get("config", {}).get("name")
    return value if isinstance(value, str) else None
