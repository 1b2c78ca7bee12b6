"""The benchmark's JSON report: begin a new one, and read one back with every used field checked.

docs/benchmark.md describes the format; apps on other machines write it too.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import InputError, expect
from converters.base.json_fields import check_fields
from converters.base.machine import machine, speed_facts
from lenet_edge import __version__
from lenet_edge.benchmarking.json_types import Report

FORMAT, SCHEMA = "lenet-edge benchmark", 1

_NUMBER, _MAYBE = (int, float), type(None)
_SPREAD = dict.fromkeys(("p50", "p90", "p99", "mean", "smallest", "samples"), _NUMBER)
_ESTIMATE = dict.fromkeys(("value", "low", "high"), _NUMBER)
_RESULT = {
    "model": str,
    "runtime": str,
    "version": str,
    "delegate": str,
    "taken": int,
    "nodes": int,
    "threads": int,
    "asked": str,
    "reason": str,
    "beside": str,
    "run": dict,
    "run_ratio": dict,
    "invoke": (dict, _MAYBE),
    "invoke_ratio": (dict, _MAYBE),
    "loads": list,
    "cold": (dict, _MAYBE),
}
_COLD = dict.fromkeys(("starts", "import_us", "initialisation_us", "first_run_us", "peak_bytes"), _NUMBER)
_MACHINE = {"system": str, "architecture": str, "processor": str, "processors": int}
_WHOLE = {
    "date": str,
    "command": list,
    "versions": dict,
    "machine": dict,
    "models": dict,
    "results": list,
    "failures": list,
    "profiles": list,
}


def heading(models: Mapping[str, bytes], command: Sequence[str]) -> Report:
    """Return a report without measurements: the machine, the versions and the models."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": list(command),
        "versions": {
            "lenet-edge": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "machine": {**machine(), **speed_facts()},
        "models": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in models.items()
        },
        "results": [],
        "failures": [],
        "profiles": [],
    }


def read_report(path: str | os.PathLike[str]) -> Report:
    """Return the report at `path`; raises InputError, naming the field, if it is no report or damaged."""
    wanted = f"{os.fspath(path)} to be a report of lenet-edge benchmark"
    try:
        report = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise InputError(f"expected {wanted}, got invalid JSON: {error}") from None
    expect(isinstance(report, dict) and report.get("format") == FORMAT, wanted, "another kind of JSON")
    expect(report.get("schema") == SCHEMA, f"{wanted} of schema {SCHEMA}", f"schema {report.get('schema')}")
    check_fields(report, _WHOLE, "", wanted)
    check_fields(report["machine"], _MACHINE, "machine", wanted)
    for number, result in enumerate(report["results"]):
        _check_result(result, f"results[{number}]", wanted)
    for name, facts in report["models"].items():
        check_fields(facts, {"sha256": str, "bytes": int}, f"models.{name}", wanted)
    return report


def _check_result(result: dict[str, Any], place: str, wanted: str) -> None:
    check_fields(result, _RESULT, place, wanted)
    for key in ("run", "invoke"):
        if result[key] is not None:
            check_fields(result[key], _SPREAD, f"{place}.{key}", wanted)
            check_fields(result[f"{key}_ratio"], _ESTIMATE, f"{place}.{key}_ratio", wanted)
    if result["cold"] is not None:
        check_fields(result["cold"], _COLD, f"{place}.cold", wanted)
    numbers = [one for one in result["loads"] if type(one) in _NUMBER and one > 0]
    right = len(numbers) == len(result["loads"]) > 0
    expect(right, wanted, f"{place}.loads that are not all microseconds")
