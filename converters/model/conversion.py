"""Convert a Keras model to a .tflite file of a given precision; the same model gives the same bytes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import NamedTuple, get_args

import numpy as np

from converters.base.arrays import Numbers
from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.kerases import KERAS_3, check_backend, keras_name, keras_of
from converters.base.precisions import ALL_PRECISIONS, CALIBRATED, ENDS, Ends, Precision
from converters.base.shapes import Shapes
from converters.base.untyped import KerasLayer, KerasModel, TfTensor
from converters.file.graph import read_graph
from converters.file.manifest import Entry, describe
from converters.file.resizing import resizable
from converters.file.signature import EndNames, ends_in_order
from converters.model.calibration_samples import Calibration, Range, checked_inputs
from converters.model.dense_as_convolution import with_convolutions
from converters.model.float32 import float32_policy, in_float32
from converters.model.graph import (
    check_model,
    flat,
    free_name,
    graph_of,
    input_names,
    nested_inputs,
    output_names,
    type_name,
)
from converters.model.input_shapes import file_shapes
from converters.model.keep_float import FloatLayers
from converters.model.lite_converter import calibrate, converted, mended, set_precision
from converters.model.quantising_apart import Died
from converters.model.recurrent import loops_in_words, with_fused_lstm
from converters.model.tracing import computed, plain_name, with_plain_names
from converters.model.unequal_biases import unequal_biases


class Converted(NamedTuple):
    """A .tflite file's bytes and its manifest entry."""

    content: bytes
    entry: Entry


def to_tflite(
    model: KerasModel,
    *,
    precision: Precision,
    calibration: Calibration | None = None,
    input_range: Range | None = None,
    ends: Ends | None = None,
    shape: Shapes | None = None,
    open_axis: int | None = None,
    keep_float: Sequence[str] = (),
    per_channel_dense: bool = False,
) -> Converted:
    """Convert a model of Keras 3 or Keras 2 to a .tflite file that takes one sample at a time.

    `precision`: "float32"; "float16" (weights; the arithmetic is float32 where the delegate has no other);
    "dynamic" (int8 weights, ranges of activations found at run time); "int8" (everything); "int16" (int8
    weights, 16-bit activations). Fold the model first (`fold`): a folded normalisation costs nothing, and the
    raw pixel becomes the quantised input.

    `calibration`, for int8 and int16: real inputs (n, ...) that show the model's ranges; a few hundred are
    enough. An array, or one for each input, in the model's order or by name. A model made by `quantize_aware`
    has its ranges already. `input_range`: the range of the only input, if it is known; calibration that was
    scaled by mistake is then refused.

    `ends`: the type of a quantised file's inputs and outputs. For int8 "uint8" (the default) or "int8", for
    int16 "int16" (the default) or "float32". The whole numbers that an Embedding takes keep their type.

    `shape`: the shape of the file's input without the batch, for a model that leaves sides of it open; or
    shapes by the inputs' names. A Dense layer on a picture then becomes a 1x1 convolution, which an
    interpreter can resize. `open_axis`: the axis of the only input, counted with the batch, that the file
    marks as resizable.

    `keep_float`: names of layers whose operators stay in float32 in an int8 file. `per_channel_dense`, for
    int8: give each output of a dense kernel its own scale. A single scale, the default, costs accuracy where
    the outputs differ in size, as they do after a batch normalisation was folded in. But NNAPI refuses a
    dense kernel with several scales, and TensorFlow Lite Micro from before 2024 gives wrong answers with it,
    without a message.

    A model of mixed precision is converted in float32. A Keras 3 model with an LSTM is converted by way of
    its twin in Keras 2, for which the converter writes one operator, if the twin gives the same numbers. A
    "same" convolution whose windows leave rows or columns over is written without padding, behind a PAD where
    it had some, because XNNPACK computes it wrongly; it does so too where `open_axis` leaves the size open.
    The same weights and versions give the same bytes. Inputs and outputs have the model's order. Where there
    are several, the file's signature has the model's names for them (the keys of a dict).

    Raises InputError: no built Keras model, or one on another backend than TensorFlow; another precision; a
    shape that does not fit the model, or none where one is needed; calibration that is missing, empty,
    constant, not finite or of another shape or range; an Embedding of floats for int8; a layer that
    TensorFlow Lite has no operator for, or that the converter does not take in this precision; a model made
    by `quantize_aware` in another precision, or with kernels of other than 8 or 4 bits (4 bits need a runtime
    of 2024 or later); an `open_axis` that an operator does not leave open; a layer in `keep_float` that is
    not there or cannot stay in float32; `per_channel_dense` for another precision or for a model made by
    `quantize_aware`.
    """
    check_precision(precision, ends)
    check_model(model)
    check_backend(keras_of(model))
    check_fine_tuned(model, precision)
    fine_tuned, bits = _is_fine_tuned(model), _fine_tuned_bits(model)
    expect(bits <= {4, 8}, "kernels of 8 or 4 bits", ", ".join(map(str, bits)))
    check_dense_scales(precision, per_channel_dense=per_channel_dense)
    to_quantise = not (fine_tuned and per_channel_dense)
    expect(to_quantise, "a model to quantise for per_channel_dense", "a fine-tuned one")
    expect(precision == "int8" or not keep_float, "int8 for layers kept in float32", repr(precision))
    expect(
        not (fine_tuned and keep_float), "a model to quantise for layers kept in float32", "a fine-tuned one"
    )
    single = _for_one_input(model, shape)
    samples = None
    if precision in CALIBRATED and not fine_tuned:
        _check_embeddings(model, precision)
        samples = checked_inputs(calibration, single.model, input_range=input_range)
    single = single.computed_by(with_fused_lstm(single.model, samples))
    with unequal_biases(model) if fine_tuned else contextlib.nullcontext():
        content = _converted(single, precision, ends, samples, keep_float, per_channel_dense)
    content = mended(content, resizes=open_axis is not None)
    if open_axis is not None:
        content = resizable(content, axis=open_axis)
    return Converted(content, {"precision": precision, **describe(content)})


