"""A SavedModel, which `model.export` of Keras 3 writes too: load it, run it, convert it to a .tflite file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.precisions import PRECISIONS, Ends, Precision
from converters.base.quiet import quiet
from converters.base.untyped import TfFunction, TfTensor
from converters.file.manifest import describe
from converters.model.calibration_samples import Range, checked_samples
from converters.model.conversion import Converted
from converters.model.lite_converter import calibrate, converted, set_precision
from converters.model.saved_model_code import check_saved_model_code

SIGNATURES = ("serving_default", "serve")
"""The signatures that are taken, in this order."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedModel:
    """One signature of a SavedModel, for one input at a time: it has one input and one output.

    `name`: the folder's. `input`: shape, with a batch of 1, type and name. `loaded` keeps what the signature
    needs alive.
    """

    name: str
    input: TfTensor
    output_name: str
    signature: TfFunction
    loaded: object

    @property
    def inputs(self) -> Sequence[TfTensor]:
        """The input alone, as a Keras model has its inputs."""
        return [self.input]

    def predict(self, inputs: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the outputs (n, ...) for `inputs` (n, ...), computed one at a time."""
        typed = inputs.astype(self.input.dtype.as_numpy_dtype)
        outputs = [self(tf.constant(one[None])).numpy() for one in typed]
        return np.concatenate(outputs).astype(np.float32)

    def __call__(self, inputs: TfTensor) -> TfTensor:
        """Return the output for one input, (1, ...)."""
        return self.signature(**{self.input.name: inputs})[self.output_name]


def load_saved_model(path: Path, *, trust_code: bool = False) -> SavedModel:
    """Return the signature serving_default, or else serve, of the SavedModel in the folder `path`.

    An open batch becomes 1. `trust_code`: operations that do more than compute are no fault. Raises
    InputError: no SavedModel or a damaged one, code in it, neither signature, more than one input or output,
    an input whose shape is open elsewhere or has a batch above 1.
    """
    check_saved_model_code(path, trust_code=trust_code)
    try:
        with quiet():
            loaded = tf.saved_model.load(str(path))
    except Exception as error:  # of many kinds: the folder may hold anything
        raise InputError(f"{path}: expected a SavedModel, got another or a damaged one") from error
    there = sorted(loaded.signatures)
    key = next((name for name in SIGNATURES if name in there), None)
    if key is None:
        got = ", ".join(there) or "none"
        raise InputError(f"expected {path} to have the signature {' or '.join(SIGNATURES)}, got {got}")
    signature = loaded.signatures[key]
    sources = list(signature.structured_input_signature[1].values())
    sinks = list(signature.structured_outputs)
    one_each = len(sources) == 1 and len(sinks) == 1
    expect(one_each, "a model with one input and one output", f"{path} with {len(sources)} and {len(sinks)}")
    return SavedModel(
        name=path.name,
        input=_for_one_input(sources[0]),
        output_name=sinks[0],
        signature=signature,
        loaded=loaded,
    )


def saved_model_to_tflite(
    model: SavedModel,
    *,
    precision: Precision,
    calibration: NDArray[np.generic] | None = None,
    input_range: Range | None = None,
    ends: Ends = "uint8",
) -> Converted:
    """Convert a SavedModel to a .tflite file for one input at a time; the options are those of `to_tflite`.

    Raises InputError: another precision, calibration missing for int8 or not the model's, an operation that
    TensorFlow Lite has no operator for.
    """
    expect(precision in PRECISIONS, f"a precision of {', '.join(PRECISIONS)}", repr(precision))
    module = tf.Module(name=model.name)
    module.loaded = model.loaded
    module.answer = tf.function(
        lambda inputs: {model.output_name: model(inputs)}, input_signature=[model.input], autograph=False
    )
    traced = module.answer.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], module)
    set_precision(converter, precision, ends=ends)
    if precision == "int8":
        calibrate(converter, model, checked_samples(calibration, model, input_range=input_range))
    content = converted(converter)
    return Converted(content, {"precision": precision, **describe(content)})


def _for_one_input(source: TfTensor) -> TfTensor:
    """Return the input `source` with a batch of 1."""
    known = source.shape.rank is not None and source.shape.rank > 0
    shape = tuple(source.shape) if known else ()
    expect(
        known and None not in shape[1:] and shape[0] in (None, 1),
        "a SavedModel for one input at a time whose shape is known but for the batch",
        shape if known else "one of unknown rank",
    )
    return tf.TensorSpec((1, *shape[1:]), source.dtype, name=source.name)
