"""Whether a folder holds a training to go on with: asked without TensorFlow, before the work is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from converters.base.errors import expect


def checkpoint_folder(out: Path) -> Path:
    """Return where a training whose results go to `out` keeps its state after each epoch."""
    return out / "checkpoints"


def check_start(folder: Path, *, resume: bool) -> None:
    """Raise InputError when `folder` holds a training's state and not `resume`, or the other way round."""
    if resume:
        expect(_holds_state(folder), f"a training to resume in {folder}", "none")
    else:
        expect(not _holds_state(folder), "an empty output folder or --resume", f"a training in {folder}")


@contextlib.contextmanager
def resume_hint(out: Path) -> Iterator[None]:
    """Have a Ctrl-C that ends the training in `out` say how to go on, if an epoch is kept."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not _holds_state(checkpoint_folder(out)):
            raise KeyboardInterrupt("before the end of the first epoch, so nothing is kept") from error
        raise KeyboardInterrupt("the same command with --resume goes on from the last epoch") from error


def _holds_state(folder: Path) -> bool:
    # The file in which tf.train.CheckpointManager names the newest checkpoint.
    return (folder / "checkpoint").is_file()
