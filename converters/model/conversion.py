"""Convert a Keras model to a .tflite file of a given precision; the same model gives the same bytes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np

from converters.base.arrays import shape_fits
from converters.base.environment import tf
from converters.base.errors import expect
from converters.base.kerases import KERAS_3, check_backend, keras_name, keras_of
from converters.base.precisions import PRECISIONS, Ends, Precision
from converters.base.untyped import KerasModel, TfTensor
from converters.file.manifest import Entry, describe
from converters.file.resizing import resizable
from converters.model.calibration_samples import Range, checked_samples
from converters.model.dense_as_convolution import with_convolutions
from converters.model.float32 import float32_policy, in_float32
from converters.model.graph import check_model, graph_of, input_names, output_names, type_name
from converters.model.lite_converter import calibrate, converted, set_precision
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
    calibration: np.ndarray | None = None,
    input_range: Range | None = None,
    ends: Ends = "uint8",
    shape: Sequence[int] | None = None,
    open_axis: int | None = None,
) -> Converted:
    """Convert a model of Keras 3 or Keras 2 to a .tflite file for one input at a time.

    `precision`: "float32"; "float16" (weights; float32 arithmetic where the delegate has no other);
    "dynamic" (int8 weights, ranges of activations found at run time); "int8" (everything; `ends` is the
    type of its input and output). `calibration`, for int8: float32 or uint8 (n, ...), real inputs of the
    model, as many as show its ranges; a few hundred do; a model of `quantize_aware` has its ranges already.
    `input_range`: what the inputs can be, if known, to refuse calibration that was scaled by mistake. Fold
    the model first: a normalisation that is folded costs nothing and makes the raw pixel the quantised
    input. `shape`: the file's input without the batch, for a model that leaves sides of it open; a Dense
    layer on a picture then becomes a 1x1 convolution, which an interpreter can resize; `open_axis`: that of
    the input, the batch counted, which the file says may be resized. A model of mixed precision is converted
    as it computes in float32. The same weights and versions give the
    same bytes.

    Raises InputError: no built Keras model, or one that TensorFlow does not compute, another precision, a
    shape that is not the model's or none where it is needed,
    calibration missing, empty, constant, not finite or of another shape or range, an Embedding of floats
    for int8, a layer that has no TensorFlow Lite operator, a model of `quantize_aware` in another precision
    or with kernels of other than 8 or 4 bits (4 bits need a runtime of 2024 or later), an `open_axis` that an
    operator does not leave open.
    """
    expect(precision in PRECISIONS, f"a precision of {', '.join(PRECISIONS)}", repr(precision))
    expect(ends in get_args(Ends), f"ends of {' or '.join(get_args(Ends))}", repr(ends))
    check_model(model)
    check_backend(keras_of(model))
    fine_tuned = _fine_tuned_bits(model)
    expect(precision == "int8" or not fine_tuned, "int8 of a model that quantize_aware made", repr(precision))
    expect(fine_tuned <= {4, 8}, "kernels of 8 or 4 bits", ", ".join(map(str, fine_tuned)))
    with float32_policy(keras_of(model)):
        single = _for_one_input(model, shape)
    converter = tf.lite.TFLiteConverter.from_keras_model(_exported(single))
    set_precision(converter, precision, ends=ends)
    if precision == "int8" and not fine_tuned:
        _check_embeddings(model)
        calibrate(converter, single, checked_samples(calibration, single, input_range=input_range))
    with unequal_biases(model) if fine_tuned else contextlib.nullcontext():
        content = converted(converter)
    if open_axis is not None:
        content = resizable(content, axis=open_axis)
    return Converted(content, {"precision": precision, **describe(content)})


def _for_one_input(model: KerasModel, shape: Sequence[int] | None) -> KerasModel:
    """Return `model` for inputs of `shape`, one at a time, as phones and boards run it."""
    expect(
        len(model.inputs) == 1 and len(model.outputs) == 1,
        "a model with one input and one output",
        model.name,
    )
    own = tuple(model.inputs[0].shape[1:])
    shape = own if shape is None else tuple(shape)
    expect(None not in shape, "a model whose input shape is known but for the batch, or a shape for it", own)
    expect(shape_fits(shape, own), f"a shape of the model's, {own}", shape)
    # Names go into the file: fixed ones, or a second conversion in one process would differ.
    keras = keras_of(model)
    single = keras.Input(
        batch_shape=(1, *shape), dtype=type_name(model.inputs[0]), name=_lasting(input_names(model)[0])
    )
    computing = with_plain_names(in_float32(model))
    computing = computing if shape == own else with_convolutions(computing)
    return keras.Model(single, computing(single), name=model.name)


def _check_embeddings(model: KerasModel) -> None:
    """Raise InputError when an Embedding takes float numbers: rounded to int8, they name other rows."""
    for call in graph_of(model).calls:
        if type(call.layer) is not keras_of(model).layers.Embedding:
            continue
        expect(
            not any(tf.as_dtype(kind).is_floating for kind in call.input_types),
            f"an input of int32 to the Embedding {call.layer.name} for int8",
            'float: build the model with keras.Input(..., dtype="int32") and load its weights',
        )


def _lasting(name: str) -> str:
    """Return the name of an input in a file: not a name that Keras 3 counts up in a process."""
    return re.sub(r"^(input_layer|keras_tensor)_\d+$", r"\1", name)


def _exported(model: KerasModel) -> object:
    """Return what the converter is to export: the function of `model`, or `model` where that is not enough.

    The file is the same to the byte. Of a Keras model the converter exports every layer as well, each traced
    several times, which takes longer than all the rest of the conversion.
    """
    source = model.inputs[0]
    spec = tf.TensorSpec(source.shape, source.dtype, name=plain_name(input_names(model)[0]))
    module, output = tf.Module(), plain_name(output_names(model)[0])

    def answer(inputs: TfTensor) -> dict[str, TfTensor]:
        if keras_name(model) == KERAS_3 and not _has_masks(model):
            return {output: computed(model, [inputs])[0]}
        return {output: model(inputs, training=False)}

    module.answer = tf.function(answer, input_signature=[spec], autograph=False)
    traced = module.answer.get_concrete_function()
    module.weights = traced.variables  # a function does not keep its variables alive
    resources = [tensor for tensor in traced.captured_inputs if tensor.dtype == tf.resource]
    # A lookup table is a resource that is no variable: only its layer can export it.
    return module if len(resources) == len(module.weights) else model


def _has_masks(model: KerasModel) -> bool:
    """Return whether a layer may tell those behind it which values count: only Keras hands that on."""
    layers = (call.layer for call in graph_of(model).calls)
    kinds = ("Embedding", "Masking")
    return any(type(layer).__name__ in kinds or "compute_mask" in vars(type(layer)) for layer in layers)


def _fine_tuned_bits(model: KerasModel) -> set[int]:
    """Return the bits of the kernels of a model of `quantize_aware`; empty for any other model."""
    configs = [layer.quantize_config for layer in model.layers if hasattr(layer, "quantize_config")]
    return {config.bits for config in configs if hasattr(config, "bits")}
