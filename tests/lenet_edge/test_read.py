"""`lenet-edge read`: its answers, its drawings, and its exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_lines import draw_line, encoded
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from converters.base.errors import exit_status
from lenet_edge import read
from lenet_edge.digits.idx import idx_bytes
from lenet_edge.digits.mnist import test_digits as mnist_test_digits
from lenet_edge.packaged import thresholds
from lenet_edge.picture.files import read_images
from lenet_edge.picture.line.finding import find_line
from lenet_edge.reading import string_answer as string_answers
from lenet_edge.reading.decoding import FEW
from lenet_edge.reading.digit_boxes import ink_boxes
from lenet_edge.reading.string_answer import Box, row_edges
from lenet_edge.runtime.string_decoder import DigitString, ReadDigit

TEXT = "7210414"  # the first test digits
PHOTOGRAPH = draw_line(
    mnist_test_digits().images[:7], seed=1, body=70, slope=5, stroke=2.5, ruling="ruled", room=1.5
)
BLANK = np.full((40, 90), 230, np.uint8)


@pytest.fixture
def run(capsys):
    """Run the command here with a threshold of 0.5; return its status and what it printed."""

    def run(*arguments):
        given = [*map(str, arguments)]
        chosen = given if "--threshold" in given else [*given, "--threshold", "0.5"]
        status = exit_status(read.main, chosen, name=read.NAME)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.jpg"
    path.write_bytes(encoded(PHOTOGRAPH.grey, quality=90))
    return path


@pytest.fixture
def folder(tmp_path, photograph):
    """A folder with a line, two lines, nothing, and a file that is no picture."""
    (tmp_path / "blank.png").write_bytes(encoded(BLANK, "PNG"))
    both = np.vstack([PHOTOGRAPH.grey, PHOTOGRAPH.grey])
    (tmp_path / "two.png").write_bytes(encoded(both, "PNG"))
    return tmp_path


def test_text_is_a_line_for_each_picture(run, folder):
    status, out, err = run(folder)
    assert (status, err) == (0, "")
    blank, line, two = out.splitlines()
    assert blank == f"{folder}/blank.png: blank (nothing is written on it)"
    assert line.startswith(f"{folder}/photograph.jpg: {TEXT}  ")
    assert line.endswith(" %")
    assert two == f"{folder}/two.png: lines (2 lines of digits, where one is read)"


@pytest.mark.parametrize(("name", "text"), [("amount-25441.jpg", "25441"), ("crowded-42.png", "42")])
def test_lines_in_a_hand_that_is_not_mnists_are_read(capsys, name, text):
    """By the packaged threshold; the dot of 25.441 is passed over."""
    picture = Path(__file__).parents[1] / "data" / name
    assert read.main([str(picture)]) == 0
    answer = capsys.readouterr().out.split()
    assert answer[1] == text
    assert "unsure" not in answer


def test_json_has_every_fact_of_each_picture(run, folder):
    status, out, _ = run(folder, "--json")
    assert status == 0
    blank, line, two = map(json.loads, out.splitlines())
    assert list(line) == ["file", "digits", "probability", "sure", "boxes", "finding"]
    assert (line["digits"], line["sure"], line["finding"]) == (TEXT, True, "line")
    assert 0.5 < line["probability"] <= 1
    assert [box["digit"] for box in line["boxes"]] == [int(digit) for digit in TEXT]
    assert all(
        list(box) == ["digit", "probability", "left", "top", "right", "bottom"] for box in line["boxes"]
    )
    assert all(0 < box["probability"] <= 1 for box in line["boxes"])
    assert blank == {
        **{"file": f"{folder}/blank.png", "digits": None, "probability": None, "sure": False},
        **{"boxes": [], "finding": "blank", "reason": "nothing is written on it"},
    }
    assert (two["digits"], two["finding"]) == (None, "lines")


def overlap(box, drawn):
    """Return the shared share of two boxes, each left, top, right, bottom."""
    sides = np.minimum(box[2:], drawn[2:]) - np.maximum(box[:2], drawn[:2])
    shared = np.prod(np.maximum(sides, 0))
    return shared / (np.prod(box[2:] - box[:2]) + np.prod(drawn[2:] - drawn[:2]) - shared)


@pytest.mark.parametrize("times", [1, 6])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_boxes_lie_over_the_digits_of_the_file_however_large(run, tmp_path, times, kind):
    large = PHOTOGRAPH.grey.repeat(times, axis=0).repeat(times, axis=1)
    (tmp_path / "large").write_bytes(encoded(large, kind))
    boxes = json.loads(run(tmp_path / "large", "--json")[1])["boxes"]
    found = np.array([[box[side] for side in ("left", "top", "right", "bottom")] for box in boxes])
    assert len(found) == len(TEXT)
    for box, drawn in zip(found, PHOTOGRAPH.boxes * times, strict=True):
        assert overlap(box, drawn) > 0.7


def test_the_same_is_read_however_the_picture_is_turned_by_its_file(run, tmp_path):
    turned = Image.fromarray(PHOTOGRAPH.grey).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    turned.save(stream, "JPEG", exif=exif, quality=95)
    (tmp_path / "turned.jpg").write_bytes(stream.getvalue())
    assert f": {TEXT}  " in run(tmp_path / "turned.jpg")[1]


def test_standard_input_is_read(photograph):
    command = [sys.executable, "-m", "lenet_edge.read", "-", "--json", "--threshold", "0.5"]
    done = subprocess.run(command, input=photograph.read_bytes(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    facts = json.loads(done.stdout)
    assert (facts["file"], facts["digits"]) == ("standard input", TEXT)


def test_the_pictures_of_an_idx_file_are_counted(run, tmp_path):
    grey = PHOTOGRAPH.grey
    (tmp_path / "lines.idx").write_bytes(idx_bytes(np.stack([grey, np.full_like(grey, 255)])))
    first, second = map(json.loads, run(tmp_path / "lines.idx", "--json")[1].splitlines())
    assert (first["index"], first["digits"]) == (0, TEXT)
    assert (second["index"], second["finding"]) == (1, "blank")
    assert run(tmp_path / "lines.idx")[1].splitlines()[0].startswith(f"{tmp_path}/lines.idx[0]: {TEXT}")


@pytest.mark.parametrize("good", [True, False])
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(run, folder, good):
    (folder / "broken.png").write_bytes(b"no picture")
    narrow = encoded(np.zeros((32, 5), np.uint8), "PNG")
    (folder / "narrow.png").write_bytes(narrow)
    files = [folder] if good else [folder / "broken.png", folder / "narrow.png"]
    status, out, err = run(*files)
    assert (status, len(out.splitlines())) == ((1, 3) if good else (2, 0))
    broken, small = err.splitlines()
    assert broken.startswith(f"lenet-edge read: {folder}/broken.png: expected a picture")
    assert small == (f"lenet-edge read: {folder}/narrow.png: expected at least 8 pixels each way, got 5x32")


def test_several_processes_give_the_same_as_one(run, folder, photograph):
    for number in range(FEW + 1):
        (folder / f"{number}.jpg").symlink_to(photograph if number % 8 == 0 else folder / "blank.png")
    alone, shared = (run(folder, "--json", "--jobs", jobs) for jobs in (1, 2))
    assert alone == shared
    assert alone[0] == 0


@pytest.mark.parametrize(("threshold", "unsure"), [("0", False), ("1", True)])
def test_below_the_threshold_an_answer_is_unsure(run, photograph, threshold, unsure):
    assert run(photograph, "--threshold", threshold)[1].endswith("  unsure\n") == unsure
    facts = json.loads(run(photograph, "--json", "--threshold", threshold)[1])
    assert (facts["digits"], facts["sure"]) == (TEXT, not unsure)


@pytest.mark.parametrize("threshold", [0, 1])
def test_the_threshold_is_the_packaged_one_unless_given(capsys, tmp_path, monkeypatch, photograph, threshold):
    (tmp_path / "lenet5_wide.json").write_text(json.dumps({"threshold": threshold}))
    monkeypatch.setattr(thresholds, "released_folder", lambda: tmp_path)
    assert read.main([str(photograph), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sure"] == (threshold == 0)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "expected the packaged lenet5_wide.json with a threshold, got none: give --threshold"),
        ("{}", 'expected "threshold", a number, in lenet5_wide.json, got None'),
        ('{"threshold": "0.5"}', 'expected "threshold", a number, in lenet5_wide.json, got 0.5'),
    ],
)
def test_a_missing_threshold_names_its_file(capsys, tmp_path, monkeypatch, photograph, content, line):
    if content is not None:
        (tmp_path / "lenet5_wide.json").write_text(content)
    monkeypatch.setattr(thresholds, "released_folder", lambda: tmp_path)
    assert exit_status(read.main, [str(photograph)], name=read.NAME) == 2
    assert capsys.readouterr() == ("", f"lenet-edge read: {line}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--threshold", "1.5"], "expected --threshold of 0 to 1, got 1.5"),
        (["--threshold", "nan"], "expected --threshold of 0 to 1, got nan"),
        (["--jobs", "0"], "expected --jobs of 1 or more, got 0"),
        (["--threads", "0"], "expected 1 to 1024 threads, got 0"),
        (["--delegate-option", "x"], "expected --delegate-option KEY=VALUE, got x"),
    ],
)
def test_bad_options_are_one_line_errors(run, arguments, line):
    assert run("a.png", *arguments) == (2, "", f"lenet-edge read: {line}\n")


def test_a_model_of_single_digits_is_refused(run, photograph):
    status, out, err = run(photograph, "--model", "lenet5_float32.tflite")
    assert (status, out) == (2, "")
    assert err.startswith("lenet-edge read: expected a model from 1x32xWx1 to ")


def test_a_delegate_that_does_not_run_is_reported_and_not_used(run, photograph):
    status, out, err = run(photograph, "--delegate", "nnapi")
    assert status == 0
    assert f": {TEXT}  " in out
    assert err.startswith("lenet-edge read: nnapi does not run: ")
    assert run(photograph, "--delegate", "nnapi", "--require-delegate")[0] == 2


@pytest.mark.parametrize("model", ["float32", "int8"])
def test_verbose_reports_what_runs_the_model(run, photograph, model):
    status, out, err = run(photograph, "--verbose", "--delegate", "none", "--model", model)
    assert (status, len(err.splitlines())) == (0, 1)
    assert ", no delegate" in err
    assert f": {TEXT}  " in out


def test_results_go_to_a_file(run, photograph, tmp_path):
    out = tmp_path / "results.txt"
    assert run(photograph, "--json", "--out", out) == (0, "", "")
    assert json.loads(out.read_text())["digits"] == TEXT
    status, _, err = run(photograph, "--out", "/dev/full")
    assert (status, err) == (
        2,
        "lenet-edge read: /dev/full: expected room on the device, got a full one\n",
    )


@pytest.mark.parametrize("columns", [40, 500])
def test_the_line_is_drawn_with_its_digits_beneath_their_places(run, photograph, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run(photograph, "--show")[1].splitlines()
    assert all(len(line) <= columns for line in lines[1:])
    assert set("".join(lines[1:])) <= set(" ▄▀█0123456789%")
    digits = [line for line in lines[1:] if set(line) & set("123456789") and "%" not in line]
    assert "".join(digits).replace(" ", "") == TEXT
    assert len(digits) == (1 if columns == 500 else 4)
    above = lines[: lines.index(digits[0])]
    for place, character in enumerate(digits[0]):
        if character != " ":
            assert any(line[place - 4 : place + 5].strip() for line in above[1:])


def test_a_drawing_of_each_picture_is_put_into_a_folder(run, folder):
    out = folder / "drawn"
    assert run(folder, "--png", out)[0] == 0
    assert sorted(path.name for path in out.iterdir()) == ["blank.png", "photograph.png", "two.png"]
    with Image.open(out / "photograph.png") as drawing:
        colours = {colour: count for count, colour in drawing.getcolors(1 << 20)}
    assert colours.get((0x0B, 0x5C, 0xAD), 0) > 500  # the boxes and what was read
    assert (0xB8, 0x42, 0x0A) not in colours


def test_a_drawing_of_what_is_unsure_has_another_colour(run, photograph, tmp_path):
    path = tmp_path / "one.png"
    assert run(photograph, "--png", path, "--threshold", "1")[0] == 0
    with Image.open(path) as drawing:
        colours = {colour: count for count, colour in drawing.getcolors(1 << 20)}
    assert colours.get((0xB8, 0x42, 0x0A), 0) > 500
    assert (0x0B, 0x5C, 0xAD) not in colours


def test_one_file_takes_one_drawing(run, folder):
    status, _, err = run(folder, "--png", folder / "one.png")
    assert status == 2
    line = f"expected --png DIR for more than one picture, got the file {folder}/one.png"
    assert err == f"lenet-edge read: {line}\n"


def test_drawings_of_the_same_name_do_not_overwrite_one_another(run, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "blank.bmp").write_bytes(encoded(BLANK, "BMP"))
    run(folder / "blank.png", other / "blank.bmp", other / "blank.bmp", "--png", tmp_path / "drawn")
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "blank-2.png",
        "blank-3.png",
        "blank.png",
    ]


def test_a_very_long_line_is_drawn_in_rows(run, tmp_path):
    field = find_line(PHOTOGRAPH.grey).picture
    (tmp_path / "long.png").write_bytes(encoded(np.tile(field, (1, 8)), "PNG"))
    status, out, _ = run(tmp_path / "long.png", "--png", tmp_path / "drawing.png")
    assert status == 0
    assert f": {TEXT * 8}  " in out
    with Image.open(tmp_path / "drawing.png") as drawing:
        assert drawing.width == 1008
        assert drawing.height > 5 * 200


def test_a_wide_picture_is_read_whatever_its_shape_and_reduced_by_its_shorter_side(tmp_path):
    (tmp_path / "wide.png").write_bytes(encoded(np.full((1700, 9000), 200, np.uint8), "PNG"))
    (picture,) = read_images(tmp_path / "wide.png", line=True)
    assert (picture.grey.shape, picture.factor) == ((850, 4500), 2)


def test_nothing_of_tensorflow_is_imported(photograph):
    code = (
        "import sys\nfrom lenet_edge.read import main\n"
        f"main([{str(photograph)!r}, '--threshold', '0', '--png', {str(photograph) + '.png'!r}])\n"
        "assert not {'tensorflow', 'tf_keras', 'keras', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class FixedReader:
    """A reader that always gives the same answer."""

    def __init__(self, *digits):
        self.answer = DigitString("".join(str(one.digit) for one in digits), 0.25, digits)

    def read(self, picture):
        return self.answer


def test_a_line_without_digits_is_reported(capsys, tmp_path, monkeypatch, photograph):
    monkeypatch.setattr(
        read,
        "answer_line",
        lambda line, reader, threshold: string_answers.answer_line(line, FixedReader(), threshold=threshold),
    )
    read.main([str(photograph), "--threshold", "0.5", "--png", str(tmp_path / "drawing.png")])
    assert capsys.readouterr().out == f"{photograph}: no digits  25.0 %  unsure\n"
    assert (tmp_path / "drawing.png").exists()


def squares(*boxes):
    """Return a line's picture with full squares (left, top, right, bottom)."""
    picture = np.zeros((32, 80), np.uint8)
    for left, top, right, bottom in boxes:
        picture[top:bottom, left:right] = 255
    return picture


