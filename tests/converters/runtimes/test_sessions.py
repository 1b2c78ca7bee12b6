"""What really runs a file is said: the delegate, its nodes, and why another one does not."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES, unusable_reason
from converters.runtimes import gpu
from converters.runtimes.sessions import Report, Session, check_options

HERE = [name for name in RUNTIMES if not unusable_reason(name, alone=True)]

SESSION = """
import json, sys
from dataclasses import asdict
from converters.base.errors import InputError
from converters.runtimes.sessions import Session
from lenet_edge.packaged.files import content_of
answers = []
for model, options in json.loads(sys.argv[1]):
    try:
        session = Session(content_of(model), **options)
        answers.append({**asdict(session.report), "line": str(session.report)})
        session.close()
    except InputError as error:
        answers.append({"error": str(error)})
print(json.dumps(answers))
"""


def sessions(*asked):
    """Return the reports, or errors, of sessions asked for as (model, options), all in one process."""
    done = subprocess.run([sys.executable, "-c", SESSION, json.dumps(asked)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing of the runtimes' own chatter
    return json.loads(done.stdout)


@pytest.mark.parametrize("runtime", HERE)
def test_the_report_is_what_runs(runtime):
    on = {"runtime": runtime}
    auto, none, xnnpack, quantised = sessions(
        ("float32", on),
        ("float32", {**on, "delegate": "none", "threads": 2}),
        ("float32", {**on, "delegate": "xnnpack", "require_delegate": True}),
        ("int8", {**on, "delegate": "xnnpack"}),
    )
    assert {report["runtime"] for report in (auto, none, xnnpack)} == {runtime}
    assert (auto["delegate"], auto["taken"], auto["nodes"], auto["reason"]) == ("XNNPACK", 16, 16, "")
    assert (none["delegate"], none["taken"], none["nodes"], none["threads"]) == ("", 0, 16, 2)
    assert (xnnpack["delegate"], xnnpack["taken"]) == ("XNNPACK", 16)
    if runtime == "tflite":  # its XNNPACK knows no int8
        assert quantised["reason"] == "it takes none of the 18 nodes"
        assert quantised["line"].endswith("no delegate (xnnpack does not run: it takes none of the 18 nodes)")
    else:
        assert (quantised["taken"], quantised["nodes"], quantised["reason"]) == (15, 18, "")


@pytest.mark.parametrize("delegate", ["nnapi", "gpu"])
def test_a_delegate_that_does_not_run_is_named_or_refused(delegate, monkeypatch):
    other = next(name for name in HERE if name != "litert")  # the only one with a GPU delegate
    options = {"runtime": other, "delegate": delegate}
    fallback, required = sessions(("float32", options), ("float32", {**options, "require_delegate": True}))
    reason = {"nnapi": "NNAPI is Android's; this is ", "gpu": "only the runtime litert has a GPU delegate"}
    assert fallback["delegate"] == "XNNPACK"
    assert fallback["reason"].startswith(reason[delegate])
    assert fallback["reason"].endswith(gpu.absence() if delegate == "gpu" else "")
    assert required["error"] == f"expected the delegate {delegate} to run, got {fallback['reason']}"


@pytest.mark.skipif(gpu.absence() != "", reason=gpu.absence())
def test_the_gpu_runs_and_says_on_what():
    whole, refused = sessions(
        ("float32", {"delegate": "gpu"}), ("float32", {"delegate": "gpu", "threads": 1})
    )
    assert whole["delegate"].startswith("WebGPU on ")
    assert (whole["runtime"], whole["taken"], whole["nodes"], whole["reason"]) == ("litert", 16, 16, "")
    assert refused == whole


def test_why_the_gpu_does_not_run_is_told(monkeypatch):
    monkeypatch.setattr(gpu, "absence", lambda: "no Vulkan driver")
    monkeypatch.setattr("converters.runtimes.sessions.choose", lambda name: "litert")
    session = Session.__new__(Session)
    session._runtime = "litert"
    with pytest.raises(Exception, match="no Vulkan driver"):
        session._on_gpu()


@pytest.mark.parametrize("runtime", HERE)
def test_a_library_that_is_no_delegate_is_named_and_xnnpack_runs(runtime, tmp_path):
    text = tmp_path / "delegate.so"
    text.write_text("no library")
    other = importlib.util.find_spec("_ctypes").origin  # a library, but no delegate's
    answers = sessions(
        *[
            ("float32", {"runtime": runtime, "delegate": str(path), "delegate_options": {"a": "b"}})
            for path in (text, other)
        ]
    )
    assert [answer["delegate"] for answer in answers] == ["XNNPACK"] * 2
    assert "invalid ELF header" in answers[0]["reason"] or "file too short" in answers[0]["reason"]
    assert "no tflite_plugin_create_delegate" in answers[-1]["reason"]


RESIZED = """
import json, sys
import numpy as np
from converters.runtimes.interpreters import Refused
from converters.runtimes.sessions import Session
from lenet_edge.packaged.files import content_of
told = []
for delegate in ("auto", "none"):
    session = Session(content_of("lenet5_wide_float32.tflite"), runtime=sys.argv[1], delegate=delegate)
    for width in (272, 32, 117):
        session.resize([1, 32, width, 1])
        output = session.run(np.zeros(session.source["shape"], np.float32))
        told.append([list(output.shape), session.sink["shape"].tolist(), session.report.taken])
    try:
        # TensorFlow's XNNPACK dies of a size that leaves an operator nothing to compute.
        sys.argv[1] == "tensorflow" or session.resize([1, 32, 12, 1])
        told.append("")
    except Refused as error:
        told.append(str(error))
