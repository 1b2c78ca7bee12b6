"""Find how noisy each tensor of a file may be, by the file's own scales: what is noisier is not quantisation.

The file's graph is computed twice, exactly and as quantisation disturbs it: every constant off by a random
rounding error of its own step, every tensor shifted by one of its step and clipped to its range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.file.graph import Graph, Tensor
from converters.proof.exact_arithmetic import Inputs, evaluate, listed, steps_of
from converters.proof.noise import errors, noise_steps
from converters.proof.tolerance import FLOAT32

_FLOAT16 = 2.0**-11
_SEED = 1998


def expected_noise(graph: Graph, inputs: Inputs) -> dict[int, NDArray[np.float64]]:
    """Return an error (n, ...) of each computed tensor, by tensor index, as rounding makes them on `inputs`.

    Only the power of an error counts. A runtime that rounds twice makes errors of this power on average, one
    that rounds once makes half of it. Raises InputError for an operator whose arithmetic is not defined.
    """
    random = np.random.default_rng(_SEED)
    exact = evaluate(_changed(graph, _without_steps), inputs)
    disturbed = _changed(graph, lambda tensor: _rounded_otherwise(tensor, random))
    steps = dict(noise_steps(graph, evaluate(graph, inputs), FLOAT32))
    steps.update({t.index: steps_of(t) for t in _quantised_from_float(graph)})
    shifts = {index: errors(exact[index], step, seed=(_SEED, index)) for index, step in steps.items()}
    stored = [_on_its_grid(t, np.asarray(one)) for t, one in zip(graph.inputs, listed(inputs), strict=True)]
    found = evaluate(disturbed, stored, rounding=False, shifts=shifts)
    return {index: (found[index] - exact[index]).numpy() for index in exact}


def _changed(graph: Graph, change: Callable[[Tensor], Tensor]) -> Graph:
    """Return `graph` with each of its tensors changed."""
    tensors = tuple(map(change, graph.tensors))
    nodes = tuple(
        replace(
            node,
            inputs=tuple(None if t is None else tensors[t.index] for t in node.inputs),
            outputs=tuple(tensors[t.index] for t in node.outputs),
        )
        for node in graph.nodes
    )
    inputs, outputs = (tuple(tensors[t.index] for t in end) for end in (graph.inputs, graph.outputs))
    return Graph(nodes, inputs, outputs, tensors)


def _without_steps(tensor: Tensor) -> Tensor:
    """Return a computed tensor as one of floating point, which is neither rounded nor clipped."""
    if tensor.constant is not None or not steps_of(tensor):
        return tensor
    return replace(tensor, type="float32", scales=np.array([]), zero_points=np.array([]))


def _rounded_otherwise(tensor: Tensor, random: np.random.Generator) -> Tensor:
    """Return a constant with a rounding error more; a constant of float32 or whole numbers has none."""
    if tensor.constant is None or not (tensor.scales.size or tensor.type == "float16"):
        return tensor
    real = tensor.real()
    sides = [1] * real.ndim
    if tensor.per_channel:
        sides[tensor.axis] = -1
    step = tensor.scales.reshape(sides) if tensor.scales.size else 2 * _FLOAT16 * np.abs(real)
    error = random.uniform(-0.5, 0.5, real.shape) * step
    return replace(
        tensor, constant=real + error, type="float64", scales=np.array([]), zero_points=np.array([])
    )


def _quantised_from_float(graph: Graph) -> list[Tensor]:
    """Return the tensors that a QUANTIZE makes of floating point: rounded, the same in every runtime."""
    return [
        node.outputs[0]
        for node in graph.nodes
        if node.name == "QUANTIZE" and node.inputs[0] is not None and not steps_of(node.inputs[0])
    ]


def _on_its_grid(tensor: Tensor, values: NDArray[Any]) -> NDArray[Any]:
    """Return the real values that an input stores of `values`."""
    step = steps_of(tensor)
    return np.rint(values / step) * step if step else values
