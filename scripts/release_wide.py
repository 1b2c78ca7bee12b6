"""Put the strings' net into the package: `python scripts/release_wide.py RUN --data DIR`.

Takes the weights and the report of `lenet-edge train --strings` in RUN, converts both files and chooses the
threshold below which a string is unsure, on fields without a digit: the smallest at which at most 0.5 % of
those of each kind give a digit, of either file. The goal is 1 % on fields of other fonts, so half of it is
kept in hand. What it costs is told on held-out training digits.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import Digits, held_out_digits, test_digits
from lenet_edge.digits.string_fields.empty import EMPTIES, empty_fields
from lenet_edge.digits.string_fields.handwriting import Writing
from lenet_edge.digits.string_fields.layout import SPACINGS
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.packaged.layouts import OPEN_WIDTH
from lenet_edge.packaged.names import WIDE, WIDE_VARIANTS
from lenet_edge.runtime.string_reader import StringReader

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "lenet_edge" / "released"
MADE_UP = 0.005
"""The share of the fields of a kind without a digit that may give one above the threshold."""

SEED = 11


def chances(reader: StringReader, *, count: int) -> dict[str, np.ndarray]:
    """Return the probability of what is read on `count` empty fields of each kind, 0 where nothing is."""
    fields = {kind: empty_fields(count, seed=(SEED, place), kind=kind) for place, kind in enumerate(EMPTIES)}
    read = {kind: [reader.read(picture) for picture in some.pictures] for kind, some in fields.items()}
    return {
        kind: np.array([one.probability if one.text else 0.0 for one in ones]) for kind, ones in read.items()
    }


def threshold(probabilities: np.ndarray, *, share: float) -> float:
    """Return the least probability, in thousandths, that at most `share` of `probabilities` (n,) reach."""
    steps = np.arange(1, 1001) / 1000
    enough = [step for step in steps if np.mean(probabilities >= step) <= share]
    expect(enough, f"a threshold that at most {share:.1%} of empty fields reach", "none")
    return float(enough[0])


def set_aside(reader: StringReader, digits: Digits, *, below: float, count: int) -> dict[str, Any]:
    """Return what the threshold does to held-out strings of four: shares in percent, by spacing."""
    report = {}
    for spacing in SPACINGS:
        fields = string_fields(
            digits, count, seed=(SEED, 9), spacing=spacing, length=4, writing=Writing(dirt=0.0)
        )
        read = [reader.read(picture) for picture in fields.pictures]
        wrong = np.array([one.text != text for one, text in zip(read, fields.texts(), strict=True)])
        sure = np.array([one.probability >= below for one in read])
        report[spacing] = {
            "strings": count,
            "error": round(100 * float(wrong.mean()), 3),
            "unsure": round(100 * float(1 - sure.mean()), 3),
            "error_of_sure": round(100 * float(wrong[sure].mean()), 3),
        }
    return report


def lay_out() -> None:
    """Write the wide net's files in `OPEN_WIDTH`, with their entries in the manifest."""
    from lenet_edge.converting.files import LayoutChoice, files_of, original_of  # these load TensorFlow

    manifest = RELEASED / "manifest.json"
    known = json.loads(manifest.read_text())
    original = original_of(WIDE, weights=RELEASED / f"{WIDE}.npz", digits=test_digits())
    for file in files_of(original, WIDE_VARIANTS, layouts=LayoutChoice(asked=OPEN_WIDTH)):
        file.write(RELEASED)
        known["models"][file.name] = file.as_json()
    write_json(manifest, known)


def main(argv: Sequence[str] | None = None) -> int:
    """Release the net of a run."""
    parser = command_parser(name="release_wide.py", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="--out of `lenet-edge train --strings`")
    parser.add_argument("--data", metavar="DIR", help="folder with MNIST's training files")
    parser.add_argument("--count", type=int, default=1000, help="fields of a kind (default: %(default)s)")
    options = parser.parse_args(argv)
    expect(options.count >= 1, "--count of 1 or more", options.count)
    report = json.loads((options.run / "report.json").read_text())
    make_folder(RELEASED)
    from lenet_edge.packaged.weights import load_weights  # these load TensorFlow
    from lenet_edge.paper.model import lenet5
    from lenet_edge.training.learning_curve import draw

    held_out = held_out_digits(data=options.data)
    load_weights(lenet5(wide=True, empty=True), options.run / "weights.npz")  # of the right net, or an error
    draw(report.pop("history"), ROOT / "docs" / "strings_learning_curve.png")
    report["command"] = report["command"].replace(str(options.data), "MNIST")
    shutil.copyfile(options.run / "weights.npz", RELEASED / f"{WIDE}.npz")
    subprocess.run([sys.executable, "-m", "lenet_edge.convert", "--out", str(RELEASED)], check=True)
    lay_out()
    readers = {variant: StringReader(model=variant) for variant in WIDE_VARIANTS}
    made_up = {variant: chances(reader, count=options.count) for variant, reader in readers.items()}
    below = max(threshold(one, share=MADE_UP) for kinds in made_up.values() for one in kinds.values())
    report["threshold"] = below
    report["threshold_chosen_on"] = {
        variant: {
            "fields_of_a_kind": options.count,
            "made_up": {
                kind: round(100 * float(np.mean(one >= below)), 3) for kind, one in made_up[variant].items()
            },
            "held_out": set_aside(reader, held_out, below=below, count=options.count),
        }
        for variant, reader in readers.items()
    }
    write_json(RELEASED / f"{WIDE}.json", report)
    print(
        json.dumps({key: report[key] for key in ("held_out", "threshold", "threshold_chosen_on")}, indent=1)
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="release_wide.py"))