print(json.dumps(told))
"""


@pytest.mark.parametrize("runtime", HERE)
def test_a_session_takes_other_sizes_and_says_which_it_cannot(runtime):
    done = subprocess.run([sys.executable, "-c", RESIZED, runtime], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    for taken, sizes in ((14, told[:4]), (0, told[4:])):
        shapes = [[1, 61, 11], [1, 1, 11], [1, 22, 11]]
        assert sizes[:3] == [[shape, [1, *shape], taken] for shape in shapes]
        assert sizes[3].startswith("" if runtime == "tensorflow" else "it refuses inputs of 1x32x12x1: ")


@pytest.mark.skipif(gpu.absence() != "", reason=gpu.absence())
def test_the_gpu_takes_the_files_own_size_only():
    code = (
        "from converters.runtimes.sessions import Session; from lenet_edge.packaged.files import content_of\n"
        "Session(content_of('float32'), delegate='gpu', runtime='litert').resize([1, 32, 64, 1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Refused: the GPU accelerator accepts only the input size stored in the file" in done.stderr


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"delegate": "tpu"}, "expected a delegate of auto, none, xnnpack, gpu, or the path"),
        ({"delegate": "gpu", "delegate_options": {"a": "b"}}, "expected delegate_options with a delegate's"),
        ({"delegate": "auto", "threads": 0}, "expected 1 to 1024 threads, got 0"),
        ({"delegate": "auto", "threads": 1.5}, "expected 1 to 1024 threads, got 1.5"),
    ],
)
def test_bad_options_are_answered(options, line):
    with pytest.raises(InputError, match=line):
        check_options(**options)


@pytest.mark.parametrize("delegate", ["auto", "none"])
def test_only_a_named_delegate_can_be_required(delegate):
    with pytest.raises(InputError, match="expected a delegate by its name with require_delegate, got"):
        Session(b"", delegate=delegate, require_delegate=True)


def test_a_report_is_a_line():
    report = Report("litert", "2.3.0", "XNNPACK", 13, 16, 1, "gpu", "no Vulkan driver")
    assert str(report) == (
        "ai-edge-litert 2.3.0, XNNPACK takes 13 of 16 nodes (gpu does not run: no Vulkan driver)"
    )
