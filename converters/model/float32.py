"""Make a model that was trained in another precision compute in float32, as TensorFlow Lite does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from converters.base.environment import keras, tf
from converters.base.errors import InputError
from converters.base.untyped import Json, KerasLayer, KerasModel

_OTHERS = ("float16", "bfloat16", "float64")
_OTHER_POLICIES = (*_OTHERS, "mixed_float16", "mixed_bfloat16")

_WITHOUT_COMPUTING = (keras.Model, keras.layers.InputLayer)


@contextlib.contextmanager
def float32_policy() -> Iterator[None]:
    """Let new layers compute in float32, whatever Keras's global policy is; then put that back."""
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("float32")
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(policy)


def in_float32(model: KerasModel) -> KerasModel:
    """Return a copy of `model` with its weights that computes in float32; `model` itself if it does already.

    Mixed precision ("mixed_float16") is for training: TensorFlow Lite has no operators for it. Raises
    InputError when the model cannot be copied so: an operation on tensors that asks for another type.
    """
    policies = _other_policies(model)
    if not policies:
        return model
    try:
        copy = keras.models.clone_model(model, clone_function=_clone)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise InputError(
            f"expected a model that can be built in float32, got {model.name} with {', '.join(policies)}: "
            "build it anew under the policy float32 and load its weights"
        ) from error
    copy.set_weights(model.get_weights())
    return copy


def _other_policies(model: KerasModel) -> list[str]:
    """Return the names of the policies by which a layer of `model` computes otherwise than in float32."""
    # A model and an input have a policy too, by which nothing is computed.
    parts = (part for part in model._flatten_layers() if not isinstance(part, _WITHOUT_COMPUTING))
    return list(dict.fromkeys(part.dtype_policy.name for part in parts if part.compute_dtype in _OTHERS))


def _clone(layer: KerasLayer) -> KerasLayer:
    if isinstance(layer, keras.Model):
        return in_float32(layer)
    return type(layer).from_config(_with_float32(layer.get_config()))


def _with_float32(config: Json) -> Json:
    """Return `config`, that of a layer, with float32 for each other policy, within wrapped layers too."""
    if isinstance(config, list):
        return [_with_float32(one) for one in config]
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
