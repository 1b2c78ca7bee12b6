"""The notebook in examples/ runs from top to bottom, with public names, and is saved with its outputs."""

from __future__ import annotations

import ast
import base64
import json
import re
from pathlib import Path

import pytest

import converters
import lenet_edge

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NOTEBOOK = EXAMPLES / "from_paper_to_phone.ipynb"
CELLS = json.loads(NOTEBOOK.read_text())["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
STEPS = ("The question", "The net as printed", "1. Train", "2. Fold", "3. Quantise", "4. Convert", "Prove")


def outputs(cells):
    return [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]


def printed(cells):
    return "".join("".join(one["text"]) for one in outputs(cells) if one["output_type"] == "stream")


def pictures(cells):
    return [one["data"]["image/png"] for one in outputs(cells) if "image/png" in one.get("data", {})]


@pytest.fixture(scope="module")
def executed():
    """Return the cells as they are after a quick run: one pass over 500 digits."""
    import nbclient
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_EDGE_QUICK", "1")
        where = {"metadata": {"path": str(EXAMPLES)}}
        nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where).execute()
    return notebook["cells"]


def test_it_runs_and_every_file_is_proven(executed):
    lines = re.findall(r"^(float32|int8\S*(?: \S+)*?) +within$", printed(executed), flags=re.MULTILINE)
    assert lines == ["float32", "int8", "int8, fine-tuned", "int8, laid out"]
    assert len(pictures(executed)) == len(pictures(CELLS))


def test_each_step_is_there_with_a_picture():
    headings = [line[3:].rstrip() for cell in CELLS for line in cell["source"] if line.startswith("## ")]
    assert [heading for heading in headings if heading in STEPS] == list(STEPS)
    assert len(pictures(CELLS)) >= len(STEPS)
    assert all(len(base64.b64decode(picture)) < 60_000 for picture in pictures(CELLS))


def test_it_uses_public_names_only():
    public = {"converters": converters.__all__, "lenet_edge": lenet_edge.__all__}
    imports = [
        node for code in CODE for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)
    ]
    ours = {one.module: {alias.name for alias in one.names} for one in imports if one.module != "pathlib"}
    assert set(ours) == set(public)
    assert all(names <= set(public[module]) for module, names in ours.items())


def test_its_saved_outputs_are_whole_and_name_no_machine():
    assert all(cell["outputs"] for cell in CELLS if cell["cell_type"] == "code" and "plt.show" in str(cell))
    text = json.dumps(outputs(CELLS))
    text = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.search(r"(?<![\w.])/(home|root|tmp|usr|work|opt)\b|https?://", text)
    assert not [one for one in outputs(CELLS) if one["output_type"] == "error" or one.get("name") == "stderr"]
