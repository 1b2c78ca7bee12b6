"""Know which activations are a scaled tanh, whose two constants folding moves into the weights beside it."""

from __future__ import annotations

from typing import NamedTuple

from converters.base.untyped import Activation


class Squashing(NamedTuple):
    """An activation that is `amplitude * tanh(slope * a)`."""

    amplitude: float
    slope: float


_squashings: dict[Activation, Squashing] = {}


def register_squashing(function: Activation, *, amplitude: float, slope: float) -> None:
    """Register that the activation `function(a)` is `amplitude * tanh(slope * a)`."""
    _squashings[function] = Squashing(amplitude, slope)


def squashing_of(function: Activation) -> Squashing | None:
    """Return what `function` was registered as; None if it was not."""
    return _squashings.get(function)
