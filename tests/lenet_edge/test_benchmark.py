"""The benchmark's report, its tables and its chart; no test asserts a time."""

from __future__ import annotations

import copy
import importlib.util
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from converters.base.errors import InputError, exit_status
from converters.base.installed import RUNTIMES, unusable_reason
from lenet_edge import benchmark
from lenet_edge.benchmarking import choosing, comparison, peers, plot, report, table
from lenet_edge.benchmarking.child_process import run_job
from lenet_edge.benchmarking.timing_worker import digit_for
from lenet_edge.packaged.files import content_of, packaged_models

HERE = [name for name in RUNTIMES if not unusable_reason(name, alone=True) and name != "tensorflow"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run a short real benchmark; return the finished process, its report and the path of its chart."""
    folder = tmp_path_factory.mktemp("benchmark")
    files = [str(folder / "report.json"), str(folder / "picture.png")]
    drawn = ["--png", files[1]] if importlib.util.find_spec("matplotlib") else []
    command = [sys.executable, "-m", "lenet_edge.benchmark", "float32", "int8", "--seconds", "0.1"]
    command += ["--profile", "--json", files[0], *drawn]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done, report.read_report(files[0]), folder / "picture.png"


@pytest.fixture
def facts(ran):
    """Return a copy of the short benchmark's report, free to change."""
    return copy.deepcopy(ran[1])


def test_a_short_real_run_times_both_models_in_the_report(ran):
    _, found, _ = ran
    assert [one["model"] for one in found["results"]] == ["lenet5_float32", "lenet5_int8"]
    assert found["failures"] == []
    for one in found["results"]:
        ratio = one["invoke_ratio"]
        assert 0 < ratio["low"] <= ratio["value"] <= ratio["high"] < np.inf
        assert one["cold"]["peak_bytes"] > 0
        assert one["cold"]["first_run_us"] > 0
    counts = [one["nodes"] for one in found["results"]]
    assert [len(one["nodes"]) for one in found["profiles"]] == counts
    assert found["command"][:2] == ["lenet-edge benchmark", "float32"]


def test_the_report_names_the_files_by_their_hashes(ran):
    for name, entry in ran[1]["models"].items():
        assert entry["sha256"] == packaged_models()[f"{name}.tflite"]["sha256"]


def test_the_output_fits_100_columns_and_names_what_was_timed(ran):
    lines = ran[0].stdout.splitlines()
    assert max(map(len, lines)) <= 100
    for wanted in ("lenet5_float32 ", "lenet5_int8 ", "95 % interval", "CONV_2D", "memory MiB"):
        assert wanted in ran[0].stdout
    assert ran[0].stderr == ""


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed")
def test_the_chart_is_a_png_that_is_not_blank(ran):
    with Image.open(ran[2]) as picture:
        assert picture.format == "PNG"
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_a_report_comes_back_as_it_was_written(facts, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(facts))
    assert report.read_report(tmp_path / "r.json") == facts


DAMAGES = {
    "invalid JSON": lambda r: None,
    "another kind of JSON": lambda r: r.update(format="x"),
    "schema 2": lambda r: r.update(schema=2),
    "one without machine": lambda r: r.pop("machine"),
    "results = 'x'": lambda r: r.update(results="x"),
    r"results\[1\] that is not an object": lambda r: r["results"].__setitem__(1, 7),
    r"results\[0\].threads = True": lambda r: r["results"][0].update(threads=True),
    r"one without results\[0\].run.p50": lambda r: r["results"][0]["run"].pop("p50"),
    r"results\[0\].invoke_ratio that is not an object": lambda r: r["results"][0].update(invoke_ratio=None),
    r"results\[1\].run_ratio.low = 'a'": lambda r: r["results"][1]["run_ratio"].update(low="a"),
    r"results\[0\].loads that are not all microseconds": lambda r: r["results"][0].update(loads=[1.0, None]),
    "models.lenet5_int8.sha256 = 5": lambda r: r["models"]["lenet5_int8"].update(sha256=5),
    r"one without results\[0\].cold.peak_bytes": lambda r: r["results"][0]["cold"].pop("peak_bytes"),
    "machine.processors = 'two'": lambda r: r["machine"].update(processors="two"),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_an_error_says_what_is_wrong_with_a_damaged_report(facts, tmp_path, message):
    DAMAGES[message](facts)
    text = json.dumps(facts)
    (tmp_path / "r.json").write_text(text[:-5] if message == "invalid JSON" else text)
    with pytest.raises(InputError, match=f"r.json to be a report of lenet-edge benchmark.*, got {message}"):
        report.read_report(tmp_path / "r.json")


def slower(facts, factor):
    for one in facts["results"]:
        one["loads"] = [factor * time for time in one["loads"]]
        one["run"]["p50"] *= factor
    return facts


def test_a_comparison_has_the_ratio_of_the_loads(facts):
    steady = copy.deepcopy(facts)
    for one in (facts, steady):
        for result in one["results"]:
            result["loads"] = [10.0] * 12
    found = comparison.matching_results(facts, slower(steady, 3))
    assert [pair.model for pair in found] == ["lenet5_float32", "lenet5_int8"]
    assert found[0].ratio == pytest.approx((3, 3, 3))
    assert found[0].second == pytest.approx(3 * found[0].first)
    assert found[0].certain


def test_the_ratio_of_two_reports_is_as_uncertain_as_both(facts):
    other = copy.deepcopy(facts)
    for one, loads in ((facts, [9.0, 10.0, 11.0]), (other, [10.0, 11.0, 12.0])):
        for result in one["results"]:
            result["loads"] = loads * 4  # of twelve, the interval leaves out two at each end
    pair = comparison.matching_results(facts, other)[0]
    assert pair.ratio == pytest.approx((11 / 10, 10 / 11, 12 / 9))
    assert pair.certain is False


def test_a_report_compared_with_itself_shows_no_difference(facts):
    assert [pair.certain for pair in comparison.matching_results(facts, facts)] == [False, False]
    assert "no difference" in "\n".join(comparison.compare_lines(facts, facts))


def test_other_files_of_the_same_name_are_marked(facts):
    other = copy.deepcopy(facts)
    other["models"]["lenet5_int8"]["sha256"] = "0" * 64
    lines = comparison.compare_lines(facts, other)
    assert [" *" in line for line in lines if line.startswith("lenet5")] == [False, True]
    assert lines[-1] == "* the two are not the same file"


def test_a_comparison_of_reports_with_nothing_in_common_says_so(facts):
    other = copy.deepcopy(facts)
    for one in other["results"]:
        one["threads"] = 4
    assert comparison.compare_lines(facts, other)[-1].startswith("nothing was timed in both")


def test_compare_reads_two_files_and_measures_nothing(facts, tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(facts))
    assert benchmark.main(["--compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 0
    assert "B / A" in capsys.readouterr().out


ERRORS = {
    "expected a .tflite file or one of .*, got lenet6": ["lenet6"],
    "expected 1 to 1024 threads, got 0": ["--threads", "1,0"],
    "expected --seconds above 0, got -1": ["--seconds", "-1"],
    "expected a delegate of .*, got tpu": ["--delegate", "tpu"],
    "expected a folder of peers, got nowhere": ["--peers", "nowhere"],
    "expected --compare without models, got float32": ["float32", "--compare", "a.json", "b.json"],
    "expected --compare without --png, got both": ["--compare", "a.json", "b.json", "--png", "c.png"],
    "--compare without --threads, --json, got all": [
        *("--compare", "a.json", "b.json", "--json", "c.json", "--threads", "1"),
    ],
    "missing.json: expected a file or folder, got nothing there": ["--compare", "missing.json", "b.json"],
}


@pytest.mark.parametrize("message", ERRORS)
def test_bad_input_gives_one_line_and_status_2(message, capsys):
    assert exit_status(benchmark.main, ERRORS[message], name=benchmark.NAME) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert re.search(message, err)


@pytest.mark.parametrize("argv", [["--runtime", "onnx"], ["--compare", "a.json"], ["--threads", "two"]])
def test_a_parser_error_has_status_2(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        benchmark.main(argv)
    assert ended.value.code == 2
    assert "lenet-edge benchmark: error:" in capsys.readouterr().err


def test_a_missing_matplotlib_is_reported_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(plot.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="expected matplotlib for --png, got none: pip install matplotlib"):
        benchmark.main(["--png", "x.png"])


def test_a_missing_runtime_is_an_error_by_name_and_left_out_of_all(monkeypatch):
    monkeypatch.setattr(
        choosing, "unusable_reason", lambda name, alone: "" if name == "litert" else "it is away"
    )
    with pytest.raises(InputError, match="expected the runtime tflite, got it is away"):
        choosing.choose_runtimes(["litert", "tflite"])
    chosen = choosing.choose_runtimes(["all"])
    assert chosen.names == ["litert"]
    assert [one["runtime"] for one in chosen.failures] == ["tflite", "tensorflow"]
    assert table.failure_lines(chosen.failures)[0] == "not timed: tflite-runtime: it is away"


def test_a_model_named_twice_is_timed_twice():
    assert list(choosing.contents_by_name(["float32", "lenet5_float32.tflite"])) == [
        "lenet5_float32",
        "lenet5_float32 (2)",
    ]


def test_a_failed_child_is_reported_with_its_last_line(tmp_path):
    with pytest.raises(InputError, match="the process ended with status 1: KeyError: 'peers'"):
        run_job("lenet_edge.benchmarking.timing_worker", {"models": {}, "threads": [1]}, tmp_path)


@pytest.mark.parametrize("model", ["float32", "int8", "stock_lenet5_int8.tflite"])
def test_the_input_is_a_digit_in_the_files_own_type(model):
    from converters.runtimes.sessions import Session

    source = Session(content_of(model)).source
    stored = digit_for(source)
    assert (stored.shape, stored.dtype) == (tuple(source["shape"]), source["dtype"])
    assert stored.max() > 200
    assert digit_for({"shape": [1, 7], "dtype": np.float32}).shape == (1, 7)


def test_a_peer_with_different_scores_is_left_out_with_the_reason(monkeypatch, tmp_path):
    wrong = peers.Peer(
        "Wrong", "json", lambda path, threads: lambda stored: np.full((1, 10), 0.1, np.float32)
    )
    broken = peers.Peer("Broken", "json", lambda path, threads: 1 / 0)
    missing = peers.Peer("Missing", "no_such_package", lambda path, threads: None)
    monkeypatch.setattr(peers, "PEERS", {".wrong": wrong, ".broken": broken, ".missing": missing})
    for suffix in peers.PEERS:
        (tmp_path / f"net{suffix}").touch()
    loads, reasons = peers.peer_loads(tmp_path, {"net": content_of("float32")}, runtime="auto", threads=1)
    assert loads == {}
    assert "off the .tflite file's" in reasons["net", "Wrong"]
    assert reasons["net", "Broken"] == "ZeroDivisionError: division by zero"
    assert "make bench-peers" in reasons["net", "Missing"]


def test_a_peer_with_the_same_scores_is_timed(monkeypatch, tmp_path):
    from converters.runtimes.sessions import Session

    same = peers.Peer("Same", "numpy", lambda path, threads: Session(content_of("float32")).run)
    monkeypatch.setattr(peers, "PEERS", {".same": same})
    (tmp_path / "net.same").touch()
    loads, reasons = peers.peer_loads(tmp_path, {"net": content_of("float32")}, runtime="auto", threads=1)
    assert reasons == {}
    assert loads["net", "Same"]().report == {"runtime": "Same", "version": np.__version__}


def test_a_folder_without_peers_is_reported(tmp_path):
    _, reasons = peers.peer_loads(tmp_path, {"net": b""}, runtime="auto", threads=1)
    assert "holds no peer of these models" in reasons["", "peers"]


def test_a_delegate_that_does_not_run_is_named_below_the_table(facts):
    facts["results"][0].update(asked="gpu", reason="no graphics card")
    assert "  gpu does not run: no graphics card" in table.timing_lines(facts["results"])


def test_the_chart_shows_peers_and_several_thread_counts(facts):
    pytest.importorskip("matplotlib")
    other = copy.deepcopy(facts["results"][0])
    other.update(runtime="ONNX Runtime", version="1", invoke=None, invoke_ratio=None, threads=4)
    facts["results"].append(other)
    with Image.open(io.BytesIO(plot.draw(facts))) as picture:
        assert picture.width == 1100


def test_the_chart_has_room_for_long_names_and_wide_intervals(facts):
    pytest.importorskip("matplotlib")
    first = facts["results"][0]
    first["model"] = "a_model_with_quite_a_long_name_as_users_have_them"
    interval = {"value": 1.589, "low": 1.379, "high": 1111.038}
    first["invoke_ratio"] = first["run_ratio"] = interval
    with Image.open(io.BytesIO(plot.draw(facts))) as picture:
        grey = np.asarray(picture.convert("L"))
    assert (grey[:, [0, -1]] == 255).all()  # what does not fit is cut off there
