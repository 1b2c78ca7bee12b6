"""Load a SavedModel, which `model.export` of Keras 3 writes too, run it, and convert it to a .tflite file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.precisions import CALIBRATED, Ends, Precision
from converters.base.quiet import quiet
from converters.base.shapes import Shapes
from converters.base.untyped import TfFunction, TfTensor
from converters.file.manifest import describe
from converters.file.signature import EndNames, ends_in_order
from converters.model.calibration_samples import Calibration, Range, checked_inputs
from converters.model.conversion import Converted, check_dense_scales, check_precision
from converters.model.input_shapes import file_shapes
from converters.model.lite_converter import calibrate, converted, mended, set_precision
from converters.model.quantising_apart import Died
from converters.model.saved_model_code import check_saved_model_code

SIGNATURES = ("serving_default", "serve")
"""The signatures that are taken, in this order."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedModel:
    """One signature of a SavedModel, for one input at a time.

    `name`: the folder's. `inputs`: shape, with a batch of 1, type and name of each; a side may be open.
    `output_names`: in the signature's order. `loaded` keeps what the signature needs alive.
    """

    name: str
    inputs: tuple[TfTensor, ...]
    output_names: tuple[str, ...]
    signature: TfFunction
    loaded: object

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [source.name for source in self.inputs]

    def predict(
        self, inputs: NDArray[np.generic] | Sequence[NDArray[np.generic]]
    ) -> NDArray[np.float32] | list[NDArray[np.float32]]:
        """Return the outputs (n, ...) for `inputs` (n, ...), computed one at a time.

        Several inputs are a list; several outputs too, as of a Keras model.
        """
        arrays = list(inputs) if isinstance(inputs, list | tuple) else [np.asarray(inputs)]
        typed = [
            array.astype(source.dtype.as_numpy_dtype)
            for array, source in zip(arrays, self.inputs, strict=True)
        ]
        rows = [
            [output.numpy() for output in self(*(tf.constant(one[None]) for one in row))]
            for row in zip(*typed, strict=True)
        ]
        outputs = [np.concatenate(one).astype(np.float32) for one in zip(*rows, strict=True)]
        return outputs[0] if len(outputs) == 1 else outputs

    def __call__(self, *inputs: TfTensor) -> list[TfTensor]:
        """Return the outputs for one input, (1, ...) each."""
        outputs = self.signature(**dict(zip(self.input_names, inputs, strict=True)))
        return [outputs[name] for name in self.output_names]


def load_saved_model(path: Path, *, trust_code: bool = False) -> SavedModel:
    """Return the signature serving_default, or else serve, of the SavedModel in the folder `path`.

    An open batch becomes 1. `trust_code`: operations that do more than compute are allowed. Raises
    InputError: no SavedModel or a damaged one, code in it, neither signature, an input of unknown rank or
    with a batch above 1.
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
    sources = signature.structured_input_signature[1].values()
    expect(sources, f"{path} to have an input", "none")
    return SavedModel(
        name=path.name,
        inputs=tuple(_one_at_a_time(source) for source in sources),
        output_names=tuple(signature.structured_outputs),
        signature=signature,
        loaded=loaded,
    )


def saved_model_to_tflite(
    model: SavedModel,
    *,
    precision: Precision,
    calibration: Calibration | None = None,
    input_range: Range | None = None,
    ends: Ends | None = None,
    shape: Shapes | None = None,
    per_channel_dense: bool = False,
) -> Converted:
    """Convert a SavedModel to a .tflite file for one input at a time; the options are those of `to_tflite`.

    Raises InputError: another precision, a shape that is not the model's or none where it is needed,
    calibration missing for int8 or not the model's, an operation that TensorFlow Lite has no operator for.
    """
    check_precision(precision, ends)
    check_dense_scales(precision, per_channel_dense=per_channel_dense)
    shaped = _with_shapes(model, shape)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(*_traced(shaped))
    set_precision(converter, precision, ends=ends, per_channel_dense=per_channel_dense)
    if precision in CALIBRATED:
        samples = checked_inputs(calibration, shaped, input_range=input_range)
        calibrate(converter, samples, precision=precision)
    try:
        content = converted(converter, precision=precision)
    except Died as error:
        raise InputError(
            f"expected a model that TensorFlow's converter takes in {precision}, got a loop: {error}"
        ) from error
    if len(model.inputs) > 1 or len(model.output_names) > 1:
        names = EndNames(inputs=tuple(model.input_names), outputs=model.output_names)
        content = ends_in_order(content, names)
    content = mended(content)
    return Converted(content, {"precision": precision, **describe(content)})


def _traced(model: SavedModel) -> tuple[list[TfFunction], TfFunction]:
    """Return the function of `model` as the converter takes it, and what keeps its variables alive."""
    module = tf.Module(name=model.name)
    module.loaded = model.loaded

    def answer(*inputs: TfTensor) -> dict[str, TfTensor]:
        return dict(zip(model.output_names, model(*inputs), strict=True))

    module.answer = tf.function(answer, input_signature=list(model.inputs), autograph=False)
    return [module.answer.get_concrete_function()], module


def _with_shapes(model: SavedModel, shape: Shapes | None) -> SavedModel:
    """Return `model` with the shapes of a file's inputs."""
    own = {source.name: tuple(source.shape[1:]) for source in model.inputs}
    shapes = file_shapes(shape, own)
    inputs = (tf.TensorSpec((1, *shapes[one.name]), one.dtype, name=one.name) for one in model.inputs)
    return replace(model, inputs=tuple(inputs))


def _one_at_a_time(source: TfTensor) -> TfTensor:
    """Return the input `source` with a batch of 1."""
    known = source.shape.rank is not None and source.shape.rank > 0
    shape = tuple(source.shape) if known else ()
    expect(
        known and shape[0] in (None, 1),
        "a SavedModel for one sample at a time, of a shape that is known apart from the batch",
        shape if known else "one of unknown rank",
    )
    return tf.TensorSpec((1, *shape[1:]), source.dtype, name=source.name)
