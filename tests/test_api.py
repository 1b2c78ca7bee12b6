"""docs/api.md lists every public name and no other, and its Python runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import converters
import lenet_edge

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text()


def test_every_public_name_has_its_line_and_nothing_else_has():
    cells = re.findall(r"^\| (`[^|]+`) \|", PAGE, flags=re.MULTILINE)
    listed = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(listed) == sorted([*converters.__all__, *lenet_edge.__all__])


def test_its_python_runs_from_top_to_bottom():
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "operators that NNAPI leaves" in done.stdout