def check_dense_scales(precision: Precision, *, per_channel_dense: bool) -> None:
    """Raise InputError where a scale for each output of a dense kernel is asked of another file than int8."""
    expect(precision == "int8" or not per_channel_dense, "int8 for per_channel_dense", repr(precision))


def check_fine_tuned(model: KerasModel, precision: Precision) -> None:
    """Raise InputError where another file than int8 is asked of a model made by `quantize_aware`."""
    known = precision == "int8" or not _is_fine_tuned(model)
    expect(known, "int8 for a model made by quantize_aware", repr(precision))


def check_precision(precision: Precision, ends: Ends | None) -> None:
    """Raise InputError unless this is a precision, and `ends`, if any, are ones that it can have."""
    expect(precision in ALL_PRECISIONS, f"a precision of {', '.join(ALL_PRECISIONS)}", repr(precision))
    possible = ENDS.get(precision, get_args(Ends))
    words = f"ends of {' or '.join(possible)}{f' for {precision}' if precision in ENDS else ''}"
    expect(ends is None or ends in possible, words, repr(ends))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Single:
    """A `model` for one input at a time, as phones and boards run it; names of its ends in a file."""

    model: KerasModel
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def computed_by(self, model: KerasModel) -> _Single:
        """Return the same with `model`, which has the same inputs and outputs."""
        return replace(self, model=model)


def _for_one_input(model: KerasModel, shape: Shapes | None) -> _Single:
    """Return `model` for inputs of `shape`, one at a time."""
    names, keras = input_names(model), keras_of(model)
    own = {name: tuple(tensor.shape[1:]) for name, tensor in zip(names, model.inputs, strict=True)}
    shapes = file_shapes(shape, own)
    with float32_policy(keras):
        # Names go into the file: fixed ones, or a second conversion in one process would differ.
        inputs = [
            keras.Input(
                batch_shape=(1, *shapes[name]),
                dtype=type_name(tensor),
                name=name if len(names) > 1 else _lasting(name),
            )
            for name, tensor in zip(names, model.inputs, strict=True)
        ]
        computing = with_plain_names(in_float32(model))
        if shapes != own and not _is_fine_tuned(model):  # a fine-tuned model has them already
            computing = with_convolutions(computing)
        computing = _not_called(computing, {plain_name(one.name) for one in inputs})
        outputs = [
            _passed_on(one, keras, f"{model.name}_output_{place}")
            if any(one is end for end in inputs)
            else one
            for place, one in enumerate(flat(computing(nested_inputs(computing, inputs))))
        ]
        single = keras.Model(inputs, outputs, name=model.name)
    # A file with one output calls it what computes it: the model.
    outputs_called = output_names(model if len(outputs) > 1 else single)
    return _Single(
        model=single,
        inputs=tuple(map(plain_name, input_names(single))),
        outputs=tuple(map(plain_name, outputs_called)),
    )


def _not_called(model: KerasModel, taken: set[str]) -> KerasModel:
    """Return `model` under a name that is not `taken`: Keras refuses two parts of one name in a model."""
    if model.name not in taken:
        return model
    return keras_of(model).Model(model.inputs, model.outputs, name=free_name(model.name, taken))


def _passed_on(tensor: TfTensor, keras: ModuleType, name: str) -> TfTensor:
    """Return a tensor of its own for an output that is an input: Keras takes none that is both."""
    return keras.layers.Activation("linear", name=name)(tensor)


