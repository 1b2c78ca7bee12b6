"""Read a string of digits from a picture of any width by a .tflite file, where there is no TensorFlow."""

from __future__ import annotations

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
from lenet_edge.runtime.session_holder import SessionHolder, SessionOptions, refusals_naming
from lenet_edge.runtime.string_decoder import DigitString, viterbi

DEFAULT_MODEL = "float32"
"""The packaged lenet5_wide that is used when none is named: the one whose scores are the original's."""

MARGIN = FIELD // 2
"""Empty columns that are added on each side: a digit at the very edge is then in some window's middle."""

MOST_COLUMNS = 512
"""The widest piece that is computed at once; a wider picture is read in several, in the same memory."""

_COLUMNS_STEP = 128  # resizing takes longer than computing: pieces are of multiples, and never narrowed


@dataclass(frozen=True)
class StringReport(Report):
    """What really runs a file, and in which pieces: of at most `columns` columns each.

    `fixed`: why pieces are of the file's own width, in a line; "" where the interpreter resizes.
    """

    columns: int = 0
    fixed: str = ""

    def __str__(self) -> str:
        line = super().__str__()
        return f"{line}, in pieces of {self.columns} columns ({self.fixed})" if self.fixed else line


class StringReader(SessionHolder):
    """The digits on a line, from a .tflite file that reads windows of 32x32 four columns apart.

    `model`: a packaged lenet5_wide's precision ("float32", "int8"), a packaged file's name, or the path of
    any .tflite from 1x32xWx1 pixels to eleven scores a window, 1x1x((W - 32) / 4 + 1)x11, the last of them
    for "no digit here"; a precision is never taken for a file of that name. `runtime`, `delegate`,
    `delegate_options`, `threads` and `require_delegate` as for `lenet_edge.runtime.classifier.Classifier`.
    Where runtime or delegate cannot resize the file, it is run on pieces of its own width: the same answers,
    and `report.fixed` says why.

    Several threads may share a reader: they take turns. It is a context manager; `close` frees the
    interpreter. Memory does not grow with the picture, but for its scores. Raises InputError as Classifier.

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
        with refusals_naming(model):
            session, self.report = _opened(content, options)
        super().__init__(session)

    def read(self, picture: NDArray[np.uint8]) -> DigitString:
        """Return what is written on `picture` (32, width), 0 for paper to 255 for ink, digits some 20 high.

        Its digits' `left` and `right` are columns of `picture`. Raises InputError as `scores`.
        """
        found = viterbi(self.scores(picture))
        width = float(picture.shape[1])
        digits = (
            replace(one, left=max(0.0, one.left - MARGIN), right=min(width, one.right - MARGIN))
            for one in found.digits
        )
        return replace(found, digits=tuple(digits))

    def scores(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores (width // 4 + 1, 11) of `picture` (32, width), uint8, with margins of 16 columns.

        Row t is of the 32 columns of `picture` whose middle is at column 4t - 0.5. Raises InputError for
        another shape or type and for a reader that was closed.
        """
        pixels = check_pixels(
            picture, wanted="a picture of uint8 (32, width)", fits=_holds_a_line, only_uint8=True
        )
        padded = np.pad(pixels, ((0, 0), (MARGIN, MARGIN)))
        with self._in_turn() as session:
            return np.concatenate(list(self._rows(session, padded)))

    def _columns_for(self, session: Session, columns: int) -> int:
        """Return how wide the pieces of a picture of `columns` are: as the last ones if that is enough."""
        if self.report.fixed:
            return self.report.columns
        needed = _COLUMNS_STEP * -(-columns // _COLUMNS_STEP)
        return max(int(session.source["shape"][2]), min(MOST_COLUMNS, needed))

    def _rows(self, session: Session, padded: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
        """Yield the scores of the picture's windows, piece by piece."""
        shape = _shape(self._columns_for(session, padded.shape[1]))
        if list(session.source["shape"]) != shape:
            session.resize(shape)
        count, most = geometry.windows(padded.shape[1]), geometry.windows(shape[2])
        for start in range(0, count, most):
            piece = padded[:, geometry.STEP * start :][:, : shape[2]]
            whole = np.pad(piece, ((0, 0), (0, shape[2] - piece.shape[1])))
            stored = quantize(whole.reshape(shape).astype(np.float32), session.source)
            yield dequantize(session.run(stored), session.sink)[0, : count - start]


def _opened(content: bytes, options: SessionOptions) -> tuple[Session, StringReport]:
    """Return the session of a file, and what runs it: resized, or at its own width where that is refused."""
    session = options.open(content)
    own, fixed = _own_columns(session), ""
    try:
        session.resize(_shape(_COLUMNS_STEP))
    except Refused as error:
        session.close()
        session, fixed = options.open(content), str(error)
    facts = {one.name: getattr(session.report, one.name) for one in fields(Report)}
    return session, StringReport(**facts, columns=own if fixed else MOST_COLUMNS, fixed=fixed)


def _holds_a_line(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == FIELD and shape[1] >= 1


def _own_columns(session: Session) -> int:
    """Return the width of the file's own input; InputError when it is none of strings."""
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
