"""Every script parses its arguments before it does anything: --help and unknown ones do nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(
    path
    for folder in (".", "pi", "docs_site")
    for path in (ROOT / "scripts" / folder).glob("*.py")
    if '__name__ == "__main__"' in path.read_text()
)

# One process for all of them: a script that loads TensorFlow before it parses is found by that too.
ASK_ALL = """
import contextlib, io, json, os, runpy, sys, traceback
found = {}

def text(stream):
    stream.flush()
    return stream.buffer.getvalue().decode()

path = list(sys.path)
for script in sys.argv[1:]:
    sys.path[:] = [os.path.dirname(script), *path]  # as a script has it
    for argument in ("--help", "--no-such-option"):
        sys.argv = [script, argument]
        out, err = (io.TextIOWrapper(io.BytesIO()) for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                runpy.run_path(script, run_name="__main__")
                status = None
            except SystemExit as end:
                status = end.code
            except BaseException:
                status = traceback.format_exc()
        heavy = sorted({"tensorflow", "torch", "onnx"} & set(sys.modules))
        found[f"{script} {argument}"] = [status, text(out), text(err), heavy]
print(json.dumps(found))
"""
WRITTEN = ("results", "docs", "lenet_edge/released", "lenet_edge/golden", "lenet_edge/data", "tests/data")


def times():
    """Return when each file that a script may write was written last."""
    paths = (path for folder in WRITTEN for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in [*paths, ROOT / "README.md"]}


@pytest.fixture(scope="module")
def answers():
    before = times()
    # An isolated path, as a script has it: the tests' folder is not on it.
    command = [sys.executable, "-c", ASK_ALL, *map(str, SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert times() == before
    return json.loads(done.stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "scripts")))
def test_a_script_asked_for_help_does_nothing_else(answers, script):
    status, out, err, heavy = answers[f"{script} --help"]
    assert (status, err, heavy) == (0, "", [])
    assert out.startswith("usage: ")
    assert len(out.splitlines()) > 3  # what it does, too
    status, out, err, _ = answers[f"{script} --no-such-option"]
    assert (status, out) == (2, "")
    assert "error: " in err


def test_all_scripts_are_asked():
    names = {path.name for path in SCRIPTS}
    assert {"micro.py", "strings_cost.py", "requirements.py", "sample.py", "__main__.py"} <= names
    assert len(names) >= 16
