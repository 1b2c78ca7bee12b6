"""Imported answers: golden pictures are judged without TensorFlow, test digits like any other column."""

from __future__ import annotations

import copy
import json
import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import lenet_edge
from converters.base.errors import InputError, exit_status
from lenet_edge.benchmark import main as benchmark
from lenet_edge.benchmarking.report import heading
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.packaged.files import content_of, packaged_models
from lenet_edge.parity.command import main
from lenet_edge.parity.imported import read_imports

GOLDEN = json.loads((Path(lenet_edge.__file__).parent / "golden" / "golden.json").read_text())
HASHES = {name: entry["sha256"] for name, entry in packaged_models().items() if name.startswith("lenet5")}
ROOT = Path(__file__).resolve().parents[3]
FLOAT32, INT8 = "lenet5_float32", "lenet5_int8_qat"
GPU = {"asked": "gpu", "delegate": "GPU", "taken": 16, "nodes": 16}
NO_GPU = {"asked": "gpu", "delegate": "", "taken": 0, "nodes": 16, "reason": "no driver <here>"}


def answer(model, *, scores=None, **more):
    """Return a model's answers as an app writes them; by default the golden scores."""
    output = GOLDEN["files"][f"{model}.tflite"]["output"]
    scores = GOLDEN["files"][f"{model}.tflite"]["scores"] if scores is None else scores
    return {
        "model": model,
        **{"runtime": "tflite", "version": "2.16.1"},
        **{"asked": "none", "delegate": "", "reason": "", "taken": 0, "nodes": 16, "threads": 1},
        **{"seconds": 1.2, "pictures": "golden"},
        **{
            "type": output["type"],
            "scale": output.get("scale", 0.0),
            "zero_point": output.get("zero_point", 0),
        },
        "scores": copy.deepcopy(scores),
        **more,
    }


def report_of(*answers):
    """Return the report of an app with `answers`."""
    models = {one["model"]: content_of(f"{one['model']}.tflite") for one in answers}
    report = heading(models, ["app"])
    report["machine"] |= {
        "system": "Android 15",
        "architecture": "aarch64",
        "processor": "Tensor",
        "board": None,
    }
    return report | {"answers": list(answers)}


def written(folder, *answers, name="phone.json"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(report_of(*answers)))
    return folder / name


def judged(folder, *answers):
    """Judge `answers` alone; return the exit status and the report."""
    path = written(folder, *answers)
    status = main(["--import", str(path), "--only-imports", "--json", str(folder / "out.json")])
    return status, json.loads((folder / "out.json").read_text())


def page_text(page):
    tree = ElementTree.fromstring(page.read_text().split("\n", 1)[1])
    return " ".join("".join(tree.itertext()).split())


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tf_keras", "keras", "tflite_runtime", "ai_edge_litert"):
            raise ImportError(f"{name} was imported")

