"""Worker process that profiles one model node by node; lenet_edge.benchmarking.measuring starts it.

The job has `runtime`, `model` (a file in the folder), `delegate`, `threads`, `seconds` and `loads`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from converters.timing.profile_operators import NodeTime, peak_macs, profile
from lenet_edge.benchmarking.child_process import answer_job
from lenet_edge.benchmarking.json_types import NodeFacts, NodeTimes, ProfileJob


def profile_model(job: ProfileJob, folder: Path, tick: Callable[[], None]) -> NodeTimes:
    """Return the times of the model's `nodes`, and the processor's peak speed."""
    nodes = profile(
        (folder / job["model"]).read_bytes(),
        runtime=job["runtime"],
        delegate=job["delegate"],
        threads=job["threads"],
        seconds=job["seconds"],
        loads=job["loads"],
        progress=tick,
    )
    return {"nodes": [_facts(node) for node in nodes], "peak_macs_per_ns": peak_macs()}


def _facts(node: NodeTime) -> NodeFacts:
    cost, took = node.cost, node.microseconds
    return {
        "index": cost.index,
        "name": cost.name,
        "macs": cost.macs,
        "bytes": cost.bytes,
        "us": {"value": took.value, "low": took.low, "high": took.high},
        "share": node.share,
    }


if __name__ == "__main__":
    answer_job(profile_model)
