"""Sets of synthetic fields to train on, cached: of every spacing, as on cheques, found on scans, empty."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.mnist import Digits
from lenet_edge.digits.string_fields.empty import empty_fields
from lenet_edge.digits.string_fields.fields import DIGITS_PER_FIELD, Fields, joined, joined_arrays
from lenet_edge.digits.string_fields.handwriting import CHEQUES, Writing
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.training.distorted_passes import CachedPasses, Teacher
from lenet_edge.training.found_fields import found_fields

WIDTH = 112
"""The width of the fields in training, in pixels."""

VERSION = 2
"""Increase it when the fields for a seed and writing change: cached sets depend on it."""

_MIXTURE = {"touching": 0.22, "normal": 0.16, "wide": 0.07}
_CHEQUES = {"touching": 0.09, "normal": 0.09}
_FOUND = 0.28  # the rest have no digit
_SETS_OF_FOUND = 32  # fewer than of the others: drawing a scan and finding its line takes much longer
_FOUND_VERSION = 2  # increase it when the picture stage finds other lines on scans


@dataclass(frozen=True, kw_only=True)
class StringPasses(CachedPasses):
    """Sets of fields written with the digits, one set per pass; trainings with the same seed share them."""

    writing: Writing = field(default_factory=Writing)
    teachers: Sequence[Teacher] = ()

    @property
    def size(self) -> int:
        """The number of fields in a set."""
        return len(self.digits.labels) // DIGITS_PER_FIELD

    def fields(self, index: int) -> Fields:
        """Return set `index`."""
        return joined(list(self._parts(index).values()), seed=(self.seed, index))

    def answers(self, index: int) -> NDArray[np.float16]:
        """Return the mean of the teachers' answers to set `index`: (n, windows, 11), rows of sum 1."""
        parts = [self._answers(name, part) for name, part in self._parts(index).items()]
        return joined_arrays(parts, seed=(self.seed, index))

    def _parts(self, index: int) -> dict[str, Fields]:
        """Return the two parts of set `index`, cached, by the names of their files."""
        writing, found = self._writing(index), index % _SETS_OF_FOUND
        makers = {
            f"strings-{self._key(writing)}-{index:03d}": lambda: mixed_fields(
                self.digits, self.size, seed=(self.seed, index), writing=writing
            ),
            f"found{_FOUND_VERSION}-{self._key(CHEQUES)}-{found:03d}": lambda: found_fields(
                self.digits, round(_FOUND * self.size), seed=(self.seed, found), width=WIDTH
            ),
        }
        return {name: self._cached(name, make) for name, make in makers.items()}

    def _cached(self, name: str, make: Callable[[], Fields]) -> Fields:
        path = self._file(f"{name}.npz", lambda stream: np.savez(stream, **make()._asdict()))
        with np.load(path, allow_pickle=False) as cached:
            return Fields(**{name: cached[name] for name in Fields._fields})

    def _answers(self, name: str, part: Fields) -> NDArray[np.float16]:
        """Return the mean of the teachers' answers to a `part`, each cached."""

        def of(teacher: Teacher) -> NDArray[np.float16]:
            path = self._file(
                f"answers-{name}-{teacher.key}.npy",
                lambda stream: np.save(stream, teacher.answer(part.pictures).astype(np.float16)),
            )
            return np.asarray(np.load(path, allow_pickle=False), np.float16)

        return np.mean([of(teacher) for teacher in self.teachers], axis=0, dtype=np.float32).astype(
            np.float16
        )

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
