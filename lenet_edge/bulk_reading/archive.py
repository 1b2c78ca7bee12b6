"""Read a whole archive: list it, leave out what has its answers, and read the rest on Ray."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

from converters.base.errors import expect
from lenet_edge import __version__
from lenet_edge.bulk_reading.answers import Answers
from lenet_edge.bulk_reading.digit_reader import DigitReader
from lenet_edge.bulk_reading.part_reader import Counts
from lenet_edge.bulk_reading.ray_engine import read_parts
from lenet_edge.bulk_reading.sources import absolute, listed, opened, parts_of


def read_archive(
    source: str,
    out: str,
    *,
    reader: dict[str, Any],
    column: str = "bytes",
    pictures: int = 1000,
    workers: int | None = None,
    address: str | None = None,
    show_progress: bool = True,
) -> Counts:
    """Read the archive at `source` and write the answers to the folder `out`; return the counts of this run.

    `reader`: the options of `DigitReader`. `pictures`: how many files are read and written at once. `workers`
    and `address` as for `read_parts`. Raises InputError: nothing to read, an `out` of other options, a model
    that is not there, workers that fail.
    """
    DigitReader(**reader).open()  # here, so that a model that is not there is one line
    source, out = absolute(source), absolute(out)  # workers may run elsewhere
    system, root = opened(source)
    paths = listed(system, root)
    answers = Answers(*opened(out))
    expect(not f"{answers.root}/".startswith(f"{root}/"), "an OUT outside of SOURCE", out)
    made_by = {"format": "lenet-edge bulk", "version": __version__}
    done = answers.prepare({**made_by, "source": source, "column": column, **reader})
    parts = list(parts_of(paths, done=done, pictures=pictures))
    counts = Counts()
    if not parts:
        return counts
    settings = {"source": source, "out": out, "column": column, "options": reader}
    files, shown = sum(len(part.paths) for part in parts), None if show_progress else True
    with tqdm(total=files, unit="file", disable=shown) as bar:  # None: on a terminal only
        for found in read_parts(parts, address=address, workers=workers, options=settings):
            counts += found
            bar.update(found.files)
    return counts
