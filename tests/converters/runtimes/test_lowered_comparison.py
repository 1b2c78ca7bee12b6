"""A file with one other weight is not taken for the same, one that is the same is."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.file.rewriting import Rewriting
from converters.runtimes import lowered_comparison
from converters.runtimes.lowered_comparison import check_same
from lenet_edge.packaged.files import content_of

REFUSED = "expected the laid-out file to give the outputs of the file before, got a difference of "


def with_another_weight(content, change):
    """Return the file with one weight of its first kernel as `change` returns it."""
    file = Rewriting(content)
    file.operators = list(file.graph.operators)
    kernel = next(node.inputs[1] for node in read_graph(content).nodes if node.name == "CONV_2D")
    values = kernel.constant.copy()
    values.flat[0] = change(values.flat[0])
    buffer = file.model.buffers[file.graph.tensors[kernel.index].buffer]
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return file.packed()


@pytest.mark.parametrize("precision", ["float32", "dynamic", "int8"])
def test_the_same_file_differs_in_no_bit(precision):
    content = content_of(f"stock_lenet5_{precision}.tflite")
    assert check_same(content, content) == "compared in ai-edge-litert: no bit differs"


@pytest.mark.parametrize(
    ("precision", "change"),
    [("float32", lambda weight: weight + 0.05), ("int8", lambda weight: weight - 8)],
)
def test_one_other_weight_is_refused(precision, change):
    content = content_of(f"stock_lenet5_{precision}.tflite")
    with pytest.raises(InputError, match=REFUSED):
        check_same(content, with_another_weight(content, change))


def test_rounding_is_told_and_taken():
    content = content_of("stock_lenet5_float32.tflite")
    found = check_same(
        content, with_another_weight(content, lambda weight: np.nextafter(weight, np.float32(9)))
    )
    assert found.startswith("compared in ai-edge-litert: largest difference ")


def test_a_laid_out_file_that_the_runtime_refuses_is_a_line(monkeypatch):
    before, after = content_of("stock_lenet5_int8.tflite"), content_of("lenet5_int8.tflite")
    answers = lowered_comparison._answers

    def refusing(package, content):
        if content is after:
            raise RuntimeError("failed to prepare node 3\nmore")
        return answers(package, content)

    monkeypatch.setattr(lowered_comparison, "_answers", refusing)
    with pytest.raises(InputError, match="laid-out file to run, got: failed to prepare node 3$"):
        check_same(before, after)
