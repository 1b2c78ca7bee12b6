"""The names of the packaged models and their files."""

from __future__ import annotations

from collections.abc import Sequence

from converters.base.precisions import PRECISIONS

NAMES = ("lenet5", "stock_lenet5")
"""The models that read one digit."""

WIDE = "lenet5_wide"
"""The model for strings of digits: `lenet5(wide=True, empty=True)`."""

ALL_NAMES = (*NAMES, WIDE)

FINE_TUNED = ("lenet5", WIDE)
"""The models that have released fine-tuned weights."""

FINE_TUNED_VARIANT = "int8_qat"
VARIANTS = (*PRECISIONS, FINE_TUNED_VARIANT)
"""The last part of the files' names."""

WIDE_VARIANTS = ("float32", "int8", FINE_TUNED_VARIANT)
"""Those of the wide model."""


def variants_of(name: str, variants: Sequence[str], *, own_weights: bool = False) -> list[str]:
    """Return those of `variants` that model `name` has; only packaged weights have a fine-tuned one."""
    fine_tuned = name in FINE_TUNED and not own_weights
    available = set(WIDE_VARIANTS if name == WIDE else VARIANTS)
    if not fine_tuned:
        available.remove(FINE_TUNED_VARIANT)
    return [variant for variant in variants if variant in available]
