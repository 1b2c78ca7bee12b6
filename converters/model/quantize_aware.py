"""Make a Keras model round as its int8 file will, to be fine-tuned (quantisation-aware training).

tensorflow-model-optimization wraps the layers. This adds what it lacks: layers that assemble their
kernel (the *assembled* kernel is rounded, so that it is a constant in the file), depthwise kernels per
channel, the rounding behind a tanh, and ranges that are fitted before the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.kerases import KERAS_2, KERAS_3, import_keras, keras_name
from converters.base.untyped import KerasLayer, KerasModel, QuantizeConfig, TfTensor
from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import definition_of
from converters.model.activation_ranges import BEHIND, RangeSearch
from converters.model.calibration_samples import Calibration, Range, checked_inputs
from converters.model.dense_as_convolution import with_convolutions
from converters.model.float32 import float32_policy, in_float32
from converters.model.graph import check_model, nested_inputs
from converters.model.quantize_configs import (
    CHANNEL_AXES,
    Form,
    KernelConfig,
    NothingToQuantize,
    OutputConfig,
    RangeQuantizer,
    tfmot,
)
from converters.model.quantize_scheme import OwnConfigsScheme
from converters.model.separated_activations import OF_THEIR_OWN, TRANSPOSED, activation_name, separated
from converters.model.twin import check_twin, twin
from converters.model.twin_operations import KerasOperation, operation_name
from converters.model.unrounded import PREFIX, check_unrounded, rounding_layers

keras = import_keras(KERAS_2)  # tensorflow-model-optimization has no other
layers = keras.layers

# Inputs that run at a time while ranges are found: as many as hold a million values, 100 at most.
_BATCH, _BATCH_VALUES = 100, 2**20

_LARGEST_BIAS = 2**30  # of 32 bits; the products are added to it in as many

ConfigRule = Callable[[KerasLayer, str], QuantizeConfig]
_rules: dict[type | str, ConfigRule] = {}

_KERNELS: dict[type, tuple[str, Form]] = {
    layers.Conv2D: ("kernel", "full"),
    layers.Dense: ("kernel", "dense"),
    layers.DepthwiseConv2D: ("depthwise_kernel", "depthwise"),
    layers.Conv1D: ("kernel", "sequence"),
    layers.DepthwiseConv1D: ("depthwise_kernel", "depthwise_sequence"),
    layers.Conv1DTranspose: ("kernel", "transposed"),
    layers.Conv2DTranspose: ("kernel", "transposed"),
}
_WITHIN = ("linear", "relu", *BEHIND)  # activations that are rounded within their layer

# Their output is rounded if their input is, or TensorFlow Lite fixes its rounding (softmax: 1/256). In a file
# an average pooling has the range of its input: given one of its own, its input would be clipped to that.
_MOVING = (
    *(layers.Flatten, layers.Reshape, layers.Permute, layers.Dropout, layers.Softmax, layers.Identity),
    *(layers.MaxPooling2D, layers.GlobalMaxPooling2D, layers.ZeroPadding2D, layers.Cropping2D),
    *(layers.MaxPooling1D, layers.GlobalMaxPooling1D, layers.ZeroPadding1D, layers.Cropping1D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.UpSampling1D),
)
_COMPUTING = (
    *(layers.Concatenate, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.Rescaling),
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D),
)

# What to do with a layer that has no rule, where it is not _AFTERWARDS.
_AFTERWARDS = "give it one, or let to_tflite quantise after training"
_TWO_LAYERS = "fold makes two layers of it, which have rules (converters.fold)"
_FLOAT = "an int8 file computes it in float32; let to_tflite quantise the others after training"
_INSTEAD: dict[type, str] = {
    layers.SeparableConv1D: _TWO_LAYERS,
    layers.SeparableConv2D: _TWO_LAYERS,
    layers.Conv3D: _FLOAT,
    layers.Conv3DTranspose: _FLOAT,
    layers.BatchNormalization: "fold takes it into the layer before or behind it (converters.fold)",
}

# Operations of keras.ops that are no layers in a twin (converters.model.twin_operations).
_MOVING_OPERATIONS = (
    *("Reshape", "Transpose", "Squeeze", "ExpandDims", "Moveaxis", "Swapaxes", "Ravel"),
    *("GetItem", "Repeat", "Tile", "Max"),
)
_COMPUTING_OPERATIONS = ("Mean", "Sum")


def quantize_rule(*classes: type) -> Callable[[ConfigRule], ConfigRule]:
    """Register `rule(layer, behind) -> QuantizeConfig` as the way to quantise the layers of `classes`.

    A class may be one of either Keras or, for both, a definition. The rule is called with the Keras 2 layer
    that is fine-tuned. `behind` names the only function that reads the layer's output ("relu", "softmax",
    ...; "linear" for any other, for several, and for an output of the model). A subclass of
    AssembledConv2D needs no rule. `NothingToQuantize()` serves a layer that only moves values,
    `OutputConfig()` one without weights (converters.model.quantize_configs).
    """

    def register(rule: ConfigRule) -> ConfigRule:
        _rules.update(dict.fromkeys(map(_key, classes), rule))
        return rule

    return register


def _key(kind: type) -> type | str:
    """Return what the classes of a layer in both Kerases have in common: its definition, its name."""
    definition = definition_of(kind)
    name = keras_name(kind)
    if definition is not None or name is None:
        return definition or kind
    home = import_keras(name)
    if getattr(home.layers, kind.__name__, None) is kind:
        return kind.__name__
    registered: str = home.saving.get_registered_name(kind)
    return registered if ">" in registered else kind


@float32_policy(keras)
def quantize_aware(
    model: KerasModel,
    *,
    calibration: Calibration,
    input_range: Range | None = None,
    weight_bits: int = 8,
    per_channel: bool = True,
) -> KerasModel:
    """Return a Keras 2 model with the weights of `model` that rounds kernels and activations as int8 does.

    `model`: a folded functional or sequential model of Keras 3 or Keras 2; it is not changed. A Keras 3 model
    is rebuilt as its twin in Keras 2 (converters.model.twin), which tensorflow-model-optimization needs; the
    twin must give the same numbers on `calibration`. `calibration`: a few hundred real inputs (n, ...);
    of a model with several inputs, an array for each by its name. Each activation gets the range with the
    least squared error on them, behind the tanh or softmax that follows. `input_range`: the range of the only
    input, if it is known. Pixels 0..255 then have a step of 1 even if the samples do not reach 255, and
    samples that were scaled by mistake are refused.
    `weight_bits`: 2 to 8. `per_channel`: whether each output channel of a convolution has its own scale. A
    dense kernel always has a single scale, because NNAPI refuses more; on pictures of open size it is made a
    1x1 convolution, as in the file. A single scale has also a kernel of Conv1D, DepthwiseConv1D,
    Conv1DTranspose or Conv2DTranspose of fewer than 8 bits, because TensorFlow's converter
    takes no more. Train the result like any model, then call `settle`, then
    `to_tflite(..., precision="int8")` if it has 8 or 4 bits.

    Raises InputError: no such model, or one that rounds already; calibration that is empty, constant, not
    finite or of another shape or range; other bits; a layer that Keras 2 does not have, or that gives other
    numbers there; a layer without a rule; an activation that is not rounded as the file rounds it.
    """
    check_model(model)
    check_unrounded(model)
    expect(weight_bits in range(2, 9), "weight_bits from 2 to 8", weight_bits)
    checked = checked_inputs(calibration, model, input_range=input_range)
    samples = [array.astype(np.float32) for array in checked.values()]
    exact = separated(_as_in_file(_in_keras_2(in_float32(model), samples)))

    for layer in exact.layers:
        _check_activation(layer)
    source = _fresh(exact)
    configs = {
        layer.name: _config_of(layer, source, bits=weight_bits, per_channel=per_channel)
        for layer in source.layers
        if not isinstance(layer, layers.InputLayer)
    }

    expect(configs, "a model with layers", "one that gives its input back")

    def annotate(layer: KerasLayer) -> KerasLayer:
        return tfmot.quantization.keras.quantize_annotate_layer(layer, configs[layer.name])

    annotated = keras.models.clone_model(source, clone_function=annotate)
    applied = tfmot.quantization.keras.quantize_apply(annotated, OwnConfigsScheme())
    quantized = _with_lasting_names(applied)
    _check_kernels(quantized, configs)
    _settle_kernels(quantized)
    ranges = [input_range or (float(array.min()), float(array.max())) for array in samples]
    _fit_inputs(quantized, dict(zip(quantized.input_names, ranges, strict=True)))
    _fit_ranges(quantized, samples)
    _make_room_for_biases(quantized)
    return quantized


def settle(model: KerasModel) -> None:
    """Fit the ranges of the kernels to the weights; call it after the last step of training."""
    _settle_kernels(model)
    _make_room_for_biases(model)


def _settle_kernels(model: KerasModel) -> None:
    for wrapper in rounding_layers(model):
        for weight, quantizer, variables in wrapper._weight_vars:
            quantizer(weight, True, variables)


def _make_room_for_biases(model: KerasModel) -> None:
    """Widen the ranges of kernels that are nearly 0 until the file can store the bias beside them.

    It stores a bias in steps of an input's step times a kernel's. The smallest step of the model serves for
    every input: what is widened by too much is a kernel that hardly counts.
    """
    found = (float(ends["max_var"] - ends["min_var"]) / 255 for ends in _activation_ends(model))
    steps = [1 / 256, *(step for step in found if step > 0)]  # 1/256: a softmax has no range of its own
    for wrapper in rounding_layers(model):
        bias = getattr(wrapper.layer, "bias", None)
        for _, quantizer, ends in wrapper._weight_vars if bias is not None else ():
            if not ends:  # a ChannelQuantizer's scales are those of the weights
                continue
            levels = 2 ** (quantizer.num_bits - 1) - 1
            least = levels * np.abs(np.asarray(bias)) / (min(steps) * _LARGEST_BIAS)
            widest = np.maximum(ends["max_var"], least if ends["max_var"].shape.rank else least.max())
            ends["max_var"].assign(widest)
            ends["min_var"].assign(-widest)


def _activation_ends(model: KerasModel) -> Iterator[dict[str, TfTensor]]:
    """Yield the two ends of the range of each input and activation."""
    for _, ends in _activation_quantizers(model):
        yield ends
    for layer in _roundings_of_inputs(model):
        yield layer.quantizer_vars


def _in_keras_2(model: KerasModel, samples: Sequence[Numbers]) -> KerasModel:
    """Return `model`, of Keras 2, or the twin of one of Keras 3, if that gives its numbers for `samples`."""
    if keras_name(model) != KERAS_3:
        return model
    two = twin(model)
    check_twin(two, model, samples)
    return two


def _as_in_file(model: KerasModel) -> KerasModel:
    """Return `model` with the layers that its file computes: where a side is open, Dense is a convolution."""
    has_open_side = any(None in tensor.shape[1:] for tensor in model.inputs)
    return with_convolutions(model) if has_open_side else model


def _with_lasting_names(model: KerasModel) -> KerasModel:
    """Name the layers that round inputs after those inputs: tensorflow-model-optimization numbers them.

    Names go into files, of weights and of .tflite: the second model in a process must have the first's.
    """

    def renamed(layer: KerasLayer) -> KerasLayer:
        if type(layer).__name__ != "QuantizeLayer":
            return layer
        with tfmot.quantization.keras.quantize_scope():
            name = f"{PREFIX}{_source_of(layer).name}"
            return type(layer).from_config({**layer.get_config(), "name": name})

    return keras.models.clone_model(model, clone_function=renamed)


def _fresh(model: KerasModel) -> KerasModel:
    """Return a copy of `model`: annotating wraps the layers themselves."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def _check_kernels(model: KerasModel, configs: dict[str, QuantizeConfig]) -> None:
    """Raise InputError unless each layer whose configuration in `configs` rounds a kernel has it rounded."""
    rounded = {wrapper.layer.name for wrapper in rounding_layers(model) if wrapper._weight_vars}
    for name, config in configs.items():
        if isinstance(config, KernelConfig):
            expect(name in rounded, f"the kernel of {name} to be rounded", "it left unrounded")


