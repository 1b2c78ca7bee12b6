"""Find the layer where a file departs from its model: by its constants, or by more noise than bits make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError
from converters.file.graph import Graph
from converters.proof.exact_arithmetic import check_operators, evaluate
from converters.proof.exact_files import ExactFile
from converters.proof.expected_noise import expected_noise
from converters.proof.layer_names import layer_of
from converters.proof.layer_profile import Layer, decibels, profile_of_pairs
from converters.proof.weights import Weights
from converters.runtimes.tensorflow_interpreter import every_tensor

MARGIN = 6.0
"""Decibels that a layer may be noisier than its bits explain: rounding is not as random as what is drawn."""

_MOST_LOCAL = 2.0
"""Steps that a kernel may be off exact arithmetic: those that round twice are up to one."""

_MOST_SAMPLES = 100
_MOST_ELEMENTS = 1 << 24


@dataclass(frozen=True, kw_only=True)
class ProvenLayer:
    """An operator of a file compared with the model's: what was measured, and whether it departs.

    `layer`: the model's layer, "" where no tensor names it; `allowed`: the lowest signal to noise that the
    file's own scales explain, in decibels, None where that is not derived; `departs`: why the file departs
    from the model in this layer, "" if it does not. Layers behind one that departs are noisier with it.
    """

    layer: str
    measured: Layer
    allowed: float | None
    departs: str

    @property
    def title(self) -> str:
        """The layer and its operator, for people."""
        operator = self.measured.operator.split(" ", 1)[-1]
        return f"{self.layer} ({operator})" if self.layer else operator

    def as_json(self) -> dict[str, Any]:
        """Return the layer as a report stores it."""
        measured = self.measured.as_json()
        return {**measured, "layer": self.layer, "allowed": self.allowed, "departs": self.departs}


def few(graph: Graph, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return as many of the samples `inputs` as a profile of `graph` takes: all its tensors are kept."""
    elements = sum(int(np.prod(tensor.shape)) for tensor in graph.tensors if tensor.constant is None)
    count = min(_MOST_SAMPLES, max(2, _MOST_ELEMENTS // max(1, elements)))
    return [array[:count] for array in inputs]


def proven_layers(
    content: bytes,
    graph: Graph,
    weights: Weights,
    names: Mapping[str, str],
    inputs: Sequence[NDArray[Any]],
) -> list[ProvenLayer]:
    """Return the layers of the file `content` that its model's float32 file has too, on `inputs`.

    `inputs`: an array (n, ...) for each of the file's inputs, `few` of them; `weights`: the file's constants
    beside those of the float32 file, which has its inputs in the same order; `names`: the model's layers. The
    first layer that is noisier than its bits explain departs, and every layer with a constant that is not
    the model's.
    """
    if weights.exact is None or not weights.pairs:
        return []
    exact_values = _tensors_of(weights.exact, inputs)
    measured = profile_of_pairs(content, graph, weights.pairs, inputs, exact_values=exact_values)
    noise = noise_of(graph, inputs)
    found: list[ProvenLayer] = []
    for layer, (node, other) in zip(measured, weights.pairs, strict=True):
        target = node.outputs[0].index
        allowed = _allowed(exact_values[other.outputs[0].index], noise.get(target))
        departs = weights.departing.get(str(node), "")
        too_noisy = allowed is not None and layer.snr is not None and layer.snr < allowed
        if too_noisy and not departs and not any(one.departs for one in found):
            departs = f"signal to noise {layer.snr:.1f} dB, its bits allow {allowed:.1f} dB"
        if not departs and layer.local is not None and layer.local > _MOST_LOCAL:
            departs = f"TensorFlow's kernel is {layer.local:.3g} steps off exact arithmetic"
        name = layer_of(node, names) or layer_of(other, names)
        found.append(ProvenLayer(layer=name, measured=layer, allowed=allowed, departs=departs))
    return found


def too_noisy(outputs: NDArray[Any], model: NDArray[Any], noise: NDArray[np.float64] | None) -> str:
    """Return how much noisier `outputs` (n, ...) are than the file's bits explain, "" if they are not.

    `outputs`: the file's; `model`: the model's; `noise`: what `noise_of` expects of them, None if it cannot.
    """
    allowed, snr = _allowed(model, noise), decibels(model, outputs - model)
    if allowed is None or snr is None or snr >= allowed:
        return ""
    return f"signal to noise {snr:.1f} dB, its bits allow {allowed:.1f} dB"


def _allowed(signal: NDArray[Any], noise: NDArray[Any] | None) -> float | None:
    ratio = None if noise is None else decibels(signal, noise)
    return None if ratio is None else ratio - MARGIN


def noise_of(graph: Graph, inputs: Sequence[NDArray[Any]]) -> Mapping[int, NDArray[np.float64]]:
    """Return the expected noise, none where an operator has no arithmetic."""
    try:
        return expected_noise(graph, list(inputs))
    except InputError:
        return {}


def _tensors_of(exact: ExactFile, inputs: Sequence[NDArray[Any]]) -> Mapping[int, NDArray[Any]]:
    """Return the tensors of a float32 file by index: exact, or where that is not defined, TensorFlow's."""
    try:
        check_operators(exact.graph)
    except InputError:
        return every_tensor(exact.content, exact.graph, inputs)
    return {index: value.numpy() for index, value in evaluate(exact.graph, list(inputs)).items()}
