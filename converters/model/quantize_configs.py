"""Tell tensorflow-model-optimization how each kind of layer is quantised while it is fine-tuned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf, unchanged_environment
from converters.base.kerases import KERAS_2, import_keras
from converters.base.quiet import quiet
from converters.base.untyped import Activation, KerasLayer, Quantizer, TfTensor

with quiet(), unchanged_environment():
    import tensorflow_model_optimization as tfmot  # slow to import: only fine-tuning waits for it

keras = import_keras(KERAS_2)  # tensorflow-model-optimization has no other
_register = keras.utils.register_keras_serializable(package="converters")

Form = Literal["full", "depthwise", "dense", "sequence", "depthwise_sequence", "transposed"]
Watcher = Callable[[NDArray[np.float32]], None]

CHANNEL_AXES: dict[Form, tuple[int, ...]] = {
    "sequence": (-1,),
    "depthwise_sequence": (-2, -1),
    "transposed": (-2,),
}
"""The axes of the output channels of kernels that the converter brings to another shape."""

# TensorFlow Lite fixes the int8 output of TANH: scale 1/128, zero point 0.
_TANH_LIMITS = {"init_min": -1.0, "init_max": 127 / 128}


@_register
class RangeQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """Rounds an activation over a range set by calibration; while it is watched, it leaves it as it is.

    `watchers`: what is called with the values that pass, by the reference of the variable that holds the
    least of the range: one quantizer may serve several places. `behind` names the function behind the
    tensor, which decides what range is best (converters.model.activation_ranges).
    """

    def __init__(self, *, behind: str = "linear") -> None:
        self.behind = behind
        self.watchers: dict[object, Watcher] = {}

    def build(
        self, tensor_shape: tuple[int | None, ...], name: str, layer: KerasLayer
    ) -> dict[str, TfTensor]:
        """Make the range's two ends."""
        ends = {"min_var": -6.0, "max_var": 6.0}
        return {
            end: layer.add_weight(
                f"{name}_{end[:3]}", initializer=keras.initializers.Constant(value), trainable=False
            )
            for end, value in ends.items()
        }

    def __call__(
        self, inputs: TfTensor, training: bool, weights: dict[str, TfTensor], **_: object
    ) -> TfTensor:
        """Round `inputs` to the 256 steps of the range."""
        if self.watchers:
            self.watchers[weights["min_var"].ref()](inputs.numpy())
            return inputs
        return tf.quantization.fake_quant_with_min_max_vars(inputs, weights["min_var"], weights["max_var"])

    def get_config(self) -> dict[str, object]:
        """Return the constructor's option."""
        return {"behind": self.behind}


class KernelQuantizer(tfmot.quantization.keras.quantizers.LastValueQuantizer):
    """Rounds the kernel that a layer assembles from its weight, symmetrically, -127..127 for 8 bits.

    Rounding the weight instead would leave the kernel to be computed at run time: no constant in the file,
    and wrong answers without a message.
    """

    def __init__(
        self,
        *,
        bits: int,
        per_channel: bool,
        form: Form,
        assemble: Callable[[TfTensor], TfTensor] | None = None,
    ) -> None:
        super().__init__(num_bits=bits, per_axis=per_channel, symmetric=True, narrow_range=True)
        self.form = form
        self.assemble = assemble or (lambda weight: weight)

    def build(
        self, tensor_shape: tuple[int | None, ...], name: str, layer: KerasLayer
    ) -> dict[str, TfTensor]:
        """Make the range's ends, one for each output channel if per channel."""
        kernel = self.assemble(tf.zeros(tensor_shape))
        shape = self._by_channel(kernel).shape
        return super().build(tf.TensorShape(shape), name, layer)

    def __call__(
        self, inputs: TfTensor, training: bool, weights: dict[str, TfTensor], **options: object
    ) -> TfTensor:
        """Assemble the kernel from the weight `inputs` and round it."""
        kernel = self.assemble(inputs)
        rounded = super().__call__(self._by_channel(kernel), training, weights, **options)
        return tf.reshape(rounded, kernel.shape)

    def _by_channel(self, kernel: TfTensor) -> TfTensor:
        """Bring a kernel's output channels to its last axis; (h, w, C, M) has C * M of them."""
        if self.form != "depthwise":
            return kernel
        rows, columns, channels, multiplier = kernel.shape
        return tf.reshape(kernel, (rows, columns, 1, channels * multiplier))


@_register
class ChannelQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """Rounds a kernel to -127..127 of a scale for each index of its axes `channels` (counted from the last).

    For kernels that the converter brings to another shape: the scales of TensorFlow's own fake quantisation
    do not follow there. This rounds by plain operations, which the converter computes beforehand: it finds a
    constant whose largest value in each channel is 127 steps, and the same scales again. Of 8 bits only.
    """

    def __init__(self, *, channels: tuple[int, ...]) -> None:
        self.channels = tuple(channels)

    def build(
        self, tensor_shape: tuple[int | None, ...], name: str, layer: KerasLayer
    ) -> dict[str, TfTensor]:
        """Make nothing: the scales are those of the weights as they are."""
        return {}

    def __call__(
        self, inputs: TfTensor, training: bool, weights: dict[str, TfTensor], **_: object
    ) -> TfTensor:
        """Round the kernel `inputs`; its gradient passes."""
        axes = [axis for axis in range(-len(inputs.shape), 0) if axis not in self.channels]
        largest = tf.reduce_max(tf.abs(inputs), axis=axes, keepdims=True)
        steps = tf.where(largest > 0, largest, 1.0) / 127
        return inputs + tf.stop_gradient(tf.round(inputs / steps) * steps - inputs)

    def get_config(self) -> dict[str, object]:
        """Return the constructor's option."""
        return {"channels": self.channels}


