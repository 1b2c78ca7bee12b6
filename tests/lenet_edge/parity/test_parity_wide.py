"""The wide net in the parity matrix: each width a row, each window within its own tolerance."""

from __future__ import annotations

import json

import numpy as np
import pytest

from converters.base.errors import InputError, exit_status
from converters.file.graph import read_graph
from converters.proof.exact_arithmetic import ideal_outputs
from converters.runtimes.columns import COLUMNS, absence
from lenet_edge.digits import geometry
from lenet_edge.digits.mnist import Digits, test_digits
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.names import WIDE, WIDE_VARIANTS
from lenet_edge.parity import measuring
from lenet_edge.parity.command import main
from lenet_edge.parity.compared_files import compared_files
from lenet_edge.parity.matrix import Matrix, file_of, pictures_of, read_file, row_of
from lenet_edge.parity.references import references

FILES = [f"lenet5_wide_{variant}.tflite" for variant in WIDE_VARIANTS]
WIDTH = 117  # no whole number of steps


def content_of(name):
    return (released_folder() / name).read_bytes()


@pytest.fixture(scope="module")
def digits():
    return Digits(*(part[:40] for part in test_digits()))


@pytest.fixture(scope="module")
def found(digits):
    return references("lenet5_wide", pictures_of(digits, width=WIDTH)[0])


@pytest.fixture(scope="module")
def matrix(digits, found):
    return Matrix(digits, found, width=WIDTH)


@pytest.fixture(scope="module")
def files(found):
    return [
        file_of(row_of(n, WIDTH), content_of(n), read_file(n, content_of(n), net=WIDE), found) for n in FILES
    ]


def test_a_wide_files_exact_answers_are_its_windows(matrix, files):
    """In exact arithmetic a wide picture's answers are those to its windows; the tolerance relies on it."""
    for file in files:
        graph = read_graph(file.content_for((1, 32, WIDTH, 1)))
        whole = ideal_outputs(graph, matrix.inputs).reshape(-1, 11)
        tolerance = matrix._tolerance(file.name, file.graph)
        # float64 sums of some 400 terms in another order; int8 byte for byte
        np.testing.assert_allclose(whole, tolerance.ideal, atol=0 if "int8" in file.name else 1e-12)


def test_the_keras_models_are_within_and_named_by_their_width(matrix, files):
    original, folded, fine_tuned = cells = list(matrix.keras_cells(files))
    assert [cell.row for cell in cells] == ["original at 117", "folded at 117", "fine-tuned at 117"]
    assert all(cell.within for cell in cells)
    assert fine_tuned.agreement >= 90  # off a digit's middle the net is undecided
    assert original.agreement == folded.agreement == 100
    assert original.digits == 40


@pytest.mark.parametrize("name", ["tflite-runtime", "litert", "litert-gpu", "micro"])
def test_every_runtime_reads_another_width_than_the_files_own(matrix, files, name):
    reason = absence(COLUMNS[name])
    if reason:
        pytest.skip(reason)
    float32, int8, fine_tuned = matrix.cells(COLUMNS[name], files, digits=20)
    for cell in (float32, int8, fine_tuned):
        assert cell.within, cell.why
        assert not cell.refused
        assert cell.digits == 20
        assert cell.facts.get("rewritten", False) == (name in ("litert-gpu", "micro"))
        assert cell.largest <= cell.allowed
    assert matrix.scores[int8.row, name].shape == (5 * geometry.windows(WIDTH), 11)
    assert float32.agreement == 100
    # off a digit's middle the net is undecided, and int8 changes some answers
    assert min(int8.agreement, fine_tuned.agreement) >= 90


def test_the_released_files_have_the_originals_weights_within_their_steps(files):
    assert [file.findings for file in files] == [[], [], []]
    assert files[1].exact is not files[2].exact  # the fine-tuned file has weights of its own


