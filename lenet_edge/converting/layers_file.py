"""Convert a model to a file that gives each layer's output by the paper's name, to look inside the net."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from converters.base.files import write_atomically
from converters.base.kerases import keras_of
from converters.base.untyped import KerasModel
from converters.file.graph import Graph, read_graph
from converters.file.signature import names_in_order
from converters.model.conversion import to_tflite
from converters.proof.tolerance import Tolerance
from converters.runtimes.tensorflow_interpreter import run_in_order
from lenet_edge.converting.files import ModelFile
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.paper.answers import as_input

LAYERS = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT", "scores")
"""The outputs of the file, in its order: the paper's layers, and the softmax behind them."""

_SAMPLE = 0
"""The calibration digit whose outputs are written beside the file."""

_DIGITS = 9
"""The significant digits of a written value: enough for float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LayersFile(ModelFile):
    """The file, float32, and a `sample`: a picture, and what a runtime gives for it.

    The sample is an object for JSON: `input` with its `size` and its `pixels`, row by row, and under
    `outputs`, by name, `shape` without the batch and the flat `values`, each anywhere from `low` to `high`.
    """

    sample: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write the file to `folder`, and its sample as JSON."""
        super().write(folder)
        write_atomically(folder / Path(self.name).with_suffix(".json"), json.dumps(self.sample) + "\n")


def layers_file(name: str, model: KerasModel) -> LayersFile:
    """Return the layers' file of `model`, the packaged model `name` in the paper's own form, not folded.

    Folded, a layer gives tanh where the paper has 1.7159 tanh. Raises InputError if TensorFlow's outputs for
    the sample are outside the limits that the file's arithmetic allows.
    """
    outputs = [model.get_layer(layer).output for layer in LAYERS]
    converted = to_tflite(keras_of(model).Model(model.input, outputs, name=name), precision="float32")
    return LayersFile(
        name=f"{name}_layers_float32.tflite",
        content=converted.content,
        facts={"model": name, "target": "web", **converted.entry, "layers": list(LAYERS)},
        checked=None,
        sample=_sample(converted.content, model),
    )


def _sample(content: bytes, model: KerasModel) -> dict[str, Any]:
    digits = calibration_digits()
    picture = pad(digits.images[_SAMPLE : _SAMPLE + 1])
    inputs = as_input(model, picture)
    graph, names = read_graph(content), names_in_order(content).outputs
    answers = run_in_order(content, [inputs])
    return {
        "label": int(digits.labels[_SAMPLE]),
        "input": {"size": inputs.shape[1], "pixels": inputs.astype(int).ravel().tolist()},
        "outputs": {
            name: _output(graph, place, inputs, answers[place], name) for place, name in enumerate(names)
        },
    }


def _output(
    graph: Graph, place: int, inputs: NDArray[np.float32], answer: NDArray[np.float32], name: str
) -> dict[str, Any]:
    """Return an output of the sample with its limits; they are as wide as rounding can make them."""
    limits = Tolerance(graph, inputs, output=place).limits(np.arange(1))
    outside = limits.outside(answer.reshape(1, -1)).max()
    expect(outside == 0, f"{name} within what rounding allows", f"{outside:.1e} beyond it")
    numbers = {"values": answer, "low": limits.low, "high": limits.high}
    return {
        "shape": list(answer.shape[1:]),
        **{what: [float(f"{one:.{_DIGITS}g}") for one in array.ravel()] for what, array in numbers.items()},
    }
