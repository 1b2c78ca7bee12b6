"""Read a string of digits from a picture of any width with a .tflite file, without TensorFlow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_text
from converters.base.errors import expect
from converters.runtimes.interpreters import Refused
from converters.runtimes.sessions import Report, Session
from converters.runtimes.stored_values import dequantize, quantize
from lenet_edge.digits import geometry
from lenet_edge.digits.geometry import FIELD
from lenet_edge.packaged.files import content_of
from lenet_edge.packaged.names import WIDE
from lenet_edge.runtime.pixels import check_pixels
from lenet_edge.runtime.session_holder import SessionHolder, SessionOptions, refusals_name_model
from lenet_edge.runtime.string_decoder import DigitString, viterbi

DEFAULT_MODEL = "float32"
"""The default lenet5_wide: its scores are the original's."""

MARGIN = FIELD // 2
"""Empty columns added on each side, so that a digit at the very edge is in the middle of a window."""

MOST_COLUMNS = 512
"""The widest piece of a picture that is run at once, so that memory does not grow with the width."""

_COLUMNS_STEP = 128  # widths are multiples of this and never shrink: resizing takes longer than inference


@dataclass(frozen=True)
class StringReport(Report):
    """What actually runs a file, on pieces of at most `columns` columns each.

    `fixed`: why all pieces have the file's own width, in one line; "" if the interpreter can resize.
    """

    columns: int = 0
    fixed: str = ""

    def __str__(self) -> str:
        line = super().__str__()
        return f"{line}, in pieces of {self.columns} columns ({self.fixed})" if self.fixed else line


class StringReader(SessionHolder):
    """The digits on a line, from a .tflite file that reads windows of 32x32 four columns apart.

    `model`: a packaged lenet5_wide's precision ("float32", "int8", "int8_qat"), a packaged file's name, or
    the path of any .tflite from 1x32xWx1 pixels to eleven scores a window, 1x1x((W - 32) / 4 + 1)x11, the
    last of them for "no digit here". A precision always means the packaged model. `runtime`, `delegate`,
    `delegate_options`, `threads` and `require_delegate` as for `lenet_edge.runtime.classifier.Classifier`.
    If the runtime or delegate cannot resize the file, it runs on pieces of the file's own width: the answers
    are the same, and `report.fixed` says why. `sha256`: of the file.

    Several threads may share a reader: they take turns. It is a context manager; `close` frees the
    interpreter. Only the scores take memory that grows with the picture. Raises InputError as Classifier.

    >>> with StringReader() as reader:
    ...     reader.read(picture).text  # picture: uint8 (32, W)
    """

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
        content = content_of(model, net=WIDE)
        self.sha256 = hashlib.sha256(content).hexdigest()
        with refusals_name_model(model):
            session, self.report = _open_session(content, options)
        super().__init__(session, lambda: _open_session(content, options)[0])

    def read(self, picture: NDArray[np.uint8]) -> DigitString:
        """Read `picture`, uint8 (32, width), 0 for paper to 255 for ink, with digits about 20 rows high.

        The digits' `left` and `right` are columns of `picture`. Raises InputError as `scores`.
        """
        found = viterbi(self.scores(picture))
        width = float(picture.shape[1])
        digits = (
            replace(one, left=max(0.0, one.left - MARGIN), right=min(width, one.right - MARGIN))
            for one in found.digits
        )
        return replace(found, digits=tuple(digits))

    def scores(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores (width // 4 + 1, 11) of `picture`, uint8 (32, width).

        Row t is the window of 32 columns whose middle is at column 4t - 0.5 of `picture`. Raises InputError
        for another shape or type and for a closed reader.
        """
        pixels = check_pixels(
            picture, wanted="a picture of uint8 (32, width)", fits=_is_line_shape, only_uint8=True
        )
        padded = np.pad(pixels, ((0, 0), (MARGIN, MARGIN)))
        with self._exclusive_session() as session:
            return np.concatenate(list(self._score_pieces(session, padded)))

    def _piece_width(self, session: Session, columns: int) -> int:
        """Return the width of the pieces for a picture of `columns`; the session never gets narrower."""
        if self.report.fixed:
            return self.report.columns
        needed = _COLUMNS_STEP * -(-columns // _COLUMNS_STEP)
        return max(int(session.source["shape"][2]), min(MOST_COLUMNS, needed))

    def _score_pieces(self, session: Session, padded: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
        """Yield the scores (t, 11) of the picture's windows, piece by piece."""
        shape = _shape(self._piece_width(session, padded.shape[1]))
        if list(session.source["shape"]) != shape:
            session.resize(shape)
        count, most = geometry.windows(padded.shape[1]), geometry.windows(shape[2])
        for start in range(0, count, most):
            piece = padded[:, geometry.STEP * start :][:, : shape[2]]
            whole = np.pad(piece, ((0, 0), (0, shape[2] - piece.shape[1])))
            stored = quantize(whole.reshape(shape).astype(np.float32), session.source)
            yield dequantize(session.run(stored), session.sink)[0, : count - start]


def _open_session(content: bytes, options: SessionOptions) -> tuple[Session, StringReport]:
    """Open a file's session and report; the file keeps its own width if it cannot be resized."""
    session = options.open(content)
    own, fixed = _own_width(session), ""
    try:
        session.resize(_shape(_COLUMNS_STEP))
    except Refused as error:
        session.close()
        session, fixed = options.open(content), str(error)
    facts = {one.name: getattr(session.report, one.name) for one in fields(Report)}
    return session, StringReport(**facts, columns=own if fixed else MOST_COLUMNS, fixed=fixed)


def _is_line_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == FIELD and shape[1] >= 1


def _own_width(session: Session) -> int:
    """Return the width of the file's own input; InputError for a model that does not read strings."""
    shape, scores = ([int(side) for side in end["shape"]] for end in (session.source, session.sink))
    columns = shape[2] if len(shape) == 4 else 0
    fits = columns >= FIELD and shape == _shape(columns)
    fits = fits and scores == [1, 1, geometry.windows(columns), geometry.CLASSES]
    expect(
        fits,
        "a model from 1x32xWx1 to 1x1x((W - 32) / 4 + 1)x11",
        f"{shape_text(shape)} to {shape_text(scores)}",
    )
    return columns


def _shape(columns: int) -> list[int]:
    return [1, FIELD, columns, 1]
