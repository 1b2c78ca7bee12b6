"""The scribbles by which android_demo's core is held against lenet_edge.picture.drawing, made here too."""

import hashlib
import re
from pathlib import Path

import numpy as np

from lenet_edge.picture.drawing import picture_of_drawing

TEST = Path(__file__).parent.parent / "android_demo/core/src/test/kotlin/org/lenetedge/core/PictureTest.kt"


class Congruence:
    """The generator of PictureTest.kt."""

    def __init__(self, state: int) -> None:
        self.state = state

    def next(self, below: int) -> int:
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % below


def scribble(random: Congruence) -> np.ndarray:
    width, height = 1 + random.next(90), 1 + random.next(90)
    values = np.zeros(width * height, np.uint8)
    for _ in range(random.next(40)):
        place = random.next(width * height)
        values[place] = random.next(256)
    return values.reshape(height, width)


def test_kotlin_is_asked_for_what_python_makes_of_500_scribbles():
    random, digest = Congruence(1998), hashlib.sha256()
    for _ in range(500):
        ink = scribble(random)
        if ink.any():
            digest.update(picture_of_drawing(ink).tobytes())
    asked = re.search(r'SCRIBBLES = "(\w+)"', TEST.read_text())
    assert asked is not None
    assert asked[1] == digest.hexdigest()
