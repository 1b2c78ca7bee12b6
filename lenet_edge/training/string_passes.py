"""Sets of synthetic fields to train on, cached: of every spacing, as on cheques, found on scans, empty."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lenet_edge.digits.mnist import Digits
from lenet_edge.digits.string_fields.empty import empty_fields
from lenet_edge.digits.string_fields.fields import Fields, joined
from lenet_edge.digits.string_fields.handwriting import CHEQUES, Writing
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.training.distorted_passes import CachedPasses
from lenet_edge.training.found_fields import found_fields

WIDTH = 112
"""The width of the fields in training, in pixels."""

VERSION = 2
"""Increase it when the fields for a seed and writing change: cached sets depend on it."""

DIGITS_PER_FIELD = 4
"""Training digits for each field of a set."""

_MIXTURE = {"touching": 0.22, "normal": 0.16, "wide": 0.07}
_CHEQUES = {"touching": 0.09, "normal": 0.09}
_FOUND = 0.28  # the rest have no digit
_SETS_OF_FOUND = 8  # fewer than of the others: drawing a scan and finding its line takes thirty times as long


@dataclass(frozen=True, kw_only=True)
class StringPasses(CachedPasses):
    """Sets of fields written with the digits, one set per pass; trainings with the same seed share them."""

    writing: Writing = field(default_factory=Writing)

    @property
    def size(self) -> int:
        """The number of fields in a set."""
        return len(self.digits.labels) // DIGITS_PER_FIELD

    def fields(self, index: int) -> Fields:
        """Return set `index`."""
        writing, found = self._writing(index), index % _SETS_OF_FOUND
        drawn = self._cached(
            f"strings-{self._key(writing)}-{index:03d}.npz",
            lambda: mixed_fields(self.digits, self.size, seed=(self.seed, index), writing=writing),
        )
        scans = self._cached(
            f"found-{self._key(CHEQUES)}-{found:03d}.npz",
            lambda: found_fields(
                self.digits, round(_FOUND * self.size), seed=(self.seed, found), width=WIDTH
            ),
        )
        return joined([drawn, scans], seed=(self.seed, index))

    def _cached(self, name: str, make: Callable[[], Fields]) -> Fields:
        path = self._file(name, lambda stream: np.savez(stream, **make()._asdict()))
        with np.load(path, allow_pickle=False) as cached:
            return Fields(**{name: cached[name] for name in Fields._fields})

    def _writing(self, index: int) -> Writing:
        return self.writing.gentler(self.gentle_factor) if self.is_gentle(index) else self.writing

    def _key(self, writing: Writing) -> str:
        shares = f"{_MIXTURE} {_CHEQUES} {_FOUND}"
        facts = f"{VERSION} {self.seed} {len(self.digits.labels)} {writing} {shares} {self.size} {WIDTH}"
        return hashlib.sha256(facts.encode() + self.digits.images[:100].tobytes()).hexdigest()[:12]


def mixed_fields(digits: Digits, size: int, *, seed: Sequence[int], writing: Writing) -> Fields:
    """Return a set of `size` but for what is found on scans: fields of every spacing, and empty ones."""
    kinds = [(spacing, share, writing) for spacing, share in _MIXTURE.items()]
    kinds += [(spacing, share, CHEQUES) for spacing, share in _CHEQUES.items()]
    parts = [
        string_fields(
            digits, round(share * size), seed=(*seed, place), spacing=spacing, width=WIDTH, writing=hand
        )
        for place, (spacing, share, hand) in enumerate(kinds)
    ]
    rest = size - round(_FOUND * size) - sum(len(part.labels) for part in parts)
    parts.append(empty_fields(rest, seed=(*seed, len(parts)), width=WIDTH, dirt=writing.dirt))
    return joined(parts, seed=(*seed, len(parts)))
