"""Check the fields of JSON that somebody else wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converters.base.errors import expect


def check_fields(value: Any, fields: Mapping[str, Any], place: str, wanted: str) -> None:
    """Raise InputError unless `value` is an object that has `fields`, each of its type."""
    expect(isinstance(value, dict), wanted, f"{place} that is not an object")
    for key, kind in fields.items():
        path = f"{place}.{key}" if place else key
        expect(key in value, wanted, f"one without {path}")
        # A bool is an int in Python, but never a measured number.
        right = isinstance(value[key], kind) and not isinstance(value[key], bool)
        expect(right, wanted, f"{path} = {ascii(value[key])[:40]}")
