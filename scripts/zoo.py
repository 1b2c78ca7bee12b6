"""Measure nets that nobody here trained, by every route to int8: results/zoo.json, and its table docs/zoo.md.

Each net is folded, converted, and compared with what TensorFlow's converter alone makes of it, and
tensorflow-model-optimization where it takes it. A net is measured in a process of its own with a time limit:
one that ends it is a row like any other.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm
from zoo_nets import CALIBRATION, FILES, NETS, TESTED, Net, net

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.machine import machine
from converters.base.options import command_parser
from converters.file.graph import CONVERSIONS
from converters.file.manifest import operator_name, parse
from converters.file.schema import schema
from converters.file.signature import names_in_order

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "zoo.json"
QUANTIZER_PYTHON = "LENET_EDGE_QUANTIZER_PYTHON"
"""The environment's variable that tells a net's process of --quantizer-python."""
TRAINING_PASSES = 60  # what tensorflow-model-optimization's moving averages of ranges need
Facts = dict[str, Any]


def largest(got: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest difference, of the largest output."""
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


def file_facts(content: bytes, a_net: Net) -> Facts:
    """Return a file's error, size, and operators, of those the names that compute with float numbers."""
    from converters.runtimes.tensorflow_interpreter import outputs_of

    operators = [one for graph in parse(content).subgraphs for one in graph.operators]
    inputs = [a_net.by_name(a_net.tested)[name] for name in names_in_order(content).inputs]
    output, *_ = outputs_of(content, inputs)
    return {
        "error": largest(output.values, a_net.wanted),
        "bytes": len(content),
        "operators": len(operators),
        "float_operators": float_operators(content),
    }


def float_operators(content: bytes) -> list[str]:
    """Return the names of the operators that read or write float numbers, but for QUANTIZE and DEQUANTIZE."""
    model, found = parse(content), []
    for graph in model.subgraphs:  # a loop's condition and body are graphs too
        for operator in graph.operators:
            name = operator_name(model.operatorCodes[operator.opcodeIndex])
            ends = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
            if name not in CONVERSIONS and any(one.type == schema.TensorType.FLOAT32 for one in ends):
                found.append(name)
    return found


def folded(a_net: Net) -> Facts:
    """Return how far the folded model is from the model."""
    from converters import fold

    model = fold(a_net.model)
    return {"error": largest(a_net.answers_of(model), a_net.wanted), "layers": len(model.layers)}


def by_us(precision: Any) -> Callable[[Net], Facts]:
    """Return what measures our file of `precision`, quantised after training."""

    def measure(a_net: Net) -> Facts:
        from converters import fold, to_tflite

        samples = a_net.by_name(a_net.calibration)
        content = to_tflite(fold(a_net.model), precision=precision, calibration=samples).content
        return file_facts(content, a_net)

    return measure


def by_quantize_aware(a_net: Net) -> Facts:
    """Measure the file of the model that rounds as int8 does, before any step of training."""
    from converters import fold, quantize_aware, to_tflite

    model = quantize_aware(fold(a_net.model), calibration=a_net.by_name(a_net.calibration))
    return file_facts(to_tflite(model, precision="int8").content, a_net)


def by_the_converter(precision: Any) -> Callable[[Net], Facts]:
    """Return what measures the file that TensorFlow's converter alone makes, with the settings of ours."""
    return lambda a_net: file_facts(_plain(a_net, precision), a_net)


def _plain(a_net: Net, precision: Any) -> bytes:
    """Return the file that TensorFlow's converter alone makes."""
    from converters.base.environment import tf
    from converters.base.kerases import keras_of
    from converters.model.lite_converter import converted, set_precision

    model, keras = a_net.model, keras_of(a_net.model)
    ends = [
        keras.Input(batch_shape=(1, *one.shape[1:]), dtype=one.dtype, name=name)
        for name, one in zip(a_net.names, model.inputs, strict=True)
    ]
    single = keras.Model(ends, model(ends if len(ends) > 1 else ends[0]), name="single")
    converter = tf.lite.TFLiteConverter.from_keras_model(single)
    set_precision(converter, precision, ends="uint8")
    if precision == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # A list would be taken in an order of the converter's own.
        converter.representative_dataset = lambda: a_net.one_by_one(a_net.calibration)
    return converted(converter, precision=precision)


def by_optimization(a_net: Net) -> Facts:
    """Measure the file of tensorflow-model-optimization's default scheme, its ranges found in training mode.

    Weights and statistics are put back before the conversion: only ranges come from those passes.
    """
    from converters import fold
    from converters.base.environment import tf
    from converters.base.kerases import KERAS_3, keras_name
    from converters.model.lite_converter import converted, set_precision
    from converters.model.quantize_configs import tfmot
    from converters.model.twin import twin

    def quantized(model: Any) -> Any:
        two = twin(model) if keras_name(model) == KERAS_3 else model
        return tfmot.quantization.keras.quantize_model(two)

    try:
        model, given = quantized(a_net.model), "the model"
    except (RuntimeError, ValueError):  # a layer that it does not know: fold takes a Rescaling out
        model, given = quantized(fold(a_net.model)), "the folded model"
    kept = [(one, one.numpy()) for one in model.weights if not _is_range(one.name)]
    for _ in range(TRAINING_PASSES):
        model(a_net.calibration if len(a_net.calibration) > 1 else a_net.calibration[0], training=True)
    for variable, value in kept:
        variable.assign(value)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    set_precision(converter, "int8", ends="uint8")
    return {**file_facts(converted(converter, precision="int8"), a_net), "given": given}


def _is_range(name: str) -> bool:
    return name.split(":")[0].endswith(("_min", "_max", "min_var", "max_var"))


