"""`python -m lenet_edge.train`: train LeNet-5, the stock net or a teacher on MNIST."""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import exit_status, expect
from converters.base.files import write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import Digits, cache_folder, pad, test_digits
from lenet_edge.training.options import (
    add_training_options,
    check_training_options,
    training_and_held_out,
    use_threads,
)
from lenet_edge.training.score_calibration import (
    expected_calibration_error,
    fit_scale,
    negative_log_likelihood,
    probabilities,
    rejections,
)

EPILOG = """\
examples:
  lenet-edge train --data MNIST --out runs/lenet5
  lenet-edge train --model teacher --epochs 25 --out runs/teacher
  lenet-edge train --learn-from runs/teacher --out runs/lenet5
  lenet-edge train --paper --out runs/paper       the paper's own recipe, 20 passes
  lenet-edge train --strings --batch-size 64 --out runs/lenet5_wide
  lenet-edge train --epochs 2 --limit 600 --out /tmp/try

An interrupted training goes on with the same command and --resume. `tensorboard --logdir OUT` shows it.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge train", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add(
        "--model",
        choices=("lenet5", "stock", "teacher"),
        default="lenet5",
        help="which net (default: %(default)s)",
    )
    add_training_options(parser, out="runs/lenet5", epochs=300, learning_rate=2e-3)
    add(
        "--paper",
        action="store_true",
        help="the paper's own recipe: 20 passes, eq. 9, its learning rates, no distortions",
    )
    add(
        "--strings",
        action="store_true",
        help="train lenet5 on synthetic strings of digits, any width, from its released weights",
    )
    add(
        "--distortion-seed",
        type=int,
        help="of the distorted copies, when not --seed: trainings can share them",
    )
    add(
        "--passes",
        type=int,
        default=24,
        help="distorted copies of the digits, 56 MB of disk each (default: %(default)s)",
    )
    add("--gentle-passes", type=int, default=6, help="of which gentler, for the end (default: %(default)s)")
    add(
        "--learn-from",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="folders of trained teachers to learn from",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    training, held_out = training_and_held_out(options)
    if options.strings:
        # Before TensorFlow is imported: convolutions over wide pictures train in a third of the time.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    use_threads(options.threads)
    if options.strings:
        from lenet_edge.training.train_strings import train_on_strings

        train_on_strings(training, held_out, options, command=_command(argv))
        return 0
    if options.paper:
        from lenet_edge.training.paper_recipe import train_as_printed

        model, history, facts = train_as_printed(training, held_out, options)
    else:
        model, history, facts = _train(training, held_out, options)
    _write_results(model, history, facts, held_out, options, argv)
    return 0


def _command(argv: Sequence[str] | None) -> str:
    return shlex.join(["python", "-m", "lenet_edge.train", *(sys.argv[1:] if argv is None else argv)])


def _check(options: argparse.Namespace) -> None:
    check_training_options(options)
    expect(options.passes > options.gentle_passes >= 0, "more --passes than --gentle-passes", options.passes)
    expect(not (options.paper and options.model != "lenet5"), "--paper with --model lenet5", options.model)
    expect(not (options.strings and options.paper), "--strings or --paper", "both")
    expect(
        not (options.strings and options.model != "lenet5"), "--strings with --model lenet5", options.model
    )
    expect(not (options.strings and options.learn_from), "--strings without --learn-from", "both")
    for run in options.learn_from:
        expect((run / "weights.npz").is_file(), "--learn-from folders with weights.npz", run)


def _train(training: Digits, held_out: Digits, options: argparse.Namespace) -> tuple[Any, list, dict]:
    from lenet_edge.training.distorted_passes import Passes
    from lenet_edge.training.loop import Recipe, train

    recipe = Recipe(
        model=options.model,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    passes = Passes(
        digits=training,
        folder=cache_folder() / "passes",
        seed=options.seed if options.distortion_seed is None else options.distortion_seed,
        count=options.passes,
        gentle_count=options.gentle_passes,
        teachers=[_teacher(run) for run in options.learn_from],
    )
    model, history = train(
        recipe, passes, held_out, out=options.out, resume=options.resume, verbose=options.verbose
    )
    facts = {"recipe": asdict(recipe), "distortions": asdict(passes.sizes)}
    return model, history, {**facts, "passes": passes.count, "gentle_passes": passes.gentle_count}


def _teacher(run: Path) -> Any:
    from lenet_edge.packaged.weights import load_weights
    from lenet_edge.paper.answers import outputs_of
    from lenet_edge.paper.model import teacher
    from lenet_edge.training.distorted_passes import Teacher

    model = teacher()
    load_weights(model, run / "weights.npz")
    key = hashlib.sha256((run / "weights.npz").read_bytes()).hexdigest()[:12]
    return Teacher(key, lambda pictures: probabilities(outputs_of(model, pictures)))


def measure(outputs: np.ndarray, labels: np.ndarray, *, scale: float) -> dict[str, Any]:
    """Return what there is to say of a model's outputs (n, 10) on digits with `labels` (n,).

    Errors and shares in percent; `scale` turns outputs into logits.
    """
    scores = probabilities(scale * outputs)
    return {
        "digits": len(labels),
        "error": round(100 * float(np.mean(scores.argmax(axis=1) != labels)), 4),
        "negative_log_likelihood": round(negative_log_likelihood(scores, labels), 6),
        "expected_calibration_error": round(expected_calibration_error(scores, labels), 6),
        "rejected": {f"{100 * r.error:g}": round(100 * r.share, 4) for r in rejections(scores, labels)},
    }


def _write_results(
    model: Any,
    history: list,
    facts: dict,
    held_out: Digits,
    options: argparse.Namespace,
    argv: Sequence[str] | None,
) -> None:
    from converters.base.environment import versions
    from lenet_edge.packaged.weights import save_weights
    from lenet_edge.paper.answers import outputs_of
    from lenet_edge.training.learning_curve import draw
    from lenet_edge.training.loop import answers_sign

    outputs = outputs_of(model, pad(held_out.images))
    scale = fit_scale(outputs, held_out.labels, sign=answers_sign(options.model))
    report = {"command": _command(argv), "versions": versions(), **facts, "scale": scale}
    report["held_out"] = measure(outputs, held_out.labels, scale=scale)
    if options.test:
        test = test_digits()
        report["test"] = measure(outputs_of(model, pad(test.images)), test.labels, scale=scale)
    save_weights(model, options.out / "weights.npz", scale=scale)
    write_json(options.out / "report.json", {**report, "history": history})
    draw(history, options.out / "learning_curve.png")
    for name in ("held_out", "test"):
        if name in report:
            print(f"{name.replace('_', '-')} error: {report[name]['error']:.2f} %")
    print(f"weights, report and learning curve are in {options.out}")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge train"))
