"""Measure what each choice of `train --paper` is worth: `python scripts/paper_departures.py RUNS`.

Takes the choices back in turn, trains on 55,000 digits from two seeds and measures on the held-out ones; the
test digits are not read. Writes RUNS/departures/NAME_SEED, which paper_figures.py collects. Half an hour on
one core; what is finished is not begun anew, and what was interrupted goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from converters.base.errors import exit_status
from converters.base.files import make_folder
from converters.base.options import command_parser, command_text
from lenet_edge.digits.mnist import TRAINING, check_training_files
from lenet_edge.digits.options import add_data_option
from lenet_edge.training.checkpoints import checkpoint_folder, holds_state
from lenet_edge.training.preparing import the_papers_digits, use_threads

NAME = "paper_departures.py"
SEEDS = (1, 2)
TAKEN_BACK: dict[str, dict[str, float]] = {
    "chosen": {},
    "whole_eq_7": {"penalty_scale": 1.0, "rubbish": 20.0},
    "smaller_start": {"width": 1.0, "coefficient": 0.5},
    "both": {"penalty_scale": 1.0, "rubbish": 20.0, "width": 1.0, "coefficient": 0.5},
}
"""By the name of a training, the choices in which it differs from those of `train --paper`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Train what has not been trained yet."""
    parser = command_parser(name=NAME, description=__doc__)
    parser.add_argument("runs", type=Path, metavar="RUNS", help="the folder that train_released.sh wrote")
    add_data_option(parser, digits="training")
    options = parser.parse_args(argv)
    check_training_files(data=options.data)
    command = command_text(f"scripts/{NAME}", argv).replace("python -m ", "python ")
    use_threads(1)
    for seed in SEEDS:
        for name in TAKEN_BACK:
            _train(options, name, seed, command=command)
    return 0


def _train(options: argparse.Namespace, name: str, seed: int, *, command: str) -> None:
    from lenet_edge.training.paper_recipe import Choices, train_as_printed
    from lenet_edge.training.results import write_trained

    out = options.runs / "departures" / f"{name}_{seed}"
    if (out / "report.json").exists():
        return
    training, held_out = the_papers_digits(data=options.data, limit=TRAINING)
    trained = train_as_printed(
        training,
        held_out,
        seed=seed,
        choices=Choices(**TAKEN_BACK[name]),
        out=make_folder(out),
        resume=holds_state(checkpoint_folder(out)),
        verbose=2,
    )
    write_trained(trained, held_out, out=out, command=command)


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
