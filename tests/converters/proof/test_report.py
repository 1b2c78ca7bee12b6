"""The report of a proof, on made-up cells: what it says of each verdict, and that it is safe to open."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from converters.proof.cell import Cell, Figures, not_run, state
from converters.proof.report import html_of
from converters.proof.runs import failure_of
from converters.proof.terminal_lines import cell_lines, layer_lines, verdict
from converters.runtimes.columns import COLUMNS, Result
from converters.runtimes.interpreters import refusal

HOSTILE = '"><script src=//x>alert(1)</script>&amp;.tflite'
FIGURES = Figures(
    name="scores",
    step=1 / 256,
    largest=2.5,
    mean=0.125,
    snr=41.2,
    agreement=97.5,
    allowed=30.0,
    used=12.0,
    same=80.0,
)


def report_of(*cells, layers=None, absent=()):
    names = dict.fromkeys(cell.row for cell in cells)
    report = {
        "versions": {"python": "3.11.7"},
        "machine": {"system": "Linux", "architecture": "riscv64", "processor": "A core"},
        "net": "mobile",
        "samples": 40,
        "files": {
            name: {"bytes": 5, "sha256": "0" * 64, "findings": [], "uncompared": "", "unchecked": ""}
            for name in names
        },
        "columns": {
            name: {"title": title, "absent": dict(absent).get(name, "")}
            for name, title in (("tf.lite", "TensorFlow"), ("micro", "Micro"))
        },
        "cells": [cell.as_json() for cell in cells],
        "command": "python -m converters.prove",
    }
    return report if layers is None else {**report, "layers": layers}


def cell(row="a.tflite", **more):
    return Cell(
        **{
            **{"row": row, "column": "tf.lite", "samples": 40, "outputs": (FIGURES,)},
            **{"facts": {"runtime": "tf 2", "delegate": "", "seconds": 0.1}},
            **more,
        }
    )


def page_of(report):
    return ElementTree.fromstring(html_of(report).split("\n", 1)[1])


def text_of(node):
    return " ".join("".join(node.itertext()).split())


VERDICTS = {
    "within": ({}, "✓ All within tolerance", "prove: all within tolerance (1 cell, "),
    "out": (
        {"why": "40 samples beyond their tolerance"},
        "✗ 1 cell of 1 is out of tolerance",
        "prove: 1 of 1 cell out of tolerance: a.tflite in tf.lite "
        "(0 refused, 0 not derived, 0 columns absent)",
    ),
    "not derived": (
        {"underived": "no rule for 3 ELU"},
        "? No cell is out; 1 cell without a tolerance",
        "prove: no cell within tolerance, none out (1 cell, 0 refused, 1 not derived",
    ),
    "refused": (
        {"refused": "no kernel", "outputs": ()},
        "No verdict: no runtime here can run the files",
        "prove: no cell within tolerance, none out (1 cell, 1 refused",
    ),
}


@pytest.mark.parametrize("kind", VERDICTS)
def test_each_verdict_is_said_in_the_headline_the_cell_and_the_terminal(kind):
    more, headline, last = VERDICTS[kind]
    found = cell(**more)
    assert found.verdict == state(found.as_json()) == kind
    report = report_of(found)
    page = page_of(report)
    assert text_of(page.find("body/div/strong")) == headline
    (shown,) = page.findall(".//table[@class='matrix']/tbody/tr/td[@class]")[:1]
    reason = next(iter(more.values()), "")
    assert reason in shown.get("title")
    assert verdict(report).startswith(last)
    (line,) = cell_lines("TensorFlow", [found])[3:]
    assert line.endswith({"within": "within", "out": f"OUT: {reason}"}.get(kind, f"{kind}: {reason}"))


def test_a_cell_that_is_not_derived_never_says_within():
    report = report_of(cell(underived="no rule for 3 ELU"))
    page = page_of(report)
    cells = page.findall(".//table[@class='matrix']/tbody/tr/td")
    assert not ["within" for one in cells if "within" in text_of(one)]
    assert "? not derived: a in TensorFlow: no rule for 3 ELU" in text_of(page)
    assert "2.5 / 30 steps" in text_of(cells[0])  # what was measured


def test_a_refusal_is_said_once():
    graph = b"none"  # only asked for by the audit, which is not of this column
    failure = failure_of(
        Result(np.zeros(0), failure=refusal("Runtime 9", "no kernel")), COLUMNS["tf.lite"], graph
    )
    assert failure is not None
    assert failure.why == "expected to run, but: Runtime 9 refuses it: no kernel"
    refused = cell(refused=failure.refused, outputs=())
    assert text_of(page_of(report_of(refused)).find(".//ul[@class='reasons']")) == (
        "⊘ refused: a in TensorFlow: no kernel"
    )
    assert cell_lines("TensorFlow", [refused])[3].split(maxsplit=1)[1] == "refused: no kernel"


@pytest.mark.parametrize(
    ("layer", "operator", "shown"),
    [
        ("stem", "3 CONV_2D", "stem conv"),
        ("block_2_add", "9 ADD", "block_2_add"),
        ("block_1_depthwise", "4 DEPTHWISE_CONV_2D", "block_1_depthwise"),
        ("", "5 MUL", "mul"),
    ],
)
def test_a_layer_s_operator_is_not_said_twice(layer, operator, shown):
    found = {"operator": operator, "name": "x", "step": 0.1, "snr": 12.5, "clipped": 0.0, "local": 0.5}
    page = page_of(report_of(cell(), layers={"a.tflite": [{**found, "layer": layer}]}))
    assert text_of(page.find(".//table[@class='bars']/tbody/tr/th")) == shown


def test_outputs_are_shown_each():
    place = Figures(name="place", step=0.1, largest=1.0, mean=0.5, error=0.25)
    page = page_of(report_of(cell(outputs=(FIGURES, place))))
    (shown,) = page.findall(".//table[@class='matrix']/tbody/tr/td")[:1]
    assert text_of(shown) == ("✓ withinscores97.50 % agree2.5 / 30 stepsplace0.25 mean error1 steps")
    lines = cell_lines("TensorFlow", [cell(outputs=(FIGURES, place))])
    assert [line.split()[:2] for line in lines[3].splitlines()] == [
        ["a,", "scores"],
        ["a,", "place"],
    ]


def test_a_line_within_tolerance_fits_into_100_characters():
    full = {"largest": 2.816e-06, "mean": 1.5e-06, "snr": 152.31, "allowed": 1.234e-05, "used": 99.6}
    scores = Figures(name="scores", step=0.1, error=100.0, agreement=100.0, same=100.0, **full)
    distance = Figures(name="place", step=0.1, error=1.234e-05, same=100.0, **full)
    for figures, words in ((scores, 11), (distance, 10)):
        found = cell(row=f"{'a' * 23}.tflite", samples=100_000, outputs=(figures,))
        head, line = cell_lines("TensorFlow", [found])[2:]
        assert max(len(head), len(line)) <= 100
        assert line.startswith(f"  {'a' * 23} ")
        assert line.endswith("  within")
        assert len(line.split()) == words  # no two figures touch


def test_each_cell_says_its_runtime_for_a_page_without_columns():
    page = page_of(report_of(cell(), absent={"micro": "no compiler"}))
    shown = page.findall(".//table[@class='matrix']/tbody/tr/td")
    assert [one.get("data-runtime") for one in shown] == ["TensorFlow", "Micro"]


def test_absent_runtimes_have_their_reason_and_fewer_samples_are_marked():
    page = page_of(report_of(cell(samples=5), absent={"micro": "no compiler"}))
    text = text_of(page)
    assert "absentno compiler" in text
    assert "first 5 samples" in text


def test_layers_that_depart_are_named_in_the_report_and_on_the_terminal():
    layer = {"operator": "3 CONV_2D", "name": "x", "step": 0.1, "snr": 12.5, "clipped": 0.0, "local": 0.5}
    found = {**layer, "layer": "stem", "allowed": 30.0, "departs": "kernel: 1 of 9 are off"}
    page = page_of(report_of(cell(why="it is"), layers={"a.tflite": [found]}))
    section = page.find(".//section[@id='layers']")
    assert "The file departs from the model in" in text_of(section)
    assert "stem conv: kernel: 1 of 9 are off" in text_of(section)
    assert layer_lines("a", [], "operators differ")[-1] == "  not matched: operators differ"


def test_what_comes_from_outside_is_escaped():
    report = report_of(cell(row=HOSTILE, why=HOSTILE), layers={HOSTILE: []})
    report["columns"]["tf.lite"]["title"] = HOSTILE
    page = html_of({**report, "command": HOSTILE})
    assert "<script" not in page
    assert HOSTILE in text_of(ElementTree.fromstring(page.split("\n", 1)[1]))


def test_a_delegate_that_did_not_run_is_said_once_or_for_its_rows():
    said = {"asked": "gpu", "reason": "no driver"}
    assert not_run([("a", said), ("b", said)]) == ["gpu did not run: no driver"]
    assert not_run([("a", said), ("b", {})]) == ["gpu did not run: no driver (a)"]
