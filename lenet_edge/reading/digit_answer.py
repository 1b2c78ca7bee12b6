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

    `index` counts the pictures of an IDX file and the frames of a camera, from 0; None for other files.
    """

    name: str
    index: int | None
    prepared: Prepared
    digit: int | None
    probability: float | None


def answer_picture(picture: Picture, classifier: Classifier) -> Answer:
    """Find and read the digit of one picture; errors as `Classifier.scores`."""
    return answer_prepared(prepare_picture(picture), classifier)


def answer_prepared(picture: PreparedPicture, classifier: Classifier) -> Answer:
    """Read the digit of one prepared picture; errors as `Classifier.scores`."""
    prepared = picture.prepared
    if prepared.finding is not Finding.DIGIT:
        return Answer(picture.name, picture.index, prepared, None, None)
    scores = classifier.scores(prepared.picture)
    digit = int(scores.argmax())
    return Answer(picture.name, picture.index, prepared, digit, float(scores[digit]))
