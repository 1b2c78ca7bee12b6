"""A picture is reduced by averaging squares, the last of which may be beyond its edges."""

from __future__ import annotations

import numpy as np
import pytest

from lenet_edge.picture.reduction import reduced


@pytest.mark.parametrize("shape", [(12, 30), (13, 31), (17, 8)])
@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_each_pixel_is_the_mean_of_a_square(rng, shape, factor):
    grey = rng.integers(0, 256, shape).astype(np.uint8)
    small = reduced(grey, factor)
    height, width = (-(-length // factor) for length in shape)
    assert (small.shape, small.dtype) == ((height, width), np.uint8)
    # What is beyond the edges is as the last row and column.
    whole = np.pad(grey, ((0, height * factor - shape[0]), (0, width * factor - shape[1])), mode="edge")
    means = whole.reshape(height, factor, width, factor).mean(axis=(1, 3))
    np.testing.assert_allclose(small, means, atol=0.5)  # rounded to whole grey levels
