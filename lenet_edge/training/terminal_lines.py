"""The terminal output on the errors of the wide net."""

from __future__ import annotations

from collections.abc import Mapping


def string_errors_text(errors: Mapping[str, float]) -> str:
    """Return the errors in percent of `lenet_edge.training.string_training.HeldOut` in words."""
    return (
        f"{errors['error']:.2f} % of digits, {errors['normal_error']:.1f} % of strings of four, "
        f"{errors['touching_error']:.1f} % of touching ones, "
        f"{errors['cheque_error']:.1f} % of scanned amounts"
    )
