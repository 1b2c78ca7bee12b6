"""The README's numbers are the measured ones, and its Python runs."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


SCRIPT = runpy.run_path(str(ROOT / "scripts" / "readme.py"))


@pytest.mark.parametrize("document", SCRIPT["TABLES"])
def test_the_tables_are_the_measured_ones(document):
    text = (ROOT / document).read_text()
    wanted = SCRIPT["filled"](text, SCRIPT["TABLES"][document])
    assert text == wanted, f"{document} differs from the measured numbers: make tables"


def test_what_was_measured_is_the_released_files():
    """results/parity.json is of these bytes, on all digits, and nothing of it is out."""
    report = json.loads((ROOT / "results" / "parity.json").read_text())
    manifest = json.loads((ROOT / "lenet_edge" / "released" / "manifest.json").read_text())["models"]
    hashes = {name: entry["sha256"] for name, entry in manifest.items() if entry["model"] == "lenet5"}
    assert {name: file["sha256"] for name, file in report["files"].items()} == hashes
    assert report["within"]
    assert report["digits"] == 10_000
    assert not [name for name, column in report["columns"].items() if column["absent"]]


def test_what_was_measured_of_strings_is_the_released_files():
    report = json.loads((ROOT / "results" / "parity_wide.json").read_text())
    manifest = json.loads((ROOT / "lenet_edge" / "released" / "manifest.json").read_text())["models"]
    hashes = {entry["sha256"] for entry in manifest.values() if entry["model"] == "lenet5_wide"}
    assert {file["sha256"] for file in report["files"].values()} == hashes
    assert report["within"]


CODES = [
    pytest.param(code, id=f"{page.stem}-{number}")
    for page in (ROOT / "README.md", ROOT / "docs" / "models.md")
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
]


def test_its_python_is_there():
    assert len(CODES) == 4


@pytest.mark.parametrize("code", CODES)
def test_its_python_runs(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_are_there(page):
    text = page.read_text()
    targets = [*re.findall(r"\]\((?!http)([^)#]+)", text), *re.findall(r'<img src="([^"]+)"', text)]
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_each_document_can_be_found_from_the_readme():
    linked = set(re.findall(r"docs/(\w[\w-]*\.md)", README))
    for page in sorted((ROOT / "docs").glob("*.md")):
        linked |= set(re.findall(r"\]\((\w[\w-]*\.md)", page.read_text())) if page.name in linked else set()
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= linked
