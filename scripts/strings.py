"""Measure reading strings of digits: `python scripts/strings.py` writes results/strings.json.

Strings are written with the 10,000 test digits, which nothing was trained, fitted or chosen on; a seed makes
them. Each is read by the packaged files as `lenet-edge read` does it: on scanned amounts the line is found
first, the other fields are lines already. Fields without a digit are read too: a digit read there above the
file's packaged threshold is a false reading.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.options import command_parser
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.digits.string_fields.empty import EMPTIES, empty_fields
from lenet_edge.digits.string_fields.fields import Fields
from lenet_edge.digits.string_fields.handwriting import AMOUNTS, AS_IN_MNIST, CLEAN_CHEQUES, Writing
from lenet_edge.digits.string_fields.layout import SPACINGS
from lenet_edge.digits.string_fields.printed_words import OTHER_FONTS
from lenet_edge.digits.string_fields.strings import behind, string_fields
from lenet_edge.on_paper.amounts import scans
from lenet_edge.packaged.names import WIDE_VARIANTS
from lenet_edge.packaged.thresholds import string_threshold
from lenet_edge.picture.line.finding import find_line
from lenet_edge.runtime.string_decoder import greedy, viterbi
from lenet_edge.runtime.string_reader import StringReader

ROOT = Path(__file__).resolve().parent.parent
LENGTHS = (2, 4, 8)
HANDS = {"as in MNIST": AS_IN_MNIST, "one hand": Writing(dirt=0.0), "one hand, soiled": Writing()}
SEED = 7

Pictures = Sequence[NDArray[np.uint8]]
"""Pictures of lines, uint8 (32, w) each; (32, 0) where none was found."""


def string_sets(count: int) -> Iterator[tuple[dict[str, Any], Pictures, list[str]]]:
    """Yield what is measured: facts that name a set, its lines of test digits, and what they read."""
    for facts, fields in field_sets(count):
        yield facts, list(fields.pictures), fields.texts()
    for spacing in ("touching", "normal"):
        clean = cheque_fields(count, spacing)
        found = [find_line(scan.grey).picture for scan in scans(clean, seed=(SEED, 6))]
        yield {"writing": "scanned amounts", "spacing": spacing, "length": 5}, found, clean.texts()


def cheque_fields(count: int, spacing: str) -> Fields:
    """Return clean fields of amounts as on cheques."""
    return string_fields(
        test_digits(), count, seed=(SEED, 6), length=5, spacing=spacing, writing=CLEAN_CHEQUES
    )


def field_sets(count: int) -> Iterator[tuple[dict[str, Any], Fields]]:
    """Yield the sets that are read without finding the line first."""
    digits = test_digits()
    for hand, writing in HANDS.items():
        for spacing in SPACINGS:
            for length in LENGTHS:
                facts = {"writing": hand, "spacing": spacing, "length": length}
                yield (
                    facts,
                    string_fields(
                        digits,
                        count,
                        seed=(SEED, length),
                        spacing=spacing,
                        length=length,
                        writing=writing,
                    ),
                )
    amounts = string_fields(digits, count, seed=(SEED, 5), length=5, writing=AMOUNTS)
    facts = {"writing": "amounts", "spacing": "normal", "length": 5}
    yield facts, amounts
    yield {**facts, "writing": "amounts on print"}, behind(amounts, seed=SEED)
    for spacing in ("touching", "normal"):
        yield {"writing": "as on cheques", "spacing": spacing, "length": 5}, cheque_fields(count, spacing)


def empty_sets(count: int) -> Iterator[tuple[str, Fields]]:
    """Yield each kind of empty field; letters are of fonts that training never saw."""
    for place, kind in enumerate(EMPTIES):
        yield kind, empty_fields(count, seed=(SEED, place), kind=kind, fonts=OTHER_FONTS)


def edits(text: str, other: str) -> int:
    """Return how many digits must be changed, added or left out to make one text the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, digit in enumerate(text, 1):
        before, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            change = before + (digit != wanted)
            before, row[j] = row[j], min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1]


