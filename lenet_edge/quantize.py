"""Fine-tune LeNet-5 for int8 and write its weights and .tflite file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder
from converters.base.options import command_parser, command_text
from lenet_edge.digits.mnist import Digits, check_training_files
from lenet_edge.packaged.options import add_weights_option, check_weights
from lenet_edge.training.checkpoints import check_start, checkpoint_folder, resume_hint
from lenet_edge.training.options import add_training_options, check_training_options
from lenet_edge.training.preparing import training_and_held_out, use_threads

if TYPE_CHECKING:
    from lenet_edge.training.fine_tuning_run import Errors, FineTuned

EPILOG = """\
examples:
  lenet-edge quantize --data MNIST --out runs/qat
  lenet-edge quantize --weights runs/lenet5/weights.npz --epochs 8 --learning-rate 3e-6
  lenet-edge quantize --bits 4 --epochs 12 --learning-rate 1e-4
  lenet-edge quantize --epochs 1 --limit 600 --out /tmp/try

The rounding model learns to answer distorted training digits as the exact model does. The epoch that is best
on the 5,000 held-out digits is kept; epoch 0, before the first step, counts. To continue an interrupted run,
repeat the command with --resume. --weights takes those of lenet5, trained by any recipe (also --paper), but
not those of `train --strings`.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge quantize", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add_weights_option(parser)
    add_training_options(parser, out="runs/qat", epochs=6, learning_rate=1e-5)
    add(
        "--passes",
        type=int,
        default=6,
        help="distorted copies, half of them gentle (default: %(default)s)",
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
    use_threads(options.threads)
    from lenet_edge.training.fine_tuning_run import write_fine_tuned

    with resume_hint(options.out):
        tuned = _fine_tuned(training, held_out, options)
    command = command_text("lenet_edge.quantize", argv)
    errors_by_set = write_fine_tuned(tuned, held_out, out=options.out, command=command, test=options.test)
    for name, errors in errors_by_set.items():
        print(f"{name.replace('_', '-')} error: {_errors_text(errors)}")
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
    check_weights(options.weights)
    check_training_files(data=options.data)
    check_start(checkpoint_folder(options.out), resume=options.resume)
    make_folder(options.out)


def _fine_tuned(training: Digits, held_out: Digits, options: argparse.Namespace) -> FineTuned:
    from lenet_edge.training.fine_tuning import fine_tuning_recipe
    from lenet_edge.training.fine_tuning_run import Rounding, fine_tune_lenet5

    return fine_tune_lenet5(
        fine_tuning_recipe(
            epochs=options.epochs,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            seed=options.seed,
        ),
        training,
        held_out,
        rounding=Rounding(
            bits=options.bits,
            per_channel=not options.per_tensor,
            calibration_digits=options.calibration,
        ),
        passes=options.passes,
        weights=options.weights,
        out=options.out,
        resume=options.resume,
        verbose=options.verbose,
    )


def _errors_text(errors: Errors) -> str:
    file = "" if errors.file_error is None else f", .tflite {errors.file_error:.2f} %"
    return f"exact {errors.exact_error:.2f} %, fine-tuned {errors.error:.2f} %{file}"


def _print_paths(tuned: FineTuned, options: argparse.Namespace) -> None:
    best = int(tuned.best["epoch"])
    print(f"best: epoch {best} of {options.epochs}{'' if best else ' (before the first step)'}")
    print(f"weights and report are in {options.out}")
    if tuned.file:
        path = options.out / tuned.file
        print(f"the .tflite file is {path}; to use it: lenet-edge classify --model {path} IMAGE")
    else:
        print(f"--bits {options.bits} writes no .tflite file; only 4 and 8 do")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge quantize"))
