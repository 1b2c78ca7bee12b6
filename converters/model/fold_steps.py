"""Build the folded model step by step: what a rule of `fold_rules` calls."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

import numpy as np

from converters.base.errors import expect
from converters.base.untyped import KerasLayer
from converters.layers.squashing import Squashing
from converters.model.fold_values import Linear, Number, Step, Value, full_kernel
from converters.model.graph import Call, free_name


class Folding:
    """The steps of the folded model so far; the rules call `emit`, `linear`, `dense`, `squashed` and `exact`.

    `keras`: the model's Keras. `call`: the call that is being folded; a layer's own shapes are of no use, as
    it may have been called outside the model too. `notes`: a line for each layer that went elsewhere.
    `names`: those that are taken, at first the `names` of the model's layers.
    """

    def __init__(self, keras: ModuleType, *, names: Iterable[str]) -> None:
        self.keras = keras
        self.names = set(names)
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.call: Call

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of the first input of the call, the batch counted, None for a side of unknown size."""
        return self.call.input_shapes[0]

    def fresh(self, layer: KerasLayer, **changes: object) -> KerasLayer:
        """Return a new, unbuilt instance of `layer`, with a bias if it can have one."""
        config = {**layer.get_config(), "name": self.call.name, **changes}
        if "use_bias" in config and hasattr(layer, "bias"):
            config["use_bias"] = True  # folding may need one
        return type(layer).from_config(config)

    def emit(self, layer: KerasLayer, inputs: list[Value]) -> Value:
        """Add `layer` (a fresh instance) over exact or already absorbed `inputs`."""
        return Value(self.add(Step(layer, list(inputs))))

    def linear(self, layer: KerasLayer, value: Value, form: Linear) -> Value:
        """Add a linear layer with the weights of `form`, its input's factor and offset taken in."""
        if form.padded and np.any(np.asarray(value.offset) != 0.0):
            value = self.exact(value, form.name)  # a shifted border would not be zeros
        expect(not value.shifted, f"a softmax after the squared distances that {form.name} takes", "none")
        form.take_input(value.factor, value.offset)
        return Value(self.add(Step(layer, [value], linear=form)))

    def dense(self, name: str, value: Value, *, kernel: np.ndarray, bias: np.ndarray) -> Value:
        """Add a Dense layer: `kernel` (inputs, outputs) times the `value`, plus `bias` (outputs,)."""
        layer = self.keras.layers.Dense(kernel.shape[1], name=self.call.name)
        return self.linear(layer, value, full_kernel(name, kernel=kernel, bias=bias))

    def squashed(self, layer: KerasLayer, value: Value, squashing: Squashing) -> Value:
        """Add a tanh for `layer`, which computes a scaled one: the slope before it, the amplitude after."""
        exact = self.exact(value.scaled(squashing.slope), layer.name)
        tanh = self.emit(self.keras.layers.Activation("tanh", name=self.call.name), [exact])
        return tanh.scaled(squashing.amplitude)

    def taken_back(self, value: Value) -> Value:
        """Return `value` put into the linear layer that computes it, if nothing else reads that; else itself.

        Then it does not matter how many read the scaled value, nor whether they pad it.
        """
        form = value.step.linear
        if form is None or not form.open or value.step.readers:
            return value
        form.take_output(value.factor, value.offset)
        return Value(value.step, shifted=value.shifted)

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
        name = free_name(f"{wanted_by}_rescaling", self.names)
        return self.emit(
            self.keras.layers.Rescaling(
                _config_number(value.factor), _config_number(value.offset), name=name
            ),
            [value],
        )

    def add(self, step: Step) -> Step:
        """Append `step` to the folded model."""
        self.steps.append(step)
        return step


def _config_number(number: Number) -> float | list[float]:
    return float(number) if np.ndim(number) == 0 else np.asarray(number).tolist()
