"""Keep the answers to an archive: a folder of Parquet files, each written whole, and their options."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from converters.base.errors import InputError, expect
from converters.base.untyped import Json
from lenet_edge.bulk_reading.digit_reader import Reading
from lenet_edge.bulk_reading.sources import Part

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.fs import FileSystem

_OPTIONS = "_lenet-edge-bulk.json"  # whoever reads the folder as Parquet leaves out such names
_SOURCES = b"lenet_edge.sources"  # the paths of the part, in a Parquet file's metadata
_SUFFIX = ".parquet"


@dataclass(frozen=True)
class Answer:
    """A row: the path of a picture, and what was read on it."""

    path: str
    reading: Reading


def schema() -> pa.Schema:
    """Return the columns of the answers."""
    import pyarrow as pa

    return pa.schema(
        [
            ("path", pa.string()),
            ("index", pa.int32()),
            ("finding", pa.string()),
            ("digits", pa.string()),
            ("probability", pa.float32()),
            ("sure", pa.bool_()),
            ("boxes", pa.list_(pa.list_(pa.float32()))),
            ("reason", pa.string()),
        ]
    )


@dataclass(frozen=True)
class Answers:
    """The answers in the folder `root` of a file system."""

    system: FileSystem
    root: str

    def prepare(self, options: Json) -> set[str]:
        """Make the folder; return the paths that it has the answers to already.

        Raises InputError for a folder of other `options`, or of something else.
        """
        from pyarrow import fs

        at = posixpath.join(self.root, _OPTIONS)
        there = self.system.get_file_info(self.root).type
        expect(there in (fs.FileType.NotFound, fs.FileType.Directory), "a folder", f"a file: {self.root}")
        self.system.create_dir(self.root, recursive=True)
        found = [one.base_name for one in self.system.get_file_info(fs.FileSelector(self.root))]
        names = [name for name in found if not name.startswith(".")]  # what was being written
        if _OPTIONS not in names:
            expect(not names, f"an empty folder, or one that this command made, at {self.root}", names[:1])
            self._write(at, json.dumps(options, indent=2, sort_keys=True).encode())
            return set()
        with self.system.open_input_stream(at) as stream:
            before = json.loads(stream.read())
        different = [name for name in sorted({*options, *before}) if options.get(name) != before.get(name)]
        text = ", ".join(f"{name} {before.get(name)!r}" for name in different)
        now = ", ".join(f"{name} {options.get(name)!r}" for name in different)
        expect(not different, f"a new folder, or the options of the answers in {self.root}, {text}", now)
        return {path for name in names if name.endswith(_SUFFIX) for path in self._sources(name)}

    def write(self, part: Part, answers: Sequence[Answer]) -> None:
        """Write the answers to a part: to a temporary name, then renamed."""
        import pyarrow as pa
        from pyarrow import parquet

        rows = [{"path": answer.path, **asdict(answer.reading)} for answer in answers]
        sources = json.dumps(part.paths).encode()
        table = pa.Table.from_pylist(rows, schema=schema().with_metadata({_SOURCES: sources}))
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        name = f"{hashlib.sha256(sources).hexdigest()[:20]}{_SUFFIX}"
        self._write(posixpath.join(self.root, name), sink.getvalue().to_pybytes())

    def _sources(self, name: str) -> list[str]:
        from pyarrow import parquet

        path = posixpath.join(self.root, name)
        try:
            with self.system.open_input_file(path) as source:
                metadata = parquet.read_metadata(source).metadata or {}
            return list(json.loads(metadata[_SOURCES]))
        except (KeyError, OSError, ValueError) as error:
            raise InputError(f"expected {path} to hold answers of this command, got another file") from error

    def _write(self, path: str, content: bytes) -> None:
        folder, name = posixpath.split(path)
        temporary = posixpath.join(folder, f".{name}.tmp")
        with self.system.open_output_stream(temporary) as stream:
            stream.write(content)
        self.system.move(temporary, path)