def _config_of(layer: KerasLayer, model: KerasModel, *, bits: int, per_channel: bool) -> QuantizeConfig:
    behind = _behind(layer, model)
    if isinstance(layer, AssembledConv2D):
        form: Form = "depthwise" if layer.operation == "depthwise_conv2d" else "full"
        return KernelConfig(
            weight=layer.kernel_weight, form=form, bits=bits, per_channel=per_channel, behind=behind
        )
    if type(layer) in _KERNELS:
        weight, form = _KERNELS[type(layer)]
        channels = per_channel and form != "dense" and (bits == 8 or form not in CHANNEL_AXES)
        return KernelConfig(weight=weight, form=form, bits=bits, per_channel=channels, behind=behind)
    rule = _rules.get(_key(type(layer))) or _operation_rule(layer)
    if rule is not None:
        return rule(layer, behind)
    raise InputError(
        f"expected layers with a rule for quantising (converters.quantize_rule), got "
        f"{layer.name}, {_kind(layer)}: {_INSTEAD.get(type(layer), _AFTERWARDS)}"
    )


def _kind(layer: KerasLayer) -> str:
    """Return what `layer` is, for a message."""
    if isinstance(layer, KerasOperation):
        return f"keras.ops.{operation_name(layer.operation) or type(layer.operation).__name__}"
    return f"a {type(layer).__name__}"


