"""Yield the pictures of a part of an archive, each with its path."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from converters.base.errors import expect
from lenet_edge.bulk_reading.sources import PARQUET, TAR, Part
from lenet_edge.picture.files import MOST_BYTES, is_picture_name

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_ENOUGH = MOST_BYTES + 1  # of a file: `read_images` refuses it then
_ROWS = 256  # of a Parquet shard that are held at a time


@dataclass(frozen=True)
class Stored:
    """A picture file of an archive: its `path`, behind its shard's; `content` None if `reason` says why."""

    path: str
    content: bytes | None
    reason: str = ""


def pictures_of(part: Part, system: FileSystem, *, column: str) -> Iterator[Stored]:
    """Yield the pictures of `part`; where one cannot be read, or the rest of a shard, a reason instead.

    `column`: that of a Parquet shard that holds the files.
    """
    read = {TAR: _of_tar, PARQUET: _of_parquet}.get(part.kind, _of_file)
    for path in part.paths:
        try:
            yield from read(system, path, column)
        except (OSError, ValueError, KeyError, tarfile.TarError) as error:
            yield Stored(path, None, f"expected to read {path}, got: {' '.join(str(error).split())}")


def _of_file(system: FileSystem, path: str, _: str) -> Iterator[Stored]:
    with system.open_input_stream(path) as stream:
        yield Stored(path, stream.read(_ENOUGH))


def _of_tar(system: FileSystem, path: str, _: str) -> Iterator[Stored]:
    with system.open_input_stream(path) as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            if not member.isfile() or not is_picture_name(member.name.rsplit("/", 1)[-1]):
                continue
            content = archive.extractfile(member)
            yield Stored(f"{path}/{member.name}", content.read(_ENOUGH) if content else b"")


def _of_parquet(system: FileSystem, path: str, column: str) -> Iterator[Stored]:
    from pyarrow import parquet

    with system.open_input_file(path) as source:
        shard = parquet.ParquetFile(source)
        names = shard.schema_arrow.names
        expect(column in names, f"a column {column!r}", ", ".join(names))
        wanted = [column, *(["path"] if "path" in names else [])]
        number = 0
        for batch in shard.iter_batches(batch_size=_ROWS, columns=wanted):
            for row in batch.to_pylist():
                name = f"{path}/{row.get('path') or number}"
                content = row[column]
                kind = type(content).__name__
                reason = "" if isinstance(content, bytes) else f"expected bytes in {column!r}, got {kind}"
                yield Stored(name, None if reason else content, reason)
                number += 1
