"""The parity report on synthetic matrices: what it says, and that it is self-contained."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from converters.proof.markup import Markup, element, joined
from converters.proof.report_parts import number
from lenet_edge.digits.mnist import Digits
from lenet_edge.parity.report import html_of
from lenet_edge.parity.score_comparison import EDGES, MOST_SHOWN, compare_scores

FLOAT, INT8 = "lenet5_float32.tflite", "lenet5_int8.tflite"
TF, MICRO = "tf.lite", "micro"
HOSTILE = '"><script src=//x>alert(1)</script>&amp;_int8.tflite'


def digits_like(labels) -> Digits:
    rng = np.random.default_rng(7)
    return Digits(rng.integers(0, 256, (len(labels), 28, 28), np.uint8), np.array(labels, np.uint8))


def scores_of(answers, *, score=0.9) -> np.ndarray:
    """Return scores (n, 10) that give each of `answers` the same `score`."""
    scores = np.full((len(answers), 10), (1 - score) / 9)
    scores[np.arange(len(answers)), answers] = score
    return scores


def cell(row, column, **more) -> dict:
    facts = {} if column == "keras" else {"runtime": f"{column} 9", "delegate": "", "seconds": 1.0}
    zeros = dict.fromkeys(("error", "largest", "used", "only_original_right", "only_this_right"), 0)
    usual = {"digits": 20, "agreement": 100.0, "allowed": 8.0, "same": None, "p": 1.0, "refused": ""}
    return {"row": row, "column": column, "why": "", "facts": facts, **zeros, **usual, **more} | {
        "within": not more.get("why")
    }


def report_of(*cells, absent=(), files=(FLOAT, INT8), **more) -> dict:
    titles = {TF: "TensorFlow", "litert": "LiteRT", "litert-4": "LiteRT, 4 threads", MICRO: "Micro"}
    cells = [cell("original", "keras"), *cells]
    return {
        "versions": {"python": "3.11.7"},
        "machine": {"system": "Linux", "architecture": "riscv64", "processor": "A core", "processors": 2},
        "net": "lenet5",
        "digits": 20,
        "files": {
            name: {"bytes": 72392, "sha256": f"{i:064x}", "findings": []} for i, name in enumerate(files)
        },
        "columns": {name: {"title": titles[name], "absent": dict(absent).get(name, "")} for name in titles},
        "cells": cells,
        "within": all(each["within"] for each in cells),
        "command": "python -m lenet_edge.parity --digits 20",
        **more,
    }


def layer(name, operator, snr, *, step=0.0) -> dict:
    local = 0.4996 if step else None
    measured = {"step": step, "snr": snr, "clipped": local, "local": local}
    return {"operator": operator, "name": f"{name}/Tensor", "layer": name, **measured}


def all_within() -> dict:
    columns = (TF, "litert", "litert-4", MICRO)
    return report_of(*(cell(row, column) for column in columns for row in (FLOAT, INT8)))


def comparison(scores, labels):
    return compare_scores(digits_like(labels), SimpleNamespace(scores=scores))


def plain_comparison(row=INT8):
    labels = np.arange(20) % 10
    return comparison({("original", "keras"): scores_of(labels), (row, TF): scores_of(labels)}, labels)


def page_of(report, shown=None) -> ElementTree.Element:
    """Return the page's tree; a page that is not well-formed does not parse."""
    return ElementTree.fromstring(html_of(report, shown or plain_comparison()).split("\n", 1)[1])


def text_of(node) -> str:
    return " ".join("".join(node.itertext()).split())


def section(page, name) -> ElementTree.Element:
    return page.find(f".//section[@id='{name}']")


def matrix_rows(page) -> dict[str, list[ElementTree.Element]]:
    """Return the cells of each row by its name."""
    rows = section(page, "matrix").findall(".//table[@class='matrix']/tbody/tr")
    return {"".join([row[0].text, *(each.tail for each in row[0].iter("wbr"))]): row[1:] for row in rows}


def verdict(page) -> str:
    return text_of(page.find("body/div/strong"))


