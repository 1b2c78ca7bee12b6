"""Whether a board's scores are within the tolerance that parity derives (docs/parity.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import expect
from converters.file.graph import Graph, read_graph
from converters.proof.tolerance import Tolerance
from lenet_edge.digits.geometry import middle
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.picture.files import prepare, read_images

_NINE_DIGITS = 1e-8  # golden.json tells floating-point limits by so many
_SIX_PLACES = 5e-7  # classify rounds a probability so


@dataclass(frozen=True)
class Verdict:
    """`files` compared, `used`: the largest share of its tolerance that a score takes up, in percent.

    `differ`: digits that are read otherwise than on this machine by the same runtime, over all files.
    `why`: what is out of tolerance, a line each.
    """

    files: int
    used: float
    differ: int
    why: list[str]


class Judge:
    """Judges by the files of the unpacked wheel in `package`; each file's tolerance is found once."""

    def __init__(self, package: Path) -> None:
        self._package = package / "lenet_edge"
        self._tolerances: dict[tuple[str, int], Tolerance] = {}
        self._golden = json.loads((self._package / "golden" / "golden.json").read_text())

    def released(self, name: str) -> Path:
        """Return the path of a released file."""
        return self._package / "released" / name

    def digits(self, scores: dict[str, np.ndarray], here: dict[str, np.ndarray]) -> Verdict:
        """Judge `scores` (n, 10) of the first n test digits by file name; `here`: this machine's."""
        used, differ, why = 0.0, 0, []
        for name, found in scores.items():
            tolerance = self._tolerance(name, len(found))
            verdict = verdict_of(tolerance, found)
            used = max(used, verdict[0])
            why += [f"{name}: {verdict[1]}"] if verdict[1] else []
            differ += int((found.argmax(axis=1) != here[name].argmax(axis=1)).sum())
        return Verdict(len(scores), used, differ, why)

    def golden(self, scores: dict[str, np.ndarray]) -> list[str]:
        """Return which of `scores` (n, 10) of the golden pictures leave their limits; by file name."""
        why = []
        expect(set(scores) == set(self._golden["files"]), "scores of every golden file", sorted(scores))
        for name, found in scores.items():
            outside = _outside_golden(self._golden["files"][name], found)
            why += [f"{name}: golden pictures {outside} are out of their limits"] if outside else []
        return why

    def answers(self, pi: list[dict[str, Any]], here: list[dict[str, Any]], model: str) -> list[str]:
        """Return where two runs of `classify --json` by `model` differ by more than its tolerance allows."""
        if len(pi) != len(here):
            return [f"classify: expected {len(here)} answers, got {len(pi)}"]
        graph = read_graph(self.released(model).read_bytes())
        return [
            f"classify: expected {theirs}, got {mine}"
            for mine, theirs in zip(pi, here, strict=True)
            if {**mine, "probability": None} != {**theirs, "probability": None} or not _near(mine, graph)
        ]

    def _tolerance(self, name: str, count: int) -> Tolerance:
        """Return the tolerance of a released file on the first `count` test digits, found once."""
        if (name, count) not in self._tolerances:
            self._tolerances[name, count] = self._found(name, count)
        return self._tolerances[name, count]

    def _found(self, name: str, count: int) -> Tolerance:
        graph = read_graph(self.released(name).read_bytes())
        inputs = pad(test_digits().images[:count])[..., None].astype(np.float32)
        return Tolerance(graph, middle(inputs, side=graph.inputs[0].shape[1]))


def verdict_of(tolerance: Tolerance, scores: np.ndarray) -> tuple[float, str]:
    """Return the largest share of its tolerance that `scores` take up, in percent, and what is out, or ""."""
    if not np.isfinite(scores).all():
        return np.inf, f"{int((~np.isfinite(scores)).sum())} scores are no numbers"
    found = scores.astype(np.float64)
    beyond = (tolerance.outside(found) > 0).any(axis=1)
    why = f"{int(beyond.sum())} digits are beyond their tolerance, the first is {int(beyond.argmax())}"
    return tolerance.used(found), why if beyond.any() else ""


def _near(answer: dict[str, Any], graph: Graph) -> bool:
    """Return whether a probability is within the limits for the picture as this machine prepares it."""
    if answer["probability"] is None:
        return True
    picture = prepare(next(iter(read_images(answer["file"]))).grey).picture
    inputs = picture[None, ..., None].astype(np.float32)
    low, high = (end[0, answer["digit"]] for end in Tolerance(graph, inputs).limits(np.array([0])))
    return bool(low - _SIX_PLACES <= answer["probability"] <= high + _SIX_PLACES)


def _outside_golden(file: dict[str, Any], scores: np.ndarray) -> list[int]:
    """Return the numbers of the pictures with a score outside the limits in golden.json."""
    low, high = (np.array(file[end]) for end in ("low", "high"))
    stored, room = scores.astype(np.float64), _NINE_DIGITS
    if "scale" in file["output"]:  # the limits are whole steps
        stored, room = np.rint(stored / file["output"]["scale"]) + file["output"]["zero_point"], 0.0
    outside = ~((stored >= low - room) & (stored <= high + room)).all(axis=1)
    return np.flatnonzero(outside).tolist()
