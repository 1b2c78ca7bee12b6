"""`lenet-edge train --strings`: from the command's options to the wide net's weights and report."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from converters.base.environment import versions
from converters.base.files import write_json
from lenet_edge.digits.mnist import Digits, cache_folder, test_digits
from lenet_edge.packaged.weights import save_weights
from lenet_edge.training.learning_curve import draw
from lenet_edge.training.loop import Recipe
from lenet_edge.training.string_training import HeldOut, StringPasses, train_strings


def train_on_strings(
    training: Digits, held_out: Digits, options: argparse.Namespace, *, command: str
) -> None:
    """Train as the options say, write weights, report and learning curve to --out, and print the errors."""
    recipe = Recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    passes = StringPasses(
        digits=training,
        folder=cache_folder() / "passes",
        seed=options.seed if options.distortion_seed is None else options.distortion_seed,
        count=options.passes,
        gentle_count=options.gentle_passes,
    )
    model, scale, history = train_strings(
        recipe, passes, held_out, out=options.out, resume=options.resume, verbose=options.verbose
    )
    sets = {"held_out": held_out} | ({"test": test_digits()} if options.test else {})
    measured = {name: HeldOut(digits).measure(model) for name, digits in sets.items()}
    save_weights(model, options.out / "weights.npz", scale=scale)
    report = {
        "command": command,
        "versions": versions(),
        "recipe": asdict(recipe),
        "writing": asdict(passes.writing),
        "passes": passes.count,
        "gentle_passes": passes.gentle_count,
        "scale": scale,
        **measured,
        "history": history,
    }
    write_json(options.out / "report.json", report)
    draw(history, options.out / "learning_curve.png")
    for name, errors in measured.items():
        print(f"{name.replace('_', '-')} errors: {_told(errors)}")
    print(f"weights, report and learning curve are in {options.out}")


def _told(errors: dict[str, float]) -> str:
    return (
        f"{errors['error']:.2f} % of digits, {errors['normal_error']:.1f} % of strings of four, "
        f"{errors['touching_error']:.1f} % of touching ones"
    )
