"""What must hold of any model: folded, converted in each precision, fine-tuned, laid out anew.

Each property takes a model of `drawn_models` and returns what came of it: "held", or "refused: " and our own
words, which is an answer too. It raises AssertionError for a wrong number; any other exception is a fault.

How far numbers may differ is taken from the model itself: its tensors are moved by as much as a format rounds
them, and what its outputs do then is the *noise* of that format. A model that takes differences of large
numbers has more of it, one that ends in a softmax has little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as st
import numpy as np
from drawn_models import DrawnModel, drawn_models

from converters import InputError, fold, lower, quantize_aware, run, settle, to_tflite
from converters.base.errors import expect
from converters.base.precisions import Precision
from converters.file.graph import read_graph
from converters.file.layouts import Layout, describe, variations, windowed
from converters.file.suggestion import fits, suggested
from converters.model.float32 import float32_policy
from converters.model.graph import graph_of
from converters.runtimes.lowered_comparison import check_same

FLOAT32_ROUNDING, FLOAT16_ROUNDING = 2.0**-24, 2.0**-11
"""By how much of itself a number is rounded at most."""

_ROUNDINGS = 16  # in one layer, of sums of some dozen products
_TIMES_NOISE = 4.0
_LOWERED: tuple[Precision, ...] = ("int8", "float32", "float16", "dynamic")
_LAYOUTS_TRIED = 6  # of those that an operator may have


def check_fold(drawn: DrawnModel) -> str:
    """Hold the folded model to the model, in every output."""
    tolerances = _tolerances(drawn, FLOAT32_ROUNDING)
    folded = fold(drawn.model)
    for got, wanted, allowed in zip(
        _outputs(folded, drawn), _outputs(drawn.model, drawn), tolerances, strict=True
    ):
        _hold("fold", got, wanted, allowed)
    return "held"


def check_float(drawn: DrawnModel) -> str:
    """Hold the files without calibration to the model, and the float32 one laid out anew to itself."""
    folded, (wanted,) = fold(drawn.model), _outputs(drawn.model, drawn)
    (exact,), (half,) = (_tolerances(drawn, unit) for unit in (FLOAT32_ROUNDING, FLOAT16_ROUNDING))
    content = to_tflite(folded, precision="float32").content
    _hold("float32", run(content, drawn.samples), wanted, exact)
    _hold("float16", run(to_tflite(folded, precision="float16").content, drawn.samples), wanted, half)
    dynamic = run(to_tflite(folded, precision="dynamic").content, drawn.samples)
    _hold_rms("dynamic", dynamic, wanted, noise_of_8_bits(drawn, wanted))
    _check_lowered(content)
    return "held"


def check_int8(drawn: DrawnModel) -> str:
    """Hold the int8 file to the model: no worse than 8 bits, or the file without fold, explain."""
    (wanted,) = _outputs(drawn.model, drawn)
    content = to_tflite(fold(drawn.model), precision="int8", calibration=drawn.samples).content
    _hold_int8("int8", content, drawn, wanted)
    _check_lowered(content)
    return "held"


def check_quantize_aware(drawn: DrawnModel) -> str:
    """Hold the file of the model that rounds as int8 does to the model that rounds, and to the exact one."""
    (wanted,) = _outputs(drawn.model, drawn)
    rounding = quantize_aware(fold(drawn.model), calibration=drawn.samples)
    settle(rounding)
    trained = np.asarray(rounding(drawn.samples, training=False))
    content = to_tflite(rounding, precision="int8").content
    own = max(_rms(trained - wanted), noise_of_8_bits(drawn, wanted) / 2)
    # A file rounds halves otherwise than Keras does, and each such step is carried on.
    _hold_rms("fine-tuned, file and model", run(content, drawn.samples), trained, own + _step(content))
    _hold_int8("fine-tuned", content, drawn, wanted)
    _check_lowered(content)
    return "held"


def check_int16(drawn: DrawnModel) -> str:
    """Hold the file with activations of 16 bits to the model: no worse than 8 bits everywhere explain."""
    (wanted,) = _outputs(drawn.model, drawn)
    content = to_tflite(fold(drawn.model), precision="int16", calibration=drawn.samples).content
    _hold_rms("int16", run(content, drawn.samples), wanted, noise_of_8_bits(drawn, wanted) + _step(content))
    return "held"


def check_lower(drawn: DrawnModel) -> str:
    """Hold a file in a drawn layout to the file as it was, and to the model; the seed draws its precision."""
    (wanted,) = _outputs(drawn.model, drawn)
    precision = _LOWERED[drawn.seed % len(_LOWERED)]
    calibration = drawn.samples if precision == "int8" else None
    content = to_tflite(fold(drawn.model), precision=precision, calibration=calibration).content
    layout = _drawn_layout(content, np.random.default_rng(drawn.seed))
    expect(any(layout), "a file with an operator that can be laid out", "none")
    laid_out = lower(content, layout=layout)
    _hold_same(content, laid_out, layout)
    what = f"{precision} laid out as {describe(layout)}"
    if precision == "int8":
        _hold_int8(what, laid_out, drawn, wanted)
    elif precision == "float32":
        _hold(what, run(laid_out, drawn.samples), wanted, _tolerances(drawn, FLOAT32_ROUNDING)[0])
    return "held"


PROPERTIES: dict[str, Callable[[DrawnModel], str]] = {
    "fold": check_fold,
    "float": check_float,
    "int8": check_int8,
    "int16": check_int16,
    "quantize_aware": check_quantize_aware,
    "lower": check_lower,
}
"""The properties by the names that a person gives."""


def models_for(name: str) -> st.SearchStrategy[DrawnModel]:
    """Return the strategy of the models of which the property is asked."""
    if name == "fold":
        return drawn_models(outputs=2, skipping=True)
    return drawn_models(common=name == "quantize_aware")


def outcome(name: str, drawn: DrawnModel) -> str:
    """Return "held" or "refused: ..."; raises whatever a fault raises.

    The words of a refusal are without the numbers of layers and those with a point, so that they can be
    counted.
    """
    try:
        return PROPERTIES[name](drawn)
    except InputError as error:
        words = re.sub(r"([a-z])_[0-9]+", r"\1", str(error))
        return "refused: " + re.sub(r"[0-9]+\.[0-9.e+-]+(:-?[0-9]+)?", "N", words)


def noise_of_8_bits(drawn: DrawnModel, wanted: np.ndarray) -> float:
    """Return the rms by which the model's output moves when tensors and kernels move by steps of 8 bits."""
    found = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        with _moved_kernels(drawn.model, rng):
            (moved,) = _walked(drawn, lambda values, r=rng: _moved_by_steps(values, r))
        found.append(_rms(moved - wanted))
    return max(found)


