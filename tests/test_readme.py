"""The README's numbers are the measured ones, and its Python runs."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_tables_are_the_measured_ones():
    filled = runpy.run_path(str(ROOT / "scripts" / "readme.py"))["filled"]
    assert filled(README) == README, "README.md differs from the measured numbers: make results"


@pytest.mark.parametrize("number", range(2))
def test_its_python_runs(number):
    codes = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(codes) == 2
    done = subprocess.run([sys.executable, "-c", codes[number]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_its_links_and_pictures_are_there():
    targets = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]
