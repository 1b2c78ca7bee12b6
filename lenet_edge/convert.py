"""Convert the packaged LeNet-5 and its baseline to TensorFlow Lite, and check every file on MNIST."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.errors import exit_status, expect
from converters.files import write_atomically, write_json
from converters.options import add_conversion_options, command_parser
from converters.precisions import PRECISIONS, Ends, Precision
from converters.runtimes import RUNTIMES
from converters.targets import TARGETS
from lenet_edge import wide
from lenet_edge.lowered import layout_for, lowered, tuned
from lenet_edge.mnist import PIXELS, Digits, calibration_digits, pad, test_digits
from lenet_edge.packaged import ALL_NAMES, NAMES

if TYPE_CHECKING:
    from converters.tflite import Converted
    from lenet_edge.exam import Exam

FINE_TUNED = ("lenet5",)
"""The models of which fine-tuned weights are released."""

FINE_TUNED_VARIANT = "int8_qat"
VARIANTS = (*PRECISIONS, FINE_TUNED_VARIANT)
"""What the files' names end in."""

EPILOG = """\
examples:
  lenet-edge convert                               all eleven files to build/tflite
  lenet-edge convert --model lenet5 --precision int8 --out models
  lenet-edge convert --weights runs/lenet5/weights.npz --model lenet5
  lenet-edge convert --target micro --target nnapi  what a machine needs, with an audit of its delegate
  lenet-edge convert --tune --runtime litert       in the layout that is quickest on this machine

Every file takes raw pixels 0..255, background 0, one picture at a time: 1x32x32x1 (stock_lenet5
1x28x28x1), float32, or uint8 for int8 (int8 for the target micro), and gives ten scores. int8 is quantised
after training, int8_qat fine-tuned (`lenet-edge quantize`). lenet5 is laid out so that C1 computes four
pixels of a row at once (float32: two), the same function in less time; stock_lenet5 is as everybody
converts it. lenet5_wide reads strings: 1x32x112x1, a width that the interpreter may resize, gives eleven
scores (the last for "no digit here") for each 32x32 window, four pixels apart.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge convert", description=__doc__, epilog=EPILOG)
    add_conversion_options(parser, default="all", precisions=VARIANTS)
    add = parser.add_argument
    add("--model", choices=ALL_NAMES, action="append", help="only this model (may be repeated; default: all)")
    add(
        "--weights",
        type=Path,
        metavar="FILE",
        help=".npz of `lenet-edge train` instead of the packaged weights (one --model)",
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="check on the test digits in DIR instead of the packaged ones",
    )
    add(
        "--target",
        choices=(*TARGETS, "all"),
        action="append",
        help="write the file for this kind of machine instead, and say operator by operator whether its "
        "delegate takes it (may be repeated; not of lenet5_wide)",
    )
    add(
        "--layout",
        metavar="TEXT",
        help='"plain", or as `python -m converters.lower --help` tells it (default: the measured best)',
    )
    add("--tune", action="store_true", help="measure which layout is quickest here; half a minute a file")
    add("--runtime", choices=("auto", *RUNTIMES), default="auto", help="what --tune measures in")
    add("--no-check", action="store_true", help="write the files without checking them")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    names = list(dict.fromkeys(options.model or (NAMES if options.target or options.tune else ALL_NAMES)))
    variants = list(dict.fromkeys(options.precision or VARIANTS))
    _check(options, names, variants)
    names = [name for name in names if _usable(name, variants, options)]
    expect(
        names, f"a model with --precision {', '.join(variants)}", f"{wide.NAME}, which has float32 and int8"
    )
    digits = test_digits(data=options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.target:
        from lenet_edge.targets import convert_for_targets

        convert_for_targets(names, options, digits)
        return 0
    # TensorFlow takes seconds to import: bad input has been answered by now.
    from converters.manifest import versions

    entries: dict[str, Any] = {}
    for name in names:
        entries.update(_convert_model(name, variants, digits, options))
    write_json(options.out / "manifest.json", {"versions": versions(), "models": entries})
    print(f"\n{len(entries)} files and manifest.json are in {options.out}")
    return 0


def _check(options: argparse.Namespace, names: list[str], variants: list[str]) -> None:
    """Raise InputError on options that do not go together."""
    expect(not options.target or not options.precision, "--target or --precision", "both")
    expect(not (options.layout and options.tune), "--layout or --tune", "both")
    expect(not options.target or not (options.layout or options.tune), "--target or a layout", "both")
    at_any_width = wide.NAME not in names or not (options.target or options.tune)
    expect(at_any_width, f"{wide.NAME} without --target and --tune, which fix the width", "one of them")
    for name in names:
        layout_for(name, variants[0], asked=options.layout)
    expect(not options.weights or len(names) == 1, "one --model with --weights", f"{len(names)}")
    expect(not options.weights or options.weights.is_file(), "--weights to be a file", options.weights)
    if variants == [FINE_TUNED_VARIANT]:
        packaged = "--model lenet5 and its packaged weights (`lenet-edge quantize` writes those of others)"
        fine_tuned = any(_usable(name, variants, options) for name in names)
        expect(fine_tuned, f"{packaged} with --precision {FINE_TUNED_VARIANT}", ", ".join(names))


def _usable(name: str, variants: Sequence[str], options: argparse.Namespace) -> list[str]:
    """Return those of `variants` that model `name` is converted to."""
    fine_tuned = name in FINE_TUNED and not options.weights
    there = wide.VARIANTS if name == wide.NAME else VARIANTS if fine_tuned else PRECISIONS
    return [variant for variant in variants if variant in there]


def _convert_model(
    name: str, variants: list[str], digits: Digits, options: argparse.Namespace
) -> dict[str, Any]:
    """Write and check each file of model `name`, a line of the table each; return their entries."""
    from converters.folding import fold
    from lenet_edge.exam import taken_by
    from lenet_edge.packaged import released_model

    original = released_model(name, weights=options.weights)
    taken = None if options.no_check else taken_by(original, digits)
    if taken is not None:
        _print_head(name, *taken)
    entries = {}
    for path, content, entry in files_of(
        name, fold(original), _usable(name, variants, options), options=options
    ):
        if taken is not None:
            entry["checked"] = checked(content, *taken)
            _print_row(entry)
        write_atomically(options.out / path, content)
        entries[path] = entry
    return entries


def checked(content: bytes, exam: Exam, answers: np.ndarray) -> dict[str, Any]:
    """Return what a file does with `exam` beside the original's `answers` (m, classes); shares in percent.

    Of a wide model, `error` is of the windows that have a digit in their middle; the rest is of all windows.
    """
    from converters.delegates import xnnpack_takes
    from converters.interpret import run
    from lenet_edge.exam import rows_of

    labels = exam.labels
    scores = rows_of(run(content, exam.inputs))
    read, original_read = scores.argmax(axis=1), answers.argmax(axis=1)
    return {
        "digits": int((labels >= 0).sum()),
        "original_error": error_of(original_read, labels),
        "error": error_of(read, labels),
        "agreement": percent(read == original_read),
        "largest_difference": float(np.abs(scores - answers).max()),
        "xnnpack_takes": list(xnnpack_takes(content)),
    }


def error_of(read: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of wrong answers `read` (m,), in percent, where `labels` (m,) has one and not -1."""
    return percent(read[labels >= 0] != labels[labels >= 0])