def _tolerances(drawn: DrawnModel, unit: float) -> list[float]:
    """Return the most by which each output may differ when numbers are rounded to `unit` of themselves."""
    exact = _outputs(drawn.model, drawn)
    largest = [0.0] * len(exact)
    for seed in range(2):
        rng = np.random.default_rng(seed)
        moved = _walked(
            drawn, lambda values, r=rng: values * (1 + _ROUNDINGS * unit * r.uniform(-1, 1, values.shape))
        )
        differences = [float(np.abs(one - two).max()) for one, two in zip(moved, exact, strict=True)]
        largest = [max(pair) for pair in zip(largest, differences, strict=True)]
    ends = [_ROUNDINGS * unit * float(np.abs(values).max()) for values in exact]
    return [_TIMES_NOISE * noise + end for noise, end in zip(largest, ends, strict=True)]


def _walked(drawn: DrawnModel, moved: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """Return the model's outputs when each of its tensors is `moved`."""
    graph = graph_of(drawn.model)
    tensors: dict[int, Any] = dict(zip(graph.inputs, [drawn.samples], strict=True))
    with float32_policy(graph.keras):
        for call in graph.calls:
            if call.is_input:
                continue
            sources = [moved(np.asarray(tensors[wire])).astype(np.float32) for wire in call.inputs]
            # What Keras counts as a tensor, it takes without asking for its type.
            sources = [graph.keras.ops.convert_to_tensor(one) for one in sources]
            tensors.update(zip(call.outputs, call.again(call.layer, sources, training=False), strict=True))
    return [moved(np.asarray(tensors[wire])) for wire in graph.outputs]


def _moved_by_steps(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    return values + (high - low) / 255 * rng.uniform(-1, 1, values.shape)


@contextmanager
def _moved_kernels(model: Any, rng: np.random.Generator) -> Iterator[None]:
    kernels = [variable for variable in model.weights if "kernel" in variable.path.rsplit("/", 1)[-1]]
    kept = [np.array(kernel) for kernel in kernels]
    for kernel, values in zip(kernels, kept, strict=True):
        kernel.assign(values + np.abs(values).max() / 127 * rng.uniform(-1, 1, values.shape))
    try:
        yield
    finally:
        for kernel, values in zip(kernels, kept, strict=True):
            kernel.assign(values)


def _outputs(model: Any, drawn: DrawnModel) -> list[np.ndarray]:
    outputs = model(drawn.samples, training=False)
    return [np.asarray(one) for one in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def _hold(what: str, got: np.ndarray, wanted: np.ndarray, allowed: float) -> None:
    difference = float(np.abs(got - wanted).max())
    assert difference <= allowed, f"{what}: off by {difference:.3g}, {allowed:.3g} allowed"


def _hold_rms(what: str, got: np.ndarray, wanted: np.ndarray, noise: float) -> None:
    difference, allowed = _rms(got - wanted), _TIMES_NOISE * noise + 1e-6
    assert difference <= allowed, f"{what}: off by {difference:.3g} rms, {allowed:.3g} allowed"


def _hold_int8(what: str, content: bytes, drawn: DrawnModel, wanted: np.ndarray) -> None:
    """Hold a file to the noise of 8 bits; where that does not do, to the file without fold."""
    got = run(content, drawn.samples)
    noise = noise_of_8_bits(drawn, wanted) + _step(content)
    if _rms(got - wanted) > _TIMES_NOISE * noise:  # a second conversion only where it is needed
        plain = to_tflite(drawn.model, precision="int8", calibration=drawn.samples).content
        noise = max(noise, _rms(run(plain, drawn.samples) - wanted))
    _hold_rms(what, got, wanted, noise)


def _step(content: bytes) -> float:
    """Return the step between two numbers of the file's output; 0 of one that gives its input back."""
    (output,) = read_graph(content).outputs
    return float(output.scales[0]) if output.scales.size else 0.0


def _check_lowered(content: bytes) -> None:
    layout = suggested(content)
    if any(layout):
        _hold_same(content, lower(content, layout=layout), layout)


def _hold_same(content: bytes, laid_out: bytes, layout: Layout) -> None:
    """Hold a laid-out file to the file it is made from. One that is not sound is a fault, not a refusal."""
    try:
        answer = check_same(content, laid_out)
    except InputError as error:
        raise AssertionError(f"laid out as {describe(layout)}: {error}") from error
    expect(not answer.startswith("not compared"), "a laid-out file that can be compared", answer)


def _drawn_layout(content: bytes, rng: np.random.Generator) -> Layout:
    """Return a layout that fits the file, drawn operator by operator; no step where none fits."""
    graph = read_graph(content)
    layout: Layout = (None,) * len(windowed(graph))
    for position in range(len(layout)):
        choices = [one for one in variations(graph, layout, position) if one != layout]
        for choice in rng.permutation(len(choices))[:_LAYOUTS_TRIED]:
            if fits(content, choices[choice]):
                layout = choices[choice]
                break
    return layout


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
