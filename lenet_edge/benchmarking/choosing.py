"""Choose what `lenet-edge benchmark` times: the installed runtimes, and the models with display names."""

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
    """The `names` of the runtimes to use; `unusable` has the reason for each that "all" leaves out."""

    names: list[str]
    unusable: dict[str, str]

    @property
    def failures(self) -> list[Failure]:
        """The unusable runtimes, in the report's form."""
        return [{"model": "", "runtime": name, "reason": reason} for name, reason in self.unusable.items()]


def choose_runtimes(names: Sequence[str]) -> ChosenRuntimes:
    """Return the runtimes in `names`, each once; "auto" is the first usable one, "all" every usable one.

    Raises InputError when a runtime is named that cannot be used, or when there is none at all.
    """
    if "all" not in names:
        for name in names:
            reason = "" if name == "auto" else unusable_reason(name, alone=True)
            expect(not reason, f"the runtime {name}", reason)
        return ChosenRuntimes(list(dict.fromkeys(choose() if n == "auto" else n for n in names)), {})
    reasons = {name: unusable_reason(name, alone=True) for name in RUNTIMES}
    usable = [name for name, reason in reasons.items() if not reason]
    if not usable:
        raise InputError(f"expected a TensorFlow Lite runtime, got none: {RUNTIMES['litert'].install}")
    return ChosenRuntimes(usable, {name: reason for name, reason in reasons.items() if reason})


def contents_by_name(models: Sequence[str]) -> dict[str, bytes]:
    """Return the models' contents by display name; a model that is named twice is timed twice.

    Raises InputError as `lenet_edge.packaged.files.content_of`.
    """
    contents: dict[str, bytes] = {}
    seen: Counter[str] = Counter()
    for model in models:
        content, name = content_of(model), _display_name(model)
        seen[name] += 1
        contents[name if seen[name] == 1 else f"{name} ({seen[name]})"] = content
    return contents


def _display_name(model: str) -> str:
    return Path(packaged_name(model, packaged_models()) or model).stem
