"""What `lenet-edge parity` prints: a column of the matrix fits a terminal of 100 characters."""

from __future__ import annotations

import pytest

from lenet_edge.parity.cell import Cell
from lenet_edge.parity.terminal_lines import cell_lines

WIDEST = "lenet5_wide_float32.tflite at 112"


def cell(**more):
    shares = {"error": 100.0, "agreement": 100.0, "used": 99.6, "same": 100.0}
    steps = {"largest": 2.816e-06, "allowed": 1.234e-05, "p": 1.2e-05}
    return Cell(**{"row": WIDEST, "column": "tf.lite", "digits": 10_000, **shares, **steps, **more})


def test_a_line_within_tolerance_fits_and_no_two_figures_touch():
    head, line = cell_lines("TensorFlow", [cell()])[2:]
    assert max(len(head), len(line)) <= 100
    assert line == (
        "  lenet5_wide_float32 at 112 10,000 100.00% 100.00% 2.82e-06 1.23e-05  100% 100.00% 1.2e-05  within"
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [({"refused": "no kernel"}, "refused: no kernel"), ({"why": "it died", "refused": "x"}, "it died")],
)
def test_a_refusal_stands_beside_the_name(more, sentence):
    other, refused = cell_lines("Micro", [cell(), cell(row="lenet5_int8.tflite", **more)])[3:]
    assert refused == f"  lenet5_int8{'':15}  {sentence}"
    assert other.endswith("within")