def test_a_window_out_of_tolerance_puts_a_cell_out(matrix, files):
    tolerance = matrix._tolerance(files[0].name, files[0].graph)
    scores = tolerance.ideal.copy()
    scores[123, 4] += 3 * tolerance.own
    cell = matrix._cell(files[0].name, "wrong", scores, tolerance)
    assert "1 window beyond its tolerance, window 123 by" in cell.why
    assert matrix._cell(files[0].name, "right", tolerance.ideal, tolerance).within


def test_only_windows_with_a_digit_in_their_middle_count_as_errors(matrix, files):
    tolerance = matrix._tolerance(files[0].name, files[0].graph)
    scores = tolerance.ideal.copy()
    between = np.flatnonzero(matrix.labels < 0)[:10]
    scores[between] = np.roll(scores[between], 1, axis=1)
    right, wrong = (
        matrix._cell("", name, rows, tolerance) for name, rows in (("", tolerance.ideal), ("x", scores))
    )
    assert (right.digits, right.agreement) == (40, 100)
    assert (wrong.digits, wrong.error) == (40, right.error)
    assert wrong.agreement == pytest.approx(100 - 100 * 10 / len(scores), abs=1e-3)


@pytest.fixture(scope="module")
def command_output(tmp_path_factory):
    """Run the command on a few digits; return its status and report."""
    folder = tmp_path_factory.mktemp("parity")
    if absence(COLUMNS["litert"]):
        pytest.skip(absence(COLUMNS["litert"]))
    arguments = ["--net", WIDE, "--column", "litert", "--digits", "4", "--layers"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "WIDTHS", (32, 60))
        status = main([*arguments, "--json", str(folder / "r.json"), "--html", str(folder / "r.html")])
    return status, json.loads((folder / "r.json").read_text()), (folder / "r.html").read_text()


def test_the_command_has_a_row_for_each_file_and_width(command_output):
    status, report, _ = command_output
    assert status == 0
    rows = [f"lenet5_wide_{variant} at {width}" for width in (32, 60) for variant in WIDE_VARIANTS]
    assert list(report["files"]) == rows
    manifest = json.loads((released_folder() / "manifest.json").read_text())["models"]
    assert report["files"][rows[4]]["sha256"] == manifest["lenet5_wide_int8.tflite"]["sha256"]
    assert [cell["row"] for cell in report["cells"] if cell["column"] == "litert"] == rows
    assert all(cell["within"] and cell["digits"] == 4 for cell in report["cells"])
    assert len(report["layers"]["lenet5_wide_int8 at 32"]) == 14
    names = [layer["layer"] for layer in report["layers"]["lenet5_wide_int8_qat at 32"]]
    assert set(names) >= {"C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT", "scores"}


def test_the_report_names_rows_by_precision_and_width(command_output):
    _, _, html = command_output
    assert "int8 at 60" in html
    assert "side by side in pictures of the width that the row names" in html
    assert "Confusion matrices" not in html


def test_the_widths_include_one_window_the_files_own_and_no_whole_step():
    assert measuring.WIDTHS[0] == 32
    assert geometry.OWN_WIDTH in measuring.WIDTHS
    assert any((width - 32) % geometry.STEP for width in measuring.WIDTHS)


@pytest.mark.parametrize(("net", "count"), [("lenet5", 5), ("stock_lenet5", 4), (WIDE, 3)])
def test_files_of_other_nets_are_left_out(net, count):
    found = compared_files(released_folder(), net=net)
    assert len(found) == count
    assert {name.rpartition(net)[0] for name in found} == {""}


def test_answers_are_imported_only_for_nets_that_read_one_digit(tmp_path, capsys):
    (tmp_path / "phone.json").write_text("{}")
    arguments = ["--net", WIDE, "--import", str(tmp_path / "phone.json")]
    assert exit_status(main, arguments, name="lenet-edge parity") == 2
    assert "expected --import without --net lenet5_wide, got both" in capsys.readouterr().err


def test_another_shape_is_refused():
    with pytest.raises(InputError, match="from 1x32x112x1 to 1x1x21x11, got 1x32x32x1 to 1x10"):
        read_file("x", content_of("lenet5_int8.tflite"), net=WIDE)
