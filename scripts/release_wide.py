"""Put the strings' net into the package: `python scripts/release_wide.py RUN --fine-tuned QAT --data DIR`.

Takes the weights and the report of `lenet-edge train --strings` in RUN, and those of `lenet-edge quantize
--strings` in QAT; either may be left out. Converts their files and chooses the threshold below which a string
is unsure, on fields without a digit: the smallest at which at most 0.5 % of those of each kind give a digit,
of either file of RUN; of QAT's file its own. The goal is 1 % on fields of other fonts, so half of it is kept
in hand. What it costs is told on held-out training digits.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import Digits, held_out_digits
from lenet_edge.digits.string_fields.empty import EMPTIES, empty_fields
from lenet_edge.digits.string_fields.handwriting import Writing
from lenet_edge.digits.string_fields.layout import SPACINGS
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.packaged.layouts import OPEN_WIDTH
from lenet_edge.packaged.names import FINE_TUNED_VARIANT, WIDE, WIDE_VARIANTS
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


def converted(variants: Sequence[str]) -> None:
    """Write the wide net's files of `variants` in `OPEN_WIDTH`, with their entries in the manifest."""
    manifest = RELEASED / "manifest.json"
    known = json.loads(manifest.read_text())
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        command = [sys.executable, "-m", "lenet_edge.convert", "--model", WIDE, "--layout", OPEN_WIDTH]
        for variant in variants:
            command += ["--precision", variant]
        # There the package is the one that stands in ROOT, with the weights that were put into it.
        subprocess.run([*command, "--out", folder], check=True, cwd=ROOT)
        for name, entry in json.loads(Path(folder, "manifest.json").read_text())["models"].items():
            shutil.copyfile(Path(folder, name), RELEASED / name)
            known["models"][name] = entry
    write_json(manifest, known)


def chosen_threshold(variants: Sequence[str], held_out: Digits, *, count: int) -> dict[str, Any]:
    """Return the report's facts on the threshold of the files of `variants`; `count`: fields of a kind."""
    readers = {variant: StringReader(model=RELEASED / f"{WIDE}_{variant}.tflite") for variant in variants}
    made_up = {variant: chances(reader, count=count) for variant, reader in readers.items()}
    below = max(threshold(one, share=MADE_UP) for kinds in made_up.values() for one in kinds.values())
    chosen_on = {
        variant: {
            "fields_of_a_kind": count,
            "made_up": {
                kind: round(100 * float(np.mean(one >= below)), 3) for kind, one in made_up[variant].items()
            },
            "held_out": set_aside(reader, held_out, below=below, count=count),
        }
        for variant, reader in readers.items()
    }
    return {"threshold": below, "threshold_chosen_on": chosen_on}


def report_of(run: Path, *, data: str | None) -> dict[str, Any]:
    """Return the report of a run, with the folder of the digits left out of its commands."""
    text = (run / "report.json").read_text()
    report: dict[str, Any] = json.loads(text.replace(data, "MNIST") if data else text)
    return report


def release(run: Path, held_out: Digits, *, data: str | None, count: int) -> None:
    """Release the weights that `train --strings` wrote to `run`, and their files."""
    from lenet_edge.packaged.weights import load_weights  # these load TensorFlow
    from lenet_edge.paper.model import lenet5
    from lenet_edge.training.learning_curve import draw

    load_weights(lenet5(wide=True, empty=True), run / "weights.npz")  # of the right net, or an error
    report = report_of(run, data=data)
    draw(report.pop("history"), ROOT / "docs" / "strings_learning_curve.png")
    shutil.copyfile(run / "weights.npz", RELEASED / f"{WIDE}.npz")
    variants = [variant for variant in WIDE_VARIANTS if variant != FINE_TUNED_VARIANT]
    converted(variants)
    _write_report(f"{WIDE}.json", report | chosen_threshold(variants, held_out, count=count))


def release_fine_tuned(run: Path, held_out: Digits, *, data: str | None, count: int) -> None:
    """Release the weights that `quantize --strings` wrote to `run`, and their file."""
    from lenet_edge.packaged.models import fine_tuned_model  # loads TensorFlow

    report = report_of(run, data=data)
    released = hashlib.sha256((RELEASED / f"{WIDE}.npz").read_bytes()).hexdigest()
    same = report["weights_sha256"] == released
    expect(same, f"a fine-tuning of the released {WIDE}.npz in {run}", "one of other weights")
    fine_tuned_model(WIDE, weights=run / "weights.npz")  # of the right net, or an error
    shutil.copyfile(run / "weights.npz", RELEASED / f"{WIDE}_qat.npz")
    converted([FINE_TUNED_VARIANT])
    _write_report(f"{WIDE}_qat.json", report | chosen_threshold([FINE_TUNED_VARIANT], held_out, count=count))


def _write_report(name: str, report: dict[str, Any]) -> None:
    write_json(RELEASED / name, report)
    shown = ("held_out", "threshold", "threshold_chosen_on")
    print(json.dumps({key: report[key] for key in shown}, indent=1))


def main(argv: Sequence[str] | None = None) -> int:
    """Release the nets of one run or of two."""
    parser = command_parser(name="release_wide.py", description=__doc__)
    add = parser.add_argument
    add("run", type=Path, nargs="?", metavar="RUN", help="--out of `lenet-edge train --strings`")
    add("--fine-tuned", type=Path, metavar="QAT", help="--out of `lenet-edge quantize --strings`")
    add("--data", metavar="DIR", help="folder with MNIST's training files")
    add("--count", type=int, default=1000, help="fields of a kind (default: %(default)s)")
    options = parser.parse_args(argv)
    expect(options.count >= 1, "--count of 1 or more", options.count)
    runs = [run for run in (options.run, options.fine_tuned) if run is not None]
    expect(runs, "RUN, --fine-tuned QAT or both", "neither")
    for run in runs:
        expect((run / "report.json").is_file(), f"a finished run in {run}", "none")
    make_folder(RELEASED)
    held_out = held_out_digits(data=options.data)
    if options.run is not None:
        release(options.run, held_out, data=options.data, count=options.count)
    if options.fine_tuned is not None:
        release_fine_tuned(options.fine_tuned, held_out, data=options.data, count=options.count)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="release_wide.py"))
