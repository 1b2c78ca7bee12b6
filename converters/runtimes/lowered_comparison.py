"""Compare a laid-out .tflite file with the file that it was made from, by running both."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES, unusable_reason
from converters.file.graph import CONVERSIONS, read_graph
from converters.file.soundness import check_sound
from converters.runtimes.interpreter_types import Interpreter, TensorDetail
from converters.runtimes.interpreters import first_line, load_package, refusal
from converters.runtimes.stored_values import dequantize

_RUNTIMES = ("litert", "tflite", "tensorflow")  # the newest first: an old one refuses newer operators

_KERNELS = "BUILTIN_REF"
"""The reference kernels: they round each operator alike, so that int8 is the same in every bit.

The faster ones do not; XNNPACK's are even wrong for some convolutions (SAME, strides larger than the kernel).
"""

_LARGEST_INPUTS = (1.0, 255.0, 0.01) * 2  # of floating point: normalised values, pixels, small ones
_ROUNDING = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answer:
    """An output for one input: what is stored, its real values, and the step between two of them or 0."""

    stored: Numbers
    real: np.ndarray
    step: float


def check_same(before: bytes, after: bytes) -> str:
    """Return, as part of a line, how the .tflite file `after` was compared with `before`, its source.

    Both run on a few random inputs in the first runtime that is here and takes them. A file that computes
    with integers only must be the same in every bit, another within rounding. "not compared: ..." is
    returned, with the reason, where no runtime is here or none takes `before`, or where it cannot be given to
    native code (`check_sound`). Raises InputError when `after` is not sound or its outputs differ.
    """
    try:
        check_sound(before, name="it")
    except InputError as error:
        return f"not compared: {error}"
    check_sound(after, name="the laid-out file")
    usable = [name for name in _RUNTIMES if not unusable_reason(name)]
    reason = "no runtime here"
    for name in usable:
        try:
            wanted = _answers(RUNTIMES[name].package, before)
        except (ValueError, RuntimeError) as error:
            reason = refusal(RUNTIMES[name].title, first_line(error))
            continue
        try:
            got = _answers(RUNTIMES[name].package, after)
        except (ValueError, RuntimeError) as error:
            raise InputError(f"expected the laid-out file to run, got: {first_line(error)}") from error
        return f"compared in {RUNTIMES[name].title}: {_difference(wanted, got, exact=_is_exact(before))}"
    return f"not compared: {reason}"


def _is_exact(content: bytes) -> bool:
    """Return whether every operator of a file but those at its ends computes with integers."""
    nodes = [node for node in read_graph(content).nodes if node.name not in CONVERSIONS]
    tensors = [tensor for node in nodes for tensor in (*node.inputs, *node.outputs) if tensor is not None]
    return all(not tensor.type.startswith("float") for tensor in tensors)


def _answers(package: str, content: bytes) -> list[_Answer]:
    """Return every output of a file for each of the random inputs, in order."""
    runtime = load_package(package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
        interpreter = runtime.interpreter(
            model_content=content, num_threads=1, experimental_op_resolver_type=runtime.resolvers[_KERNELS]
        )
    interpreter.allocate_tensors()
    random = np.random.default_rng(1998)
    return [answer for largest in _LARGEST_INPUTS for answer in _run(interpreter, random, largest)]


def _run(interpreter: Interpreter, random: np.random.Generator, largest: float) -> list[_Answer]:
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], _random_values(detail, random, largest))
    interpreter.invoke()
    answers = []
    for detail in interpreter.get_output_details():
        stored = interpreter.get_tensor(detail["index"])
        real = dequantize(stored, detail)
        answers.append(_Answer(stored=stored, real=real, step=detail["quantization"][0]))
    return answers


def _random_values(detail: TensorDetail, random: np.random.Generator, largest: float) -> Numbers:
    """Return values for an input: any that 8 or 16 bits store, 0 or 1 where it is an index."""
    dtype, shape = np.dtype(detail["dtype"]), tuple(detail["shape"])
    if dtype.kind == "f":
        return random.uniform(-largest, largest, shape).astype(dtype)
    if dtype.itemsize > 2 or dtype.kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype.name)
    return random.integers(limits.min, limits.max, shape, endpoint=True).astype(dtype)


def _difference(wanted: Sequence[_Answer], got: Sequence[_Answer], *, exact: bool) -> str:
    """Return the largest difference in words; InputError for one that rounding does not explain."""
    largest = 0.0
    for one, other in zip(wanted, got, strict=True):
        same = np.array_equal(one.stored, other.stored, equal_nan=one.stored.dtype.kind == "f")
        if same:
            continue
        difference = float(np.abs(one.real.astype(np.float64) - other.real).max())
        allowed = 0.0 if exact else max(_ROUNDING * float(np.abs(one.real).max()), 1.01 * one.step)
        expected = "the laid-out file to give the outputs of the file before"
        expect(difference <= allowed, expected, f"a difference of {difference:.2g}")
        largest = max(largest, difference)
    return f"largest difference {largest:.1e}" if largest else "no bit differs"