def percent(marks: np.ndarray) -> float:
    """Return the share of true `marks`, in percent."""
    return round(100 * float(np.mean(marks)), 4)


def files_of(
    name: str, folded: Any, variants: Sequence[str], *, options: argparse.Namespace
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Convert the folded model `name`: yield a file's name, content and manifest entry for each variant."""
    from lenet_edge.packaged import fine_tuned_model

    for variant in variants:
        fine_tuned = variant == FINE_TUNED_VARIANT
        precision: Any = "int8" if fine_tuned else variant
        plain = convert_one(fine_tuned_model() if fine_tuned else folded, precision=precision).content
        if options.tune:
            print(f"{name} {variant}: looking for its layout", file=sys.stderr, flush=True)
            layout = tuned(plain, runtime=options.runtime)
        else:
            layout = layout_for(name, precision, asked=options.layout)
        content, entry = lowered(plain, layout=layout)
        yield f"{name}_{variant}.tflite", content, {"model": name, "precision": variant, **entry}


def convert_one(model: Any, *, precision: Precision, ends: Ends = "uint8") -> Converted:
    """Convert a folded or the fine-tuned model with the calibration digits; a wide one with fields."""
    from converters.tflite import to_tflite
    from lenet_edge.training import as_input, is_wide
    from lenet_edge.wide_pictures import calibration_fields

    options: dict[str, Any] = {"precision": precision, "input_range": PIXELS, "ends": ends}
    if is_wide(model):
        fields = calibration_fields()[..., None]
        return to_tflite(model, calibration=fields, shape=fields.shape[1:], open_axis=2, **options)
    calibration = as_input(model, pad(calibration_digits().images)).numpy()
    return to_tflite(model, calibration=calibration, **options)


def _print_head(name: str, exam: Exam, answers: np.ndarray) -> None:
    labels = exam.labels
    error, count = error_of(answers.argmax(axis=1), labels), int((labels >= 0).sum())
    line = f", side by side in {len(labels):,} windows" if len(labels) > count else ""
    print(f"\n{name}: the original errs on {error:.2f} % of {count:,} test digits{line}")
    print(
        f"{'precision':<10}{'bytes':>9}{'operators':>11}  {'XNNPACK':<9}"
        f"{'error':>8}{'agreement':>12}{'largest':>12}"
    )
    print(f"{'':<30}{'takes':<11}{'%':>8}{'%':>12}{'difference':>12}", flush=True)


def _print_row(entry: dict[str, Any]) -> None:
    from converters.delegates import verdict

    checked = entry["checked"]
    taken, operators = checked["xnnpack_takes"]
    print(
        f"{entry['precision']:<10}{entry['bytes']:>9,}{operators:>11}  {verdict(taken, operators):<9}"
        f"{checked['error']:>8.2f}{checked['agreement']:>12.2f}{checked['largest_difference']:>12.1e}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge convert"))
