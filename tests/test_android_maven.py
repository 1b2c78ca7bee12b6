"""android_demo/tools/maven.sh: it says what this machine lacks, and when the repository was not reached."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAVEN = Path(__file__).resolve().parent.parent / "android_demo" / "tools" / "maven.sh"
SHELL = ("bash", "dirname", "grep", "mktemp", "rm", "sed", "tee")
TOOLS = {
    **dict.fromkeys(("java", "mvn", "aapt2", "gcc", "nm", "python3"), ""),
    "javac": "echo javac 17.0.15",
}


@pytest.fixture
def maven(tmp_path):
    """Return a function that runs maven.sh where `tools` are the only programs beside the shell's."""
    for name in SHELL:
        (tmp_path / name).symlink_to(shutil.which(name))

    def run(**tools):
        for name, body in {**TOOLS, **tools}.items():
            if body is not None:
                (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
                (tmp_path / name).chmod(0o755)
        return subprocess.run(
            [MAVEN, "verify"], env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True
        )

    return run


def test_a_machine_without_the_tools_is_told_which(maven):
    done = maven(aapt2=None, mvn=None)
    assert done.returncode == 77
    assert "android: expected mvn aapt2 on this machine, got none" in done.stderr


def test_an_older_java_is_refused(maven):
    done = maven(javac="echo javac 11.0.2")
    assert done.returncode == 77
    assert "android: expected Java 17 or newer (Robolectric's), got 11" in done.stderr


@pytest.mark.parametrize(
    "said",
    [
        "[ERROR] Could not transfer artifact a:b:jar:1 from/to central (...): Connect failed",
        "[ERROR] Cannot access central in offline mode and the artifact a:b:jar:1 has not been downloaded",
    ],
)
def test_a_repository_out_of_reach_is_named(maven, said):
    done = maven(mvn=f'echo "{said}"; exit 1')
    assert done.returncode == 1
    assert "android: expected Maven's repository to be reached, got: " in done.stderr
    assert "artifact a:b:jar:1" in done.stderr


def test_any_other_failure_is_mavens_own(maven):
    done = maven(mvn='echo "[ERROR] There are test failures."; exit 1')
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "[ERROR] There are test failures.\n"


def test_what_is_shown_is_modules_tests_and_faults(maven):
    lines = [
        "[INFO] Scanning for projects...",
        "[INFO] Building core 1   [2/4]",
        "[INFO] Tests run: 9, Failures: 0 -- in org.lenetedge.core.ReaderTest",
        "VERBOSE: Replacing 16 out of 16 node(s)",
        "core/src/main/kotlin/A.kt:3:1: Unused import",
        "[WARNING] beware",
    ]
    done = maven(mvn="\n".join(f'echo "{line}"' for line in lines))
    assert done.returncode == 0
    assert done.stdout.splitlines() == [lines[1], lines[2], lines[4], lines[5]]
