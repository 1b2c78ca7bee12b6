"""The wheel holds what it must, and what a Raspberry Pi runs loads no TensorFlow."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import converters
import lenet_edge

PACKAGES = {
    name: Path(module.__file__).parent
    for name, module in (("converters", converters), ("lenet_edge", lenet_edge))
}
# What a Raspberry Pi runs. `make lint` holds the imports that are written; here they are run.
WITHOUT_TENSORFLOW = ["lenet_edge.digits", "lenet_edge.picture", "lenet_edge.runtime", "lenet_edge.reading"]
WITHOUT_TENSORFLOW += ["lenet_edge.on_paper", "lenet_edge.benchmarking", "lenet_edge.packaged.files"]
WITHOUT_TENSORFLOW += [f"lenet_edge.{name}" for name in ("cli", "classify", "read", "doctor", "benchmark")]
WITHOUT_TENSORFLOW += ["lenet_edge.photographs", "converters.runtimes.sessions", "converters.base.installed"]

IMPORT_ALL = """
import importlib, pkgutil, sys
names = sys.argv[1:]
for name in names:
    module = importlib.import_module(name)
    names.extend(f"{name}.{one.name}" for one in pkgutil.iter_modules(getattr(module, "__path__", ())))
    loaded = {"tensorflow", "tf_keras", "keras"} & set(sys.modules)
    assert not loaded, f"{name} loads {loaded}"
print(len(names))
"""


def test_the_runtime_side_loads_no_tensorflow():
    command = [sys.executable, "-c", IMPORT_ALL, *WITHOUT_TENSORFLOW]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 60  # modules: the rooms were walked through


def test_the_installed_package_holds_models_data_and_types():
    released, data = PACKAGES["lenet_edge"] / "released", PACKAGES["lenet_edge"] / "data"
    models = {
        f"{m}_{p}.tflite"
        for m in ("lenet5", "stock_lenet5")
        for p in ("float32", "float16", "dynamic", "int8")
    }
    models |= {"lenet5_int8_qat.tflite"}
    models |= {f"lenet5_wide_{p}.tflite" for p in ("float32", "int8", "int8_qat")}
    nets = ("lenet5", "lenet5_qat", "lenet5_wide", "lenet5_wide_qat", "stock_lenet5")
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
    assert {path.name for path in golden.iterdir()} == {
        "golden.json",
        "golden.h",
        "strings.json",
        "strings_int8_qat.json",
    }
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
        "heic",
        "plot",
        "notebook",
        "ray",
        "train",
        "dev",
    }
    base = [r for r in metadata.get_all("Requires-Dist") if "extra" not in r]
    wanted = {"numpy", "opencv-python-headless", "pillow", "tqdm"}
    assert {re.match(r"[\w-]+", requirement)[0] for requirement in base} == wanted
