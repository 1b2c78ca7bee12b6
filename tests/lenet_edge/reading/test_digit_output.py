"""Answers as text, CSV and JSON: any file's name comes back as it was."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_edge.picture.findings import Finding, Prepared
from lenet_edge.reading.digit_answer import Answer
from lenet_edge.reading.digit_output import COLUMNS, Results, open_results
from lenet_edge.reading.output import Output

EMPTY = np.zeros((32, 32), np.uint8)


def digit(name, index=None, value=7, probability=0.25, sure=True):
    prepared = Prepared(EMPTY, Finding.DIGIT, "", (0, 0, 4, 4), False)
    return Answer(name, index, prepared, value, probability, sure)


def blank(name, index=None):
    reason = 'nothing, "nothing" is written'
    return Answer(name, index, Prepared(EMPTY, Finding.BLANK, reason, None, False), None, None, False)


def written(answers, *, encoding="utf-8", **options):
    """Return what Results writes, as text."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    sink = Results(Output(stream, name="a test"), **options)
    for answer in answers:
        sink.write(answer)
    return stream.buffer.getvalue().decode(encoding)


# What a file can be called, in UTF-8 or not: everything but a slash and a zero byte.
names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
    | st.integers(0xDC80, 0xDCFF).map(chr),  # bytes that are no UTF-8, as Python has them
    min_size=1,
)
answers = st.builds(
    digit,
    names,
    st.none() | st.integers(0, 10**6),
    st.integers(0, 9),
    st.floats(0, 1).map(lambda value: round(value, 6)),
    st.booleans(),
) | st.builds(blank, names)


@given(st.lists(answers, max_size=5))
def test_json_gives_back_every_answer(given_answers):
    lines = written(given_answers, form="json", encoding="ascii").split("\n")
    assert lines.pop() == ""
    for line, answer in zip(lines, given_answers, strict=True):
        row = json.loads(line)
        assert row["file"] == answer.name
        assert row.get("index") == answer.index
        assert (row["digit"], row["probability"]) == (answer.digit, answer.probability)
        assert row["sure"] == answer.sure
        assert row.get("reason", "") == answer.prepared.reason


@given(st.lists(answers, max_size=5))
def test_csv_gives_back_every_answer(given_answers):
    rows = list(csv.reader(io.StringIO(written(given_answers, form="csv"), newline="")))
    assert tuple(rows.pop(0)) == COLUMNS
    for row, answer in zip(rows, given_answers, strict=True):
        assert row[0] == answer.name.encode("utf-8", "backslashreplace").decode()
        values = [answer.index, answer.digit, answer.probability]
        assert [float(cell) if cell else None for cell in row[1:4]] == values
        assert row[4] == str(answer.sure).lower()
        assert row[5:] == [answer.prepared.finding.value, answer.prepared.reason]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_name_with_a_newline_is_one_row_of_the_csv(end):
    rows = list(csv.reader(io.StringIO(written([digit(f"a{end}b")], form="csv"), newline="")))
    assert [row[0] for row in rows] == ["file", f"a{end}b"]


@given(st.lists(answers, max_size=5), st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_text_is_one_line_for_each_answer_in_any_encoding(given_answers, encoding):
    lines = written(given_answers, encoding=encoding).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(given_answers)
    assert all(line.isprintable() for line in lines)


def test_text_names_the_picture_of_an_idx_file():
    assert written([digit("a.idx", 3)]) == "a.idx[3]: 7  25.0 %\n"


def test_text_says_what_is_unsure():
    assert written([digit("a.png", sure=False)]) == "a.png: 7  25.0 %  unsure\n"


@pytest.mark.parametrize("name", ["plain.csv", "\udcff.csv"])
def test_a_file_is_appended_to_with_one_header(tmp_path, name):
    out = tmp_path / "results"
    for _ in range(2):
        with open_results(str(out), form="csv", append=True) as sink:
            sink.write(blank(name))
            assert out.read_text().endswith('is written"\n')  # at once, not when it is closed
    lines = out.read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 3
