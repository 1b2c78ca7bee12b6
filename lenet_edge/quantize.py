"""`python -m lenet_edge.quantize`: fine-tune LeNet-5 for int8 and write its weights and .tflite file."""

from __future__ import annotations

import argparse
import hashlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import exit_status, expect
from converters.base.files import write_atomically, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import PIXELS, Digits, cache_folder, calibration_digits, pad, test_digits
from lenet_edge.digits.scoring import percent
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.layouts import layout_for, lowered
from lenet_edge.training.options import (
    add_training_options,
    check_training_options,
    training_and_held_out,
    use_threads,
)

EPILOG = """\
examples:
  lenet-edge quantize --data MNIST --out runs/qat
  lenet-edge quantize --weights runs/lenet5/weights.npz --epochs 8 --learning-rate 3e-6
  lenet-edge quantize --bits 4 --epochs 12 --learning-rate 1e-4
  lenet-edge quantize --epochs 1 --limit 600 --out /tmp/try

The model with rounding learns to answer distorted training digits as the exact one does; the epoch that is
best on the 5,000 held-out digits is kept, the one before the first step among them. An interrupted run goes
on with the same command and --resume.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge quantize", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add(
        "--weights", type=Path, metavar="FILE", help=".npz of `lenet-edge train` (default: the packaged ones)"
    )
    add_training_options(parser, out="runs/qat", epochs=6, learning_rate=1e-5)
    add("--passes", type=int, default=6, help="distorted copies, half of them gentle (default: %(default)s)")
    add("--bits", type=int, default=8, help="of the kernels, 2 to 8; 8 and 4 write a file (default: 8)")
    add("--per-tensor", action="store_true", help="one scale for a whole kernel, not one a channel")
    add(
        "--calibration",
        type=int,
        default=500,
        metavar="N",
        help="calibration digits that ranges are found from, 1 to 500 (default: %(default)s)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    training, held_out = training_and_held_out(options)
    use_threads(options.threads)
    exact = _exact(options.weights)
    model, report = _fine_tune(exact, training, held_out, options)
    command = ["python", "-m", "lenet_edge.quantize", *(sys.argv[1:] if argv is None else argv)]
    _write(model, exact, held_out, options, {"command": shlex.join(command), **report})
    return 0


def _check(options: argparse.Namespace) -> None:
    check_training_options(options)
    expect(options.passes >= 2, "--passes of 2 or more", options.passes)
    expect(options.bits in range(2, 9), "--bits from 2 to 8", options.bits)
    expect(1 <= options.calibration <= 500, "--calibration from 1 to 500", options.calibration)
    expect(options.weights is None or options.weights.is_file(), "--weights to be a file", options.weights)


def _exact(weights: Path | None) -> Any:
    from converters.model.folding import fold
    from lenet_edge.packaged.models import released_model

    return fold(released_model("lenet5", weights=weights))


def _fine_tune(
    exact: Any, training: Digits, held_out: Digits, options: argparse.Namespace
) -> tuple[Any, dict[str, Any]]:
    from converters.base.environment import versions
    from converters.model.quantize_aware import quantize_aware
    from lenet_edge.paper.answers import as_input, outputs_of
    from lenet_edge.training.distorted_passes import Passes, Teacher
    from lenet_edge.training.fine_tuning import best_of, fine_tune, fine_tuning_recipe

    weights = options.weights or released_folder() / "lenet5.npz"
    recipe = fine_tuning_recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    key = hashlib.sha256(weights.read_bytes()).hexdigest()
    passes = Passes(
        digits=training,
        folder=cache_folder() / "passes",
        seed=options.seed,
        count=options.passes,
        gentle_count=options.passes // 2,
        teachers=[Teacher(key[:12], lambda pictures: outputs_of(exact, pictures))],
    )
    pictures = pad(calibration_images(options.calibration, seed=options.seed))
    model = quantize_aware(
        exact,
        calibration=as_input(exact, pictures).numpy(),
        input_range=PIXELS,
        weight_bits=options.bits,
        per_channel=not options.per_tensor,
    )
    history = fine_tune(
        model,
        recipe,
        passes,
        held_out,
        exact=outputs_of(exact, pad(held_out.images)),
        out=options.out,
        resume=options.resume,
        verbose=options.verbose,
    )
    return model, {
        "versions": versions(),
        "weights_sha256": key,
        "weight_bits": options.bits,
        "per_channel": not options.per_tensor,
        "calibration_digits": options.calibration,
        "recipe": asdict(recipe),
        "distortions": asdict(passes.sizes),
        "passes": passes.count,
        "best": best_of(history),
        "history": history,
    }


def calibration_images(count: int, *, seed: int) -> np.ndarray:
    """Return `count` of the 500 calibration digits, drawn by `seed` if not all: uint8 (count, 28, 28)."""
    images = calibration_digits().images
    if count == len(images):
        return images
    return images[np.sort(np.random.default_rng(seed).choice(len(images), count, replace=False))]


def _write(
    model: Any, exact: Any, held_out: Digits, options: argparse.Namespace, report: dict[str, Any]
) -> None:
    """Measure, write weights, report and (8 bits) the .tflite file, and say what came out."""
    from converters.model.conversion import to_tflite
    from lenet_edge.packaged.weights import save_quantised

    save_quantised(model, options.out / "weights.npz")
    content = to_tflite(model, precision="int8").content if options.bits in (4, 8) else None
    if content is not None:
        if options.bits == 8:
            content, _ = lowered(content, layout=layout_for("lenet5", "int8"))
        write_atomically(options.out / f"lenet5_int{options.bits}_qat.tflite", content)
    sets = {"held_out": held_out} | ({"test": test_digits()} if options.test else {})
    for name, digits in sets.items():
        report[name] = facts = measured(model, exact, content, digits)
        file = f", .tflite {facts['file_error']:.2f} %" if content is not None else ""
        print(
            f"{name.replace('_', '-')} error: exact {facts['exact_error']:.2f} %, "
            f"fine-tuned {facts['error']:.2f} %{file}"
        )
    write_json(options.out / "report.json", report)
    best = report["best"]["epoch"]
    print(f"best: epoch {best} of {options.epochs}{'' if best else ' (before the first step)'}")
    print(f"weights and report are in {options.out}")


def measured(model: Any, exact: Any, content: bytes | None, digits: Digits) -> dict[str, Any]:
    """Return errors and agreements in percent of the fine-tuned model, the exact one and the file."""
    from converters.runtimes.tensorflow_interpreter import run
    from lenet_edge.paper.answers import as_input, outputs_of

    pictures = pad(digits.images)
    wanted, scores = (outputs_of(m, pictures).argmax(axis=1) for m in (exact, model))
    facts = {
        "digits": len(digits.labels),
        "exact_error": percent(wanted != digits.labels),
        "error": percent(scores != digits.labels),
        "agreement_with_exact": percent(scores == wanted),
    }
    if content is not None:
        read = run(content, as_input(exact, pictures).numpy()).argmax(axis=1)
        facts["file_error"] = percent(read != digits.labels)
        facts["file_agreement_with_fine_tuned"] = percent(read == scores)
    return facts


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge quantize"))
