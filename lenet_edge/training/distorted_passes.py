"""Distorted copies of the training digits, cached on disk so that each is made only once.

A pass is one distorted copy of every training digit. There are a few dozen; an epoch reads one, so a long
training reads each pass many times, and two trainings with the same seed share them. Teachers' answers to a
pass are cached beside it.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from converters.base.files import write_atomically
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.training.distortions import VERSION, Distortions, distort


@dataclass(frozen=True)
class Teacher:
    """A trained net whose answers other nets learn from.

    `key` identifies its weights; `answer`: from uint8 pictures (n, 32, 32) to probabilities (n, 10).
    """

    key: str
    answer: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]]


@dataclass(frozen=True, kw_only=True)
class CachedPasses:
    """`count` passes over `digits`, cached in `folder`.

    `gentle_factor` (0..1) scales the distortions of the last `gentle_count`.
    """

    digits: Digits
    folder: Path
    seed: int
    count: int
    gentle_count: int
    gentle_factor: float = 0.6

    def __post_init__(self) -> None:
        expect(0 <= self.gentle_count < self.count, f"0 to {self.count - 1} gentle passes", self.gentle_count)

    def index(self, epoch: int, *, epochs: int, gentle_share: float) -> int:
        """Return the pass for `epoch`: a gentle one in the last `gentle_share` (0..1) of the epochs."""
        first_gentle = self.count - self.gentle_count
        start = epochs - round(epochs * gentle_share) if self.gentle_count else epochs
        if epoch < start:
            return epoch % first_gentle
        return first_gentle + (epoch - start) % self.gentle_count

    def is_gentle(self, index: int) -> bool:
        """Return whether pass `index` is gentle."""
        return index >= self.count - self.gentle_count

    def _file(self, name: str, save: Callable[[io.BytesIO], None]) -> Path:
        """Return the file `name` of the cache; what `save` writes is in it."""
        path = self.folder / name
        if not path.exists():
            self._check_disk()
            buffer = io.BytesIO()
            save(buffer)
            write_atomically(path, buffer.getvalue())
        return path

    def _check_disk(self) -> None:
        """Raise InputError if the disk is nearly full, before an hour of work; a pass is 1 KiB per digit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        need, free = 2048 * len(self.digits.images), shutil.disk_usage(self.folder).free
        expect(free > need, f"{need >> 20} MiB free in {self.folder}", f"{free >> 20} MiB")


@dataclass(frozen=True, kw_only=True)
class Passes(CachedPasses):
    """Distorted copies of the digits, one per pass, and the teachers' answers to them."""

    sizes: Distortions = field(default_factory=Distortions)
    teachers: Sequence[Teacher] = ()

    def pictures(self, index: int) -> NDArray[np.uint8]:
        """Return pass `index`: uint8 (n, 32, 32)."""
        sizes = self._sizes(index)
        name = f"pictures-{self._key(sizes)}-{index:03d}.npy"
        return self._cached(
            name, lambda: distort(pad(self.digits.images), seed=(self.seed, index), sizes=sizes)
        )

    def answers(self, index: int) -> NDArray[np.float16]:
        """Return the mean of the teachers' answers to pass `index`: float16 (n, 10), rows of sum 1."""
        pictures = self.pictures(index)
        answers = [self._answers(teacher, index, pictures) for teacher in self.teachers]
        return np.mean(answers, axis=0, dtype=np.float32).astype(np.float16)

    def _answers(self, teacher: Teacher, index: int, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        key = self._key(self._sizes(index))
        name = f"answers-{key}-{index:03d}-{teacher.key}.npy"
        return self._cached(name, lambda: teacher.answer(pictures).astype(np.float16))

    def _sizes(self, index: int) -> Distortions:
        return self.sizes.gentler(self.gentle_factor) if self.is_gentle(index) else self.sizes

    def _key(self, sizes: Distortions) -> str:
        count = len(self.digits.images)
        facts = json.dumps(
            {"version": VERSION, "seed": self.seed, "count": count, **asdict(sizes)}, sort_keys=True
        )
        return hashlib.sha256(facts.encode() + self.digits.images[:100].tobytes()).hexdigest()[:12]

    def _cached(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        path = self._file(name, lambda stream: np.save(stream, make()))
        return np.load(path, mmap_mode="r", allow_pickle=False)
