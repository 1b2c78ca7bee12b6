"""scripts/install_trials.py with a Python, a pip and a lenet-edge that only pretend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "install_trials.py"

PYTHON = """\
#!/bin/sh
case "$1 $2" in
"-c import"*) echo {version} ;;
"-m venv")
    mkdir -p env/bin
    cp "$0" env/bin/python
    printf '#!/bin/sh\\n%s\\n' '{reader}' > env/bin/lenet-edge
    chmod +x env/bin/lenet-edge ;;
"-m pip")
    if [ "$3" = install ]; then {installs}
    else echo '[{{"name": "numpy", "version": "1.26.4"}}, {{"name": "pip", "version": "26"}}]'; fi ;;
esac
"""
READS = """echo "{\\"digit\\": 0, \\"sure\\": true}" """


@pytest.fixture
def trials(tmp_path):
    """Return a function that tries an extra on a Python and returns the done process, and the rows."""
    release = tmp_path / "release"
    release.mkdir()
    for name in ("lenet_edge-0.1.0-py3-none-any.whl", "lenet_edge-0.1.0.tar.gz"):
        (release / name).write_text("")

    def run(*extras, version="3.12.1", reader=READS, installs="true"):
        python = tmp_path / "python"
        python.write_text(PYTHON.format(version=version, reader=reader, installs=installs))
        python.chmod(0o755)
        command = [sys.executable, SCRIPT, release, "--python", python, "--json", tmp_path / "rows.json"]
        command += [part for extra in extras for part in ("--extra", extra)]
        done = subprocess.run(command, capture_output=True, text=True)
        return done, json.loads((tmp_path / "rows.json").read_text())["trials"]

    return run


def test_both_files_are_installed_and_read(trials):
    done, rows = trials("tflite")
    assert (done.returncode, done.stderr) == (0, "")
    assert [(row["file"], row["went"], row["said"]) for row in rows] == [
        ("sdist", True, "reads 0"),
        ("wheel", True, "reads 0"),
    ]
    assert rows[0]["versions"] == {"numpy": "1.26.4"}


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (READS.replace("0", "6"), "reads 6"),
        (READS.replace("true", "false"), "reads 0, unsure"),
        ("echo no runtime >&2; exit 2", "no runtime"),
    ],
)
def test_another_answer_is_a_failure(trials, reader, said):
    done, rows = trials("tflite", reader=reader)
    assert done.returncode == 1
    assert {(row["went"], row["said"]) for row in rows} == {(False, said)}


def test_what_pip_says_at_last_is_told_without_its_advertising(trials):
    installs = '{ echo "ERROR: No matching distribution found for x"; echo "[notice] new pip"; exit 1; } >&2'
    done, rows = trials("micro", "litert", installs=installs)
    assert done.returncode == 1
    assert {row["said"] for row in rows} == {"ERROR: No matching distribution found for x"}
    assert {row["extra"] for row in rows} == {"micro", "litert"}


def test_rows_of_other_pythons_are_kept_in_order(trials):
    for version in ("3.12.1", "3.9.18", "3.12.1"):
        _, rows = trials("heic", version=version)
    assert [(row["python"], row["said"]) for row in rows] == [("3.9.18", "resolves"), ("3.12.1", "resolves")]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["."], "expected one *.whl in . (make release), got 0"),
        (["release", "--python", "none"], "expected a Python, got none"),
    ],
)
def test_bad_input_is_told_in_a_line(tmp_path, arguments, line):
    (tmp_path / "release").mkdir()
    for name in ("a.whl", "a.tar.gz"):
        (tmp_path / "release" / name).write_text("")
    command = [sys.executable, SCRIPT, *arguments, "--json", "rows.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"install_trials.py: {line}\n")