class Tags(HTMLParser):
    """Parses a page like a browser: its tags in order, with their attributes; each must be closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(page)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def everything() -> str:
    """Return a page with everything that a page can show."""
    labels = np.arange(20) % 10
    read = np.where(np.arange(20) == 4, 9, labels)
    shown = comparison({("original", "keras"): scores_of(labels), (INT8, TF): scores_of(read)}, labels)
    report = report_of(
        cell(FLOAT, TF, why="too far"),
        cell(INT8, TF, refused="no such operator"),
        absent={"litert": "it is not installed"},
        layers={FLOAT: [layer("C1", "0 TANH", 140.0)], INT8: []},
    )
    return html_of(report, shown)


def test_a_page_is_well_formed_and_its_links_lead_somewhere():
    page = everything()
    tags = Tags(page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert tags.open == []
    ids = [attributes["id"] for _, attributes in tags.seen if "id" in attributes]
    links = {attributes["href"] for _, attributes in tags.seen if "href" in attributes}
    assert len(ids) == len(set(ids))
    assert links == {f"#{each}" for each in ids}


def test_a_page_loads_nothing_from_elsewhere():
    page = everything()
    sources = [attributes["src"] for _, attributes in Tags(page).seen if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not {tag for tag, _ in Tags(page).seen} & {"script", "link", "iframe", "object", "base"}
    assert not [word for word in ("http:", "https:", "url(", "@import") if word in page]


def test_text_from_outside_is_escaped():
    report = report_of(
        cell(HOSTILE, TF, why=f"it died: {HOSTILE}"),
        cell(FLOAT, TF),
        absent={MICRO: HOSTILE},
        files=(HOSTILE, FLOAT),
        command=HOSTILE,
        layers={HOSTILE: [layer(HOSTILE, HOSTILE, 30.0)]},
    )
    report["files"][HOSTILE]["findings"] = [HOSTILE]
    report["columns"][TF]["title"] = HOSTILE
    page = html_of(report, plain_comparison(row=HOSTILE))
    assert "script" not in {tag for tag, _ in Tags(page).seen}
    tree = ElementTree.fromstring(page.split("\n", 1)[1])
    assert text_of(tree.find("body/dl/dd/code")) == HOSTILE
    assert HOSTILE in [text_of(code) for code in section(tree, "matrix").findall(".//th/code")]
    assert f"it died: {HOSTILE}" in text_of(section(tree, "matrix"))


def test_markup_is_kept_and_other_text_is_escaped():
    assert joined("a<b", Markup("<i/>"), None, 3) == "a&lt;b<i/>3"
    assert element("p", "x", class_="a&b", aria_label='"', title=None) == (
        '<p class="a&amp;b" aria-label="&quot;">x</p>'
    )


def test_the_headline_says_all_within_if_all_is():
    page = page_of(all_within())
    assert verdict(page) == "✓ All within tolerance"
    about = text_of(page.find("body/div/p"))
    assert "2 files in 4 runtimes" in about
    assert "9 cells" in about
    assert "absent" not in about
    assert "refused" not in about


def test_rows_are_models_and_columns_runtimes():
    cells = [cell(FLOAT, TF, error=1.25, agreement=98.5, largest=3.14159, allowed=51.5), cell(INT8, MICRO)]
    page = page_of(report_of(*cells, absent={"litert": "away", "litert-4": "away"}))
    head = [text_of(th) for th in section(page, "matrix").findall(".//table[@class='matrix']/thead/tr/th")]
    assert head == ["model", "Keras", "TensorFlowtf.lite 9", "Micromicro 9", "LiteRT", "LiteRT, 4 threads"]
    rows = matrix_rows(page)
    assert list(rows) == ["original", "float32", "int8"]
    float32 = rows["float32"]
    assert text_of(float32[1]) == "✓ within1.25 % error98.50 % agree3.14 / 51.5 steps"
    assert [td.get("class") for td in float32] == ["none", "within", "none", "absent"]


@pytest.mark.parametrize(
    ("steps", "text"), [(0, "0"), (0.0002, "<0.001"), (0.13101, "0.131"), (164.29, "164"), (999.7, "1000")]
)
def test_steps_have_three_digits_and_no_exponent(steps, text):
    assert number(steps) == text


def test_fewer_digits_are_marked():
    page = page_of(report_of(cell(INT8, TF), cell(INT8, MICRO, digits=5)))
    marked = ["first 5 digits" in text_of(td) for td in matrix_rows(page)["int8"]]
    assert marked == [False, False, False, False, True]


def test_absent_neighbours_show_their_reason_once():
    reasons = {"litert": "no wheel here", "litert-4": "no wheel here", MICRO: "no compiler"}
    page = page_of(report_of(cell(FLOAT, TF), cell(INT8, TF), absent=reasons))
    found = section(page, "matrix").findall(".//td[@class='absent']")
    assert [text_of(td) for td in found] == ["absentno wheel here", "absentno compiler"]
    assert [(td.get("colspan"), td.get("rowspan")) for td in found] == [("2", "2"), ("1", "2")]
    assert [td.get("data-runtime") for td in found] == ["LiteRT; LiteRT, 4 threads", "Micro"]
    assert "3 runtimes absent" in text_of(page.find("body/div/p"))


def test_an_out_cell_is_in_the_headline_with_its_reason_below():
    why = "3 digits beyond their tolerance, digit 7 by 4 steps"
    page = page_of(report_of(cell(FLOAT, TF), cell(INT8, TF, why=why)))
    assert verdict(page) == "✗ 1 cell of 3 is out of tolerance"
    link = page.find("body/div/ul/li/a")
    assert text_of(link) == "int8 in TensorFlow"
    reason = page.find(f".//li[@id='{link.get('href')[1:]}']")
    assert text_of(reason) == f"✗ OUT: int8 in TensorFlow: {why}"
    (out,) = section(page, "matrix").findall(".//td[@class='out']")
    assert out.get("title") == why
    assert text_of(out).startswith("✗ OUT")


def test_a_refusal_is_no_failure_unless_the_file_should_run():
    page = page_of(report_of(cell(FLOAT, TF), cell(INT8, TF, refused="no TANH")))
    assert verdict(page) == "✓ All within tolerance"
    assert "1 cell refused" in text_of(page.find("body/div/p"))
    assert "⊘ refused: int8 in TensorFlow: no TANH" in text_of(section(page, "matrix"))
    page = page_of(
        report_of(cell(FLOAT, TF), cell(INT8, TF, refused="dead", why="expected to run, but: dead"))
    )
    assert verdict(page) == "✗ 1 cell of 3 is out of tolerance"
    assert "⊘ refused:" not in text_of(section(page, "matrix"))


def test_without_a_runtime_there_is_no_verdict():
    reasons = dict.fromkeys((TF, "litert", "litert-4", MICRO), "nothing is installed")
    scores = {("original", "keras"): scores_of([0])}
    page = page_of(report_of(absent=reasons), comparison(scores, [0]))
    assert verdict(page).startswith("No verdict")
    assert "nothing is installed" in text_of(section(page, "matrix"))


def test_names_are_shortened_only_if_they_stay_unique():
    files = ("lenet5_int8.tflite", "int8.tflite", "lenet5_dynamic.tflite")
    page = page_of(report_of(*(cell(name, TF, why="bad") for name in files), files=files))
    named = [text_of(link) for link in page.findall("body/div/ul/li/a")]
    assert named == [f"{name} in TensorFlow" for name in ("lenet5_int8.tflite", "int8.tflite", "dynamic")]


def test_layers_are_drawn_by_name_or_reported_as_not_measured():
    assert "--layers" in text_of(section(page_of(all_within()), "layers"))
    found = [
        layer("C1", "0 CONV_2D", 36.84, step=0.0224366),
        layer("", "1 SOFTMAX", None, step=0.00390625),
    ]
    report = all_within() | {"layers": {FLOAT: [], INT8: found}}
    layers = section(page_of(report), "layers")
    none, card = layers.findall(".//section[h3]")
    assert "differ from those of the exact model" in text_of(none)
    rows = [[text_of(each) for each in row] for row in card.findall(".//tbody/tr")]
    assert rows == [
        ["C1 conv", "", "36.8", "0.0224", "0.50 %", "0.500"],
        ["softmax", "", "no noise", "0.00391", "0.50 %", "0.500"],
    ]
    assert len(layers.findall(".//circle")) == 1  # a layer without noise has no point


def test_differences_are_counted_by_steps():
    original = np.full((3, 10), 0.5)
    other = original.copy()
    steps = [0.25, 0.5, -0.75, 1.5, 3, 7, 64.125, 128, -128, 0]
    other[0] += np.array(steps) / 256
    other[1, 0] = np.nan
    scores = {("original", "keras"): original, (INT8, TF): other, (INT8, MICRO): original[:1]}
    (found,) = comparison(scores, [0, 0, 0]).histograms
    assert (found.model, found.digits) == ((INT8, TF), 3)
    wanted = dict.fromkeys((*EDGES, np.inf), 0)
    wanted |= {0.5: 3 + 9 + 10, 1: 1, 2: 1, 4: 1, 8: 1, 128: 3, np.inf: 1}
    assert found.counts.tolist() == list(wanted.values())
    rows = section(page_of(all_within(), comparison(scores, [0, 0, 0])), "differences").findall(".//tbody/tr")
    counts = {text_of(row[0]): text_of(row[2]) for row in rows}
    assert counts["up to ½"] == "22"
    assert counts["64 to 128"] == "3"
    assert counts["beyond 256 or not a number"] == "1"


def test_the_last_bin_is_shown_only_if_it_holds_something():
    text = text_of(section(page_of(all_within()), "differences"))
    assert "128 to 256" in text
    assert "beyond" not in text
    assert "100.00 % of 200 scores within half a step" in text


def test_a_planted_disagreement_is_listed_with_all_its_sides():
    labels = [3, 5, 8, 1]
    scores = {
        ("original", "keras"): scores_of(labels),
        (FLOAT, TF): scores_of([3, 5, 3, 1], score=0.75),
        (INT8, TF): scores_of([3, 6, 3, 1], score=0.5),
        (INT8, MICRO): scores_of([3, 5], score=0.625),
    }
    found = comparison(scores, labels)
    assert found.disputed == 2
    # Two models differ from the original, then one.
    assert [each.digit.index for each in found.disagreements] == [2, 1]
    cards = section(page_of(all_within(), found), "disagreements").findall(".//section[@class='card']")
    assert [text_of(card.find("h3")) for card in cards] == ["digit 2, labelled 8", "digit 1, labelled 5"]
    sides = [[[text_of(part) for part in li] for li in card.findall(".//li")] for card in cards]
    assert sides[0] == [
        ["read as 8", "✓ right", "score 0.900", "original"],
        ["read as 3", "✗ wrong", "score 0.500 to 0.750", "float32; int8"],
    ]
    assert sides[1] == [
        ["read as 5", "✓ right", "score 0.625 to 0.900", "original; float32; int8 in Micro"],
        ["read as 6", "✗ wrong", "score 0.500", "int8 in TensorFlow"],
    ]


def test_a_picture_is_the_digit_in_black_on_white():
    labels = [3, 5]
    scores = {("original", "keras"): scores_of(labels), (INT8, TF): scores_of([3, 6])}
    (card,) = section(page_of(all_within(), comparison(scores, labels)), "disagreements").findall(".//img")
    content = base64.b64decode(card.get("src").partition(",")[2])
    np.testing.assert_array_equal(
        255 - np.asarray(Image.open(io.BytesIO(content))), digits_like(labels).images[1]
    )
    assert card.get("alt") == "digit 1, labelled 5"


@pytest.mark.parametrize(("count", "rest"), [(MOST_SHOWN, None), (MOST_SHOWN + 5, "5 more are not")])
def test_disagreements_beyond_the_limit_are_counted(count, rest):
    labels = np.zeros(100, int)
    read = np.where(np.arange(100) < count, 1, 0)
    found = comparison({("original", "keras"): scores_of(labels), (INT8, TF): scores_of(read)}, labels)
    shown = section(page_of(all_within(), found), "disagreements")
    assert len(shown.findall(".//section[@class='card']")) == MOST_SHOWN
    assert f"{count} of 20 digits." in text_of(shown)
    assert ("more are not" in text_of(shown)) == bool(rest)
    assert (rest or "") in text_of(shown)


def test_no_disagreement_is_reported():
    assert "None: every model" in text_of(section(page_of(all_within()), "disagreements"))


def test_confusions_are_by_label_and_answer():
    labels = [3, 3, 5, 9, 9]
    scores = {
        ("original", "keras"): scores_of([3, 3, 5, 9, 4]),
        (FLOAT, TF): scores_of(labels),
        (INT8, MICRO): scores_of([5, 5, 5]),
        (INT8, TF): scores_of(labels),
    }
    original, int8 = comparison(scores, labels).confusions
    assert original.model == ("original", "keras")
    assert int8.model == (INT8, MICRO)  # the first that took it
    assert int8.counts[3, 5] == 2
    assert int8.counts[5, 5] == 1
    assert int8.counts.sum() == 3
    assert original.counts[9].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    first, second = section(page_of(all_within(), comparison(scores, labels)), "confusions").findall(
        "div/section"
    )
    assert "1 of 5 misread" in text_of(first)
    assert [text_of(caption) for caption in first.findall(".//figcaption")] == ["9 as 4no. 4"]
    assert [text_of(caption) for caption in second.findall(".//figcaption")] == ["3 as 5no. 0", "3 as 5no. 1"]
    marked = second.findall(".//td[@class='few']")
    assert [(td.get("title"), text_of(td)) for td in marked] == [("2 times 3 read as 5", "2")]


def test_without_int8_files_all_files_have_a_confusion_matrix():
    scores = {("original", "keras"): scores_of([0]), (FLOAT, TF): scores_of([0])}
    assert [found.model[0] for found in comparison(scores, [0]).confusions] == ["original", FLOAT]