def strings_read(
    reader: StringReader, pictures: Pictures, texts: Sequence[str], *, threshold: float
) -> dict[str, Any]:
    """Return errors in percent: of strings, of digits, of what is sure, of the greedy decoder's strings."""
    empty = np.zeros((FIELD, FIELD), np.uint8)
    scores = [reader.scores(picture if picture.size else empty) for picture in pictures]
    read, plain = [viterbi(rows) for rows in scores], [greedy(rows).text for rows in scores]
    sure = [(one.text, text) for one, text in zip(read, texts, strict=True) if one.probability >= threshold]
    wrong = sum(edits(one.text, text) for one, text in zip(read, texts, strict=True))
    return {
        "strings": len(texts),
        "error": _percent(sum(one.text != text for one, text in zip(read, texts, strict=True)), len(texts)),
        "digit_error": _percent(wrong, sum(map(len, texts))),
        "greedy_error": _percent(
            sum(one != text for one, text in zip(plain, texts, strict=True)), len(texts)
        ),
        "unsure": _percent(len(texts) - len(sure), len(texts)),
        "error_of_sure": _percent(sum(one != text for one, text in sure), len(sure)),
    }


def made_up(reader: StringReader, fields: Fields, *, threshold: float) -> dict[str, Any]:
    """Return in percent how many fields without a digit give one: above the threshold, or at all."""
    read = [reader.read(picture) for picture in fields.pictures]
    some = [one for one in read if one.text]
    sure = [one for one in some if one.probability >= threshold]
    return {
        "fields": len(read),
        "made_up": _percent(len(sure), len(read)),
        "below_threshold_too": _percent(len(some), len(read)),
    }


def alone(reader: StringReader) -> dict[str, Any]:
    """Return the errors on the 10,000 test digits, one at a time: of the window, and as strings of one."""
    digits = test_digits()
    middle, whole = 0, 0
    for picture, label in zip(pad(digits.images), digits.labels, strict=True):
        scores = reader.scores(picture)
        middle += int(scores[len(scores) // 2, :10].argmax()) != label
        whole += viterbi(scores).text != str(label)
    count = len(digits.labels)
    return {"digits": count, "window_error": _percent(middle, count), "error": _percent(whole, count)}


def measured(variant: str, count: int) -> dict[str, Any]:
    """Return all that is measured of one packaged file; a process of its own runs it."""
    with StringReader(model=variant) as reader:
        runtime, threshold = str(reader.report), string_threshold(reader.sha256)
        strings = [
            {**facts, **strings_read(reader, pictures, texts, threshold=threshold)}
            for facts, pictures, texts in tqdm(list(string_sets(count)), desc=variant)
        ]
        empty = {kind: made_up(reader, fields, threshold=threshold) for kind, fields in empty_sets(count)}
        facts = {"runtime": runtime, "threshold": threshold, "alone": alone(reader)}
        return {**facts, "strings": strings, "empty": empty}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / max(whole, 1), 3)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the packaged files and write the report."""
    parser = command_parser(name="strings.py", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="fields of each kind (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "strings.json", metavar="FILE")
    options = parser.parse_args(argv)
    expect(options.count >= 1, "--count of 1 or more", options.count)
    check_writable(options.out)
    with ProcessPoolExecutor(len(WIDE_VARIANTS)) as pool:
        files = list(pool.map(measured, WIDE_VARIANTS, repeat(options.count)))
    from converters.base.environment import versions  # loads TensorFlow

    report = {
        "command": shlex.join(["python", "scripts/strings.py", *(sys.argv[1:] if argv is None else argv)]),
        "versions": versions(),
        "spacings": SPACINGS,
        "files": dict(zip(WIDE_VARIANTS, files, strict=True)),
    }
    write_json(options.out, report)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="strings.py"))