def _converted(
    single: _Single,
    precision: Precision,
    ends: Ends | None,
    samples: Mapping[str, Numbers] | None,
    keep_float: Sequence[str],
    per_channel_dense: bool,
) -> bytes:
    """Return the file of `single`; without `samples` nothing is calibrated."""
    converter = tf.lite.TFLiteConverter.from_keras_model(_exported(single))
    set_precision(converter, precision, ends=ends, per_channel_dense=per_channel_dense)
    kept = FloatLayers(single.model, keep_float, outputs=single.outputs) if keep_float else None
    if samples is not None:
        named = dict(zip(single.inputs, samples.values(), strict=True))
        tensors = kept.tensors if kept else None
        calibrate(converter, named, precision=precision, float_tensors=tensors)
    try:
        content = converted(converter, precision=precision)
    except Died as error:
        raise InputError(
            f"expected layers that TensorFlow's converter takes in {precision}, got "
            f"{loops_in_words(single.model)}: {error} (a recurrent layer with unroll=True has no loop)"
        ) from error
    if len(single.inputs) > 1 or len(single.outputs) > 1:
        content = ends_in_order(content, EndNames(inputs=single.inputs, outputs=single.outputs))
    if kept:
        kept.check(content)
    if precision == "int16":
        _check_int16(content)
    return content


def _check_int16(content: bytes) -> None:
    """Raise InputError for a TILE, and for a kernel without a scale behind a tensor that is always 0.

    The converter writes both without a word. No runtime has a TILE of int16; kernel and bias are lost.
    """
    for node in read_graph(content).nodes:
        expect(node.name != "TILE", "layers that int16 has operators for", f"{node.outputs[0].name}, a TILE")
        lost = any(tensor and not np.isfinite(tensor.scales).all() for tensor in node.inputs)
        source = node.inputs[0].name if lost and node.inputs[0] else ""
        expect(not lost, "calibration inputs for which no tensor stays 0 in int16", f"{source}, which does")


def _check_embeddings(model: KerasModel, precision: Precision) -> None:
    """Raise InputError when an Embedding takes float numbers: rounded, they name other rows."""
    for call in graph_of(model).calls:
        if type(call.layer) is not keras_of(model).layers.Embedding:
            continue
        expect(
            not any(tf.as_dtype(kind).is_floating for kind in call.input_types),
            f"an input of int32 to the Embedding {call.layer.name} for {precision}",
            'float: build the model with keras.Input(..., dtype="int32") and load its weights',
        )


def _lasting(name: str) -> str:
    """Return the name of an input in a file: not a name that Keras 3 counts up in a process."""
    return re.sub(r"^(input_layer|keras_tensor)_\d+$", r"\1", name)


def _exported(single: _Single) -> object:
    """Return what the converter is to export: the function of the model, or that where it is not enough.

    The file is the same to the byte. Of a Keras model the converter exports every layer as well, each traced
    several times, which takes longer than all the rest of the conversion.
    """
    model, module = single.model, tf.Module()
    specs = [
        tf.TensorSpec(source.shape, source.dtype, name=name)
        for name, source in zip(single.inputs, model.inputs, strict=True)
    ]

    def answer(*inputs: TfTensor) -> dict[str, TfTensor]:
        if keras_name(model) == KERAS_3 and not _has_masks(model):
            results = computed(model, inputs)
        else:
            results = flat(model(nested_inputs(model, inputs), training=False))
        return dict(zip(single.outputs, results, strict=True))

    module.answer = tf.function(answer, input_signature=specs, autograph=False)
    traced = module.answer.get_concrete_function()
    module.weights = traced.variables  # a function does not keep its variables alive
    resources = [tensor for tensor in traced.captured_inputs if tensor.dtype == tf.resource]
    # A lookup table is a resource that is no variable: only its layer can export it.
    return module if len(resources) == len(module.weights) else model


def _has_masks(model: KerasModel) -> bool:
    """Return whether a layer may tell those behind it which values count: only Keras hands that on."""
    layers = {id(call.layer): call.layer for call in graph_of(model).calls}
    return any(_makes_masks(layer) for layer in layers.values())


def _makes_masks(layer: KerasLayer) -> bool:
    """Return whether `layer` makes a mask; those of Keras that have `compute_mask` else only hand one on."""
    if hasattr(layer, "mask_zero"):
        return bool(layer.mask_zero)
    own = type(layer).__module__.partition(".")[0] != KERAS_3
    return type(layer).__name__ == "Masking" or (own and "compute_mask" in vars(type(layer)))


def _is_fine_tuned(model: KerasModel) -> bool:
    """Return whether `model` comes from `quantize_aware`: it may have no kernel."""
    return any(hasattr(layer, "quantize_config") for layer in model.layers)


def _fine_tuned_bits(model: KerasModel) -> set[int]:
    """Return the bits of the kernels of a model of `quantize_aware`; empty for any other model."""
    configs = [layer.quantize_config for layer in model.layers if hasattr(layer, "quantize_config")]
    return {config.bits for config in configs if hasattr(config, "bits")}
