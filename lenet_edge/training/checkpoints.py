"""Check whether a folder holds a training to resume, before any work and without TensorFlow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from converters.base.errors import expect


def checkpoint_folder(out: Path) -> Path:
    """Return the folder where a training that writes to `out` saves its state after each epoch."""
    return out / "checkpoints"


def check_start(folder: Path, *, resume: bool, or_begin: bool = False) -> bool:
    """Return whether the training in `folder` goes on.

    Raises InputError if `folder` holds a training's state without `resume`, or none with it: unless it may
    also begin.
    """
    found = holds_state(folder)
    if resume:
        expect(found or or_begin, f"a training to resume in {folder}", "none")
    else:
        expect(not found, "an empty output folder or --resume", f"a training in {folder}")
    return found


@contextlib.contextmanager
def resume_hint(out: Path) -> Iterator[None]:
    """Add to a Ctrl-C that ends the training in `out` how to resume it, if an epoch was saved."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not holds_state(checkpoint_folder(out)):
            raise KeyboardInterrupt("before the end of the first epoch, so nothing is saved") from error
        raise KeyboardInterrupt("repeat the command with --resume to continue from the last epoch") from error


def holds_state(folder: Path) -> bool:
    """Return whether a training has saved its state in `folder`, as `checkpoint_folder` names it."""
    # The file in which tf.train.CheckpointManager names the newest checkpoint.
    return (folder / "checkpoint").is_file()
