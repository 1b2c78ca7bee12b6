"""What a benchmark's report and the jobs of its processes hold, as JSON has them (docs/benchmark.md)."""

from __future__ import annotations

from typing import Any, TypedDict


class SpreadFacts(TypedDict):
    """Percentiles of `samples` times, in microseconds."""

    p50: float
    p90: float
    p99: float
    mean: float
    smallest: float
    samples: int


class EstimateFacts(TypedDict):
    """A value and the interval that holds the true one in 95 of 100 measurements."""

    value: float
    low: float
    high: float


class ColdFacts(TypedDict):
    """What `starts` in fresh processes took, in the median, and how much memory beside the runtime's own."""

    starts: int
    import_us: float
    initialisation_us: float
    first_run_us: float
    peak_bytes: int


class RunFacts(TypedDict):
    """What ran: a `converters.runtimes.sessions.Report`, or what a peer tells in its place."""

    runtime: str
    version: str
    delegate: str
    taken: int
    nodes: int
    threads: int
    asked: str
    reason: str


class Result(RunFacts):
    """One model with one delegate and number of threads, timed `beside` others in a runtime's process."""

    model: str
    run: SpreadFacts
    run_ratio: EstimateFacts
    invoke: SpreadFacts | None
    invoke_ratio: EstimateFacts | None
    loading: SpreadFacts | None
    loads: list[float]
    beside: str
    cold: ColdFacts | None


class Failure(TypedDict):
    """What could not be timed, and why, in a line."""

    model: str
    runtime: str
    reason: str


class NodeFacts(TypedDict):
    """One node of a file: its work, its time in microseconds and its `share` of the whole, 0..1."""

    index: int
    name: str
    macs: int
    bytes: int
    us: EstimateFacts
    share: float


class NodeTimes(TypedDict):
    """The times of a file's nodes, and what the processor reaches at most."""

    nodes: list[NodeFacts]
    peak_macs_per_ns: float


class Profile(NodeTimes):
    """The times of one result's nodes."""

    model: str
    runtime: str
    asked: str
    threads: int


class Answer(TypedDict):
    """What one runtime made of the plan."""

    results: list[Result]
    failures: list[Failure]
    profiles: list[Profile]


class ModelFacts(TypedDict):
    """Which file was timed."""

    sha256: str
    bytes: int


class AppAnswers(TypedDict, total=False):
    """What an app may add: what it answered, as docs/benchmark.md describes it; nothing of it is checked."""

    answers: Any


class Report(Answer, AppAnswers):
    """A whole report; `machine` is what `converters.base.machine` tells."""

    format: str
    schema: int
    date: str
    command: list[str]
    versions: dict[str, str]
    machine: dict[str, Any]
    models: dict[str, ModelFacts]


class TimingJob(TypedDict):
    """What `lenet_edge.benchmarking.timing_worker` is asked for; `models`: files in the folder by their names."""

    runtime: str
    models: dict[str, str]
    delegates: list[str]
    threads: list[int]
    seconds: float
    loads: int
    peers: str


class LoadJob(TypedDict):
    """A `model`, a file in the folder, that is loaded as a result's was."""

    runtime: str
    model: str
    delegate: str
    threads: int


class StartJob(TypedDict, total=False):
    """What `lenet_edge.benchmarking.start_worker` is asked for: a LoadJob, or nothing but a `runtime` to import."""

    runtime: str
    model: str
    delegate: str
    threads: int


class ProfileJob(LoadJob):
    """What `lenet_edge.benchmarking.profile_worker` is asked for."""

    seconds: float
    loads: int
