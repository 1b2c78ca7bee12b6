"""Choose below which probability an answer of a released lenet5 is called unsure, on the held-out digits.

`python scripts/thresholds.py --data DIR` writes lenet_edge/released/thresholds.json. The threshold sets the
fewest of the 5,000 held-out training digits aside that leave 0.1 % of errors among the rest, by each file's
own scores in TensorFlow Lite. The test digits only measure it.

Digits with the same score stay or go together: an int8 file's scores are steps of 1/256, and thousands share
the highest. The threshold is halfway between the lowest score that stays and the highest that goes, so that
another runtime's last bit turns no answer; an answer is unsure when its score is below it.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import InputError, exit_status
from converters.base.files import check_writable, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import Digits, held_out_digits, pad, test_digits
from lenet_edge.packaged.files import content_of

RELEASED = Path(__file__).resolve().parent.parent / "lenet_edge" / "released"
FILES = [f"lenet5_{kind}.tflite" for kind in ("float32", "float16", "dynamic", "int8", "int8_qat")]
ERROR = 0.1
"""The share of errors, in percent, among the held-out digits whose answer is not unsure."""

_PLACES = 6  # of a threshold: far finer than the distance of two digits' scores


def threshold(confidence: np.ndarray, wrong: np.ndarray, *, error: float) -> float:
    """Return below which of the scores `confidence` (n,) to set digits aside, the fewest that do.

    `wrong` (n,) tells which are misread; at most `error` percent of the rest are. 0 when none need go.
    Raises InputError when even those of the highest score err more.
    """
    scores, place = np.unique(confidence, return_inverse=True)
    # Digits with each score or a higher one, and those of them that are misread; sums of counts are exact.
    digits, mistakes = (
        np.cumsum(np.bincount(place, weights)[::-1])[::-1] for weights in (None, wrong.astype(float))
    )
    enough = np.flatnonzero(100 * mistakes <= error * digits)
    if not len(enough):
        raise InputError(f"expected a score from which on {error} % of errors are left, got none")
    least = int(enough[0])
    return round(float(scores[least - 1 : least + 1].astype(float).mean()), _PLACES) if least else 0.0


def measured(scores: np.ndarray, digits: Digits, *, below: float) -> dict[str, Any]:
    """Return the shares, in percent, that `below` rejects of `digits` and that are wrong among the rest."""
    sure = scores.max(axis=1) >= below
    wrong = scores.argmax(axis=1) != digits.labels
    return {
        "digits": len(sure),
        "rejected": round(100 * float(np.mean(~sure)), 4),
        "error": round(100 * float(np.mean(wrong[sure])), 4),
    }


def facts_of(content: bytes, held_out: Digits, test: Digits) -> dict[str, Any]:
    """Return a file's hash and threshold, and what it does to both sets of digits."""
    from converters.runtimes.tensorflow_interpreter import run  # loads TensorFlow

    chosen, reported = (
        run(content, pad(digits.images)[..., None].astype(np.float32)) for digits in (held_out, test)
    )
    below = threshold(chosen.max(axis=1), chosen.argmax(axis=1) != held_out.labels, error=ERROR)
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "unsure_below": below,
        "held_out": measured(chosen, held_out, below=below),
        "test": measured(reported, test, below=below),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the thresholds of all files."""
    parser = command_parser(name="thresholds.py", description=__doc__)
    parser.add_argument("--data", metavar="DIR", help="folder with MNIST's training files")
    options = parser.parse_args(argv)
    check_writable(RELEASED / "thresholds.json")
    from converters.base.environment import versions  # loads TensorFlow

    held_out, test = held_out_digits(data=options.data), test_digits()
    report = {
        "command": shlex.join(["python", "scripts/thresholds.py", *(sys.argv[1:] if argv is None else argv)]),
        "versions": versions(),
        "error": ERROR,
        "files": {name: facts_of(content_of(name), held_out, test) for name in FILES},
    }
    write_json(RELEASED / "thresholds.json", report)
    for name, facts in report["files"].items():
        print(name, {key: value for key, value in facts.items() if key != "sha256"})
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="thresholds.py"))
