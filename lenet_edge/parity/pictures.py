"""Show digits in a report."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from converters.proof.markup import Markup, element


def picture(pixels: NDArray[np.uint8], *, title: str) -> Markup:
    """Return a digit, uint8 (28, 28), background 0, as an image in black on white."""
    stream = io.BytesIO()
    Image.fromarray(255 - pixels).save(stream, "PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode()
    return element("img", src=f"data:image/png;base64,{data}", alt=title, title=title, class_="digit")
