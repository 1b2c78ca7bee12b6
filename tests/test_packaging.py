"""The wheel holds what it must, and the packages depend on each other one way only."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import converters
import lenet_edge

PACKAGES = {
    name: Path(module.__file__).parent
    for name, module in (("converters", converters), ("lenet_edge", lenet_edge))
}
RUNTIME = ["runtime", "images", "classify", "idx", "mnist", "cli", "drawing", "doctor", "benchmark"]
RUNTIME += [
    "answers",
    "reading",
    "results",
    "watching",
    "camera",
    "progress",
    "stopping",
    "running",
    "output",
]
RUNTIME += [
    "read",
    "line",
    "line_ink",
    "line_layout",
    "line_strip",
    "line_strokes",
    "pieces",
    "strings",
    "wide",
]
RUNTIME += ["string_reader", "string_answers", "string_boxes", "string_results", "string_picture"]


def imports_of(path):
    """Return the modules that a file imports, at its top or anywhere within."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_converters_never_imports_lenet_edge():
    for path in PACKAGES["converters"].rglob("*.py"):
        assert not any(name.split(".")[0] == "lenet_edge" for name in imports_of(path)), path.name


@pytest.mark.parametrize("module", RUNTIME)
def test_the_runtime_side_loads_no_tensorflow(module):
    code = f"import sys, lenet_edge.{module}; assert not {{'tensorflow', 'tf_keras'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_installed_package_holds_models_data_and_types():
    released, data = PACKAGES["lenet_edge"] / "released", PACKAGES["lenet_edge"] / "data"
    models = {
        f"{m}_{p}.tflite"
        for m in ("lenet5", "stock_lenet5")
        for p in ("float32", "float16", "dynamic", "int8")
    }
    models |= {"lenet5_int8_qat.tflite", "lenet5_wide_float32.tflite", "lenet5_wide_int8.tflite"}
    nets = ("lenet5", "lenet5_qat", "lenet5_wide", "stock_lenet5")
    about = {f"{net}.{kind}" for net in nets for kind in ("npz", "json")}
    assert {path.name for path in released.iterdir()} == models | about | {
        "manifest.json",
        "thresholds.json",
    }
    kinds = ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
    assert {path.name for path in data.iterdir()} == {
        f"{s}-{k}" for s in ("t10k", "calibration") for k in kinds
    }
    golden = PACKAGES["lenet_edge"] / "golden"
    assert {path.name for path in golden.iterdir()} == {"golden.json", "golden.h"}
    assert all((folder / "py.typed").exists() for folder in PACKAGES.values())


def test_the_tests_run_against_the_installed_wheel():
    distribution = importlib.metadata.distribution("lenet-edge")
    files = [Path(str(distribution.locate_file(file))) for file in distribution.files]
    assert (PACKAGES["lenet_edge"] / "__init__.py").resolve() in [file.resolve() for file in files]
    assert not any("tests" in file.parts[-2:] for file in files)


def test_the_extras_are_there():
    metadata = importlib.metadata.metadata("lenet-edge")
    assert set(metadata.get_all("Provides-Extra")) == {
        "tflite",
        "litert",
        "micro",
        "camera",
        "plot",
        "train",
        "dev",
    }
    base = [r for r in metadata.get_all("Requires-Dist") if "extra" not in r]
    assert {re.match(r"[\w-]+", requirement)[0] for requirement in base} == {"numpy", "pillow", "tqdm"}
