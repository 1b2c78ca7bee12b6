"""Run a .tflite digit reader where there is no TensorFlow: on a Pi, in a script, behind `classify`."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_text
from converters.base.errors import InputError, expect
from converters.runtimes.interpreters import Refused
from converters.runtimes.sessions import Report, Session, check_options
from converters.runtimes.stored_values import dequantize, quantize
from lenet_edge.digits.geometry import FIELD, middle
from lenet_edge.packaged.files import content_of

DEFAULT_MODEL = "int8_qat"
"""The packaged lenet5 that is used when none is named: small, with scores nearest to the original's."""


_Reader = TypeVar("_Reader", bound="Holder")


class Holder:
    """Holds a file's session until it is closed; several threads take turns. A context manager.

    `noun` is what its errors call it.
    """

    noun = "reader"

    def __init__(self, session: Session) -> None:
        self._session: Session | None = session
        self._turn = threading.Lock()

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the interpreter; a second time does nothing."""
        with self._turn:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[Session]:
        """Give the session to one thread; InputError when it was closed."""
        with self._turn:
            if self._session is None:
                raise InputError(f"expected an open {self.noun}, got a closed one")
            yield self._session


class Classifier(Holder):
    """Ten scores for a picture of a digit, from a .tflite file.

    `model`: a packaged lenet5's precision ("float32", "float16", "dynamic", "int8", "int8_qat"), a packaged
    file's name, or the path of any .tflite that takes 32x32x1 or 28x28x1 pixels and gives ten values.
    `runtime`: "tflite", "litert", "tensorflow", or "auto", the first of these that is installed. `delegate`:
    "none", "xnnpack", "gpu", "nnapi", the path of a delegate's library (with `delegate_options`), or "auto",
    what the runtime uses unasked. `threads`: the CPU's; one is quickest for a net of this size. `report`
    tells what really runs; a delegate that was asked for and does not run is named there with its reason, and
    is an error with `require_delegate`.

    Several threads may share a classifier: they take turns. It is a context manager; `close` frees the
    interpreter. Raises InputError: no runtime (the line says which pip command helps), tflite-runtime beside
    NumPy 2, no such file, none that is a sound .tflite, a packaged file whose sha256 is not the manifest's, a
    required delegate that does not run.

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
        check_options(delegate=os.fspath(delegate), delegate_options=delegate_options, threads=threads)
        content = content_of(model)
        try:
            session = Session(
                content,
                runtime=runtime,
                delegate=delegate,
                delegate_options=delegate_options,
                threads=threads,
                require_delegate=require_delegate,
            )
        except Refused as error:
            raise InputError(
                f"expected {os.fspath(model)} to be a .tflite file that runs, got: {error}"
            ) from error
        shape, classes = list(session.source["shape"]), list(session.sink["shape"])
        fits = shape in ([1, 32, 32, 1], [1, 28, 28, 1]) and classes == [1, 10]
        expect(
            fits,
            "a model from 1x32x32x1 or 1x28x28x1 to 1x10",
            f"{shape_text(shape)} to {shape_text(classes)}",
        )
        super().__init__(session)
        self._side = int(shape[1])
        self.report: Report = session.report

    def scores(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """Return the scores (n, 10) of `pictures` (n, 32, 32), or (10,) of one picture (32, 32).

        Pictures are 0 for paper to 255 for ink; a model of 28x28 sees the middle. Raises InputError for
        another shape and for a classifier that was closed.
        """
        shape = np.shape(pictures)
        fits = len(shape) in (2, 3) and shape[-2:] == (FIELD, FIELD)
        expect(fits, "pictures (n, 32, 32) or one (32, 32)", shape)
        pixels = middle(np.reshape(pictures, (-1, FIELD, FIELD)), side=self._side)[..., None]
        with self._in_turn() as session:
            stored = quantize(pixels.astype(np.float32), session.source)
            rows = [dequantize(session.run(one[None]), session.sink) for one in stored]
        scores = np.stack(rows) if rows else np.zeros((0, 10), np.float32)
        return scores[0] if len(shape) == 2 else scores
