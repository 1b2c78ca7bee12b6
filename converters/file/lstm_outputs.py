"""Give each LSTM of an int8 file the scales of its state and output that its kernel computes in.

The kernel brings its state to the scale of an intermediate tensor, copies it to its output, and takes it for
one of the state's scale in the next step. TensorFlow's converter (2.21) gives both the scale of what reads
them where several tensors must have one (a Concatenate, as in Bidirectional): they are then read as another
multiple of what they are.
"""

from __future__ import annotations

import numpy as np

from converters.base.untyped import SchemaObject
from converters.file.graph import read_graph
from converters.file.manifest import graph_count
from converters.file.rewriting import Rewriting
from converters.file.schema import schema

_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_PROJECTION, _STATE = 16, 18  # numbers of inputs: what would multiply the state, and the state
_HIDDEN = 4  # the number of the intermediate tensor with the scale that the kernel computes the state in
_QUANTIZE_VERSION = 2  # from int8 to int8


def with_scales_of_states(content: bytes) -> bytes:
    """Return the .tflite file `content` with right scales of each LSTM's state, and a QUANTIZE behind it.

    A QUANTIZE only where its output has another scale. `content` itself where all are right, and if it has
    loops. Raises InputError as `Rewriting`.
    """
    if graph_count(content) > 1:
        return content
    names = [node.name for node in read_graph(content).nodes]
    if _LSTM not in names:
        return content
    file, changed = Rewriting(content), False
    for name, operator in zip(names, list(file.graph.operators), strict=True):
        file.operators.append(operator)
        if name == _LSTM:
            changed = _mended(file, operator) or changed
    return file.packed() if changed else content


def _mended(file: Rewriting, lstm: SchemaObject) -> bool:
    """Give the last of the new operators, `lstm`, right scales; return whether they were wrong."""
    tensors = file.graph.tensors
    intermediates = lstm.intermediates
    if intermediates is None or len(intermediates) <= _HIDDEN or lstm.inputs[_PROJECTION] != -1:
        return False
    right = tensors[intermediates[_HIDDEN]].quantization
    state, output = tensors[lstm.inputs[_STATE]], lstm.outputs[0]
    if not _scales(right):
        return False
    wrong = [_scales(one.quantization) != _scales(right) for one in (state, tensors[output])]
    state.quantization = right
    if wrong[1]:
        shape, kind = tuple(tensors[output].shape), tensors[output].type
        own = file.tensor(shape, kind, name=f"{file.name_of(output)}_of_state", quantization=right)
        lstm.outputs = np.array([own], np.int32)
        options = schema.QuantizeOptionsT()
        file.operator("QUANTIZE", version=_QUANTIZE_VERSION, inputs=[own], outputs=[output], options=options)
    return any(wrong)


def _scales(quantization: SchemaObject) -> tuple[float, ...]:
    """Return the scales and zero points, none of a tensor of floating point."""
    if quantization is None or quantization.scale is None:
        return ()
    return (*map(float, quantization.scale), *map(float, quantization.zeroPoint))
