"""Set TensorFlow's converter for a precision, and run it without its prints."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from converters.base.arrays import Numbers
from converters.base.environment import mlir_quantize, tf
from converters.base.errors import InputError, expect
from converters.base.precisions import CALIBRATED, ENDS, Ends, Precision
from converters.base.quiet import quiet
from converters.base.untyped import LiteConverter
from converters.file.lstm_outputs import with_scales_of_states
from converters.file.manifest import graph_count
from converters.file.same_padding import with_padding_written_out
from converters.model.quantising_apart import Died, quantised_apart

Names = Callable[[bytes], Sequence[str]]
"""A function that returns tensors of a float32 .tflite file by their names."""

_LONGEST_REASON = 300


def set_precision(
    converter: LiteConverter, precision: Precision, *, ends: Ends | None, per_channel_dense: bool = False
) -> None:
    """Let `converter` write a file of `precision`; `ends`: the type of a quantised file's ends.

    `per_channel_dense`, for int8: a scale for each output of a dense kernel.
    """
    # Per-channel FULLY_CONNECTED is refused by NNAPI and by tflite-runtime 2.14 (dynamic range), and was
    # silently wrong on older TensorFlow Lite Micro: it must be asked for.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel_dense
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision in CALIBRATED:
        ends = ends or ENDS[precision][0]
        converter.inference_input_type = converter.inference_output_type = tf.as_dtype(ends)


def calibrate(
    converter: LiteConverter,
    samples: Mapping[str, Numbers],
    *,
    precision: Precision,
    float_tensors: Names | None = None,
) -> None:
    """Let `converter` find the ranges of a model from `samples` (n, ...), by the file's names of its inputs.

    `float_tensors`, for int8: names tensors of the float32 file whose operators stay in float32. A file with
    loops is quantised in another process, which may die of it.
    """
    operators = tf.lite.OpsSet
    converter.target_spec.supported_ops = [
        operators.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        if precision == "int16"
        else operators.TFLITE_BUILTINS_INT8
    ]
    converter.representative_dataset = lambda: _one_by_one(samples)
    quantise = converter._quantize

    # Called for the float32 file, which is not seen otherwise.
    def quantise_otherwise(content: bytes, *arguments: object) -> bytes:
        loops = graph_count(content) > 1
        if float_tensors is not None:
            expect(not loops, "a model without loops to keep layers in float32", "one with a loop")
            return _quantised_in_part(converter, content, arguments, quantise, float_tensors)
        if loops:
            expect(
                _one_dense_scale(converter), "a model without loops for per_channel_dense", "one with a loop"
            )
            return quantised_apart(content, samples, arguments)
        return quantise(content, *arguments)

    converter._quantize = quantise_otherwise


def quantised(content: bytes, samples: Mapping[str, Numbers], arguments: Sequence[object]) -> bytes:
    """Return the float32 file `content` quantised, with what `converter._quantize` of another process got."""
    converter = tf.lite.TFLiteConverter([], None)
    set_precision(converter, "int8", ends=None)
    converter.representative_dataset = lambda: _one_by_one(samples)
    return bytes(converter._quantize(content, *arguments))


def _quantised_in_part(
    converter: LiteConverter,
    content: bytes,
    arguments: Sequence[object],
    quantise: Callable[..., bytes],
    float_tensors: Names,
) -> bytes:
    """Return the float32 file `content` in int8 but for the operators that compute `float_tensors`."""
    converter._experimental_calibrate_only = True
    try:
        calibrated = quantise(content, *arguments)
    finally:
        converter._experimental_calibrate_only = False
    input_type, output_type, *_ = arguments
    return mlir_quantize(
        calibrated,
        input_data_type=input_type,
        output_data_type=output_type,
        denylisted_nodes=list(float_tensors(content)),
        disable_per_channel_for_dense_layers=_one_dense_scale(converter),
    )


def _one_dense_scale(converter: LiteConverter) -> bool:
    """Return whether `converter` gives a dense kernel one scale for all of its outputs."""
    one: bool = converter._experimental_disable_per_channel_quantization_for_dense_layers
    return one


def _one_by_one(
    samples: Mapping[str, Numbers],
) -> Iterator[list[Numbers] | dict[str, Numbers]]:
    """Yield each sample as a converter takes it: a list of the only input, else by the inputs' names."""
    for row in zip(*samples.values(), strict=True):
        one = [array[None] for array in row]
        yield one if len(one) == 1 else dict(zip(samples, one, strict=True))


def converted(converter: LiteConverter, *, precision: Precision) -> bytes:
    """Return the file that `converter` writes.

    Raises InputError, naming them, for operators that TensorFlow Lite does not have, and for a model that the
    converter does not take, with its reason. Raises Died when the process that quantised died.
    """
    try:
        # Keras 3 prints what it exports.
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            return bytes(converter.convert())
    except (InputError, Died, KeyboardInterrupt):
        raise
    except Exception as error:  # the converter raises errors of many kinds; the operator is what helps
        refused = _refused_operators(str(error))
        if refused:
            raise InputError(
                f"expected layers that TensorFlow Lite has operators for, got {refused}"
            ) from error
        reason = _reason(error)
        raise InputError(
            f"expected a model that TensorFlow's converter takes in {precision}, got: {reason}"
        ) from error


def _refused_operators(message: str) -> str:
    """Return the operators that the converter's message names as missing, "" if it names none."""
    named = re.findall(r"^(?:Flex|Custom) ops: (.+)$", message, re.MULTILINE)
    named = named or re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", message)
    return "; ".join(dict.fromkeys(named))


def _reason(error: Exception) -> str:
    """Return the line of the converter's message that says what is wrong: its first error, or first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wrong = [line for line in lines if "error:" in line]
    chosen = (wrong or lines or [type(error).__name__])[0]
    return chosen.rpartition("error: ")[2][:_LONGEST_REASON]


def mended(content: bytes, *, resizes: bool = False) -> bytes:
    """Return the file `content` that `converted` wrote, without what it or XNNPACK gets wrong.

    `resizes`: whether its size may change, which the padding that would be written out depends on.
    """
    content = with_scales_of_states(content)
    return content if resizes else with_padding_written_out(content)
