"""Which runtime is used, and what is said when none can be."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from converters.base import installed as runtimes
from converters.base.errors import InputError
from converters.base.installed import RUNTIMES, choose, unusable_reason


@pytest.fixture
def here(monkeypatch):
    """Return a function that makes the named packages, and no others, the installed ones."""

    def install(*packages, numpy="1.26.4"):
        monkeypatch.setattr(runtimes.importlib.util, "find_spec", lambda name: name in packages or None)
        monkeypatch.setattr(np, "__version__", numpy)
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)

    return install


def test_the_first_that_is_there_is_used(here):
    here("tflite_runtime", "tensorflow")
    assert choose() == "tflite"
    here("tflite_runtime", "ai_edge_litert", "tensorflow")
    assert choose() == "litert"
    assert choose("tensorflow") == "tensorflow"


def test_a_missing_runtime_is_answered_with_the_line_that_installs_it(here):
    here()
    with pytest.raises(InputError, match=r'the runtime litert, got: .*: pip install "lenet-edge\[litert\]"'):
        choose("litert")
    advice = "tflite" if sys.version_info < (3, 12) else "litert"
    with pytest.raises(
        InputError, match=rf'a TensorFlow Lite runtime, got none: pip install "lenet-edge\[{advice}\]"'
    ):
        choose()
    here(numpy="2.1.0")
    with pytest.raises(InputError, match=r'got none: pip install "lenet-edge\[litert\]"'):
        choose()


@pytest.mark.parametrize(("python", "advice"), [((3, 11), "tflite"), ((3, 12), "litert")])
def test_what_is_advised_installs_something_on_this_python(here, monkeypatch, python, advice):
    here()
    monkeypatch.setattr(sys, "version_info", (*python, 0, "final", 0))
    assert unusable_reason("tflite").endswith(f'pip install "lenet-edge[{advice}]"')
    with pytest.raises(InputError, match=rf'got none: pip install "lenet-edge\[{advice}\]"'):
        choose()


def test_tflite_runtime_beside_numpy_2_is_said_before_it_dies(here):
    here("tflite_runtime", numpy="2.1.0")
    for name in ("auto", "tflite"):
        with pytest.raises(InputError, match=r"tflite-runtime dies with NumPy 2.1.0: pip install 'numpy<2'"):
            choose(name)
    here("tflite_runtime", "ai_edge_litert", numpy="2.1.0")
    assert choose() == "litert"


def test_tflite_runtime_behind_tensorflow_is_refused_in_this_process_only(here, monkeypatch):
    here("tflite_runtime")
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    monkeypatch.delitem(sys.modules, "tflite_runtime.interpreter", raising=False)
    assert "in a process that has loaded TensorFlow" in unusable_reason("tflite")
    assert unusable_reason("tflite", alone=True) == ""
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", object())
    assert unusable_reason("tflite") == ""


def test_an_unknown_runtime_is_answered():
    with pytest.raises(InputError, match="expected a runtime of auto, litert, tflite, tensorflow, got onnx"):
        choose("onnx")


def test_asking_imports_no_runtime():
    packages = {runtime.package for runtime in RUNTIMES.values()}
    code = (
        "import sys; from converters.base.installed import RUNTIMES, unusable_reason\n"
        f"[unusable_reason(name) for name in RUNTIMES]; assert not {packages} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
