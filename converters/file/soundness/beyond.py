"""Tell what is damaged from what may be sound, but goes beyond what is checked here."""

from __future__ import annotations

from converters.file.flatbuffer import Damaged


class Beyond(Damaged):
    """A file may be sound, but holds what there is no check for, or more than an untrusted file may."""


def require_within(condition: object, got: str) -> None:
    """Raise `Beyond` with `got` unless `condition` holds."""
    if not condition:
        raise Beyond(got)
