"""Rebuild a layer from its configuration, even one whose function is a lambda."""

from __future__ import annotations

import contextlib

from converters.base.kerases import KERAS_3, keras_name, keras_of
from converters.base.untyped import Json, KerasLayer


def made_anew(layer: KerasLayer, config: dict[str, Json]) -> KerasLayer:
    """Return an unbuilt layer of the class of `layer` with the configuration `config`.

    Keras 3 refuses the configuration of a Lambda layer as code from a file; that of `layer` is its own.
    """
    scope: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
    if keras_name(layer) == KERAS_3:
        scope = keras_of(layer).src.saving.serialization_lib.SafeModeScope(False)
    with scope:
        return type(layer).from_config(config)
