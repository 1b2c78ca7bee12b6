"""Fine-tune LeNet-5 or lenet5_wide for int8 and write its weights and .tflite file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder
from converters.base.options import command_parser, command_text
from lenet_edge.digits.mnist import Digits, check_training_files
from lenet_edge.packaged.options import add_weights_option, check_weights
from lenet_edge.training.checkpoints import check_start, checkpoint_folder, resume_hint, same_as_begun
from lenet_edge.training.options import add_training_options, check_fields, check_training_options
from lenet_edge.training.preparing import training_and_held_out, use_threads
from lenet_edge.training.terminal_lines import string_errors_text

if TYPE_CHECKING:
    from lenet_edge.training.fine_tuning_run import Errors, FineTuned, Rounding
    from lenet_edge.training.loop import Row
    from lenet_edge.training.string_fine_tuning_run import StringErrors

EPILOG = """\
examples:
  lenet-edge quantize --data MNIST --out runs/qat
  lenet-edge quantize --weights runs/lenet5/weights.npz --epochs 8 --learning-rate 3e-6
  lenet-edge quantize --bits 4 --epochs 12 --learning-rate 1e-4
  lenet-edge quantize --strings --batch-size 64 --out runs/wide_qat
  lenet-edge quantize --epochs 1 --limit 600 --out /tmp/try

The rounding model learns to answer distorted training digits as the exact model does. The epoch that is best
on the 5,000 held-out digits is kept; epoch 0, before the first step, counts. To continue an interrupted run,
repeat the command with --resume. --weights takes those of lenet5, trained by any recipe (also --paper).

--strings fine-tunes lenet5_wide, with --weights of `train --strings`, on the fields that it was trained on:
it learns the exact model's answer at each window. The epoch is kept whose scores are nearest to the exact
model's on strings written with held-out digits.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge quantize", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add_weights_option(parser)
    add_training_options(parser, out="runs/qat", epochs=6, learning_rate=1e-5)
    add(
        "--strings",
        action="store_true",
        help="fine-tune lenet5_wide on synthetic strings of digits",
    )
    add(
        "--passes",
        type=int,
        default=6,
        help="distorted copies, with --strings sets of fields; half of them gentle (default: %(default)s)",
    )
    add("--bits", type=int, default=8, help="bits of the kernels, 2 to 8; 8 and 4 write a file (default: 8)")
    add("--per-tensor", action="store_true", help="one scale per kernel, not one per channel")
    add(
        "--calibration",
        type=int,
        default=500,
        metavar="N",
        help="number of digits that ranges are calibrated on, 1 to 500 (default: %(default)s)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    training, held_out = training_and_held_out(data=options.data, limit=options.limit)
    fine_tune = _fine_tune_wide if options.strings else _fine_tune
    tuned = fine_tune(training, held_out, options, command=command_text("lenet_edge.quantize", argv))
    _print_paths(tuned, options)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise InputError on invalid options, OSError if --out cannot be written; create --out."""
    check_training_options(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
        passes=options.passes,
        limit=options.limit,
        threads=options.threads,
    )
    expect(options.passes >= 2, "--passes of 2 or more", options.passes)
    expect(options.bits in range(2, 9), "--bits from 2 to 8", options.bits)
    expect(1 <= options.calibration <= 500, "--calibration from 1 to 500", options.calibration)
    if options.strings:
        check_fields(batch_size=options.batch_size, limit=options.limit)
    check_weights(options.weights)
    check_training_files(data=options.data)
    check_start(checkpoint_folder(options.out), resume=options.resume)
    make_folder(options.out)
    same_as_begun(options.out, vars(options))


def _fine_tune(training: Digits, held_out: Digits, options: argparse.Namespace, *, command: str) -> FineTuned:
    use_threads(options.threads)
    from lenet_edge.training.fine_tuning import fine_tuning_recipe
    from lenet_edge.training.fine_tuning_run import fine_tune_lenet5, write_fine_tuned

    with resume_hint(options.out):
        tuned = fine_tune_lenet5(
            fine_tuning_recipe(**_numbers(options)),
            training,
            held_out,
            rounding=_rounding(options),
            passes=options.passes,
            weights=options.weights,
            out=options.out,
            resume=options.resume,
            verbose=options.verbose,
        )
    errors_by_set = write_fine_tuned(tuned, held_out, out=options.out, command=command, test=options.test)
    for name, errors in errors_by_set.items():
        print(f"{name.replace('_', '-')} error: {_errors_text(errors)}")
    return tuned


def _fine_tune_wide(
    training: Digits, held_out: Digits, options: argparse.Namespace, *, command: str
) -> FineTuned:
    # Before TensorFlow is imported: convolutions over wide pictures train in a third of the time.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    use_threads(options.threads)
    from lenet_edge.training.fine_tuning import fine_tuning_recipe
    from lenet_edge.training.string_fine_tuning_run import fine_tune_wide, write_fine_tuned_wide
    from lenet_edge.training.string_training import HeldOut

    with resume_hint(options.out):
        held = HeldOut(held_out)
        tuned = fine_tune_wide(
            fine_tuning_recipe(**_numbers(options)),
            training,
            held,
            rounding=_rounding(options),
            passes=options.passes,
            weights=options.weights,
            out=options.out,
            resume=options.resume,
            verbose=options.verbose,
        )
    errors_by_set = write_fine_tuned_wide(tuned, held, out=options.out, command=command, test=options.test)
    for name, errors in errors_by_set.items():
        print("\n".join(_string_error_lines(name.replace("_", "-"), errors)))
    return tuned


def _numbers(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that are numbers of a recipe."""
    names = ("epochs", "batch_size", "learning_rate", "seed")
    return {name: getattr(options, name) for name in names}


def _rounding(options: argparse.Namespace) -> Rounding:
    from lenet_edge.training.fine_tuning_run import Rounding

    return Rounding(
        bits=options.bits, per_channel=not options.per_tensor, calibration_digits=options.calibration
    )


def _errors_text(errors: Errors) -> str:
    file = "" if errors.file_error is None else f", .tflite {errors.file_error:.2f} %"
    return f"exact {errors.exact_error:.2f} %, fine-tuned {errors.error:.2f} %{file}"


def _string_error_lines(name: str, errors: StringErrors) -> list[str]:
    kinds: dict[str, Row | None] = {
        "exact": errors.exact,
        "fine-tuned": errors.fine_tuned,
        ".tflite": errors.file,
    }
    return [f"{name} errors, {kind}: {string_errors_text(row)}" for kind, row in kinds.items() if row]


def _print_paths(tuned: FineTuned, options: argparse.Namespace) -> None:
    best = int(tuned.best["epoch"])
    print(f"best: epoch {best} of {options.epochs}{'' if best else ' (before the first step)'}")
    print(f"weights and report are in {options.out}")
    if tuned.file:
        path, command = options.out / tuned.file, "read" if options.strings else "classify"
        print(f"the .tflite file is {path}; to use it: lenet-edge {command} --model {path} IMAGE")
    else:
        print(f"--bits {options.bits} writes no .tflite file; only 4 and 8 do")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge quantize"))