def by_ai_edge_quantizer(a_net: Net) -> Facts:
    """Measure ai-edge-quantizer's file of the plain float32 one, its recipe of static int8.

    It has a TensorFlow Lite of its own, so it runs in the Python that --quantizer-python names.
    """
    expect(QUANTIZER_PYTHON in os.environ, "--quantizer-python PYTHON", "none")
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        source, data, made = (Path(folder) / name for name in ("float32.tflite", "data.npz", "int8.tflite"))
        source.write_bytes(_plain(a_net, "float32"))
        np.savez(data, **a_net.by_name(a_net.calibration))
        command = [os.environ[QUANTIZER_PYTHON], str(ROOT / "scripts" / "zoo_quantizer.py")]
        done = subprocess.run([*command, source, data, made], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode)
        return {**file_facts(made.read_bytes(), a_net), "version": done.stdout.strip()}


ROUTES: dict[str, Callable[[Net], Facts]] = {
    "fold": folded,
    "float32": by_us("float32"),
    "int8": by_us("int8"),
    "quantize_aware": by_quantize_aware,
    "plain float32": by_the_converter("float32"),
    "plain int8": by_the_converter("int8"),
    "tensorflow-model-optimization": by_optimization,
    "ai-edge-quantizer": by_ai_edge_quantizer,
}


def measure(name: str, folder: Path, routes: Sequence[str], path: Path) -> None:
    """Measure `routes` of a net one by one, and write to `path` what is known after each."""
    from converters.base.quiet import quieten_tensorflow

    quieten_tensorflow()
    found: Facts = {}
    a_net = net(name, folder)
    for route in routes:
        start = time.monotonic()
        try:
            facts = ROUTES[route](a_net)
        except InputError as error:
            facts = {"refused": str(error)}
        except Exception as error:  # of a library that is not ours, or a fault of ours: a row all the same
            facts = {"failed": f"{type(error).__name__}: {_first_line(error)}"}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found[route] = {**facts, "seconds": round(time.monotonic() - start, 1), "peak_mebibytes": peak}
        write_json(path, {"parameters": int(a_net.model.count_params()), "routes": found})


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:200]


def measured(name: str, folder: Path, limit: float) -> Facts:
    """Return what each route makes of a net; the process is begun anew behind a route that ended it."""
    from converters.base.environment import versions  # loads TensorFlow

    result: Facts = {
        "parameters": None,
        "versions": versions(),
        "machine": machine(),
        "limit_seconds": limit,
        "routes": {},
    }
    while left := [route for route in ROUTES if route not in result["routes"]]:
        with tempfile.TemporaryDirectory(prefix="lenet-edge-") as scratch:
            path = Path(scratch) / "net.json"
            spawning = multiprocessing.get_context("spawn")
            process = spawning.Process(target=measure, args=(name, folder, left, path))
            process.start()
            process.join(limit)
            late = process.is_alive()
            if late:
                process.kill()
                process.join()
            with contextlib.suppress(FileNotFoundError):
                part = json.loads(path.read_text())
                result["parameters"] = part["parameters"]
                result["routes"].update(part["routes"])
            if process.exitcode:
                end = f"not done in {limit:g} s" if late else f"the process ended, status {process.exitcode}"
                ended = next(route for route in left if route not in result["routes"])
                result["routes"][ended] = {"failed": end}
    return result


def check_runs(python: Path) -> None:
    """Raise InputError unless `python` runs and has ai-edge-quantizer."""
    command = [python, "-c", "import ai_edge_quantizer"]
    with contextlib.suppress(OSError):
        done = subprocess.run(command, capture_output=True, text=True)
        reason = "".join(done.stderr.splitlines()[-1:])
        expect(done.returncode == 0, f"ai-edge-quantizer in {python}", reason)
        return
    raise InputError(f"expected a Python at {python}, got nothing that runs")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the nets and write the results after each."""
    parser = command_parser(name="zoo.py", description=__doc__)
    parser.add_argument("--zoo", type=Path, metavar="DIR", help="folder with MLPerf Tiny's .h5 files")
    parser.add_argument("--net", choices=[*NETS, *FILES], action="append", help="only this one (repeatable)")
    parser.add_argument(
        "--limit", type=float, default=600, metavar="S", help="seconds (default: %(default)s)"
    )
    parser.add_argument(
        "--quantizer-python", type=Path, metavar="PYTHON", help="a Python that has ai-edge-quantizer"
    )
    options = parser.parse_args(argv)
    check_writable(OUT)
    names = options.net or [*NETS, *(FILES if options.zoo else ())]
    wanted = [FILES[name] for name in names if name in FILES]
    missing = [file for file in wanted if not options.zoo or not (options.zoo / file).is_file()]
    expect(not missing, "--zoo DIR with " + ", ".join(wanted), "no " + ", ".join(missing))
    if options.quantizer_python:
        check_runs(options.quantizer_python)
        os.environ[QUANTIZER_PYTHON] = str(options.quantizer_python)
    report: Facts = json.loads(OUT.read_text()) if OUT.exists() else {"nets": {}}
    for name in tqdm(names, unit="net"):
        report["nets"][name] = measured(name, options.zoo or Path(), options.limit)
        order = [one for one in (*NETS, *FILES) if one in report["nets"]]
        settings = {"calibration": CALIBRATION, "tested": TESTED, "tfmot_passes": TRAINING_PASSES}
        command = "python scripts/zoo.py --zoo MLPERF_TINY --quantizer-python PYTHON"
        write_json(OUT, {"command": command, **settings, "nets": {one: report["nets"][one] for one in order}})
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="zoo.py"))
