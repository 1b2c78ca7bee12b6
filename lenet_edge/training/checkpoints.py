"""Check whether a folder holds a training to resume, before any work and without TensorFlow."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from converters.base.errors import expect
from converters.base.files import make_folder, write_json


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


_FREE = ("data", "keep", "out", "resume", "test", "threads", "verbose")
"""The options that may differ when a training is resumed: they decide nothing before its end."""


def same_as_begun(out: Path, options: Mapping[str, object]) -> None:
    """Keep in `out` with which `options` a training begins; compare them when it is resumed.

    `options`: by name, as argparse has them. Raises InputError if one differs that decides the result. A
    training that began before this was kept is taken as it is.
    """
    asked = {name: _as_json(value) for name, value in options.items() if name not in _FREE}
    path = checkpoint_folder(out) / "options.json"
    if not holds_state(path.parent):
        make_folder(path.parent)
        write_json(path, asked)
    elif path.is_file():
        for name, begun in json.loads(path.read_text()).items():
            wanted = f"{_written(name, begun)}, as this training began"
            expect(asked.get(name) == begun, wanted, _written(name, asked.get(name)))


def _as_json(value: object) -> object:
    """Return `value` as json.loads gives it back."""
    return json.loads(json.dumps(value, default=str))


def _written(name: str, value: object) -> str:
    """Return an option as a person writes it on a command line."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False or value == []:
        return f"no {option}"
    values = [] if value is True else value if isinstance(value, list) else [value]
    return " ".join([option, *map(str, values)])


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
