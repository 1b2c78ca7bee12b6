"""Find the connected components of a mask: their labels, boxes and areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2


@dataclass(frozen=True, kw_only=True)
class Components:
    """The components of a mask, numbered from 1, in an order that is OpenCV's.

    `labels`, int32 (h, w): each pixel's component, 0 outside the mask. Row i of `boxes`, int32 (n, 4), is
    component i + 1's box in pixels: left, top, right, bottom. `areas`, int32 (n,): their pixels.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int32]
    areas: NDArray[np.int32]


def find_components(mask: NDArray[np.bool_]) -> Components:
    """Find the components of `mask` (h, w); pixels that touch at a side or a corner are connected."""
    # The pixels of a square of four are in one component: 16 bits may be enough, and take half the time. If
    # they were not, OpenCV would write out of bounds: so only half of what they count is used.
    most = -(-mask.shape[0] // 2) * -(-mask.shape[1] // 2)
    kind = cv2.CV_16U if most < 1 << 15 else cv2.CV_32S
    ink = mask.view(np.uint8)
    _, labels, facts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=kind)
    found = np.asarray(facts, np.int32)[1:]
    boxes, areas = found[:, :4].copy(), found[:, 4]
    boxes[:, 2:] += boxes[:, :2]  # from the sizes to the ends
    return Components(labels=labels.astype(np.int32, copy=False), boxes=boxes, areas=areas)


def mask_of(labels: NDArray[np.int32], numbers: list[int]) -> NDArray[np.bool_]:
    """Return where `labels` (h, w) are among `numbers`."""
    wanted = np.zeros(int(labels.max(initial=0)) + 1, bool)
    wanted[numbers] = True
    return wanted[labels]
