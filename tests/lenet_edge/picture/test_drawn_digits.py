"""The command reads the digits drawn for tests/data (scripts/draw_test_pictures.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"


def classify(*arguments):
    command = [sys.executable, "-m", "lenet_edge.classify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def answers():
    done = classify(DATA, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(row["file"]).name: row for row in rows}


def test_every_picture_has_its_answer(answers):
    assert set(answers) == {path.name for path in DATA.iterdir()}
    assert {name[0] for name in answers if name[0].isdigit()} == set("0123456789")


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir() if path.name[0].isdigit()))
def test_each_digit_is_read(answers, name):
    assert answers[name]["digit"] == int(name[0])
    assert 0.5 < answers[name]["probability"] <= 1


@pytest.mark.parametrize("finding", ["blank", "crowded"])
def test_no_digit_and_several_are_findings(answers, finding):
    (row,) = (row for name, row in answers.items() if name.startswith(finding))
    assert (row["digit"], row["probability"], row["finding"]) == (None, None, finding)
    assert row["reason"]