@pytest.mark.parametrize(
    ("picture", "digits", "boxes"),
    [
        (squares((10, 6, 22, 26), (40, 8, 50, 24)), [(6, 26), (35, 55)], [(10, 6, 22, 26), (40, 8, 50, 24)]),
        (squares((10, 6, 50, 26)), [(6, 30), (30, 54)], [(10, 6, 30, 26), (30, 6, 50, 26)]),
        (squares((10, 6, 22, 8), (10, 10, 20, 26)), [(6, 26)], [(10, 6, 22, 26)]),
        (squares((10, 6, 22, 26), (24, 23, 27, 26)), [(6, 30)], [(10, 6, 22, 26)]),
        (squares(), [(6, 26)], [(6, 0, 26, 32)]),
    ],
    ids=["two digits", "touching", "a loose bar", "a dot beside", "nothing"],
)
def test_a_box_is_that_of_the_digits_own_ink(picture, digits, boxes):
    read_digits = [ReadDigit(1, 0.9, left, right) for left, right in digits]
    assert ink_boxes(picture, read_digits) == boxes


@given(st.lists(st.tuples(st.integers(2, 30), st.integers(0, 20)), max_size=20), st.integers(1, 80))
def test_rows_cover_a_line_once_and_cut_no_digit_that_fits(digits, width):
    boxes, end = [], 1
    for wide, gap in digits:
        boxes.append(Box(1, 0.5, np.zeros((4, 2)), end + gap, end + gap + wide))
        end += gap + wide
    edges = row_edges(tuple(boxes), end + 5, width=width)
    assert (edges[0], edges[-1]) == (0, end + 5)
    assert all(0 < size <= width for size in np.diff(edges))
    for edge in edges[1:-1]:
        for box in boxes:
            assert not box.left < edge < box.right or box.right - box.left >= width
