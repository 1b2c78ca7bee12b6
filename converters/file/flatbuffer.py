"""Read an untrusted flatbuffer: every offset is checked before it is followed.

A native reader trusts the offsets in a file, so a damaged one makes it read and write where nothing is. This
reader follows the same offsets within the same tables, and says where one is wrong. It is given a description
of the tables (`described`); the TensorFlow Lite ones are in converters/file/soundness/tables.py.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

_FORMATS = {
    "bool": "<?",
    "byte": "<b",
    "ubyte": "<B",
    "int": "<i",
    "uint": "<I",
    "long": "<q",
    "ulong": "<Q",
    "float": "<f",
}


class Damaged(ValueError):
    """A file holds what no sound one does; the message says what and where, to follow the word "got"."""


def require(condition: object, got: str) -> None:
    """Raise `Damaged` with `got` unless `condition` holds."""
    if not condition:
        raise Damaged(got)


@dataclass(frozen=True)
class Field:
    """A field of a table: its `kind` is a scalar, a table, a union, "string", or one of these in brackets."""

    name: str
    kind: str
    default: int


@dataclass(frozen=True)
class Tables:
    """The fields of each table in the order of their slots, and the tables of each union by their number."""

    fields: Mapping[str, tuple[Field, ...]]
    unions: Mapping[str, Mapping[int, str]]


class Record(SimpleNamespace):
    """A table that was read: `table` is its name and each field an attribute.

    A field that is left out has its default; a string or a table None, a vector (). A vector of ubyte is a
    memoryview, any other a tuple. A union's member of a kind that is not described is a Record without
    fields whose `table` is "".
    """

    table: str


def described(tables: Mapping[str, str], unions: Mapping[str, Mapping[int, str]]) -> Tables:
    """Return the description of `tables`: "name:kind name:kind=default ...", in the order of the slots."""
    return Tables({name: tuple(map(_field, text.split())) for name, text in tables.items()}, unions)


def _field(text: str) -> Field:
    name, _, rest = text.partition(":")
    kind, _, default = rest.partition("=")
    return Field(name, kind, int(default or 0))


def read(content: bytes, tables: Tables, *, root: str, identifier: bytes) -> Record:
    """Return the `root` table of the flatbuffer `content`, all tables below it read.

    `identifier`: the four bytes that the file must have at 4. Raises Damaged for an offset, a size or an
    alignment that is wrong, a field that is not described, and a file whose parts refer to each other so
    that reading it would take more than twice its bytes.
    """
    require(len(content) >= 8, f"{len(content)} bytes")
    require(content[4:8] == identifier, "another kind of file")
    reader = _Reader(content, tables)
    return reader.table(root, reader.target(0, "the root"), "")


class _Reader:
    """Reads one file. The tables do not nest without end, so what must be bounded is their number."""

    def __init__(self, content: bytes, tables: Tables) -> None:
        self._content = content
        self._view = memoryview(content)
        self._tables = tables
        # A file whose parts are each referred to once is read once; some writers share equal strings.
        self._budget = 2 * len(content)

    def target(self, at: int, place: str) -> int:
        """Return where the offset at `at` points to."""
        offset = self._scalar("<I", at, place)
        require(0 < offset < 1 << 31 and at + offset < len(self._content), f"{place} beyond the file's end")
        return at + offset

    def table(self, name: str, at: int, place: str) -> Record:
        """Return the table `name` that starts at `at`; `place` is its path within the file."""
        slots = self._slots(at, place or "the root")
        fields = self._tables.fields[name]
        known, beyond = slots[: len(fields)], slots[len(fields) :]
        require(not any(beyond), f"{place or 'the root'} with a field that lenet-edge does not know")
        record = Record(table=name)
        for field, slot in zip(fields, known + (0,) * len(fields), strict=False):
            path = f"{place}.{field.name}" if place else field.name
            setattr(record, field.name, self._value(field, at + slot if slot else 0, record, path))
        return record

    def _slots(self, at: int, place: str) -> tuple[int, ...]:
        """Return where each field of the table at `at` is, from its start on; 0 for one that is left out."""
        start = at - self._scalar("<i", at, place)
        size, inline = self._scalar("<H", start, place), self._scalar("<H", start + 2, place)
        require(size >= 4 and size % 2 == 0, f"{place} with a broken list of fields")
        require(inline >= 4, f"{place} with a broken size")
        self._check(start, size, 2, place)
        self._check(at, inline, 4, place)
        slots = struct.unpack_from(f"<{size // 2 - 2}H", self._content, start + 4)
        # The widest scalar has 8 bytes; _scalar checks that each is within the file.
        require(all(slot == 0 or 4 <= slot < inline for slot in slots), f"{place} with a field outside of it")
        self._spend(inline, place)
        return slots

    def _value(self, field: Field, at: int, record: Record, place: str) -> Any:
        """Return the value of `field`, which is at `at`, or its default when that is 0."""
        if field.kind in _FORMATS:
            return self._scalar(_FORMATS[field.kind], at, place) if at else field.default
        if field.kind in self._tables.unions:
            return self._union(field, at, getattr(record, f"{field.name}_type"), place)
        if not at:
            return () if field.kind.startswith("[") else None
        if field.kind == "string":
            return self._string(self.target(at, place), place)
        if field.kind.startswith("["):
            return self._vector(field.kind[1:-1], self.target(at, place), place)
        return self.table(field.kind, self.target(at, place), place)

    def _union(self, field: Field, at: int, kind: int, place: str) -> Record | None:
        require(bool(kind) == bool(at), f"{place} without its type or its content")
        if not at:
            return None
        start, name = self.target(at, place), self._tables.unions[field.kind].get(kind, "")
        return self.table(name, start, place) if name else Record(table="")

    def _vector(self, kind: str, at: int, place: str) -> Any:
        size = struct.calcsize(_FORMATS.get(kind, "<I"))
        count = self._scalar("<I", at, place)
        start = at + 4
        self._check(start, count * size, size, place)
        self._spend(4 + count * size, place)
        if kind == "ubyte":
            return self._view[start : start + count]
        if kind in _FORMATS:
            return struct.unpack_from(f"<{count}{_FORMATS[kind][1]}", self._content, start)
        places = ((start + 4 * index, f"{place}[{index}]") for index in range(count))
        return tuple(self.table(kind, self.target(where, path), path) for where, path in places)

    def _string(self, at: int, place: str) -> str:
        count = self._scalar("<I", at, place)
        self._check(at + 4, count + 1, 1, place)
        self._spend(5 + count, place)
        require(self._content[at + 4 + count] == 0, f"{place} without an end")
        try:
            return self._content[at + 4 : at + 4 + count].decode()
        except UnicodeDecodeError:
            raise Damaged(f"{place} that is no UTF-8") from None

    def _scalar(self, format: str, at: int, place: str) -> Any:
        size = struct.calcsize(format)
        self._check(at, size, size, place)
        return struct.unpack_from(format, self._content, at)[0]

    def _check(self, at: int, size: int, alignment: int, place: str) -> None:
        require(at >= 0 and at + size <= len(self._content), f"{place} beyond the file's end")
        require(at % alignment == 0, f"{place} at byte {at}, which is no multiple of {alignment}")

    def _spend(self, size: int, place: str) -> None:
        self._budget -= size
        require(self._budget >= 0, f"{place} that shares its bytes with many others")
