"""Measure models in runtimes: each runtime in its own process, each start in a fresh one."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.base.errors import InputError
from converters.timing.measuring import LOADS
from lenet_edge.benchmarking.child_process import run_job
from lenet_edge.benchmarking.json_types import (
    Answer,
    Failure,
    LoadJob,
    NodeTimes,
    Profile,
    ProfileJob,
    Result,
    StartJob,
    TimingJob,
)

_TIMING_WORKER = "lenet_edge.benchmarking.timing_worker"
_START_WORKER = "lenet_edge.benchmarking.start_worker"
_PROFILE_WORKER = "lenet_edge.benchmarking.profile_worker"
_STARTS = 3
# A file has about fifteen nodes; each is timed for the model's seconds divided by this.
_PROFILE_SHARE = 4
_MICRO = 1e6


@dataclass(frozen=True)
class Plan:
    """What to measure: every model with every delegate and number of threads, in each runtime.

    `models`: .tflite contents by display name. `seconds`: for each model with each delegate and number of
    threads. `profile`: also node by node. `peers`: the folder of the peers' files, "" for none.
    """

    models: Mapping[str, bytes]
    runtimes: Sequence[str]
    delegates: Sequence[str] = ("auto",)
    threads: Sequence[int] = (1,)
    seconds: float = 2.0
    loads: int = LOADS
    profile: bool = False
    peers: str = ""

    @property
    def steps(self) -> int:
        """How often `measure_runtime` calls `progress` in all runtimes when nothing fails."""
        settings = len(self.models) * len(self.delegates)
        profiled = settings * self.loads if self.profile else 0
        timed = len(self.threads) * (self.loads + settings * _STARTS)
        return len(self.runtimes) * (timed + profiled + _STARTS)


def measure_runtime(plan: Plan, runtime: str, *, progress: Callable[[], object] | None = None) -> Answer:
    """Measure `plan` in `runtime`; return results, failures and profiles in the report's form."""
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as name:
        folder = Path(name)
        files = {model: f"{number}.tflite" for number, model in enumerate(plan.models)}
        for model, content in plan.models.items():
            (folder / files[model]).write_bytes(content)
        job: TimingJob = {
            "runtime": runtime,
            "models": files,
            "delegates": list(plan.delegates),
            "threads": list(plan.threads),
            "seconds": plan.seconds,
            "loads": plan.loads,
            "peers": plan.peers,
        }
        try:
            timed = run_job(_TIMING_WORKER, job, folder, progress=progress)
            answer = Answer(results=timed["results"], failures=timed["failures"], profiles=[])
            _add_starts(answer["results"], files, folder, runtime, progress)
        except InputError as error:
            return {"results": [], "failures": [_failure("", runtime, error)], "profiles": []}
        if plan.profile:
            answer["profiles"] = _measure_profiles(plan, answer, files, folder, runtime, progress)
    return answer


def _failure(model: str, runtime: str, error: InputError) -> Failure:
    return {"model": model, "runtime": runtime, "reason": str(error)}


def _add_starts(
    results: list[Result],
    files: Mapping[str, str],
    folder: Path,
    runtime: str,
    progress: Callable[[], object] | None,
) -> None:
    """Add to each result what a cold start takes: `cold`, None for a peer."""
    empty = _measure_starts({"runtime": runtime}, folder, progress)["peak_bytes"]
    for result in results:
        result["cold"] = None
        if result["runtime"] == runtime:
            found = _measure_starts(_job(result, files), folder, progress)
            result["cold"] = {
                "starts": _STARTS,
                "import_us": found["import"] * _MICRO,
                "initialisation_us": found["initialisation"] * _MICRO,
                "first_run_us": found["first_run"] * _MICRO,
                "peak_bytes": round(max(found["peak_bytes"] - empty, 0)),
            }


def _measure_starts(
    job: StartJob | LoadJob, folder: Path, progress: Callable[[], object] | None
) -> dict[str, float]:
    """Start `job` several times; return the medians."""
    answers = []
    for _ in range(_STARTS):
        answers.append(run_job(_START_WORKER, job, folder))
        if progress:
            progress()
    return {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}


def _measure_profiles(
    plan: Plan,
    answer: Answer,
    files: Mapping[str, str],
    folder: Path,
    runtime: str,
    progress: Callable[[], object] | None,
) -> list[Profile]:
    """Return a profile of each result with the first number of threads; failures go to `answer`."""
    found = []
    for result in answer["results"]:
        if result["runtime"] != runtime or result["threads"] != plan.threads[0]:
            continue
        job: ProfileJob = {
            **_job(result, files),
            "seconds": plan.seconds / _PROFILE_SHARE,
            "loads": plan.loads,
        }
        try:
            facts: NodeTimes = run_job(_PROFILE_WORKER, job, folder, progress=progress)
        except InputError as error:
            answer["failures"].append(_failure(f"the profile of {result['model']}", runtime, error))
            continue
        found.append(
            Profile(
                model=result["model"],
                runtime=result["runtime"],
                asked=result["asked"],
                threads=result["threads"],
                nodes=facts["nodes"],
                peak_macs_per_ns=facts["peak_macs_per_ns"],
            )
        )
    return found


def _job(result: Result, files: Mapping[str, str]) -> LoadJob:
    """Return a job that loads the model of `result` with the same settings."""
    return {
        "runtime": result["runtime"],
        "model": files[result["model"]],
        "delegate": result["asked"],
        "threads": result["threads"],
    }
