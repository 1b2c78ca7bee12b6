"""Spread a convolution's kernel so that it computes several positions at a time. NumPy only.

A tensor (1, height, width, channels) can be kept in phases of (rows, columns): as (1, height/rows,
width/columns, rows*columns*channels), where channel (r, c, k) at (y, x) is channel k at (y*rows + r,
x*columns + c). With one row, or with all columns, that is the same order in memory: changing to and from such
phases is a RESHAPE, and free. A convolution from one form to another is a convolution with a larger kernel,
partly of zeros: the same sums, with more of them side by side. That suits matrix kernels, for
which a convolution of one input channel has too few.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Phases(NamedTuple):
    """How many rows and columns of a tensor are kept side by side in its channels."""

    rows: int = 1
    columns: int = 1

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}"

    @property
    def positions(self) -> int:
        """How many positions share one."""
        return self.rows * self.columns

    def shape(self, natural: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape in phases of a tensor of shape `natural`, (1, height, width, channels)."""
        batch, height, width, channels = natural
        return (batch, height // self.rows, width // self.columns, self.positions * channels)

    def divide(self, natural: tuple[int, ...]) -> bool:
        """Return whether a tensor of shape `natural` can be kept in these phases."""
        return len(natural) == 4 and natural[1] % self.rows == 0 and natural[2] % self.columns == 0

    def in_order(self, natural: tuple[int, ...]) -> bool:
        """Return whether the values lie in memory as they do without phases."""
        return self.positions == 1 or self.rows == 1 or self.columns == natural[2]


PLAIN = Phases()
"""No phases."""


class Axis(NamedTuple):
    """One spatial axis of a convolution: sizes of its input and output, kernel, stride, padding before."""

    source: int
    result: int
    kernel: int
    stride: int
    padding: int


class Window(NamedTuple):
    """That axis between tensors in phases: kernel, stride and padding, "VALID" or "SAME", in groups.

    `taps[r, i]` is the place (group, phase) in the new kernel of tap i for the output phase r, as one index.
    `either`: `padding` is "VALID", and "SAME" is the same here: nothing is added.
    """

    kernel: int
    stride: int
    padding: str
    taps: NDArray[np.int64]
    either: bool = False


def window(axis: Axis, source: int, result: int) -> Window | None:
    """Return `axis` from phases of `source` to phases of `result` positions; None when it does not go."""
    alone = axis.result == result  # one group, after which there is nowhere to go
    if axis.source % source or axis.result % result or not (alone or (result * axis.stride) % source == 0):
        return None
    offsets = np.arange(result)[:, None] * axis.stride + np.arange(axis.kernel) - axis.padding
    first, last = (int(edge) for edge in (np.floor_divide(offsets, source).min(), offsets.max() // source))
    kernel, stride = last - first + 1, 1 if alone else result * axis.stride // source
    paddings = _paddings(axis.source // source, axis.result // result, kernel, stride, -first)
    if not paddings:
        return None
    return Window(kernel, stride, paddings[0], offsets - first * source, len(paddings) > 1)


def common_padding(rows: Window, columns: Window) -> str | None:
    """Return the padding of a convolution with these two windows, None when each needs another."""
    if rows.padding == columns.padding:
        return rows.padding
    return "SAME" if rows.either or columns.either else None


def _paddings(source: int, result: int, kernel: int, stride: int, before: int) -> list[str]:
    """Return which of TensorFlow's paddings give `before` and the size of the result, "VALID" first."""
    needed = max((result - 1) * stride + kernel - source, 0)
    fitting = {
        "VALID": before == 0 and (source - kernel) // stride + 1 == result,
        "SAME": needed // 2 == before and -(-source // stride) == result,
    }
    return [name for name, fits in fitting.items() if fits]


def spread(
    kernel: NDArray[np.number], rows: Window, columns: Window, source: Phases, result: Phases
) -> NDArray[np.number]:
    """Return `kernel` (outputs, height, width, inputs) for tensors in phases, zeros where nothing is summed.

    `rows` and `columns` are its windows from `source` to `result`. The shape is (result.positions * outputs,
    rows.kernel, columns.kernel, source.positions * inputs).
    """
    outputs, height, width, inputs = kernel.shape
    spacious = np.zeros(
        (*result, outputs, rows.kernel, source.rows, columns.kernel, source.columns, inputs), kernel.dtype
    )
    for r, c, i, j in np.ndindex(result.rows, result.columns, height, width):
        y, at_row = divmod(int(rows.taps[r, i]), source.rows)
        x, at_column = divmod(int(columns.taps[c, j]), source.columns)
        spacious[r, c, :, y, at_row, x, at_column] = kernel[:, i, j]
    ordered = spacious.transpose(0, 1, 2, 3, 5, 4, 6, 7)
    return ordered.reshape(result.positions * outputs, rows.kernel, columns.kernel, source.positions * inputs)
