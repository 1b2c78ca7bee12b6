"""Convert the packaged LeNet-5 and its baseline to TensorFlow Lite, and check every file on MNIST."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.base.errors import exit_status, expect
from converters.base.files import write_atomically, write_json
from converters.base.installed import RUNTIMES
from converters.base.options import add_conversion_options, command_parser
from converters.base.targets import TARGETS
from lenet_edge.digits.mnist import Digits, test_digits
from lenet_edge.digits.scoring import error_of
from lenet_edge.packaged.layouts import layout_for
from lenet_edge.packaged.names import ALL_NAMES, FINE_TUNED_VARIANT, NAMES, VARIANTS, WIDE, variants_of

if TYPE_CHECKING:
    from lenet_edge.converting.exam import Exam

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
    names = [name for name in names if variants_of(name, variants, own_weights=bool(options.weights))]
    expect(names, f"a model with --precision {', '.join(variants)}", f"{WIDE}, which has float32 and int8")
    digits = test_digits(data=options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.target:
        from lenet_edge.converting.targets import convert_for_targets

        convert_for_targets(names, options, digits)
        return 0
    # TensorFlow takes seconds to import: bad input has been answered by now.
    from converters.base.environment import versions

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
    at_any_width = WIDE not in names or not (options.target or options.tune)
    expect(at_any_width, f"{WIDE} without --target and --tune, which fix the width", "one of them")
    for name in names:
        layout_for(name, variants[0], asked=options.layout)
    expect(not options.weights or len(names) == 1, "one --model with --weights", f"{len(names)}")
    expect(not options.weights or options.weights.is_file(), "--weights to be a file", options.weights)
    if variants == [FINE_TUNED_VARIANT]:
        packaged = "--model lenet5 and its packaged weights (`lenet-edge quantize` writes those of others)"
        fine_tuned = any(variants_of(name, variants, own_weights=bool(options.weights)) for name in names)
        expect(fine_tuned, f"{packaged} with --precision {FINE_TUNED_VARIANT}", ", ".join(names))


def _convert_model(
    name: str, variants: list[str], digits: Digits, options: argparse.Namespace
) -> dict[str, Any]:
    """Write and check each file of model `name`, a line of the table each; return their entries."""
    from converters.model.folding import fold
    from lenet_edge.converting.exam import taken_by
    from lenet_edge.converting.files import checked, files_of
    from lenet_edge.packaged.models import released_model

    original = released_model(name, weights=options.weights)
    taken = None if options.no_check else taken_by(original, digits)
    if taken is not None:
        _print_head(name, *taken)
    entries = {}
    for path, content, entry in files_of(
        name, fold(original), variants_of(name, variants, own_weights=bool(options.weights)), options=options
    ):
        if taken is not None:
            entry["checked"] = checked(content, *taken)
            _print_row(entry)
        write_atomically(options.out / path, content)
        entries[path] = entry
    return entries


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
    from converters.delegates.xnnpack import verdict

    checked = entry["checked"]
    taken, operators = checked["xnnpack_takes"]
    print(
        f"{entry['precision']:<10}{entry['bytes']:>9,}{operators:>11}  {verdict(taken, operators):<9}"
        f"{checked['error']:>8.2f}{checked['agreement']:>12.2f}{checked['largest_difference']:>12.1e}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge convert"))
