"""Read the digit of a picture: an answer holds the digit, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from lenet_edge.picture.files import Picture, Prepared
from lenet_edge.picture.findings import Finding
from lenet_edge.reading.decoding import PreparedPicture, prepare_picture
from lenet_edge.runtime.classifier import Classifier


@dataclass(frozen=True)
class Answer:
    """The answer for one picture: `digit` 0..9 and its `probability` 0..1, both None if none was found.

    `sure`: there is a digit, its probability reaches the threshold, and it resembles no other mark.
    `index` counts the pictures of an IDX file and the frames of a camera, from 0; None for other files.
    """

    name: str
    index: int | None
    prepared: Prepared
    digit: int | None
    probability: float | None
    sure: bool


def answer_picture(picture: Picture, classifier: Classifier, *, threshold: float = 0.0) -> Answer:
    """Find and read the digit of one picture; `threshold` and errors as for `answer_prepared`."""
    return answer_prepared(prepare_picture(picture), classifier, threshold=threshold)


def answer_prepared(picture: PreparedPicture, classifier: Classifier, *, threshold: float = 0.0) -> Answer:
    """Read the digit of one prepared picture; it is sure from the probability `threshold` on.

    What resembles a mark that is no digit is never sure. Errors as `Classifier.scores`.
    """
    prepared = picture.prepared
    if prepared.finding is not Finding.DIGIT:
        return Answer(picture.name, picture.index, prepared, None, None, False)
    scores = classifier.scores(prepared.picture)
    digit = int(scores.argmax())
    probability = float(scores[digit])
    sure = probability >= threshold and not _may_be_a_mark(prepared, digit)
    return Answer(picture.name, picture.index, prepared, digit, probability, sure)


def _may_be_a_mark(prepared: Prepared, digit: int) -> bool:
    """Return whether what was found on a page resembles a mark, such as a plus, more than the `digit`."""
    if not prepared.on_page:
        return False
    # Here, as only a page needs OpenCV.
    from lenet_edge.picture.marks import is_parenthesis, is_slash, resembles_mark

    stroke = digit == 1 and (is_parenthesis(prepared.picture) or is_slash(prepared.picture))
    return stroke or resembles_mark(prepared.picture, digit)
