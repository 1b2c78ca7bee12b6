"""The process that profiles one model node by node: started by lenet_edge.benchmarking.measuring.

The job has `runtime`, `model` (a file in the folder), `delegate`, `threads`, `seconds` and `loads`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from converters.timing.profile_operators import peak_macs, profile
from lenet_edge.benchmarking.children import answering


def work(job: dict[str, Any], folder: Path, tick: Callable[[], None]) -> dict[str, Any]:
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
    facts = [{**asdict(node.cost), "us": node.microseconds._asdict(), "share": node.share} for node in nodes]
    return {"nodes": facts, "peak_macs_per_ns": peak_macs()}


if __name__ == "__main__":
    answering(work)