def _operation_rule(layer: KerasLayer) -> ConfigRule | None:
    """Return the rule for an operation of `keras.ops`; None where there is none, and for a layer."""
    name = operation_name(layer.operation) if isinstance(layer, KerasOperation) else ""
    if name in _MOVING_OPERATIONS:
        return _moving
    return _computing if name in _COMPUTING_OPERATIONS else None


def _check_activation(layer: KerasLayer) -> None:
    """Raise InputError unless the activation within `layer` is one that is rounded as the file rounds it."""
    has_one = isinstance(layer, (AssembledConv2D, layers.Activation, *_KERNELS))
    if not has_one:
        return
    name = activation_name(layer.activation)
    known = (*_WITHIN, *OF_THEIR_OWN)
    expect(
        name in known,
        f"an activation of {', '.join(known)} in {layer.name}",
        f"{name}: use one of these (fold makes a scaled tanh one), or let to_tflite quantise after training",
    )


def _behind(layer: KerasLayer, model: KerasModel) -> str:
    """Return the name of the only function that reads the layer's output, "linear" if it is not known."""
    readers = {node.layer for node in layer._outbound_nodes}
    if len(readers) != 1 or layer.name in model.output_names:
        return "linear"
    reader = readers.pop()
    if isinstance(reader, layers.Softmax):
        return "softmax"
    fuses = type(layer) not in TRANSPOSED  # TRANSPOSE_CONV computes no ReLU
    if isinstance(reader, layers.ReLU):
        return "relu" if fuses and _is_fused(reader) else "linear"
    name = getattr(getattr(reader, "activation", None), "__name__", "linear")
    known = ("relu", *BEHIND) if fuses else tuple(BEHIND)
    return name if isinstance(reader, layers.Activation) and name in known else "linear"


