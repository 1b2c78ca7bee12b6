"""Set TensorFlow's converter for a precision, and run it without its prints."""

from __future__ import annotations

import contextlib
import io
import re

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.precisions import Ends, Precision
from converters.base.quiet import quiet
from converters.base.untyped import KerasModel, LiteConverter
from converters.model.graph import type_name


def set_precision(converter: LiteConverter, precision: Precision, *, ends: Ends) -> None:
    """Let `converter` write a file of `precision`; `ends`: the type of an int8 file's input and output."""
    # Per-channel FULLY_CONNECTED is refused by NNAPI and by tflite-runtime 2.14 (dynamic range), and was
    # silently wrong on older TensorFlow Lite Micro.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.inference_input_type = converter.inference_output_type = tf.as_dtype(ends)


def calibrate(converter: LiteConverter, model: KerasModel, samples: NDArray[np.float32]) -> None:
    """Let `converter` find the ranges of `model` from `samples` (n, ...), in the type of its input."""
    typed = samples.astype(type_name(model.inputs[0]))
    converter.representative_dataset = lambda: ([sample[None]] for sample in typed)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


def converted(converter: LiteConverter) -> bytes:
    """Return the file that `converter` writes; raises InputError, naming them, for operators it has not."""
    try:
        # Keras 3 prints what it exports.
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            return bytes(converter.convert())
    except Exception as error:  # the converter raises errors of many kinds; the operator is what helps
        refused = _refused_operators(str(error))
        if refused:
            raise InputError(
                f"expected layers that TensorFlow Lite has operators for, got {refused}"
            ) from error
        raise


def _refused_operators(message: str) -> str:
    """Return the operators that the converter's message names as missing, "" if it names none."""
    named = re.findall(r"^(?:Flex|Custom) ops: (.+)$", message, re.MULTILINE)
    named = named or re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", message)
    return "; ".join(dict.fromkeys(named))
