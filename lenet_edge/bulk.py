"""`python -m lenet_edge.bulk`: read an archive of pictures on Ray, and write the answers as Parquet.

SOURCE is a folder, searched to its depth, of pictures, .tar and .parquet shards, or one such file; OUT is a
folder. Both may be on any file system that pyarrow opens (s3://, gs://, hdfs://). What has its answers in OUT
already is not read again.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from typing import Any

from converters.base.errors import exit_status, expect
from converters.base.options import command_parser
from converters.base.words import counted
from lenet_edge.reading.options import add_runtime, check_reading
from lenet_edge.reading.terminal import log

NAME = "lenet-edge bulk"

EPILOG = """\
examples:
  lenet-edge bulk scans/ answers/                     every picture below scans/, on all processors
  lenet-edge bulk shards/ answers/ --line             a line of digits on each; .tar and .parquet shards too
  lenet-edge bulk s3://bucket/scans s3://bucket/answers --address ray://head:10001

If it is interrupted, start it again with the same arguments: it goes on. A picture that cannot be read is a
row with its reason.
Columns: path, index (IDX), finding, digits, probability, sure, boxes (four corners a digit), reason.
Status: 0 if every picture was read, 1 if some could not be read, 2 if none could or the input is bad.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    from lenet_edge.bulk_reading.archive import read_archive  # pyarrow and Ray take a second to import

    counts = read_archive(
        options.source,
        options.out,
        reader=_reader_options(options),
        column=options.column,
        pictures=options.part,
        workers=options.workers,
        address=options.address,
        show_progress=not options.quiet,
    )
    if not options.quiet:
        _log(f"{counted(counts.pictures, 'picture')} read, {counts.unreadable:,} of them unreadable")
    if not counts.unreadable:
        return 0
    return 1 if counts.unreadable < counts.pictures else 2


def _reader_options(options: argparse.Namespace) -> dict[str, Any]:
    names = ("line", "model", "runtime", "threshold")
    return {name: getattr(options, name) for name in names}


def _check(options: argparse.Namespace) -> None:
    from lenet_edge.bulk_reading.ray_engine import check_address, check_ray

    expect(options.part >= 1, "--part of 1 or more", options.part)
    expect(options.workers is None or options.workers >= 1, "--workers of 1 or more", options.workers)
    check_reading(threshold=options.threshold, jobs=None, out=None)
    check_ray()
    if options.address is not None:
        check_address(options.address)


_log = functools.partial(log, NAME)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a folder, a .tar or a .parquet file")
    add("out", metavar="OUT", help="a folder for the answers")
    add("--line", action="store_true", help="read a line of digits on each picture, not one digit")
    add(
        "--model",
        metavar="MODEL",
        help="a packaged precision or a .tflite file (default: int8_qat, for lines float32)",
    )
    add_runtime(add)
    add(
        "--threshold",
        type=float,
        metavar="P",
        help="less probable answers are not sure (default: the packaged threshold)",
    )
    add(
        "--column",
        default="bytes",
        metavar="NAME",
        help="the column of Parquet shards that holds the files (default: %(default)s)",
    )
    add(
        "--part",
        type=int,
        default=1000,
        metavar="N",
        help="files read and written at once (default: %(default)s)",
    )
    add("--workers", type=int, metavar="N", help="processes (default: one for each processor)")
    add("--address", metavar="HOST:PORT", help="address of a Ray cluster (default: this machine alone)")
    add("--quiet", action="store_true", help="no progress bar and no summary")
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