def _is_fused(layer: KerasLayer) -> bool:
    """Return whether a file computes the ReLU `layer` within the operator before it, as RELU or RELU6."""
    return layer.max_value in (None, 6) and not layer.negative_slope and not layer.threshold


@quantize_rule(*_MOVING)
def _moving(layer: KerasLayer, behind: str) -> QuantizeConfig:
    return NothingToQuantize()


@quantize_rule(*_COMPUTING)
def _computing(layer: KerasLayer, behind: str) -> QuantizeConfig:
    return OutputConfig(behind=behind)


@quantize_rule(layers.UpSampling2D)
def _enlarging(layer: KerasLayer, behind: str) -> QuantizeConfig:
    # In a file both resize within the range of their input.
    known = layer.interpolation in ("nearest", "bilinear")
    expect(known, f"an interpolation of nearest or bilinear in {layer.name}", layer.interpolation)
    return NothingToQuantize()


@quantize_rule(layers.Add, layers.Subtract, layers.Multiply)
def _arithmetic(layer: KerasLayer, behind: str) -> QuantizeConfig:
    # ADD, SUB and MUL compute the ReLU that reads them.
    return NothingToQuantize() if behind == "relu" else OutputConfig(behind=behind)


@quantize_rule(layers.Activation)
def _activation(layer: KerasLayer, behind: str) -> QuantizeConfig:
    name = layer.activation.__name__
    return NothingToQuantize() if name in BEHIND else OutputConfig(behind=behind)


