"""Read the parts of an archive on Ray Data: on this machine, or on a cluster."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from converters.base.errors import InputError, expect
from lenet_edge.bulk_reading.part_reader import Counts, PartReader
from lenet_edge.bulk_reading.sources import Part

INSTALL = 'pip install "lenet-edge[ray]"'
_PATIENCE = 10.0  # seconds until an address that does not answer is given up; Ray would try for minutes
# What a client of HTTP/2 says first, as gRPC does, and how the server begins its answer: with a frame of this
# type (RFC 9113, 3.4). A head that hangs takes the connection and says nothing; so does another service.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
_FRAME_TYPE, _SETTINGS = 3, 4
# An actor's share of a processor: with a whole one each, actors leave none to the task that hands them parts,
# and nothing ever moves (on two processors, two actors).
_SHARE = 0.5


def check_ray() -> None:
    """Raise InputError, with the line that adds it, unless Ray is installed."""
    try:
        importlib.import_module("ray.data")
    except ImportError as error:
        raise InputError(f"expected Ray, got none: {INSTALL}") from error


def check_address(address: str) -> None:
    """Raise InputError unless a gRPC server, as Ray's are, answers at `address`, HOST:PORT or ray://HOST:PORT."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    expect(host and port.isdigit(), "an address HOST:PORT or ray://HOST:PORT", address)
    try:
        with socket.create_connection((host, int(port)), timeout=_PATIENCE) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return  # it answers within TLS only
            connection.sendall(_GREETING)
            answer = connection.recv(_FRAME_TYPE + 1, socket.MSG_WAITALL)
    except OSError as error:
        raise InputError(f"expected a cluster at {address}, got: {error}") from error
    is_one = answer[_FRAME_TYPE:] == bytes([_SETTINGS])
    expect(is_one, f"a cluster at {address}", f"the answer of something else, {answer!r}")


def read_parts(
    parts: Sequence[Part], *, address: str | None, workers: int | None, options: dict[str, Any]
) -> Iterator[Counts]:
    """Yield the counts of each of `parts` as it is written; `options`: those of `PartReader`.

    `workers`: actors, by default one for each processor of the cluster at `address`, or of this machine. An
    actor that dies is replaced, and its part read again. Raises InputError when one fails.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network use that nobody asked for
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it tells of a process that died; so do we
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    local = {"include_dashboard": False} if address is None else {}
    settings = {"logging_level": "ERROR", "log_to_driver": False, "ignore_reinit_error": True, **local}
    try:
        ray.init(address=address, **settings)
    except (ConnectionError, RuntimeError) as error:  # another version of Ray, or of Python, is one
        raise InputError(
            f"expected to join Ray at {address or 'this machine'}, got: {_last(error)}"
        ) from error
    try:
        count = max(1, workers or int(ray.cluster_resources().get("CPU", 1)))
        count = min(count, len(parts))
        ray.data.DataContext.get_current().enable_progress_bars = False  # we have our own
        rows = ray.data.from_items([part.as_row() for part in parts], override_num_blocks=len(parts))
        counts = rows.map_batches(
            _Actor,
            fn_constructor_kwargs=options,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=_SHARE,
        )
        for row in counts.iter_rows():
            yield Counts(**row)
    except ray.exceptions.RayError as error:
        raise InputError(f"expected workers to finish, got: {_last(error)}") from error
    finally:
        ray.shutdown()


def _last(error: Exception) -> str:
    """Return the last line of what `error` says."""
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "no reason")


class _Actor:
    """Reads the part in each batch of one row."""

    def __init__(self, **options: Any) -> None:
        self._reader = PartReader(**options)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        found = Counts()
        for kind, paths in zip(batch["kind"], batch["paths"], strict=True):
            found += self._reader.read(Part(kind=str(kind), paths=tuple(map(str, paths))))
        return {name: [getattr(found, name)] for name in Counts.__dataclass_fields__}