sys.meta_path.insert(0, Missing())
from lenet_edge.parity.command import main
sys.exit(main(sys.argv[1:]))
"""


def test_golden_answers_alone_are_judged_without_any_runtime(tmp_path):
    path, page = written(tmp_path, answer(FLOAT32), answer(INT8)), tmp_path / "page.html"
    command = [sys.executable, "-c", WITHOUT, "--import", str(path), "--only-imports", "--html", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("parity: all within tolerance (2 cells")
    assert "23 golden pictures" in page_text(page)
    assert "2 files in 1 runtime, on the golden pictures" in page_text(page)
    assert "are compared with golden.json" in page_text(page)
    assert "the original Keras model is the reference" not in page_text(page)


def test_golden_answers_become_cells_like_others(tmp_path):
    status, report = judged(tmp_path, answer(FLOAT32), answer(INT8, **GPU), answer(FLOAT32, **GPU))
    assert status == 0
    assert report["within"]
    assert list(report["columns"]) == ["phone.json:tflite:none:1:golden", "phone.json:tflite:gpu:1:golden"]
    titles = [column["title"] for column in report["columns"].values()]
    assert titles[1] == "TensorFlow Lite, GPU, golden pictures (Android 15)"
    assert report["columns"]["phone.json:tflite:gpu:1:golden"]["imported"]["machine"]["processor"] == "Tensor"
    assert list(report["files"]) == [f"{FLOAT32}.tflite", f"{INT8}.tflite"]
    cells = [(cell["row"], cell["column"].split(":")[2]) for cell in report["cells"]]
    assert cells == [(f"{FLOAT32}.tflite", "none"), (f"{INT8}.tflite", "gpu"), (f"{FLOAT32}.tflite", "gpu")]
    int8 = report["cells"][1]
    assert (int8["digits"], int8["error"], int8["agreement"], int8["same"]) == (23, 0, 100, 100)
    assert (int8["largest"], int8["used"], int8["p"]) == (0, 0, 1)
    assert int8["facts"]["runtime"] == "TensorFlow Lite 2.16.1"
    assert (int8["facts"]["delegate"], int8["facts"]["taken"]) == ("GPU", 16)
    assert report["cells"][0]["same"] is None


def shifted(model, step):
    """Return golden scores, one of them `step` beyond its upper limit, and its place."""
    facts = GOLDEN["files"][f"{model}.tflite"]
    scores, high = np.array(facts["scores"]), np.array(facts["high"])
    # Nothing can be beyond the end of the type.
    room = np.where(high < (255 if facts["output"]["type"] == "uint8" else 2), high - scores, -1)
    place = np.unravel_index(int(room.argmax()), room.shape)
    scores[place] = high[place] + step
    return scores.tolist(), place


@pytest.mark.parametrize(
    ("model", "within", "step", "steps"), [(FLOAT32, -1e-6, 1e-4, "0.0256 steps"), (INT8, 0, 1, "1 steps")]
)
def test_a_score_beyond_golden_limits_puts_a_cell_out_and_one_at_them_does_not(
    tmp_path, model, within, step, steps
):
    scores, (picture, _) = shifted(model, within)
    status, report = judged(tmp_path, answer(model, scores=scores))
    (cell,) = report["cells"]
    assert (status, cell["why"]) == (0, "")
    assert cell["used"] == pytest.approx(100, rel=0.01)
    assert cell["largest"] == pytest.approx(cell["allowed"], rel=0.01)
    assert cell["same"] == (pytest.approx(100 * 22 / 23, abs=1e-3) if model == INT8 else None)
    scores, _ = shifted(model, step)
    status, report = judged(tmp_path, answer(model, scores=scores))
    (cell,) = report["cells"]
    name = GOLDEN["pictures"][picture]["name"]
    assert (status, report["within"]) == (1, False)
    assert cell["why"] == f"1 picture beyond golden.json's limits, {name} by {steps}"
    assert cell["used"] > 100


def test_the_lower_limit_counts_too(tmp_path):
    facts = GOLDEN["files"][f"{INT8}.tflite"]
    scores, low = np.array(facts["scores"]), np.array(facts["low"])
    place = np.unravel_index(int(np.where(low > 0, low, 0).argmax()), low.shape)
    scores[place] = low[place] - 3
    status, report = judged(tmp_path, answer(INT8, scores=scores.tolist()))
    assert status == 1
    assert report["cells"][0]["why"].endswith("by 3 steps")


def test_the_error_is_of_the_pictures_with_a_label_and_agreement_of_all(tmp_path):
    scores = np.array(GOLDEN["files"][f"{INT8}.tflite"]["scores"])
    for place in (3, 22):  # a digit, and the noise picture
        scores[place] = np.roll(scores[place], 1)
    _, report = judged(tmp_path, answer(INT8, scores=scores.tolist()))
    (cell,) = report["cells"]
    assert cell["error"] == 5  # 1 of 20
    assert cell["agreement"] == pytest.approx(100 * 21 / 23, abs=1e-3)
    assert (cell["only_original_right"], cell["only_this_right"]) == (1, 0)
    assert cell["why"].startswith("2 pictures")


def test_a_delegate_that_did_not_run_is_named_with_its_reason(tmp_path, capsys):
    path = written(tmp_path, answer(FLOAT32, **NO_GPU), answer(INT8, **GPU))
    page = tmp_path / "page.html"
    assert main(["--import", str(path), "--only-imports", "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "\n  gpu did not run: no driver <here> (lenet5_float32.tflite)\n" in printed
    assert "gpu did not run: no driver <here> (float32)" in page_text(page)
    assert main(["--import", str(written(tmp_path, answer(FLOAT32, **NO_GPU))), "--only-imports"]) == 0
    assert "\n  gpu did not run: no driver <here>\n" in capsys.readouterr().out


def test_two_phones_have_columns_of_their_own(tmp_path):
    paths = [written(tmp_path / folder, answer(FLOAT32)) for folder in ("a", "b")]
    columns = [imported.column for imported in read_imports(paths, HASHES)]
    assert [column.name for column in columns] == [
        "phone.json:tflite:none:1:golden",
        "phone.json:tflite:none:1:golden:2",
    ]
    assert len({column.title for column in columns}) == 2


def test_a_board_is_shown_by_its_name(tmp_path):
    report = report_of(answer(FLOAT32, threads=4))
    report["machine"]["board"] = "Pixel 8"
    (tmp_path / "a.json").write_text(json.dumps(report))
    (found,) = read_imports([tmp_path / "a.json"], HASHES)
    assert found.column.title == "TensorFlow Lite, no delegate, 4 threads, golden pictures (Pixel 8)"


DAMAGES = {
    "invalid JSON": lambda r: None,
    "one without answers": lambda r: r.pop("answers"),
    "answers = []": lambda r: r.update(answers=[]),
    "answers = {}": lambda r: r.update(answers={}),
    "answers[1] that is not an object": lambda r: r["answers"].__setitem__(1, 7),
    "one without answers[0].pictures": lambda r: r["answers"][0].pop("pictures"),
    "answers[0].pictures = 'mine'": lambda r: r["answers"][0].update(pictures="mine"),
    "answers[0].model = 'other'": lambda r: r["answers"][0].update(model="other"),
    "answers[0].model = 5": lambda r: r["answers"][0].update(model=5),
    "answers[0].runtime = ''": lambda r: r["answers"][0].update(runtime=""),
    "answers[0].version = '2\\n3'": lambda r: r["answers"][0].update(version="2\n3"),
    "answers[0].asked = ''": lambda r: r["answers"][0].update(asked=""),
    "answers[0].delegate = '\\x1b[1m'": lambda r: r["answers"][0].update(delegate="\x1b[1m", taken=1),
    "answers[0].reason = ''": lambda r: r["answers"][0].update(asked="gpu"),
    "answers[0].reason = None": lambda r: r["answers"][0].update(reason=None),
    "answers[0].taken = 17": lambda r: r["answers"][0].update(taken=17, delegate="GPU"),
    "answers[0].taken = 0": lambda r: r["answers"][0].update(delegate="GPU"),
    "answers[0].taken = 3": lambda r: r["answers"][0].update(taken=3),
    "answers[0].taken = True": lambda r: r["answers"][0].update(taken=True),
    "answers[0].threads = 0": lambda r: r["answers"][0].update(threads=0),
    "answers[0].seconds = nan": lambda r: r["answers"][0].update(seconds=float("nan")),
    "answers[0].seconds = -1": lambda r: r["answers"][0].update(seconds=-1),
    "answers[0].type = 'float16'": lambda r: r["answers"][0].update(type="float16"),
    "answers[0].scale = 0.5": lambda r: r["answers"][0].update(scale=0.5),
    "answers[1].scale = 0": lambda r: r["answers"][1].update(scale=0),
    "answers[1].scale = inf": lambda r: r["answers"][1].update(scale=float("inf")),
    "answers[1].zero_point = 256": lambda r: r["answers"][1].update(zero_point=256),
    "answers[0].scores of 0 pictures, not 1 to 10000": lambda r: r["answers"][0].update(scores=[]),
    "answers[0].scores of 10001 pictures, ": lambda r: r["answers"][0].update(scores=[[0.1] * 10] * 10_001),
    "answers[0].scores[7] that is not a list of": lambda r: r["answers"][0]["scores"].__setitem__(
        7, "1234567890"
    ),
    "answers[0].scores[8] that is not a list of": lambda r: r["answers"][0]["scores"][8].pop(),
    "answers[0].scores[9] with nan": lambda r: r["answers"][0]["scores"][9].__setitem__(1, float("nan")),
    "answers[0].scores[9] with 1e+39": lambda r: r["answers"][0]["scores"][9].__setitem__(1, 1e39),
    "answers[0].scores[2] with None": lambda r: r["answers"][0]["scores"][2].__setitem__(1, None),
    "answers[0].scores[2] with True": lambda r: r["answers"][0]["scores"][2].__setitem__(1, True),
    "answers[1].scores[2] with 256": lambda r: r["answers"][1]["scores"][2].__setitem__(9, 256),
    "answers[1].scores[2] with -1": lambda r: r["answers"][1]["scores"][2].__setitem__(9, -1),
    "answers[1].scores[2] with 1.0": lambda r: r["answers"][1]["scores"][2].__setitem__(9, 1.0),
    "answers[2], a duplicate of earlier answers": lambda r: r["answers"].append(r["answers"][0]),
    "machine.board = 7": lambda r: r["machine"].update(board=7),
    "machine.system = 'a\\tb'": lambda r: r["machine"].update(system="a\tb"),
    "date = 'today\\n'": lambda r: r.update(date="today\n"),
    "lenet5_float32.tflite": lambda r: r["models"][FLOAT32].update(sha256="00"),
    "other.tflite": lambda r: (
        r["models"].update(other=r["models"][FLOAT32]) or r["answers"][0].update(model="other")
    ),
    "22": lambda r: r["answers"][0]["scores"].pop(),
    "float32": lambda r: r["answers"][1].update(
        type="float32", scale=0.0, scores=[[0.1] * 10] * len(GOLDEN["pictures"])
    ),
    "0.5": lambda r: r["answers"][1].update(scale=0.5),
    "3": lambda r: r["answers"][1].update(zero_point=3),
}
"""Ways to damage a report of float32 and int8, by the message they cause."""

OTHER_MESSAGES = {
    "lenet5_float32.tflite": f"expected lenet5_float32.tflite of sha256 {HASHES[f'{FLOAT32}.tflite']} in ",
    "other.tflite": "answers[0].model to be one of lenet5_float32.tflite, lenet5_float16.tflite, ",
    "22": "answers[0].scores of the 23 golden pictures, got 22",
    "float32": "answers[1].type to be the file's, uint8, got float32",
    "0.5": "answers[1].scale to be the file's, 0.00390625, got 0.5",
    "3": "answers[1].zero_point to be the file's, 0, got 3",
}


@pytest.mark.parametrize("message", DAMAGES)
def test_damage_gives_one_line_that_names_the_field(tmp_path, capsys, message):
    report = report_of(answer(FLOAT32), answer(INT8))
    DAMAGES[message](report)
    text = json.dumps(report)
    (tmp_path / "a.json").write_text(text[:-5] if message == "invalid JSON" else text)
    out = tmp_path / "out.json"
    command = ["--import", str(tmp_path / "a.json"), "--only-imports", "--json", str(out)]
    assert exit_status(main, command, name="parity") == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert OTHER_MESSAGES.get(message, f", got {message}") in err
    assert "a.json" in err
    assert not out.exists()


def test_a_report_cut_anywhere_gives_one_line(tmp_path, capsys):
    text = json.dumps(report_of(answer(INT8)))
    for length in range(0, len(text) - 1, len(text) // 40):
        (tmp_path / "a.json").write_text(text[:length])
        assert exit_status(main, ["--import", str(tmp_path / "a.json"), "--only-imports"], name="parity") == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_answers_from_a_file_that_golden_json_lacks_are_refused(tmp_path, capsys):
    """The folder's file is the report's, but golden.json has the released one."""
    content = bytearray(content_of(f"{FLOAT32}.tflite"))
    models = tmp_path / "models"
    models.mkdir()
    (models / f"{FLOAT32}.tflite").write_bytes(bytes(content) + b"\0\0\0\0")
    report = report_of(answer(FLOAT32))
    report["models"] = heading({FLOAT32: bytes(content) + b"\0\0\0\0"}, [])["models"]
    (tmp_path / "a.json").write_text(json.dumps(report))
    command = ["--models", str(models), "--import", str(tmp_path / "a.json"), "--only-imports"]
    assert exit_status(main, command, name="parity") == 2
    assert (
        "answers[0] to be from a file of golden.json, got lenet5_float32.tflite of" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only-imports"], "expected --only-imports with --import, got none"),
        (
            ["--import", "FILE", "--only-imports", "--layers"],
            "expected --only-imports without --column, --del",
        ),
        (
            ["--import", "FILE", "--only-imports", "--column", "tf.lite"],
            "expected --only-imports without --col",
        ),
        (
            ["--import", "FILE", "--only-imports", "--slow-digits", "5"],
            "--layers and --slow-digits, got one of them",
        ),
        (["--import", "nowhere.json"], "nowhere.json: expected a file or folder, got nothing there"),
    ],
)
def test_options_that_contradict_give_one_line(tmp_path, capsys, arguments, message):
    path = str(written(tmp_path, answer(FLOAT32)))
    arguments = [path if word == "FILE" else word for word in arguments]
    assert exit_status(main, arguments, name="parity") == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_report_with_answers_and_no_times_is_read_by_compare(tmp_path, capsys):
    path = str(written(tmp_path, answer(FLOAT32)))
    assert benchmark(["--compare", path, path]) == 0
    assert "nothing was timed in both" in capsys.readouterr().out


DIGITS = 60


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Compare `tf.lite` with an app that answers the same, one that is wrong once, and golden pictures."""
    pytest.importorskip("tensorflow")
    from converters.runtimes.tensorflow_interpreter import run_stored

    inputs = pad(test_digits().images[:DIGITS])[..., None].astype(np.float32)
    answers = []
    for model in (FLOAT32, INT8):
        scores = run_stored(content_of(f"{model}.tflite"), inputs)[1]
        wrong = scores.copy()
        wrong[41] = np.roll(wrong[41], 1)
        for app_scores, delegate in ((scores, {}), (wrong, GPU)):
            answers.append(answer(model, scores=app_scores.tolist(), pictures="test digits", **delegate))
    folder = tmp_path_factory.mktemp("imported")
    path, models = written(folder, *answers, answer(INT8)), folder / "models"
    models.mkdir()
    for model in (FLOAT32, INT8):
        (models / f"{model}.tflite").write_bytes(content_of(f"{model}.tflite"))
    arguments = ["--models", str(models), "--import", str(path), "--column", "tf.lite", "--digits", "80"]
    status = main([*arguments, "--json", str(folder / "out.json"), "--html", str(folder / "page.html")])
    return status, json.loads((folder / "out.json").read_text()), page_text(folder / "page.html")


