"""Define what folding passes from layer to layer: scaled values, steps of the new model, linear forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from converters.base.untyped import KerasLayer
from converters.model.graph import Call

Number: TypeAlias = "float | NDArray[np.float64]"
"""One for all channels, or one for each: (channels,)."""


@dataclass(frozen=True)
class Value:
    """A tensor of the old model: `factor * new + offset`, `new` being output `index` of `step`.

    `shifted`: it is known only up to a number that is common to all values of a row, which softmax ignores.
    """

    step: Step
    factor: Number = 1.0
    offset: Number = 0.0
    shifted: bool = False
    index: int = 0

    @property
    def plain(self) -> bool:
        """Whether the old value is the new one."""
        return bool(np.all(self.factor == 1.0) and np.all(self.offset == 0.0) and not self.shifted)

    @property
    def per_channel(self) -> bool:
        """Whether factor or offset differ from channel to channel."""
        return np.ndim(self.factor) > 0 or np.ndim(self.offset) > 0

    def up_to_a_shift(self) -> Value:
        """Return this value, known only up to a number that is common to all values of a row."""
        return replace(self, shifted=True)

    def scaled(self, factor: Number, offset: Number = 0.0) -> Value:
        """Return `factor * self + offset`.

        Raises InputError when what the values of a row have in common would then differ between them.
        """
        common = not self.shifted or bool(np.all(factor == np.ravel(factor)[0]))
        expect(
            common,
            f"a softmax after the squared distances of {self.step.layer.name}",
            "a factor for each of them",
        )
        return replace(self, factor=self.factor * factor, offset=self.offset * factor + offset)


@dataclass(eq=False)
class Step:
    """A layer of the folded model: a fresh instance, its inputs, and where its weights come from."""

    layer: KerasLayer
    inputs: list[Value] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)  # of a layer that is kept, in its own order
    linear: Linear | None = None  # what the weights of a layer with a kernel come from
    call: Call | None = None  # the old call, when the layer is called as it was there
    readers: int = 0  # how many times the old tensors that this step computes are read


class Linear:
    """The weights of a layer that computes `kernel * input + bias`, in float64, to be scaled exactly.

    `scale(kernel weight, by_input=, by_output=)` returns the scaled kernel weight; `gain(kernel weight,
    offset)` returns what a constant input of `offset` adds to each output; `padded` says that the
    border is filled with zeros, which an offset would change.
    """

    def __init__(
        self,
        name: str,
        *,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        scale: Callable[..., np.ndarray],
        gain: Callable[[np.ndarray, Number], np.ndarray],
        kernel_name: str = "kernel",
        padded: bool = False,
    ) -> None:
        self.name = name
        self.kernel = np.asarray(kernel, np.float64)
        self.bias: Number = 0.0 if bias is None else np.asarray(bias, np.float64)
        self.scale, self.gain = scale, gain
        self.kernel_name, self.padded = kernel_name, padded
        self.open = True  # whether its output may still be scaled: no activation follows within the layer

    def take_input(self, factor: Number, offset: Number) -> None:
        """Take in an input that is `factor * new + offset`."""
        if np.any(np.asarray(offset) != 0.0):
            self.bias = self.bias + self.gain(self.kernel, offset)
        self.kernel = self.scale(self.kernel, by_input=factor)

    def take_output(self, factor: Number, offset: Number = 0.0) -> None:
        """Make the output `factor * output + offset`."""
        self.kernel = self.scale(self.kernel, by_output=factor)
        self.bias = self.bias * factor + offset

    def weights(self) -> dict[str, Number]:
        """Return the weights by attribute name."""
        return {self.kernel_name: self.kernel, "bias": self.bias}


def full_kernel(name: str, *, kernel: np.ndarray, bias: np.ndarray | None, padded: bool = False) -> Linear:
    """Return the linear form of a kernel (..., inputs, outputs) whose entries are all weights."""

    def scale(kernel: np.ndarray, *, by_input: Number = 1.0, by_output: Number = 1.0) -> np.ndarray:
        return kernel * np.asarray(by_input)[..., None] * by_output

    def gain(kernel: np.ndarray, offset: Number) -> np.ndarray:
        return (kernel * np.asarray(offset)[..., None]).reshape(-1, kernel.shape[-1]).sum(axis=0)

    return Linear(name, kernel=kernel, bias=bias, scale=scale, gain=gain, padded=padded)