# The name is the one that saved models have.
@keras.utils.register_keras_serializable(package="converters", name="NothingToQuantise")
class NothingToQuantize(tfmot.quantization.keras.QuantizeConfig):
    """For a layer that only moves values: its output is rounded if its input is."""

    def get_weights_and_quantizers(self, layer: KerasLayer) -> list[tuple[TfTensor, Quantizer]]:
        """No weights."""
        return []

    def get_activations_and_quantizers(self, layer: KerasLayer) -> list[tuple[Activation, Quantizer]]:
        """No activation."""
        return []

    def set_quantize_weights(self, layer: KerasLayer, quantize_weights: list[TfTensor]) -> None:
        """Nothing to set."""
        pass  # a body for TensorFlow, which translates the method and warns of an empty one

    def set_quantize_activations(self, layer: KerasLayer, quantize_activations: list[Activation]) -> None:
        """Nothing to set."""
        pass  # a body for TensorFlow, which translates the method and warns of an empty one

    def get_output_quantizers(self, layer: KerasLayer) -> list[Quantizer]:
        """No output of its own."""
        return []

    def get_config(self) -> dict[str, object]:
        """No options."""
        return {}


@_register
class OutputConfig(NothingToQuantize):
    """For a layer without weights that computes new values: its output is rounded."""

    def __init__(self, *, behind: str = "linear") -> None:
        self.behind = behind

    def get_output_quantizers(self, layer: KerasLayer) -> list[Quantizer]:
        """Round the output."""
        return [RangeQuantizer(behind=self.behind)]

    def get_config(self) -> dict[str, object]:
        """Return the constructor's option."""
        return {"behind": self.behind}


@_register
class KernelConfig(NothingToQuantize):
    """For a layer with a kernel, a bias and an activation: Conv2D, Dense, AssembledConv2D, ...

    `weight`: the attribute that holds the weight; `form`: how the kernel's axes are to be read; `bits`,
    `per_channel`: of the kernel; `behind`: the function that reads the layer's output. The file computes a
    "relu" together with the layer, so nothing is rounded before that.
    """

    def __init__(
        self, *, weight: str, form: Form, bits: int = 8, per_channel: bool = True, behind: str = "linear"
    ) -> None:
        self.weight, self.form = weight, form
        self.bits, self.per_channel, self.behind = bits, per_channel, behind

    def get_weights_and_quantizers(self, layer: KerasLayer) -> list[tuple[TfTensor, Quantizer]]:
        """Round the kernel, assembled first where the layer assembles one."""
        weight = getattr(layer, self.weight)
        if self.per_channel and self.form in CHANNEL_AXES:
            return [(weight, ChannelQuantizer(channels=CHANNEL_AXES[self.form]))]
        quantizer = KernelQuantizer(
            bits=self.bits,
            per_channel=self.per_channel,
            form=self.form,
            assemble=getattr(layer, "assemble", None),
        )
        return [(weight, quantizer)]

    def get_activations_and_quantizers(self, layer: KerasLayer) -> list[tuple[Activation, Quantizer]]:
        """Round before a tanh, a sigmoid or a softmax, behind a ReLU or none (as the file does)."""
        name = getattr(layer.activation, "__name__", "linear")
        if name == "linear" and self.behind == "relu":
            return []
        behind = name if name in ("tanh", "sigmoid", "softmax") else self.behind
        return [(layer.activation, RangeQuantizer(behind=behind))]

    def set_quantize_weights(self, layer: KerasLayer, quantize_weights: list[TfTensor]) -> None:
        """Give the layer its rounded kernel."""
        if hasattr(layer, "use_kernel"):
            layer.use_kernel(quantize_weights[0])
        else:
            setattr(layer, self.weight, quantize_weights[0])

    def set_quantize_activations(self, layer: KerasLayer, quantize_activations: list[Activation]) -> None:
        """Give the layer its rounding activation, if it has one."""
        if quantize_activations:
            layer.activation = quantize_activations[0]

    def get_output_quantizers(self, layer: KerasLayer) -> list[Quantizer]:
        """Round the output of a tanh as the int8 kernel does; tensorflow-model-optimization does not."""
        activation = getattr(layer.activation, "activation", layer.activation)
        if getattr(activation, "__name__", "") != "tanh":
            return []
        return [
            tfmot.quantization.keras.quantizers.FixedQuantizer(num_bits=8, narrow_range=False, **_TANH_LIMITS)
        ]

    def get_config(self) -> dict[str, object]:
        """Return the constructor's options."""
        names = ("weight", "form", "bits", "per_channel", "behind")
        return {name: getattr(self, name) for name in names}
