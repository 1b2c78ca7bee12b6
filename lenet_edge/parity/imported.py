"""Answers from an app or another machine to the golden pictures or to the test digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from converters.proof import imported as generic
from converters.proof.imported import Answers, Form, Imported
from lenet_edge.benchmarking.report import read_report

__all__ = ["GOLDEN", "TEST_DIGITS", "Answers", "Imported", "most_digits", "read_imports"]

GOLDEN, TEST_DIGITS = "golden", "test digits"
"""The pictures that the answers may be for: golden.json's, or the first n of the test digits."""

MOST_DIGITS = 10_000

_FORM = Form(inputs=(GOLDEN, TEST_DIGITS), most=MOST_DIGITS, values=10, named=(GOLDEN,))


def read_imports(paths: Sequence[Path], hashes: Mapping[str, str]) -> list[Imported]:
    """Return the columns of all reports at `paths`; `hashes`: the sha256 of each compared file.

    Raises InputError as converters.proof.imported.read_imports does.
    """
    return generic.read_imports(paths, hashes, _FORM, read=read_report)


def most_digits(imports: Sequence[Imported]) -> int:
    """Return the largest number of test digits in `imports`; 0 if all are on golden pictures."""
    return max((one.count for one in imports if one.pictures == TEST_DIGITS), default=0)
