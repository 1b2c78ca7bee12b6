"""The routes of scripts/zoo.py: ways from a Keras model to a .tflite file, ours and others'."""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from zoo_nets import Net

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.precisions import Precision
from converters.base.untyped import Json, KerasModel
from converters.file.graph import CONVERSIONS
from converters.file.manifest import operator_name, parse
from converters.file.schema import schema
from converters.file.signature import names_in_order

TRAINING_PASSES = 60
"""What tensorflow-model-optimization's moving averages of ranges need."""

_QUANTIZER = Path(__file__).resolve().parent / "zoo_quantizer.py"


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """What a route made: a Keras `model`, or a .tflite file's `content`.

    `names`: those that the file has for the model's inputs, in the model's order, where they are others.
    `given`: what the route took in the place of the model. `version`: that of the library that made it.
    """

    model: KerasModel = None
    content: bytes = b""
    names: Sequence[str] = ()
    given: str | None = None
    version: str | None = None


@dataclass(kw_only=True)
class Outcome:
    """What came of a route: a model or a file, `refused` in our words, or `failed` in others'.

    `rms`: the root mean square of the differences from the Keras model's outputs, divided by that of these
    outputs; `largest`: the largest difference, divided by the largest output. LiteRT ran the file for both;
    `tensorflow_rms` is `rms` of TensorFlow's own interpreter. `float_operators`: how many there are that
    compute with float numbers. `seconds`: to make it. `peak_mebibytes`: the most memory that the process had,
    the routes before included.
    """

    rms: float | None = None
    largest: float | None = None
    tensorflow_rms: float | None = None
    bytes: int | None = None
    operators: int | None = None
    float_operators: dict[str, int] | None = None
    given: str | None = None
    version: str | None = None
    refused: str | None = None
    failed: str | None = None
    seconds: float | None = None
    peak_mebibytes: int | None = None

    def as_json(self) -> dict[str, Json]:
        """Return what is known."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A `net`; `python`: an interpreter with ai-edge-quantizer; `limit`: seconds that a route may take."""

    net: Net
    python: Path | None = None
    limit: float | None = None

    @cached_property
    def wanted(self) -> np.ndarray:
        """What the model answers to the tested inputs."""
        return outputs(self.net.model, self.net)

    @cached_property
    def names(self) -> list[str]:
        """The names of the model's inputs, in its order."""
        from converters.model.graph import input_names

        return input_names(self.net.model)

    @property
    def calibration(self) -> dict[str, Numbers]:
        """The inputs that find the ranges, by name."""
        return dict(zip(self.names, self.net.calibration, strict=True))

    def outcome_of(self, made: Made) -> Outcome:
        """Return what was made, and how far its answers to the tested inputs are from the model's."""
        if made.model is not None:
            return self._compared(outputs(made.model, self.net))
        from converters.runtimes.columns import COLUMNS, run_column
        from converters.runtimes.tensorflow_interpreter import run_in_order

        inputs = dict(zip(made.names or self.names, self.net.tested, strict=True))
        order = names_in_order(made.content).inputs
        arrays = [inputs[name] for name in order] if len(order) > 1 else list(inputs.values())
        result = run_column(COLUMNS["litert"], {"file": made.content}, {"file": arrays})["file"]
        expect(not result.failure, "a file that LiteRT runs", result.failure)
        (got,) = run_in_order(made.content, arrays)
        return replace(
            self._compared(result.values),
            tensorflow_rms=self._compared(got).rms,
            bytes=len(made.content),
            operators=sum(len(graph.operators) for graph in parse(made.content).subgraphs),
            float_operators=float_operators(made.content),
            given=made.given,
            version=made.version,
        )

    def _compared(self, got: np.ndarray) -> Outcome:
        difference = got.astype(np.float64) - self.wanted
        return Outcome(
            rms=_rms(difference) / _rms(self.wanted),
            largest=float(np.abs(difference).max() / np.abs(self.wanted).max()),
        )


def outputs(model: KerasModel, net: Net) -> np.ndarray:
    """Return what a Keras `model` answers to the tested inputs."""
    return np.asarray(model(net.tested if len(net.tested) > 1 else net.tested[0], training=False))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def float_operators(content: bytes) -> dict[str, int]:
    """Return how many operators read or write float numbers, by name; QUANTIZE and DEQUANTIZE not counted."""
    model, found = parse(content), Counter[str]()
    for graph in model.subgraphs:  # a loop's condition and body are graphs too
        for operator in graph.operators:
            name = operator_name(model.operatorCodes[operator.opcodeIndex])
            ends = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
            if name not in CONVERSIONS and any(one.type == schema.TensorType.FLOAT32 for one in ends):
                found[name] += 1
    return dict(found.most_common())


def folded(subject: Subject) -> Made:
    """Make the folded model."""
    from converters import fold

    return Made(model=fold(subject.net.model))


def by_us(precision: Precision, *, per_channel_dense: bool = False) -> Callable[[Subject], Made]:
    """Return what makes our file of `precision`, quantised after training."""

    def make(subject: Subject) -> Made:
        from converters import fold, to_tflite

        converted = to_tflite(
            fold(subject.net.model),
            precision=precision,
            calibration=subject.calibration,
            per_channel_dense=per_channel_dense,
        )
        return Made(content=converted.content)

    return make


def by_quantize_aware(subject: Subject) -> Made:
    """Make the file of the model that rounds as int8 does, before any step of training."""
    from converters import fold, quantize_aware, to_tflite

    model = quantize_aware(fold(subject.net.model), calibration=subject.calibration)
    return Made(content=to_tflite(model, precision="int8").content)


