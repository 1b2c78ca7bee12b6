"""Build the folded model step by step: what a rule of `fold_rules` calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from converters.base.environment import keras
from converters.base.errors import expect
from converters.base.untyped import KerasLayer, KerasNode
from converters.model.fold_values import Linear, Number, Step, Value


class Folding:
    """The steps of the folded model so far; the rules call `emit`, `linear` and `exact`.

    `node` is the call of a layer that is being folded, `input_shape` the shape of its first input, the batch
    counted, None for a side of unknown size. A layer's own shapes are of no use: it may have been called
    outside the model too. `notes`: a line for each layer that went elsewhere. `names`: those that are taken,
    at first the `names` of the model's layers.
    """

    def __init__(self, *, names: Iterable[str]) -> None:
        self.names = set(names)
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.node: KerasNode = None
        self.input_shape: tuple[int | None, ...] = ()

    def emit(self, layer: KerasLayer, inputs: list[Value]) -> Value:
        """Add `layer` (a fresh instance) over exact or already absorbed `inputs`."""
        return Value(self.add(Step(layer, [value.step for value in inputs])))

    def linear(self, layer: KerasLayer, value: Value, form: Linear) -> Value:
        """Add a linear layer with the weights of `form`, its input's factor and offset taken in."""
        if form.padded and np.any(np.asarray(value.offset) != 0.0):
            value = self.exact(value, form.name)  # a shifted border would not be zeros
        expect(not value.shifted, f"a softmax after the squared distances that {form.name} takes", "none")
        form.take_input(value.factor, value.offset)
        return Value(self.add(Step(layer, [value.step], linear=form)))

    def exact(self, value: Value, wanted_by: str) -> Value:
        """Return `value` as a tensor itself: put into the linear layer before, or computed."""
        expect(not value.shifted, f"a softmax after the squared distances that {wanted_by} takes", "none")
        if value.plain:
            return value
        form = value.step.linear
        if form is not None and form.open and value.step.readers <= 1:
            form.take_output(value.factor, value.offset)
            return Value(value.step)
        self.notes.append(f"a scaling before {wanted_by} could not be folded: a Rescaling computes it")
        name = self._free_name(f"{wanted_by}_rescaling")
        return self.emit(
            keras.layers.Rescaling(_config_number(value.factor), _config_number(value.offset), name=name),
            [value],
        )

    def _free_name(self, name: str) -> str:
        """Return `name`, or `name` with the first number from 2 on that makes it free, and take it."""
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        free = next(one for one in itertools.chain([name], numbered) if one not in self.names)
        self.names.add(free)
        return free

    def add(self, step: Step) -> Step:
        """Append `step` to the folded model."""
        self.steps.append(step)
        return step


def _config_number(number: Number) -> float | list[float]:
    return float(number) if np.ndim(number) == 0 else np.asarray(number).tolist()
