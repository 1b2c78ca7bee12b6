"""What the commands' parsers have in common: which options were given, and which go together."""

from __future__ import annotations

import argparse
import shlex

import pytest

from converters.base.errors import InputError
from converters.base.options import command_text, given_options, refuse_beside


def parser():
    made = argparse.ArgumentParser()
    made.add_argument("--epochs", type=int, default=300)
    made.add_argument("--resume", action="store_true")
    made.add_argument("--model", action="append")
    made.add_argument("--learn-from", nargs="+", default=[])
    return made


@pytest.mark.parametrize(
    ("argv", "given"),
    [
        ([], set()),
        (["--epochs", "300"], {"epochs"}),  # also where it is the default's own value
        (["--resume", "--model", "a", "--model", "b"], {"resume", "model"}),
        (["--learn-from", "a", "b"], {"learn_from"}),
    ],
)
def test_an_option_is_given_when_it_stands_in_the_command(argv, given):
    assert given_options(parser(), argv) == given


def test_what_an_option_does_not_take_is_named():
    refuse_beside("--paper", ("epochs", "learn_from"), given={"model"})
    with pytest.raises(InputError, match="^expected --paper without --learn-from, got both$"):
        refuse_beside("--paper", ("epochs", "learn_from"), given={"learn_from", "model"})
    with pytest.raises(InputError, match="^expected --paper without --epochs, --learn-from, got all of them"):
        refuse_beside("--paper", ("epochs", "learn_from"), given={"learn_from", "epochs"})


def test_a_command_is_told_as_a_shell_takes_it():
    words = ["--out", "my folder"]
    assert shlex.split(command_text("a.module", words)) == ["python", "-m", "a.module", *words]
