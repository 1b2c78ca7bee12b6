"""Convert the packaged LeNet-5 and its baseline to TensorFlow Lite, and check each file on MNIST."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder
from converters.base.installed import RUNTIMES
from converters.base.options import add_conversion_options, command_parser, given_options, refuse_beside
from converters.base.targets import TARGETS
from converters.base.words import counted
from lenet_edge.digits.mnist import test_digits
from lenet_edge.digits.options import add_data_option
from lenet_edge.packaged.layouts import layout_for
from lenet_edge.packaged.names import (
    ALL_NAMES,
    FINE_TUNED,
    FINE_TUNED_VARIANT,
    NAMES,
    VARIANTS,
    WIDE,
    WIDE_VARIANTS,
    variants_of,
)
from lenet_edge.packaged.options import add_weights_option, check_weights

if TYPE_CHECKING:
    from lenet_edge.converting.files import ModelFile, Original

EPILOG = """\
examples:
  lenet-edge convert                               all twelve files, to build/tflite
  lenet-edge convert --model lenet5 --precision int8 --out models
  lenet-edge convert --weights runs/lenet5/weights.npz --model lenet5
  lenet-edge convert --target micro --target nnapi  a file for each target, with an audit of its delegate
  lenet-edge convert --tune --runtime litert       in the fastest layout on this machine

Every file takes raw pixels 0..255, background 0, one picture at a time: 1x32x32x1 (stock_lenet5
1x28x28x1), float32, or uint8 for int8 (int8 for the target micro), and returns ten scores. int8 is
quantised after training, int8_qat is fine-tuned (`lenet-edge quantize`). In lenet5, C1 computes four pixels
of a row at once (float32: two), the same function in less time; stock_lenet5 is as the converter leaves it.
lenet5_wide reads strings: it takes 1x32x112x1, whose width the interpreter can change, and returns eleven
scores (the last for "no digit here") for each 32x32 window, four pixels apart.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge convert", description=__doc__, epilog=EPILOG)
    add_conversion_options(parser, default="all", precisions=VARIANTS)
    add = parser.add_argument
    add("--model", choices=ALL_NAMES, action="append", help="only this model (may be repeated; default: all)")
    add_weights_option(parser)
    add_data_option(parser, digits="test")
    add(
        "--target",
        choices=(*TARGETS, "all"),
        action="append",
        help="write the file for this target instead, and report which operators its delegate takes "
        "(may be repeated; for lenet5_wide only web)",
    )
    add(
        "--layout",
        metavar="TEXT",
        help='"plain", or as in `python -m converters.lower --help` (default: the measured best)',
    )
    add("--tune", action="store_true", help="measure which layout is fastest here; half a minute per file")
    add("--runtime", choices=("auto", *RUNTIMES), default="auto", help="runtime that --tune measures in")
    add("--no-check", action="store_true", help="write the files without checking them")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    names = list(dict.fromkeys(options.model or (NAMES if options.target or options.tune else ALL_NAMES)))
    variants = list(dict.fromkeys(options.precision or VARIANTS))
    _check(options, names, variants, set_options=given_options(parser, argv))
    names = [name for name in names if variants_of(name, variants, own_weights=bool(options.weights))]
    expect(
        names,
        f"a model with --precision {', '.join(variants)}",
        f"{WIDE}, which has {', '.join(WIDE_VARIANTS)}",
    )
    digits = None if options.no_check else test_digits(data=options.data)
    make_folder(options.out)
    # TensorFlow takes seconds to import: bad input has been rejected by now.
    print("loading TensorFlow ...", flush=True)
    from lenet_edge.converting.files import original_of, write_manifest

    entries: dict[str, Any] = {}
    for name in names:
        original = original_of(name, weights=options.weights, digits=digits)
        files = (
            _target_files(original, options)
            if options.target
            else _variant_files(original, variants, options)
        )
        for file in files:
            file.write(options.out)
            entries[file.name] = file.as_json()
    write_manifest(options.out, entries)
    print(f"\n{counted(len(entries), 'file')} and manifest.json are in {options.out}")
    return 0


def _check(
    options: argparse.Namespace, names: list[str], variants: list[str], *, set_options: set[str]
) -> None:
    """Raise InputError on options that contradict each other."""
    expect(not options.target or not options.precision, "--target or --precision", "both")
    expect(not (options.layout and options.tune), "--layout or --tune", "both")
    expect(not options.target or not (options.layout or options.tune), "--target or a layout", "both")
    expect(options.tune or "runtime" not in set_options, "--runtime with --tune", "--runtime alone")
    if options.no_check:
        refuse_beside("--no-check", ("data",), given=set_options)
    at_any_width = WIDE not in names or (set(options.target or ()) <= {"web"} and not options.tune)
    wanted = f"{WIDE} without --tune and any --target but web, which fix the width"
    expect(at_any_width, wanted, "one of them")
    for name in names:
        layout_for(name, variants[0], asked=options.layout)
    expect(not options.weights or len(names) == 1, "one --model with --weights", f"{len(names)}")
    check_weights(options.weights)
    if variants == [FINE_TUNED_VARIANT]:
        names_of_them = " or ".join(FINE_TUNED)
        packaged = (
            f"--model {names_of_them} and its packaged weights (`lenet-edge quantize` fine-tunes others)"
        )
        fine_tuned = any(variants_of(name, variants, own_weights=bool(options.weights)) for name in names)
        expect(fine_tuned, f"{packaged} with --precision {FINE_TUNED_VARIANT}", ", ".join(names))


def _variant_files(
    original: Original, variants: Sequence[str], options: argparse.Namespace
) -> Iterator[ModelFile]:
    """Yield the model's files; print a table row for each one that is checked."""
    from lenet_edge.converting.files import LayoutChoice, files_of
    from lenet_edge.converting.terminal_lines import table_head, table_row

    if original.baseline:
        print("\n".join(table_head(original.name, original.baseline)), flush=True)
    layouts = LayoutChoice(asked=options.layout, tune_in=options.runtime if options.tune else None)
    for file in files_of(original, variants, layouts=layouts, report_progress=_print_progress):
        if file.checked:
            print(table_row(file, file.checked), flush=True)
        yield file


def _target_files(original: Original, options: argparse.Namespace) -> Iterator[ModelFile]:
    """Yield the model's file for each target; print its report."""
    from lenet_edge.converting.targets import target_files
    from lenet_edge.converting.terminal_lines import target_lines

    targets = list(TARGETS) if "all" in options.target else list(dict.fromkeys(options.target))
    for file in target_files(original, targets):
        print("\n".join(target_lines(file)), flush=True)
        yield file


def _print_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge convert"))