def cells_of(report, column):
    return {cell["row"]: cell for cell in report["cells"] if cell["column"] == column}


def test_test_digits_give_ordinary_cells(imported):
    _, report, page = imported
    assert list(report["columns"]) == [
        "tf.lite",
        "phone.json:tflite:none:1:test",
        "phone.json:tflite:gpu:1:test",
        "phone.json:tflite:none:1:golden",
    ]
    cells = cells_of(report, "phone.json:tflite:none:1:test")
    assert list(cells) == [f"{FLOAT32}.tflite", f"{INT8}.tflite"]
    for cell in cells.values():
        assert (cell["digits"], cell["within"], cell["agreement"]) == (DIGITS, True, 100)
    assert cells[f"{INT8}.tflite"]["same"] == 100
    assert cells[f"{INT8}.tflite"]["facts"]["seconds"] == 1.2
    assert f"first {DIGITS} digits" in page
    assert "test digits, from phone.json" in page
    assert "Android 15, aarch64, Tensor" in page
    assert "3 runtimes ran elsewhere" in page


def test_a_wrong_answer_to_one_test_digit_puts_its_cell_out(imported):
    status, report, page = imported
    assert status == 1
    for cell in cells_of(report, "phone.json:tflite:gpu:1:test").values():
        assert "1 digit beyond its tolerance, digit 41 by" in cell["why"]
    assert "int8_qat in TensorFlow Lite, GPU (Android 15)" in page
    assert sum(not cell["within"] for cell in report["cells"]) == 2