def _fit_ranges(model: KerasModel, samples: Sequence[Numbers]) -> None:
    """Run `samples` unrounded, and set each activation's range to the best one for its values.

    The samples run twice, because values are not kept: they may be gigabytes.
    """
    found = [(*one, RangeSearch(behind=one[0].behind)) for one in _activation_quantizers(model)]
    count, values = len(samples[0]), sum(array[0].size for array in samples)
    batch = int(np.clip(_BATCH_VALUES // values, 1, _BATCH))
    for watch in (RangeSearch.see, RangeSearch.weigh):
        for quantizer, variables, search in found:
            quantizer.watchers[variables["min_var"].ref()] = partial(watch, search)
        for start in range(0, count, batch):
            some = [array[start : start + batch] for array in samples]
            model(nested_inputs(model, some), training=False)
    for quantizer, variables, search in found:
        quantizer.watchers.clear()
        for end, value in zip(("min_var", "max_var"), search.best(), strict=True):
            variables[end].assign(value)


def _activation_quantizers(model: KerasModel) -> Iterator[tuple[RangeQuantizer, dict[str, TfTensor]]]:
    for wrapper in rounding_layers(model):
        for activation in wrapper._quantize_activations:
            for place in ("_pre_activation_vars", "_post_activation_vars"):
                if hasattr(activation, place):
                    yield activation.quantizer, getattr(activation, place)
        for quantizer in wrapper._output_quantizers:
            if isinstance(quantizer, RangeQuantizer):
                yield quantizer, wrapper._output_quantizer_vars


def _fit_inputs(model: KerasModel, ranges: Mapping[str, Range]) -> None:
    """Set each input's range, by its name, 0 included: pixels 0..255 keep a step of 1."""
    for layer in _roundings_of_inputs(model):
        low, high = ranges[_source_of(layer).name]
        layer.quantizer_vars["min_var"].assign(min(low, 0.0))
        layer.quantizer_vars["max_var"].assign(max(high, 0.0))


def _roundings_of_inputs(model: KerasModel) -> Iterator[KerasLayer]:
    """Yield the layers that round an input: not of one that only a Concatenate reads, as in the file."""
    for layer in model.layers:
        if type(layer).__name__ == "QuantizeLayer" and layer.quantizer is not None:
            yield layer


def _source_of(layer: KerasLayer) -> KerasLayer:
    """Return the input that the layer, which rounds one, reads."""
    return layer._inbound_nodes[0].inbound_layers
