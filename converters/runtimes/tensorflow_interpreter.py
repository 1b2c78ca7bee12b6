"""Run a .tflite file in TensorFlow's own interpreter."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers, shape_of_many
from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.quiet import quiet
from converters.file.graph import Graph, computed_nodes
from converters.file.signature import names_in_order
from converters.runtimes.columns import Output
from converters.runtimes.interpreter_types import Interpreter, TensorDetail
from converters.runtimes.interpreters import check_one_input_and_output
from converters.runtimes.stored_values import dequantize, quantize


def interpreter_of(content: bytes, **options: object) -> Interpreter:
    """Return an interpreter for the .tflite file `content`: one thread, tensors allocated.

    `options` are those of tf.lite.Interpreter. Raises InputError when TensorFlow's interpreter refuses it.
    """
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
            interpreter = tf.lite.Interpreter(model_content=content, num_threads=1, **options)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise InputError(f"expected a .tflite file that TensorFlow Lite runs, got: {reason}") from error
    return interpreter


@overload
def run(content: bytes, inputs: Numbers) -> NDArray[np.float32]: ...


@overload
def run(content: bytes, inputs: Mapping[str, Numbers]) -> dict[str, NDArray[np.float32]]: ...


def run(
    content: bytes, inputs: Numbers | Mapping[str, Numbers]
) -> NDArray[np.float32] | dict[str, NDArray[np.float32]]:
    """Return the outputs (n, ...) float32 for `inputs` (n, ...), real values, one at a time.

    An array of the only input gives an array of the only output; inputs by the names in the file's signature
    give outputs by theirs. Quantised inputs and outputs are converted by the file's own scale and zero point.
    An LSTM starts anew with each. Raises InputError: inputs of other names or shapes.
    """
    if not isinstance(inputs, Mapping):
        _, stored, sink = _run_one(content, np.asarray(inputs))
        return dequantize(stored, sink)
    names = names_in_order(content)
    wanted = ", ".join(names.inputs)
    expect(set(inputs) == set(names.inputs), f"inputs named {wanted}", ", ".join(inputs) or "none")
    outputs = run_in_order(content, [inputs[name] for name in names.inputs])
    return dict(zip(names.outputs, outputs, strict=True))


def run_in_order(content: bytes, inputs: Sequence[Numbers]) -> list[NDArray[np.float32]]:
    """Return each output (n, ...) float32 for `inputs`, an array (n, ...) for each, in the file's order."""
    return [output.values for output in outputs_of(content, inputs)]


def run_stored(content: bytes, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (n, ...) and outputs (n, ...) as the file stores them, for real `inputs` (n, ...)."""
    stored, outputs, _ = _run_one(content, inputs)
    return stored, outputs


def outputs_of(content: bytes, inputs: Sequence[Numbers]) -> list[Output]:
    """Return each output as the file stores it, for real `inputs`, an array (n, ...) for each input."""
    interpreter = interpreter_of(content)
    sinks = interpreter.get_output_details()
    rows = [
        [interpreter.get_tensor(sink["index"])[0] for sink in sinks]
        for _ in _runs(interpreter, _stored(inputs, interpreter.get_input_details()))
    ]
    columns = zip(zip(*rows, strict=True), sinks, strict=True)
    return [Output(np.array(one), *sink["quantization"]) for one, sink in columns]


def _run_one(content: bytes, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, TensorDetail]:
    interpreter = interpreter_of(content)
    sources, sinks = interpreter.get_input_details(), interpreter.get_output_details()
    check_one_input_and_output(sources, sinks)
    (stored,) = _stored([inputs], sources)
    outputs = [interpreter.get_tensor(sinks[0]["index"])[0] for _ in _runs(interpreter, [stored])]
    return stored, np.array(outputs), sinks[0]


def _stored(inputs: Sequence[np.ndarray], sources: Sequence[TensorDetail]) -> list[np.ndarray]:
    """Return `inputs`, one array for each of `sources`, as the file stores them."""
    expect(len(inputs) == len(sources), f"samples for each of the file's {len(sources)} inputs", len(inputs))
    for array, source in zip(inputs, sources, strict=True):
        wanted = tuple(int(side) for side in source["shape"][1:])
        expect(array.shape[1:] == wanted, f"inputs of shape {shape_of_many(wanted)}", array.shape)
    return [quantize(array, source) for array, source in zip(inputs, sources, strict=True)]


def _runs(interpreter: Interpreter, stored: Sequence[np.ndarray]) -> Iterator[None]:
    """Run each sample of `stored`, one array for each input; no state is left from one to the next."""
    indices = [source["index"] for source in interpreter.get_input_details()]
    for sample in zip(*stored, strict=True):
        interpreter.reset_all_variables()
        for index, one in zip(indices, sample, strict=True):
            interpreter.set_tensor(index, one[None])
        interpreter.invoke()
        yield


def every_tensor(
    content: bytes, graph: Graph, inputs: np.ndarray | Sequence[np.ndarray]
) -> dict[int, np.ndarray]:
    """Return the real values, float64 (n, ...), of the inputs and each tensor computed of them, by index.

    TensorFlow's own kernels without a delegate compute them for `inputs` (n, ...), one at a time; a list has
    an array for each input.
    """
    interpreter = interpreter_of(
        content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    sources = interpreter.get_input_details()
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    wanted = [
        *(source["index"] for source in sources),
        *(tensor.index for node in computed_nodes(graph) for tensor in node.outputs),
    ]
    found: dict[int, list[np.ndarray]] = {index: [] for index in wanted}
    arrays = list(inputs) if isinstance(inputs, list | tuple) else [np.asarray(inputs)]
    for _ in _runs(interpreter, _stored(arrays, sources)):
        for index, rows in found.items():
            rows.append(interpreter.get_tensor(index)[0])
    return {
        index: dequantize(np.array(rows), details[index]).astype(np.float64) for index, rows in found.items()
    }
