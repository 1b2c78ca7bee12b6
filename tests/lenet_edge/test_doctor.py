"""`lenet-edge doctor`: what works is tried, and what is missing is listed with the command that adds it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import numpy as np
import pytest

from converters.base.errors import exit_status
from converters.runtimes.columns import COLUMNS, Result, absence
from lenet_edge import doctor
from lenet_edge.reading import capabilities

SCORES = np.zeros((1, 10), np.float32)


@pytest.fixture
def machine(monkeypatch):
    """Return a function that sets which columns are absent and what the others do."""

    def set_up(absent, **facts):
        monkeypatch.setattr(capabilities, "absence", lambda column: absent.get(column.name, ""))
        monkeypatch.setattr(capabilities.gpu, "absence", lambda: absent.get("litert-gpu", ""))

        def run_column(column, files, inputs, **options):
            assert {values.shape for values in inputs.values()} == {(20, 32, 32, 1)}
            return {name: Result(SCORES, runtime="runtime 1.0", **facts) for name in files}

        monkeypatch.setattr(capabilities, "run_column", run_column)

    return set_up


def lines(capsys):
    """Return the printed lines by name: (yes or no, the text)."""
    printed = capsys.readouterr().out.split("\n\n", 1)[1].splitlines()
    named = ((line[:4].strip(), *line[4:].partition(" ")) for line in printed)
    return {name: (works, text.strip()) for works, name, _, text in named}


def test_what_works_is_listed_with_its_delegate(machine, capsys):
    machine({}, delegate="XNNPACK", taken=15, nodes=18)
    assert doctor.main([]) == 0
    found = lines(capsys)
    assert found["litert"] == (
        "yes",
        "runtime 1.0: float32 with XNNPACK (15 of 18 nodes), int8_qat with XNNPACK (15 of 18 nodes)",
    )
    assert found["gpu"] == ("yes", "XNNPACK")
    assert found["nnapi"][0] == "no"


def test_a_line_is_printed_before_anything_is_tried(machine, monkeypatch, capsys):
    machine({})
    tried = []

    def one_runtime():
        tried.append(capsys.readouterr().err)
        yield capabilities.Capability("litert", True, "")

    monkeypatch.setattr(doctor, "find_all", one_runtime)
    assert doctor.main(["--json"]) == 0
    assert tried == ["reading digits in each runtime that is here ...\n"]


def test_a_missing_delegate_is_reported(machine, capsys):
    machine({}, delegate="", taken=0, nodes=18)
    doctor.main([])
    assert (
        lines(capsys)["tflite"][1] == "runtime 1.0: float32 without a delegate, int8_qat without a delegate"
    )


def test_what_is_missing_is_listed_with_its_command_and_status_1(machine, capsys):
    machine({name: f"{name} is not installed: pip install it" for name in COLUMNS})
    assert doctor.main([]) == 1
    found = lines(capsys)
    assert found["tflite"] == ("no", "tflite-runtime is not installed: pip install it")
    assert found["gpu"] == ("no", "litert-gpu is not installed: pip install it")


def test_a_runtime_that_crashes_is_reported_as_such(machine, capsys):
    machine({}, failure="the process died with signal 11 (SIGSEGV)")
    assert doctor.main([]) == 1
    assert lines(capsys)["litert"] == ("no", "the process died with signal 11 (SIGSEGV)")


def test_cameras_are_looked_for(machine, monkeypatch, capsys):
    machine({})
    for there in (True, False):
        monkeypatch.setattr(capabilities.importlib.util, "find_spec", lambda name, there=there: there or None)
        doctor.main([])
        found = lines(capsys)
        assert {found[name][0] for name in ("picamera2", "cv2")} == {"yes" if there else "no"}
    assert "pip install opencv-python-headless" in found["cv2"][1]
    assert "sudo apt install python3-opencv" in found["cv2"][1]


def test_json_holds_the_same(machine, capsys):
    machine({"litert-gpu": "no driver"}, delegate="XNNPACK", taken=1, nodes=2)
    assert doctor.main(["--json"]) == 0
    found = {line["what"]: line for line in json.loads(capsys.readouterr().out)["found"]}
    assert found["gpu"] == {"what": "gpu", "works": False, "text": "no driver"}
    assert found["litert"]["works"]


def test_a_missing_delegate_library_is_a_one_line_error(capsys):
    assert exit_status(doctor.main, ["--delegate", "none.so"], name="doctor") == 2
    assert capsys.readouterr().err == "doctor: expected a delegate library that is a file, got none.so\n"


def test_a_missing_library_is_an_error_before_any_runtime_is_tried(monkeypatch, capsys):
    monkeypatch.setattr(capabilities, "run_column", None)
    monkeypatch.setattr(capabilities, "absence", None)
    assert exit_status(doctor.main, ["--delegate", "none.so"], name=doctor.NAME) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("processors", "text"), [(1, "1 processor"), (4, "4 processors")])
def test_one_processor_is_in_the_singular(machine, monkeypatch, capsys, processors, text):
    machine({})
    facts = {"processor": "BCM2835", "architecture": "armv6l", "processors": processors}
    monkeypatch.setattr(doctor, "machine", lambda: facts)
    doctor.main([])
    assert capsys.readouterr().out.startswith(f"BCM2835, armv6l, {text}\n")


def test_what_is_known_is_told_while_others_are_tried(machine, monkeypatch):
    machine({})
    run_column, told = capabilities.run_column, threading.Event()

    def slow(column, *arguments, **options):
        assert column.name != "tf.lite" or told.wait(30)
        return run_column(column, *arguments, **options)

    monkeypatch.setattr(capabilities, "run_column", slow)
    found = capabilities.find_all()
    assert [next(found).what, next(found).what] == ["litert", "tflite"]
    told.set()
    assert [one.what for one in found] == ["tensorflow", "gpu", "nnapi", "picamera2", "cv2"]


@pytest.mark.skipif(absence(COLUMNS["litert"]) != "", reason=absence(COLUMNS["litert"]))
def test_python_m_doctor_lists_what_works_here():
    done = subprocess.run([sys.executable, "-m", "lenet_edge.doctor"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "yes litert" in done.stdout
    assert "float32 with XNNPACK (16 of 16 nodes)" in done.stdout
