"""A batch of picture files becomes rows of answers: those of `classify` and `read`, whatever runs it."""

from __future__ import annotations

import io
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.base.errors import InputError
from lenet_edge import DigitReader
from lenet_edge.bulk_reading.digit_reader import Reading
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.packaged.thresholds import digit_threshold, string_threshold
from lenet_edge.picture.files import read_images
from lenet_edge.reading.digit_answer import answer_picture
from lenet_edge.reading.string_answer import answer_line, found_lines
from lenet_edge.runtime.classifier import Classifier
from lenet_edge.runtime.string_reader import StringReader

DATA = Path(__file__).resolve().parents[2] / "data"
DIGITS = sorted(path for path in DATA.glob("[0-9]-*"))
AMOUNTS = sorted(DATA.glob("amount-*"))


def batch(paths):
    return {"path": np.array([path.name for path in paths]), "bytes": [path.read_bytes() for path in paths]}


def png(picture):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "png")
    return stream.getvalue()


def idx(pictures):
    header = np.array([0x803, *pictures.shape], ">i4").tobytes()
    return header + pictures.tobytes()


def test_a_batch_has_the_answers_of_classify():
    rows = DigitReader()(batch(DIGITS))
    assert list(rows["path"]) == [path.name for path in DIGITS]
    assert set(rows) == {"path", *Reading.__dataclass_fields__}
    with Classifier() as classifier:
        least = digit_threshold(classifier.sha256)
        for row, path in enumerate(DIGITS):
            (picture,) = read_images(path)
            answer = answer_picture(picture, classifier, threshold=least)
            assert rows["digits"][row] == str(answer.digit)
            assert (rows["probability"][row], rows["sure"][row]) == (answer.probability, answer.sure)
            (corners,) = rows["boxes"][row]
            sides = [side * picture.factor for side in answer.prepared.box]
            assert [*corners[:2], *corners[4:6]] == sides


def test_a_batch_of_lines_has_the_answers_of_read():
    rows = DigitReader(line=True)(batch(AMOUNTS))
    with StringReader() as reader:
        for row, path in enumerate(AMOUNTS):
            (found,) = found_lines(path)
            answer = answer_line(found, reader, threshold=string_threshold())
            assert (rows["digits"][row], rows["sure"][row]) == (answer.text, answer.sure)
            assert len(rows["boxes"][row]) == len(answer.boxes) == len(answer.text)
            np.testing.assert_array_equal(rows["boxes"][row], [box.corners.ravel() for box in answer.boxes])


def test_what_cannot_be_read_is_a_row_with_its_reason():
    content = [b"no picture", DIGITS[0].read_bytes(), png(np.full((60, 60), 255, np.uint8))]
    rows = DigitReader()({"bytes": content, "path": ["a.png", "b.png", "c.png"], "box": [7, 8, 9]})
    assert list(rows["finding"]) == ["unreadable", "digit", "blank"]
    assert "a.png" in rows["reason"][0]
    assert rows["reason"][1] == ""
    assert list(rows["digits"]) == ["", DIGITS[0].name[0], ""]
    assert np.isnan(rows["probability"][[0, 2]]).all()
    assert list(rows["sure"]) == [False, True, False]
    assert [len(boxes) for boxes in rows["boxes"]] == [0, 1, 0]
    assert list(rows["box"]) == [7, 8, 9]


def test_an_idx_file_has_a_row_for_each_picture_and_other_columns_follow():
    digits = calibration_digits().images[:3]
    rows = DigitReader()({"bytes": [DIGITS[0].read_bytes(), idx(digits)], "page": [4, 5]})
    assert list(rows["page"]) == [4, 5, 5, 5]
    assert list(rows["index"]) == [-1, 0, 1, 2]


def test_an_empty_batch_gives_every_column():
    rows = DigitReader()({"bytes": [], "path": []})
    assert {name: len(column) for name, column in rows.items()} == dict.fromkeys(
        ["path", *Reading.__dataclass_fields__], 0
    )


def test_it_can_be_sent_to_another_process_after_it_has_read():
    reader = DigitReader(threshold=1.0)
    here = reader(batch(DIGITS[:2]))
    assert pickle.loads(pickle.dumps(reader)).options == reader.options
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (there,) = pool.map(reader, [batch(DIGITS[:2])])
    assert list(there["digits"]) == list(here["digits"])
    assert not here["sure"].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DigitReader(threshold=1.5), "expected a threshold of 0 to 1, got 1.5"),
        (lambda: DigitReader()({"path": ["a"]}), "expected a column 'bytes', got path"),
        (lambda: DigitReader()({}), "expected a column 'bytes', got no column"),
        (lambda: DigitReader(runtime="none")({"bytes": [b"a"]}), "expected .*, got .*none.*"),
    ],
)
def test_bad_input_is_one_line(call, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        call()
