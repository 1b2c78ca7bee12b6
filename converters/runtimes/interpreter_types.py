"""Types for the interpreters of all packages, which have none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers


class Quantization(TypedDict):
    """How a tensor stores real values: real = scale * (stored - zero point); a scale of 0: as they are."""

    quantization: tuple[float, int]


class TensorDetail(Quantization):
    """An entry of get_input_details() or get_output_details(): one end of a file."""

    name: str
    index: int
    shape: NDArray[np.int32]
    shape_signature: NDArray[np.int32]
    dtype: type[np.number]


class OperatorDetail(TypedDict):
    """A node of the plan that an interpreter runs; a delegate's own node is called "DELEGATE"."""

    index: int
    op_name: str
    inputs: NDArray[np.int32]
    outputs: NDArray[np.int32]


class Interpreter(Protocol):
    """A .tflite file in TensorFlow Lite's interpreter, whichever package it is from."""

    def allocate_tensors(self) -> None:
        """Take the memory of the tensors."""

    def get_input_details(self) -> list[TensorDetail]:
        """Return what goes in."""

    def get_output_details(self) -> list[TensorDetail]:
        """Return what comes out."""

    def get_tensor_details(self) -> list[TensorDetail]:
        """Return all tensors."""

    def set_tensor(self, index: int, value: Numbers) -> None:
        """Put a value into a tensor."""

    def get_tensor(self, index: int) -> Numbers:
        """Return a copy of a tensor's value."""

    def resize_tensor_input(self, index: int, shape: Sequence[int]) -> None:
        """Change the shape of an input; the tensors are allocated anew afterwards."""

    def reset_all_variables(self) -> None:
        """Forget the state that variables keep from run to run."""

    def invoke(self) -> None:
        """Compute."""

    def _get_ops_details(self) -> list[OperatorDetail]:
        """Return the nodes, in the order in which they run."""
