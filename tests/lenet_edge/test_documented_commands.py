"""Every command line of README and docs is one that its command takes."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from lenet_edge.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "android_demo" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def documented():
    """Yield the page and the words of each `lenet-edge` line in a block of code."""
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(r"(?:\$ )?(?:\S*/)?(?:lenet-edge |python -m lenet_edge\.)(\w+)( .*|$)", line)
                if found and found[1] in COMMANDS:
                    words = shlex.split(found[2], comments=True)
                    ends = [words.index(word) for word in ("<", ">", "|", "&&") if word in words]
                    yield page.name, found[1], words[: min(ends, default=None)]


LINES = list(documented())


class Parsed(Exception):
    """The parser has taken the line."""


@pytest.mark.parametrize(("page", "command", "words"), LINES, ids=[" ".join([p, c, *w]) for p, c, w in LINES])
def test_a_documented_line_is_taken(monkeypatch, page, command, words):
    for name in ("parse_args", "parse_intermixed_args"):
        parse = getattr(argparse.ArgumentParser, name)

        def taken(self, *arguments, parse=parse, **options):
            parse(self, *arguments, **options)
            raise Parsed

        monkeypatch.setattr(argparse.ArgumentParser, name, taken)
    with pytest.raises(Parsed):
        importlib.import_module(f"lenet_edge.{command}").main(words)


def test_there_are_lines_of_most_commands():
    assert {command for _, command, _ in LINES} >= {"convert", "classify", "read", "benchmark", "parity"}
