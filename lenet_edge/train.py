"""Train LeNet-5, the stock net or a teacher on MNIST."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder
from converters.base.options import command_parser, command_text, given_options, refuse_beside
from converters.base.words import counted
from lenet_edge.digits.mnist import Digits, check_training_files
from lenet_edge.training.checkpoints import check_start, checkpoint_folder, resume_hint, same_as_begun
from lenet_edge.training.cluster import VARIABLE, Cluster, cluster_of
from lenet_edge.training.options import (
    add_training_options,
    check_fields,
    check_seed,
    check_training_options,
)
from lenet_edge.training.preparing import the_papers_digits, training_and_held_out, use_threads
from lenet_edge.training.terminal_lines import string_errors_text

if TYPE_CHECKING:
    from lenet_edge.training.loop import Recipe
    from lenet_edge.training.recipe_run import Copies
    from lenet_edge.training.results import Trained

EPILOG = """\
examples:
  lenet-edge train --data MNIST --out runs/lenet5
  lenet-edge train --model teacher --epochs 25 --out runs/teacher
  lenet-edge train --learn-from runs/teacher --out runs/lenet5
  lenet-edge train --paper --out runs/paper       the paper's own recipe, 20 passes
  lenet-edge train --paper --distortions --out runs/paper_distorted
  lenet-edge train --strings --batch-size 64 --out runs/lenet5_wide
  lenet-edge train --strings --model teacher --epochs 40 --batch-size 64 --out runs/string_teacher
  lenet-edge train --epochs 2 --limit 600 --out /tmp/try

--paper takes --distortions, --data, --out, --resume, --seed, --limit, --test, --threads and --verbose: the
rest of the recipe is the paper's. It learns all 60,000 digits; with --limit 55000 or less it is also measured
on the held-out ones. --strings takes every option but those of --paper; its --model is lenet5 or teacher, and
--learn-from takes teachers of strings.
To continue an interrupted training, repeat the command with --resume. `tensorboard --logdir OUT` shows it.
Under TF_CONFIG several processes train one net (docs/many-machines.md); --resume then also begins.
"""

_NOT_PAPER = (
    *("epochs", "batch_size", "learning_rate"),
    *("passes", "gentle_passes", "distortion_seed", "learn_from", "start"),
)
"""The options that the paper's recipe does not take."""

_CONVERT_NAMES = {"lenet5": "lenet5", "stock": "stock_lenet5"}
"""The names of the nets in `convert`, for those that it converts."""


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
        "--distortions",
        action="store_true",
        help="with --paper: among nine times as many distorted copies of the digits, as the paper's 0.8 %%",
    )
    add(
        "--strings",
        action="store_true",
        help="train lenet5_wide on synthetic strings of digits, starting from the released lenet5",
    )
    add(
        "--start",
        type=Path,
        metavar="FILE",
        help="start from these weights (.npz) of the same net; with --strings, also from those of lenet5",
    )
    add(
        "--keep",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="with --strings --start: the result is the mean of what was learned and this share of the start",
    )
    add(
        "--distortion-seed",
        type=int,
        help="seed of the distorted copies, so that trainings can share them (default: --seed)",
    )
    add(
        "--passes",
        type=int,
        default=24,
        help="distorted copies of the digits, 56 MB of disk each (default: %(default)s)",
    )
    add(
        "--gentle-passes",
        type=int,
        default=6,
        help="gentler ones among them, for the end (default: %(default)s)",
    )
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
    parser = _parser()
    options = parser.parse_args(argv)
    cluster = cluster_of(os.environ.get(VARIABLE))
    _check(options, given_options(parser, argv), cluster)
    command = command_text("lenet_edge.train", argv)
    if options.paper:
        _train_as_printed(
            *the_papers_digits(data=options.data, limit=options.limit), options, command=command
        )
        return 0
    training, held_out = training_and_held_out(data=options.data, limit=options.limit)
    if options.strings:
        _train_on_strings(training, held_out, options, cluster, command=command)
    else:
        _train(training, held_out, options, cluster, command=command)
    return 0


