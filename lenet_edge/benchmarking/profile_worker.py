"""The process that profiles one model node by node: started by lenet_edge.benchmarking.measuring.

The job has `runtime`, `model` (a file in the folder), `delegate`, `threads`, `seconds` and `loads`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from converters.timing.profile_operators import NodeTime, peak_macs, profile
from lenet_edge.benchmarking.child_process import answering
from lenet_edge.benchmarking.json_types import NodeFacts, NodeTimes, ProfileJob


def work(job: ProfileJob, folder: Path, tick: Callable[[], None]) -> NodeTimes:
    """Return the times of the model's `nodes`, and what the processor reaches at most."""
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
    answering(work)
