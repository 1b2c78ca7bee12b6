"""What `lenet-edge benchmark` is to time: the runtimes that are here, and the models by the names to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES, choose, unusable_reason
from lenet_edge.benchmarking.json_types import Failure
from lenet_edge.packaged.files import content_of, packaged_models, packaged_name


@dataclass(frozen=True)
class ChosenRuntimes:
    """The `names` of the runtimes to time in, and by name why others of "all" are `absent`."""

    names: list[str]
    absent: dict[str, str]

    @property
    def failures(self) -> list[Failure]:
        """What is absent, as a report has it."""
        return [{"model": "", "runtime": name, "reason": reason} for name, reason in self.absent.items()]


def choose_runtimes(names: Sequence[str]) -> ChosenRuntimes:
    """Return the runtimes that `names` ask for, each once; "auto" is the first, "all" every one that is here.

    Raises InputError for one that was asked for by its name and is not here, and when none is.
    """
    if "all" not in names:
        for name in names:
            reason = "" if name == "auto" else unusable_reason(name, alone=True)
            expect(not reason, f"the runtime {name}", reason)
        return ChosenRuntimes(list(dict.fromkeys(choose() if n == "auto" else n for n in names)), {})
    reasons = {name: unusable_reason(name, alone=True) for name in RUNTIMES}
    there = [name for name, reason in reasons.items() if not reason]
    if not there:
        raise InputError(f"expected a TensorFlow Lite runtime, got none: {RUNTIMES['litert'].install}")
    return ChosenRuntimes(there, {name: reason for name, reason in reasons.items() if reason})


def contents_by_name(models: Sequence[str]) -> dict[str, bytes]:
    """Return the models' contents by the names to show; one that is named twice is timed twice.

    Raises InputError as `lenet_edge.packaged.files.content_of`.
    """
    contents: dict[str, bytes] = {}
    seen: Counter[str] = Counter()
    for model in models:
        content, name = content_of(model), _shown_name(model)
        seen[name] += 1
        contents[name if seen[name] == 1 else f"{name} ({seen[name]})"] = content
    return contents


def _shown_name(model: str) -> str:
    return Path(packaged_name(model, packaged_models()) or model).stem
