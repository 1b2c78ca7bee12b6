"""Types of the JSON in a benchmark's report and in the jobs of its processes (docs/benchmark.md)."""

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
    """Medians over `starts` fresh processes; `peak_bytes` leaves out the memory of the runtime alone."""

    starts: int
    import_us: float
    initialisation_us: float
    first_run_us: float
    peak_bytes: int


class RunFacts(TypedDict):
    """What ran: a `converters.runtimes.sessions.Report`, or what a peer reports instead."""

    runtime: str
    version: str
    delegate: str
    taken: int
    nodes: int
    threads: int
    asked: str
    reason: str


class Result(RunFacts):
    """One model with one delegate and number of threads; `beside`: the runtime whose process timed it."""

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
    """What could not be timed, and the reason in one line."""

    model: str
    runtime: str
    reason: str


class NodeFacts(TypedDict):
    """One node of a file: its work, its time in microseconds and its `share` of the total, 0..1."""

    index: int
    name: str
    macs: int
    bytes: int
    us: EstimateFacts
    share: float


class NodeTimes(TypedDict):
    """The times of a file's nodes, and the processor's peak speed."""

    nodes: list[NodeFacts]
    peak_macs_per_ns: float


class Profile(NodeTimes):
    """The times of one result's nodes."""

    model: str
    runtime: str
    asked: str
    threads: int


class Answer(TypedDict):
    """What was measured in one runtime."""

    results: list[Result]
    failures: list[Failure]
    profiles: list[Profile]


class ModelFacts(TypedDict):
    """A file that was timed."""

    sha256: str
    bytes: int


class AppAnswers(TypedDict, total=False):
    """What an app may add: its answers, as docs/benchmark.md describes them; they are not checked."""

    answers: Any


class Report(Answer, AppAnswers):
    """A whole report; `machine` comes from `converters.base.machine`."""

    format: str
    schema: int
    date: str
    command: list[str]
    versions: dict[str, str]
    machine: dict[str, Any]
    models: dict[str, ModelFacts]


class TimingJob(TypedDict):
    """A job for `timing_worker`; `models`: display names with their files in the folder."""

    runtime: str
    models: dict[str, str]
    delegates: list[str]
    threads: list[int]
    seconds: float
    loads: int
    peers: str


class LoadJob(TypedDict):
    """A `model`, a file in the folder, to load with the same settings as a result."""

    runtime: str
    model: str
    delegate: str
    threads: int


class StartJob(TypedDict, total=False):
    """A job for `start_worker`: a LoadJob, or only a `runtime` to import."""

    runtime: str
    model: str
    delegate: str
    threads: int


class ProfileJob(LoadJob):
    """A job for `profile_worker`."""

    seconds: float
    loads: int
