"""examples/sweep on Ray Tune, with a `lenet-edge` that does not train: the sweep itself is what is tested."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from bulk_answers import DATA

SWEEP = DATA.parents[1] / "examples" / "sweep" / "sweep.py"

# Writes a report whose error depends on the seeds, and notes that it was run.
FAKE = f"""#!{sys.executable}
import json, pathlib, sys
words = sys.argv[1:]
value = lambda name: words[words.index(name) + 1]
out = pathlib.Path(value("--out"))
out.mkdir(parents=True, exist_ok=True)
with (out / "runs").open("a") as runs:
    runs.write(" ".join(words) + "\\n")
if value("--epochs") == "0":
    sys.exit(2)
error = int(value("--seed")) % 1000 / 1000 + int(value("--distortion-seed")) / 10
(out / "report.json").write_text(json.dumps({{"held_out": {{"error": error}}}}))
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "lenet-edge"
    command.write_text(FAKE)
    command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "RAY_USAGE_STATS_ENABLED": "0"}

    def run(*words):
        return subprocess.run(
            [sys.executable, SWEEP, tmp_path / "out", "--", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_every_choice_is_trained_once_and_the_best_named_first(run, tmp_path):
    done = run("--epochs", "1")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "of the held-out digits" in line]
    assert len(lines) == 6
    assert lines == sorted(lines)
    assert lines[0].endswith("seed-2000-distortions-1")
    assert lines[0].startswith("0.10 %")
    again = run("--epochs", "1")
    assert [line for line in again.stdout.splitlines() if "of the held-out digits" in line] == lines
    runs = [path.read_text() for path in (tmp_path / "out").glob("*/runs")]
    assert [text.count("\n") for text in runs] == [1] * 6
    assert all("--threads 1" in text and "--epochs 1" in text for text in runs)


def test_a_training_that_fails_is_told(run):
    done = run("--epochs", "0")
    assert done.returncode == 1
    assert "6 of 6 trainings failed" in done.stderr
