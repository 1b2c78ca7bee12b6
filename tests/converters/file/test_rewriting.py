"""A rewritten file: whatever goes by a number in it still names the same thing."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest

from converters.base.errors import InputError
from converters.file.layouts import layout_of
from converters.file.lowering import lower
from converters.file.manifest import describe, parse
from converters.file.rewriting import Rewriting
from converters.file.schema import schema
from converters.file.soundness import check_sound
from lenet_edge.packaged.files import content_of


def packed(model):
    builder = flatbuffers.Builder(1 << 17)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def model():
    """A file with all that goes by a number: more metadata, the old list of it, and two signatures."""
    model = parse(content_of("stock_lenet5_int8.tflite"))
    for _ in range(3):
        model.buffers.insert(5, schema.BufferT())  # of nothing: dropped, so that those behind it move
    for owner in (*model.subgraphs[0].tensors, *model.metadata):
        owner.buffer += 3 * (owner.buffer >= 5)
    for text in (b"old metadata one", b"old metadata two"):
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(text, np.uint8)
    model.metadataBuffer = [len(model.buffers) - 1, len(model.buffers) - 2]
    graph = model.subgraphs[0]
    for name in (b"of no use", b"scratch"):
        graph.tensors.append(schema.TensorT())
        graph.tensors[-1].name, graph.tensors[-1].shape = name, [1]
    graph.operators[0].intermediates = [len(graph.tensors) - 1]
    return model


def named(model):
    """Return what the numbers of metadata, signatures and intermediates stand for."""
    data = [bytes(buffer.data) if buffer.data is not None else b"" for buffer in model.buffers]
    tensors = [tensor.name.split(b";")[0].split(b"/")[-1] for tensor in model.subgraphs[0].tensors]
    ends = [end for one in model.signatureDefs for end in (*one.inputs, *one.outputs)]
    extra = [one.intermediates for one in model.subgraphs[0].operators if one.intermediates is not None]
    return {
        "metadata": [(entry.name, data[entry.buffer]) for entry in model.metadata],
        "old metadata": [data[number] for number in model.metadataBuffer],
        "signatures": [(end.name, tensors[end.tensorIndex]) for end in ends],
        "intermediates": [tensors[number] for numbers in extra for number in numbers],
    }


REWRITES = {
    "lowered": lambda content: lower(content, layout=layout_of("1x4>1x4 - 1x2>1x2 -")),
    "as it was": lambda content: lower(content, layout=layout_of("- - - -")),
}


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_numbers_follow_what_they_name(model, rewrite):
    rewritten = parse(rewrite(packed(model)))
    assert list(rewritten.metadataBuffer) != model.metadataBuffer
    assert named(rewritten) == named(model)


def test_a_rewritten_file_is_sound(model):
    model.subgraphs[0].operators[0].intermediates = None  # those are of operators that are not checked
    check_sound(lower(packed(model), layout=layout_of("1x4>1x4 - - -")))


def metadata_of(model, name, buffer):
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, buffer
    model.metadata.append(entry)


def change_signature(model):
    model.signatureDefs[0].outputs[0].tensorIndex = 7


def change_metadata_buffer(model):
    model.metadataBuffer = [len(model.buffers)]


def change_intermediates(model):
    model.subgraphs[0].operators[0].intermediates = [999]


def move_data(model):
    model.buffers[9].data, model.buffers[9].offset, model.buffers[9].size = None, 4000, 64


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (change_signature, "expected signatures of the graph's inputs and outputs, got others"),
        (change_metadata_buffer, "expected a .tflite file, got a damaged one"),
        (change_intermediates, "expected a .tflite file, got a damaged one"),
        (lambda m: metadata_of(m, b"more", 999), "expected a .tflite file, got a damaged one"),
        (
            lambda m: metadata_of(m, b"model_control_dependencies", 1),
            "expected a .tflite file without control dependencies, got some",
        ),
        (move_data, "expected constants within the tables of the .tflite file, got some behind them"),
    ],
)
def test_numbers_that_cannot_follow_are_refused_in_one_line(model, change, line):
    change(model)
    with pytest.raises(InputError, match=line):
        Rewriting(packed(model))


def test_tensors_need_no_names(model):
    for tensor in model.subgraphs[0].tensors:
        tensor.name = None
    content = lower(packed(model), layout=layout_of("- - - -"))
    assert describe(content)["inputs"][0]["name"] == ""
