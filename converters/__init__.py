"""Bring any Keras model to TensorFlow Lite: fold, quantise, convert, lay out, audit, prove.

What is listed in `__all__` is public; docs/api.md shows it at work. A name loads what it needs when it is
first used: `lower`, `check_sound`, `measure` and `tune` need no TensorFlow where LiteRT is installed.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converters.base.errors import InputError
    from converters.delegates import audit, audit_table
    from converters.file.layouts import layout_of
    from converters.file.lowering import lower
    from converters.file.soundness import check_sound
    from converters.layers.assembled import AssembledConv2D
    from converters.layers.definition import LayerDefinition, keras_layer
    from converters.layers.squashing import register_squashing
    from converters.model.conversion import Converted, to_tflite
    from converters.model.fine_tuning import fine_tune
    from converters.model.fold_rules import fold_rule
    from converters.model.folding import fold
    from converters.model.loading import load_model
    from converters.model.quantize_aware import quantize_aware, quantize_rule, settle
    from converters.model.quantize_configs import NothingToQuantize, OutputConfig
    from converters.model.unrounded import unrounded
    from converters.proof.proving import Proof, prove
    from converters.runtimes.tensorflow_interpreter import run
    from converters.timing.measuring import measure
    from converters.timing.tuning import tune

_HOMES = {
    "AssembledConv2D": "layers.assembled",
    "Converted": "model.conversion",
    "InputError": "base.errors",
    "LayerDefinition": "layers.definition",
    "NothingToQuantize": "model.quantize_configs",
    "OutputConfig": "model.quantize_configs",
    "Proof": "proof.proving",
    "audit": "delegates",
    "audit_table": "delegates",
    "check_sound": "file.soundness",
    "fine_tune": "model.fine_tuning",
    "fold": "model.folding",
    "fold_rule": "model.fold_rules",
    "keras_layer": "layers.definition",
    "layout_of": "file.layouts",
    "load_model": "model.loading",
    "lower": "file.lowering",
    "measure": "timing.measuring",
    "prove": "proof.proving",
    "quantize_aware": "model.quantize_aware",
    "quantize_rule": "model.quantize_aware",
    "register_squashing": "layers.squashing",
    "run": "runtimes.tensorflow_interpreter",
    "settle": "model.quantize_aware",
    "to_tflite": "model.conversion",
    "tune": "timing.tuning",
    "unrounded": "model.unrounded",
}
__all__ = [
    "AssembledConv2D",
    "Converted",
    "InputError",
    "LayerDefinition",
    "NothingToQuantize",
    "OutputConfig",
    "Proof",
    "audit",
    "audit_table",
    "check_sound",
    "fine_tune",
    "fold",
    "fold_rule",
    "keras_layer",
    "layout_of",
    "load_model",
    "lower",
    "measure",
    "prove",
    "quantize_aware",
    "quantize_rule",
    "register_squashing",
    "run",
    "settle",
    "to_tflite",
    "tune",
    "unrounded",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"converters.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'converters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


class _Package(ModuleType):
    """Keeps `lower` and `prove` functions: importing a command of the name would put a module there."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
