"""List what an archive holds: picture files, tar and Parquet shards, on any file system of pyarrow."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from converters.base.errors import InputError, expect
from lenet_edge.picture.files import is_picture_name

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

_SCHEME = "://"
TAR, PARQUET, FILES = "tar", "parquet", "files"
_KINDS = {".tar": TAR, ".parquet": PARQUET}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is read and written at once: a shard of a `kind`, or picture files; `paths` within the source."""

    kind: str
    paths: tuple[str, ...]

    def as_row(self) -> dict[str, object]:
        """Return the part as a row of an engine's data."""
        return {**asdict(self), "paths": list(self.paths)}


def absolute(source: str) -> str:
    """Return `source`, a path or a URI, so that it means the same in another folder."""
    return source if _SCHEME in source else posixpath.abspath(source)


def opened(source: str) -> tuple[FileSystem, str]:
    """Return the file system of `source`, a path or a URI as pyarrow takes it, and the path within.

    Raises InputError for a file system that pyarrow does not know or cannot reach.
    """
    from pyarrow import fs

    try:
        if _SCHEME in source:
            return fs.FileSystem.from_uri(source)
        return fs.LocalFileSystem(), posixpath.abspath(source)
    except (OSError, ValueError) as error:
        raise InputError(f"expected what pyarrow opens, got {source}: {_line(error)}") from error


def listed(system: FileSystem, root: str) -> list[str]:
    """Return the paths of the pictures and shards below the folder `root`, or `root` itself, sorted.

    Raises InputError when nothing is there, or nothing that is read.
    """
    from pyarrow import fs

    info = system.get_file_info(root)
    expect(info.type != fs.FileType.NotFound, "a folder, a .tar or a .parquet", f"nothing at {root}")
    found: Sequence[FileInfo] = [info]
    if info.type == fs.FileType.Directory:
        found = system.get_file_info(fs.FileSelector(root, recursive=True))
    paths = sorted(one.path for one in found if one.type == fs.FileType.File and _is_read(one.base_name))
    expect(paths, "pictures, .tar or .parquet files", f"none in {root}")
    return paths


def parts_of(paths: Iterable[str], *, done: set[str], pictures: int) -> Iterator[Part]:
    """Yield the parts of `paths` that are not `done`: each shard, and files, so many `pictures` a part."""
    files: list[str] = []
    for path in paths:
        if path in done:
            continue
        kind = kind_of(path)
        if kind != FILES:
            yield Part(kind=kind, paths=(path,))
            continue
        files.append(path)
        if len(files) == pictures:
            yield Part(kind=FILES, paths=tuple(files))
            files = []
    if files:
        yield Part(kind=FILES, paths=tuple(files))


def kind_of(path: str) -> str:
    """Return whether a path is that of a tar, of a Parquet file, or of a picture file."""
    return _KINDS.get(posixpath.splitext(path)[1].lower(), FILES)


def _is_read(name: str) -> bool:
    return not name.startswith(".") and (kind_of(name) != FILES or is_picture_name(name))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
