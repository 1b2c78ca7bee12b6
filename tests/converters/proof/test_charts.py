"""The charts of a report: every name is inside the picture, touches no other, and is told whole."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from converters.proof.charts import line_chart

SIZE, BOLD = 12.5, 13.0
"""Of the text, in SVG units, as converters.proof.style has it."""

WIDE, WIDE_BOLD = 0.6 * SIZE, 0.65 * BOLD
"""A character of a layer's name in DejaVu Sans, the widest of the usual fonts for screens, on average."""

LAYERS = {
    "of LeNet-5": ["C1 conv", "tanh", "S2 depthwise", "OUTPUT dense"],
    "one": ["a_layer_with_a_name_of_some_length"],
    "long and first": ["expanded_conv_depthwise_and_then_more", "b", "c"],
    "of MobileNetV2": [f"block_{number}_depthwise" for number in range(66)],
    "longer than any": ["x" * 300, *(f"{'y' * 200}{number}" for number in range(9))],
    "none": [],
}


def chart(places, names):
    series = {name: [30.0 + number] * len(places) for number, name in enumerate(names)}
    return ElementTree.fromstring(line_chart(series, places=places, unit="dB"))


def shown(text):
    """Return the text that is seen, without its title."""
    return text.text


def reach_of_place(text):
    """Return where a place's name begins and ends: (x, y) of each."""
    x, y, turn = map(float, re.findall(r"-?[0-9.]+", text.get("transform")))
    length, slope = WIDE * len(shown(text)), math.radians(-turn)
    return (x - length * math.cos(slope), y + length * math.sin(slope)), (x, y), slope


@pytest.mark.parametrize("kind", LAYERS)
def test_no_name_leaves_the_chart_or_touches_its_neighbour(kind):
    places, names = LAYERS[kind], ["int8", "a_file_with_quite_a_long_name_float32", "z" * 200]
    svg = chart(places, names)
    _, _, width, height = map(float, svg.get("viewBox").split())
    turned = [text for text in svg.iter("text") if text.get("transform")]
    assert len(turned) == len(places)
    reached = [reach_of_place(text) for text in turned]
    for (left, low), (right, high), _ in reached:
        assert left >= 0
        assert right <= width
        assert high > 0
        assert low <= height
    for (_, (x, _), slope), (_, (other, _), _) in pairwise(reached):
        assert (other - x) * math.sin(slope) >= SIZE
    ends = [text for text in svg.iter("text") if "name" in text.get("class", "")]
    assert len(ends) == (len(names) if places else 0)
    for text in ends:
        assert float(text.get("x")) + WIDE_BOLD * len(shown(text)) <= width
        assert float(text.get("y")) <= height


def test_a_name_that_is_shortened_is_whole_beneath_the_pointer():
    long, short = "begin" + "x" * 300 + "end", "x" * 40
    by_end = {text.text[:5]: text for text in chart([long, short], ["int8"]).iter("text")}
    assert by_end["begin"].text.endswith("end")
    assert len(by_end["begin"].text) == 40
    assert by_end["begin"].findtext("title") == long
    assert by_end["xxxxx"].text == short
    assert by_end["xxxxx"].find("title") is None


def test_many_lines_that_end_together_keep_their_names_inside():
    names = [f"file {number}" for number in range(40)]
    svg = ElementTree.fromstring(
        line_chart({name: [0.0, 0.0] for name in names}, places=["a", "b"], unit="dB")
    )
    height = float(svg.get("viewBox").split()[3])
    lines = sorted(float(text.get("y")) for text in svg.iter("text") if "name" in text.get("class", ""))
    assert len(lines) == 40
    assert lines[-1] <= height
    assert min(after - before for before, after in pairwise(lines)) >= BOLD
