"""Read from TF_CONFIG which processes train together, before any work and without TensorFlow."""

from __future__ import annotations

import json
from dataclasses import dataclass

from converters.base.errors import InputError, expect
from converters.base.untyped import Json

VARIABLE = "TF_CONFIG"
"""The variable in which TensorFlow is told of a cluster."""

_CHIEF, _WORKER = "chief", "worker"
_EXAMPLE = '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Processes that train one model together, at `addresses`; this one is number `place`, from 0."""

    addresses: tuple[str, ...] = ("",)
    place: int = 0

    @property
    def count(self) -> int:
        """The number of processes."""
        return len(self.addresses)

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes, which is the first."""
        return self.place == 0

    def check_batch_size(self, size: int) -> None:
        """Raise InputError unless the processes can share batches of `size` equally."""
        expect(size % self.count == 0, f"a --batch-size that {self.count} workers share equally", size)


ALONE = Cluster()


def cluster_of(text: str | None) -> Cluster:
    """Return the cluster that `text`, the value of TF_CONFIG, tells of; `ALONE` without one.

    Jobs are "chief" (one process, if there is one) and "worker"; without a chief the first worker is it.
    Raises InputError, a line, for anything else.
    """
    if not text:
        return ALONE
    try:
        config = json.loads(text)
    except ValueError as error:
        raise InputError(f"expected {VARIABLE} to be JSON, got {_short(text)}") from error
    jobs = config.get("cluster", {}) if isinstance(config, dict) else None
    expect(isinstance(jobs, dict), f"{VARIABLE} like {_EXAMPLE}", _short(text))
    if not jobs:
        return ALONE
    unknown = sorted(set(jobs) - {_CHIEF, _WORKER})
    expect(not unknown, f"the jobs chief and worker in {VARIABLE}", ", ".join(unknown))
    chiefs, workers = (_addresses(jobs.get(job, [])) for job in (_CHIEF, _WORKER))
    expect(len(chiefs) <= 1, f"one chief in {VARIABLE}", len(chiefs))
    addresses = chiefs + workers
    expect(len(set(addresses)) == len(addresses), f"a different address for each process in {VARIABLE}", jobs)
    return Cluster(addresses=addresses, place=_place(config.get("task"), chiefs, workers))


def _addresses(values: Json) -> tuple[str, ...]:
    expect(isinstance(values, list), f"lists of HOST:PORT in {VARIABLE}", values)
    for value in values:
        host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
        valid = host and port.isdecimal() and 0 < int(port) < 2**16
        expect(valid, f"addresses HOST:PORT in {VARIABLE}", value)
    return tuple(values)


def _place(task: Json, chiefs: tuple[str, ...], workers: tuple[str, ...]) -> int:
    kind = str(task.get("type")) if isinstance(task, dict) else ""
    count = len({_CHIEF: chiefs, _WORKER: workers}.get(kind, ()))
    expect(count, f"a task in {VARIABLE} whose type is a job of the cluster", task)
    index = str(task.get("index"))
    in_range = index.isdecimal() and int(index) < count
    expect(in_range, f"an index of 0 to {count - 1} for the {kind} in {VARIABLE}", index)
    return int(index) + (len(chiefs) if kind == _WORKER else 0)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