def _for_one(model: KerasModel) -> KerasModel:
    """Return `model` for one input at a time, as ours are: with an open batch a file has more operators."""
    from converters.base.kerases import keras_of

    keras = keras_of(model)
    ends = [
        keras.Input(batch_shape=(1, *one.shape[1:]), dtype=one.dtype, name=f"input_{index}")
        for index, one in enumerate(model.inputs)
    ]
    return keras.Model(ends, model(ends if len(ends) > 1 else ends[0]), name="single")


def by_the_converter(precision: Precision) -> Callable[[Subject], Made]:
    """Return what makes the file that TensorFlow's converter alone makes, with the settings of ours."""

    def make(subject: Subject) -> Made:
        from converters.base.environment import tf
        from converters.model.graph import input_names
        from converters.model.lite_converter import converted, set_precision

        single = _for_one(subject.net.model)
        names = input_names(single)
        converter = tf.lite.TFLiteConverter.from_keras_model(single)
        set_precision(converter, precision, ends="uint8")
        if precision == "int8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            # By name: a list would be taken in an order of the converter's own.
            converter.representative_dataset = lambda: (
                dict(zip(names, [one[None] for one in samples], strict=True))
                for samples in zip(*subject.net.calibration, strict=True)
            )
        return Made(content=converted(converter, precision=precision), names=names)

    return make


def by_optimization(subject: Subject) -> Made:
    """Make the file of tensorflow-model-optimization's default scheme, its ranges found in training mode.

    Weights and statistics are put back before the conversion: only ranges come from those passes.
    """
    from converters import fold
    from converters.base.environment import tf
    from converters.base.kerases import KERAS_3, keras_name
    from converters.model.graph import input_names
    from converters.model.lite_converter import converted, set_precision
    from converters.model.quantize_configs import tfmot
    from converters.model.twin import twin

    def quantized(model: KerasModel) -> KerasModel:
        two = twin(model) if keras_name(model) == KERAS_3 else model
        return tfmot.quantization.keras.quantize_model(two)

    net = subject.net
    try:
        model, given = quantized(net.model), None
    except (RuntimeError, ValueError):  # a layer that it does not know: fold takes a Rescaling out
        model, given = quantized(fold(net.model)), "the folded model"
    kept = [(one, one.numpy()) for one in model.weights if not _is_range(one.name)]
    for _ in range(TRAINING_PASSES):
        model(net.calibration if len(net.calibration) > 1 else net.calibration[0], training=True)
    for variable, value in kept:
        variable.assign(value)
    single = _for_one(model)
    converter = tf.lite.TFLiteConverter.from_keras_model(single)
    set_precision(converter, "int8", ends="uint8")
    content = converted(converter, precision="int8")
    return Made(content=content, names=input_names(single), given=given)


def _is_range(name: str) -> bool:
    return name.split(":")[0].endswith(("_min", "_max", "min_var", "max_var"))


def by_ai_edge_quantizer(subject: Subject) -> Made:
    """Make ai-edge-quantizer's file of our float32 one, by its recipe for int8 activations."""
    from converters import fold, to_tflite

    assert subject.python is not None  # otherwise there is no such route
    content = to_tflite(fold(subject.net.model), precision="float32").content
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as name:
        folder = Path(name)
        file, samples, out = (folder / one for one in ("float32.tflite", "samples.npz", "int8.tflite"))
        file.write_bytes(content)
        ends = names_in_order(content).inputs
        np.savez(samples, **dict(zip(ends, subject.net.calibration, strict=True)))
        command = [subject.python, _QUANTIZER, file, samples, out]
        done = subprocess.run(command, capture_output=True, text=True, timeout=subject.limit)
        if done.returncode:
            last = next(reversed(done.stderr.strip().splitlines()), "")
            raise RuntimeError(last or f"the process ended with status {done.returncode}")
        return Made(content=out.read_bytes(), version=done.stdout.strip())


ROUTES: dict[str, Callable[[Subject], Made]] = {
    "fold": folded,
    "float32": by_us("float32"),
    "int8": by_us("int8"),
    "int8, a scale for each dense output": by_us("int8", per_channel_dense=True),
    "quantize_aware": by_quantize_aware,
    "plain float32": by_the_converter("float32"),
    "plain int8": by_the_converter("int8"),
    "tensorflow-model-optimization": by_optimization,
    "ai-edge-quantizer": by_ai_edge_quantizer,
}
"""The routes by name. The last one needs an interpreter of its own."""


def taken(route: str, subject: Subject) -> Outcome:
    """Return what comes of `route`; what is raised on the way is an outcome too."""
    start, seconds = time.monotonic(), None
    try:
        made = ROUTES[route](subject)
        seconds = time.monotonic() - start
        outcome = subject.outcome_of(made)
    except InputError as error:
        outcome = Outcome(refused=str(error))
    except subprocess.TimeoutExpired:
        outcome = Outcome(failed=late(subject.limit or 0.0))
    except Exception as error:  # of a library that is not ours, or a fault of ours: a row all the same
        line = next(iter(str(error).strip().splitlines()), "")
        outcome = Outcome(failed=f"{type(error).__name__}: {line[:200]}")
    outcome.seconds = round(seconds or time.monotonic() - start, 1)
    outcome.peak_mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return outcome


def late(limit: float) -> str:
    """Return the words for a route that took longer than `limit` seconds."""
    return f"not done in {limit:g} s"
