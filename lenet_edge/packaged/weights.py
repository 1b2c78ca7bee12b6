"""Save and load a model's weights as one .npz file: an array per weight, named LAYER/WEIGHT; no pickle."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import read_npz
from converters.base.errors import InputError, expect
from converters.base.files import write_atomically
from converters.base.untyped import KerasModel, KerasVariable

_SCALE = "scale"


def named_weights(model: KerasModel) -> dict[str, KerasVariable]:
    """Return the variables of `model` by name: "C1/kernel", "S2/coefficient", ...; without step counters.

    The names are the same in both Kerases, so a file that either wrote loads in both.
    """
    return {
        f"{layer.name}/{_own_name(variable)}": variable
        for layer in model.layers
        for variable in layer.weights
        if _is_floating(variable)
    }


def _own_name(variable: KerasVariable) -> str:
    """Return "kernel" for Keras 2's "C1/kernel:0" and for Keras 3's "kernel"."""
    own: str = variable.name.split("/")[-1].split(":")[0]
    return own


def _is_floating(variable: KerasVariable) -> bool:
    """Return whether it holds fractions; its type is TensorFlow's in Keras 2, a name in Keras 3."""
    return "float" in getattr(variable.dtype, "name", variable.dtype)


def save_weights(model: KerasModel, path: str | os.PathLike[str], *, scale: float) -> Path:
    """Write the weights of `model` to `path` (.npz, float32), atomically.

    `scale` turns the model's outputs into logits; it is saved with the weights because it was fitted to them.
    """
    return _save(model, path, {_SCALE: np.float64(scale)})


def save_quantised(model: KerasModel, path: str | os.PathLike[str]) -> Path:
    """Write the weights and ranges of a `quantize_aware` model to `path` (.npz), atomically."""
    return _save(model, path, {})


def _save(model: KerasModel, path: str | os.PathLike[str], more: dict[str, np.float64]) -> Path:
    arrays = {name: variable.numpy() for name, variable in named_weights(model).items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, **more)
    return write_atomically(path, buffer.getvalue())


def load_weights(model: KerasModel, path: str | os.PathLike[str]) -> float:
    """Set the weights of `model` to those of `path` and return the scale that was fitted to them.

    Raises InputError, and sets nothing, if the file is not an .npz file or its names and shapes are not
    exactly those of the model.
    """
    return float(_load(model, path, {_SCALE: ()})[_SCALE])


def load_quantised(model: KerasModel, path: str | os.PathLike[str]) -> None:
    """Set the weights and ranges of a `quantize_aware` model to those of `path`, like `load_weights`."""
    _load(model, path, {})


def _load(
    model: KerasModel, path: str | os.PathLike[str], more: dict[str, tuple[int, ...]]
) -> dict[str, NDArray[Any]]:
    arrays = read_npz(path)
    variables = named_weights(model)
    wanted = {name: tuple(variable.shape) for name, variable in variables.items()} | more
    got = {name: array.shape for name, array in arrays.items()}
    if wanted != got:
        name = next(n for n in [*wanted, *got] if wanted.get(n) != got.get(n))
        raise InputError(
            f"{path}: expected the weights of {model.name}, with {name} {_shape(wanted.get(name))}, "
            f"got {_shape(got.get(name))}"
        )
    kinds = {array.dtype.kind for array in arrays.values()}
    finite = kinds == {"f"} and all(np.isfinite(array).all() for array in arrays.values())
    expect(finite, f"{path} to hold finite weights", "NaN, infinity or another type")
    for name, variable in variables.items():
        variable.assign(arrays[name])
    return arrays


def _shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "none"
    return "x".join(map(str, shape)) or "one number"
