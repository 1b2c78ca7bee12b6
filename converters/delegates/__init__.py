"""Audit a .tflite file: whether a delegate takes each operator, and if not, why.

There are two kinds of audit: rules taken from a delegate's own source (`nnapi`, `gpu`, `micro`,
`tflite_runtime`, `web`), and trials on this machine (`tried`: XNNPACK and TensorFlow
Lite's analyser). docs/delegates.md has every rule and its source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from converters.base.errors import expect
from converters.delegates import gpu, micro, nnapi, tflite_runtime, tried, web
from converters.delegates.operator_rules import Verdict
from converters.delegates.tried import analyser_verdict
from converters.file.graph import read_graph

DELEGATES = ("nnapi", "gpu", "micro", "xnnpack", "tflite-runtime", "web")
"""What `audit` can be asked about; only nnapi wants an API level."""

API_LEVELS = range(27, 36)
"""Android 8.1, where NNAPI began, to Android 15, which deprecated it."""

__all__ = ["API_LEVELS", "DELEGATES", "Verdict", "analyser_verdict", "audit", "audit_table", "taken"]


def audit(content: bytes, *, delegate: str, api_level: int | None = None) -> list[Verdict]:
    """Return a verdict on each operator of the .tflite file `content`, in the order in which they run.

    A loop is one operator, WHILE: what is within it has no verdict.

    `delegate`: one of DELEGATES; `api_level`: the Android API level, 27 to 35, for nnapi. An operator
    that is taken has passed the delegate's validation: a driver may refuse it still, and a delegate may
    leave it when neither of its neighbours is taken. One that the delegate has, and lenet-edge no rule for,
    is unknown. Raises InputError: another delegate, an API level that is missing, out of range or of no use,
    a file that is no .tflite or, for xnnpack, one that TensorFlow's interpreter refuses.
    """
    expect(delegate in DELEGATES, f"a delegate of {', '.join(DELEGATES)}", repr(delegate))
    if delegate == "nnapi":
        got = "none" if api_level is None else api_level
        expect(api_level in API_LEVELS, "an API level of 27 to 35 for nnapi", got)
    else:
        expect(api_level is None, f"no API level for {delegate}", api_level)
    graph = read_graph(content, loops=True)
    if delegate == "nnapi":
        assert api_level is not None
        return nnapi.verdicts(graph, level=api_level)
    if delegate == "xnnpack":
        return tried.xnnpack_verdicts(content, graph)
    by_rules = {"gpu": gpu, "micro": micro, "tflite-runtime": tflite_runtime, "web": web}
    return by_rules[delegate].verdicts(graph)


def taken(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """Return how many operators are known to be taken, and how many there are."""
    return sum(verdict.taken for verdict in verdicts), len(verdicts)


def audit_table(verdicts: Sequence[Verdict]) -> str:
    """Return lines for a terminal: equal verdicts once, with their count, and how many are taken below.

    Two verdicts that differ by a tensor's name only are equal here.
    """
    groups = Counter((one.name, one.version, one.answer, _without_names(one.reason)) for one in verdicts)
    width = max((len(name) for name, *_ in groups), default=0)
    lines = [
        f"{count:>3} x {name:<{width}} version {version:<2} {f'{answer}: {reason}' if reason else answer}"
        for (name, version, answer, reason), count in groups.items()
    ]
    some, count = taken(verdicts)
    unknown = sum(one.answer == "unknown" for one in verdicts)
    return "\n".join([*lines, f"{some} of {count} taken" + (f", {unknown} unknown" if unknown else "")])


def _without_names(reason: str) -> str:
    return re.sub(r" '[^']*'", "", reason)