def _check(options: argparse.Namespace, set_options: set[str], cluster: Cluster) -> None:
    """Raise InputError on invalid options, OSError if --out cannot be written; create --out on the chief."""
    check_training_options(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
        passes=options.passes,
        limit=options.limit,
        threads=options.threads,
    )
    if options.distortion_seed is not None:
        check_seed("--distortion-seed", options.distortion_seed)
    expect(options.passes > options.gentle_passes >= 0, "more --passes than --gentle-passes", options.passes)
    expect(not (options.strings and options.paper), "--strings or --paper", "both")
    expect(options.paper or not options.distortions, "--distortions with --paper", "no --paper")
    expect(not options.paper or options.model == "lenet5", "--paper with --model lenet5", options.model)
    expect(
        not options.strings or options.model in ("lenet5", "teacher"),
        "--strings with --model lenet5 or teacher",
        options.model,
    )
    if options.paper:
        refuse_beside("--paper", _NOT_PAPER, given=set_options)
    if options.strings:
        check_fields(batch_size=options.batch_size, limit=options.limit)
    if options.start is not None:
        expect(options.start.is_file(), "--start with a file of weights", options.start)
    expect(0 <= options.keep < 1, "--keep of 0 to less than 1", options.keep)
    from_start = options.strings and options.start is not None
    expect(from_start or not options.keep, "--keep with --strings and --start", options.keep)
    for run in options.learn_from:
        expect((run / "weights.npz").is_file(), "--learn-from folders with weights.npz", run)
    one = cluster.count == 1
    several = f"a {VARIABLE} of {cluster.count} workers"
    expect(one or not options.paper, "--paper in one process, as it learns one digit at a time", several)
    cluster.check_batch_size(options.batch_size)
    check_training_files(data=options.data)
    if cluster.is_chief:
        check_start(checkpoint_folder(options.out), resume=options.resume, or_begin=not one)
        make_folder(options.out)
        same_as_begun(options.out, vars(options))


def _hint(options: argparse.Namespace, cluster: Cluster) -> contextlib.AbstractContextManager[None]:
    """Tell at a Ctrl-C how to resume, on the chief: what others have in --out is not its training."""
    return resume_hint(options.out) if cluster.is_chief else contextlib.nullcontext()


def _tell_of_waiting(options: argparse.Namespace, cluster: Cluster) -> None:
    if cluster.count > 1 and cluster.is_chief and options.verbose:
        print(f"waits for {counted(cluster.count - 1, 'more worker')}", file=sys.stderr)


def _train_on_strings(
    training: Digits, held_out: Digits, options: argparse.Namespace, cluster: Cluster, *, command: str
) -> None:
    # Before TensorFlow is imported: convolutions over wide pictures train in a third of the time.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    use_threads(options.threads)
    from lenet_edge.training.string_run import train_on_strings
    from lenet_edge.training.workers import joined

    _tell_of_waiting(options, cluster)
    with joined(cluster) as workers, _hint(options, cluster):
        measured = train_on_strings(
            _recipe(options),
            training,
            held_out,
            copies=_copies(options),
            teachers=options.learn_from,
            start=options.start,
            keep=options.keep,
            out=options.out,
            command=command,
            test=options.test,
            resume=options.resume,
            verbose=options.verbose,
            workers=workers,
        )
    if not cluster.is_chief:
        return
    for name, errors in measured.items():
        print(f"{_set_name(name)} errors: {string_errors_text(errors)}")
    _print_paths(options.out, model="lenet5_wide" if options.model == "lenet5" else None)


def _train_as_printed(
    training: Digits, held_out: Digits | None, options: argparse.Namespace, *, command: str
) -> None:
    use_threads(options.threads)
    from lenet_edge.training.paper_recipe import train_as_printed

    with resume_hint(options.out):
        trained = train_as_printed(
            training,
            held_out,
            seed=options.seed,
            distortions=options.distortions,
            out=options.out,
            resume=options.resume,
            verbose=options.verbose,
        )
    _write(trained, held_out, options, command=command)


def _train(
    training: Digits, held_out: Digits, options: argparse.Namespace, cluster: Cluster, *, command: str
) -> None:
    use_threads(options.threads)
    from lenet_edge.training.recipe_run import train_by_recipe
    from lenet_edge.training.workers import joined

    _tell_of_waiting(options, cluster)
    with joined(cluster) as workers:
        with _hint(options, cluster):
            trained = train_by_recipe(
                _recipe(options),
                training,
                held_out,
                copies=_copies(options),
                teachers=options.learn_from,
                start=options.start,
                out=options.out,
                resume=options.resume,
                verbose=options.verbose,
                workers=workers,
            )
        if cluster.is_chief:
            _write(trained, held_out, options, command=command)


def _write(trained: Trained, held_out: Digits | None, options: argparse.Namespace, *, command: str) -> None:
    from lenet_edge.training.results import write_trained

    measured = write_trained(trained, held_out, out=options.out, command=command, test=options.test)
    for name, facts in measured.items():
        print(f"{_set_name(name)} error: {facts.error:.2f} %")
    _print_paths(options.out, model=_CONVERT_NAMES.get(options.model))


def _recipe(options: argparse.Namespace) -> Recipe:
    from lenet_edge.training.loop import Recipe

    return Recipe(
        model=options.model,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )


def _copies(options: argparse.Namespace) -> Copies:
    from lenet_edge.training.recipe_run import Copies

    seed = options.seed if options.distortion_seed is None else options.distortion_seed
    return Copies(seed=seed, count=options.passes, gentle_count=options.gentle_passes)


def _set_name(name: str) -> str:
    return name.replace("_", "-")


def _print_paths(out: Path, *, model: str | None) -> None:
    print(f"weights, report and learning curve are in {out}")
    if model:
        print(f"to convert it: lenet-edge convert --model {model} --weights {out / 'weights.npz'}")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge train"))
