"""Run a .tflite file through TensorFlow's own interpreter."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from converters.environment import tf
from converters.errors import InputError, expect
from converters.quantised import dequantise, quantise
from converters.quiet import quiet


def interpreter_of(content: bytes) -> Any:
    """Return an interpreter for the .tflite file `content`: one thread, tensors allocated.

    Raises InputError when TensorFlow's interpreter refuses it.
    """
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
            interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise InputError(f"expected a .tflite file that TensorFlow Lite runs, got: {reason}") from error
    return interpreter


def run(content: bytes, inputs: np.ndarray) -> np.ndarray:
    """Return the outputs (n, ...) float32 for `inputs` (n, ...), real values, one at a time.

    Quantised inputs and outputs are converted by the file's own scale and zero point.
    """
    interpreter = interpreter_of(content)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    wanted = tuple(int(side) for side in source["shape"][1:])
    expect(inputs.shape[1:] == wanted, f"inputs of shape (n, {str(wanted)[1:-1]})", inputs.shape)
    stored = quantise(inputs, source)
    outputs = []
    for one in stored:
        interpreter.set_tensor(source["index"], one[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"])[0])
    return dequantise(np.array(outputs), sink)