def test_golden_cells_are_listed_with_the_others(imported):
    _, report, page = imported
    (cell,) = cells_of(report, "phone.json:tflite:none:1:golden").values()
    assert (cell["digits"], cell["within"]) == (23, True)
    assert "23 golden pictures" in page


def test_more_digits_than_requested_are_left_out(tmp_path):
    (found,) = read_imports([written(tmp_path, answer(INT8))], HASHES)
    (answers,) = found.answers.values()
    first = answers.first(5)
    assert first.outputs.tolist() == GOLDEN["files"][f"{INT8}.tflite"]["scores"][:5]
    assert first.seconds == pytest.approx(1.2 * 5 / 23)
    assert len(answers.first(100).outputs) == 23


def test_the_readme_table_takes_imported_columns(tmp_path, imported):
    _, report, _ = imported
    script = runpy.run_path(str(ROOT / "scripts" / "readme.py"))
    report = copy.deepcopy(report)
    name = "phone.json:tflite:gpu:1:test"
    report["columns"][name]["title"] = "An app | GPU"
    for cell in report["cells"]:
        if cell["column"] == name and cell["row"] == f"{INT8}.tflite":
            cell["facts"]["reason"] = "no driver"
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "parity.json").write_text(json.dumps(report))
    script["parity"].__globals__["ROOT"] = tmp_path
    rows = [[cell.strip() for cell in row.split(" | ")] for row in script["parity"]().splitlines()]
    assert rows[2][0] == "| TensorFlow; first 80 digits"
    assert rows[3] == [
        f"| TensorFlow Lite, no delegate (Android 15); first {DIGITS} digits",
        *("1.67 %", "1.67 % (100.00 %) |"),
    ]
    assert rows[4][0] == f"| An app / GPU; first {DIGITS} digits"
    assert rows[4][2] == "3.33 % (98.33 %), gpu did not run OUT |"
    assert rows[5][0].endswith("golden pictures (Android 15); 23 pictures")
    assert rows[5][1] == "–"
    for cell in report["cells"]:
        cell["digits"] = 10_000
    (tmp_path / "results" / "parity.json").write_text(json.dumps(report))
    assert "first" not in script["parity"]()


def test_answers_stored_unlike_the_files_output_are_refused_before_measuring(tmp_path):
    from lenet_edge.parity.measuring import measure

    scores = [[0.1] * 10]
    path = written(
        tmp_path,
        answer(INT8, scores=scores, type="float32", scale=0.0, zero_point=0, pictures="test digits"),
    )
    imports = read_imports([path], HASHES)
    with pytest.raises(InputError, match=r"answers\[0\].type to be the file's, uint8, got float32"):
        measure(
            {f"{INT8}.tflite": content_of(f"{INT8}.tflite")},
            test_digits(),
            net="lenet5",
            columns=[],
            slow_digits=1,
            layers=False,
            imports=imports,
        )
