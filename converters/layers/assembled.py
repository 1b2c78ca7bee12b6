"""Define layers that assemble their kernel from a few weights and call one stock operation with it.

A custom layer stays a custom layer until the TensorFlow Lite converter sees it. At conversion the
assembled kernel is a constant, so the .tflite holds the stock operation only, at no cost.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Literal

import numpy as np

from converters.base.untyped import Activation, TfTensor
from converters.layers.definition import LayerDefinition


class AssembledConv2D(LayerDefinition):
    """A 2-D convolution whose kernel is assembled from fewer weights than it has entries.

    A subclass makes the weight named by `kernel_weight` in `build`, and `self.bias` unless it has none (a
    scaling with an offset is then not folded into it), and says

    - `operation`: the stock operation, "conv2d" or "depthwise_conv2d";
    - `kernel_weight`: the attribute that holds the weight the kernel comes from;
    - `assemble(weight)`: the kernel, (height, width, inputs, outputs) for "conv2d" and
      (height, width, channels, 1) for "depthwise_conv2d"; linear in the weight; in the weight's type;
    - `scale(weight, by_input=..., by_output=...)`: the weight whose assembled kernel is the old one
      times `by_input` along the inputs and `by_output` along the outputs (NumPy, exact).

    Folding scales the weight, lowering lays the same weight out differently, quantising
    fake-quantises what `assemble` returns and hands it back by `use_kernel`. Nothing else in the code
    knows how a kernel is assembled. `@keras_layer(package=...)` makes a Keras layer of the subclass.

    `strides`: by how many rows and columns the kernel moves; `activation`: any that Keras takes.
    """

    operation: ClassVar[Literal["conv2d", "depthwise_conv2d"]]
    kernel_weight: ClassVar[str]
    _given_strides: tuple[int, int] | None

    def __new__(cls, *arguments: object, **options: object) -> Any:
        """Remember the strides that the caller gave, for `get_config`: a subclass may set its own instead."""
        layer = super().__new__(cls, *arguments, **options)
        named = inspect.signature(cls).bind_partial(*arguments, **options).arguments
        object.__setattr__(layer, "_given_strides", {**options, **named}.get("strides"))
        return layer

    def __init__(
        self, *, strides: tuple[int, int] = (1, 1), activation: Activation = None, **options: object
    ) -> None:
        super().__init__(**options)
        self.strides = tuple(strides)  # a saved model has a list
        self.activation = self.keras.activations.get(activation)
        self.bias: TfTensor = None
        self._kernel_to_use: TfTensor = None

    def assemble(self, weight: TfTensor) -> TfTensor:
        """Return the kernel that is assembled from `weight`."""
        raise NotImplementedError

    def scale(
        self, weight: np.ndarray, *, by_input: np.ndarray | float = 1.0, by_output: np.ndarray | float = 1.0
    ) -> np.ndarray:
        """Return the weight whose kernel is scaled along its inputs and outputs."""
        raise NotImplementedError

    def use_kernel(self, kernel: TfTensor) -> None:
        """Run with `kernel` instead of the one assembled from the weight; None for that one again."""
        self._kernel_to_use = kernel

    def call(self, inputs: TfTensor) -> TfTensor:
        """Run the stock operation with the assembled kernel, add the bias, squash."""
        kernel = self._kernel_to_use
        if kernel is None:
            kernel = self.assemble(getattr(self, self.kernel_weight))
        sums = getattr(self.ops, self.operation)(inputs, kernel, self.strides)
        return self.activation(sums if self.bias is None else self.ops.add_bias(sums, self.bias))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the convolution's output for one of (batch, height, width, channels)."""
        if not self.built:
            self.build(input_shape)
        batch, height, width, _ = input_shape
        rows, columns, inputs, outputs = self.assemble(getattr(self, self.kernel_weight)).shape
        down, right = self.strides
        return (
            batch,
            height and (height - rows) // down + 1,
            width and (width - columns) // right + 1,
            inputs * outputs if self.operation == "depthwise_conv2d" else outputs,
        )

    def get_config(self) -> dict[str, object]:
        """Return what `from_config` needs; a subclass adds its own options.

        `strides` are among them if the caller gave them. Where a subclass sets them by another option
        (TrainableSubsampling by its pool_size), that option brings them back, and giving both would fail.
        """
        strides = {} if self._given_strides is None else {"strides": self._given_strides}
        activation = self.keras.activations.serialize(self.activation)
        return {**super().get_config(), **strides, "activation": activation}
