"""Classify single digits with a .tflite file, without TensorFlow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from converters.base.arrays import shape_text
from converters.base.errors import expect
from converters.runtimes.sessions import Report
from converters.runtimes.stored_values import dequantize, quantize
from lenet_edge.digits.geometry import FIELD, MNIST_SIDE, middle
from lenet_edge.packaged.files import content_of
from lenet_edge.runtime.pixels import check_pixels
from lenet_edge.runtime.session_holder import SessionHolder, SessionOptions, refusals_name_model

DEFAULT_MODEL = "int8_qat"
"""The default lenet5: small, with the scores nearest to the original's."""


class Classifier(SessionHolder):
    """Ten scores for a picture of a digit, from a .tflite file.

    `model`: a packaged lenet5's precision ("float32", "float16", "dynamic", "int8", "int8_qat"), a packaged
    file's name, or the path of any .tflite that takes 32x32x1 or 28x28x1 pixels and gives ten values. A
    precision always means the packaged model; a file of that name needs a path such as "./int8".
    `runtime`: "tflite", "litert", "tensorflow", or "auto", the first one installed. `delegate`: "none",
    "xnnpack", "gpu", the path of a delegate's library (with `delegate_options`), or "auto", the runtime's
    default (NNAPI exists in Android apps only). `threads`: CPU threads; one is fastest for a net of this
    size. `report` says what actually runs; a requested delegate that does not run is named there with the
    reason, and is an error with `require_delegate`. `sha256`: of the file.

    Several threads may share a classifier: they take turns. It is a context manager; `close` frees the
    interpreter. Raises InputError: no runtime (the message has the pip command), tflite-runtime with NumPy 2,
    a missing or unsound .tflite file, a packaged file whose sha256 differs from the manifest, a required
    delegate that does not run.

    >>> with Classifier() as classifier:
    ...     classifier.scores(pictures).argmax(axis=1)  # pictures: uint8 (n, 32, 32)
    """

    noun = "classifier"

    def __init__(
        self,
        *,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        runtime: str = "auto",
        delegate: str | os.PathLike[str] = "auto",
        delegate_options: Mapping[str, str] | None = None,
        threads: int = 1,
        require_delegate: bool = False,
    ) -> None:
        options = SessionOptions(
            runtime=runtime,
            delegate=delegate,
            delegate_options=delegate_options,
            threads=threads,
            require_delegate=require_delegate,
        )
        content = content_of(model)
        self.sha256 = hashlib.sha256(content).hexdigest()
        with refusals_name_model(model):
            session = options.open(content)
        shape, classes = list(session.source["shape"]), list(session.sink["shape"])
        fits = shape in ([1, side, side, 1] for side in (FIELD, MNIST_SIDE)) and classes == [1, 10]
        expect(
            fits,
            "a model from 1x32x32x1 or 1x28x28x1 to 1x10",
            f"{shape_text(shape)} to {shape_text(classes)}",
        )
        super().__init__(session, lambda: options.open(content))
        self._side = int(shape[1])
        self.report: Report = session.report

    def scores(self, pictures: ArrayLike) -> NDArray[np.float32]:
        """Return the scores (n, 10) of `pictures` (n, 32, 32), or (10,) of one picture (32, 32).

        Pixels are 0 for paper to 255 for ink, of any numeric type; a 28x28 model gets the middle. Raises
        InputError for another shape, for invalid pixels (`check_pixels`; pixels scaled to 0..1 are refused
        too) and for a closed classifier.
        """
        pixels = check_pixels(pictures, wanted="pictures (n, 32, 32) or one (32, 32)", fits=_is_picture_shape)
        inputs = middle(pixels.reshape(-1, FIELD, FIELD), side=self._side)[..., None]
        with self._exclusive_session() as session:
            stored = quantize(inputs.astype(np.float32), session.source)
            rows = [dequantize(session.run(one[None]), session.sink) for one in stored]
        scores = np.stack(rows) if rows else np.zeros((0, 10), np.float32)
        return scores[0] if pixels.ndim == 2 else scores


def _is_picture_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) and shape[-2:] == (FIELD, FIELD)
