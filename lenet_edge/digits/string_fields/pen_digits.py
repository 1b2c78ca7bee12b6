"""Digits written by a pen, in the styles that MNIST hardly has: a 1 with an upstroke, a crossed 7, an open 4.

Each style is a few curves through points of a box one unit high. A point that is given twice is a corner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import BOX, FIELD
from lenet_edge.digits.opencv import cv2

Curve = NDArray[np.float64]
"""Points (n, 2): columns to the right, rows downwards, in heights of a digit."""

_FINE = 4  # pixels drawn for each pixel of the field
_STEPS = 8  # straight pieces between two points of a curve

_CROSS = [(0.08, 0.52), (0.32, 0.47), (0.56, 0.45)]
_FOOT = [(0.02, 1.0), (0.28, 1.0), (0.54, 0.98)]
_STYLES: dict[int, list[list[list[tuple[float, float]]]]] = {
    0: [
        [[(0.32, 0.0), (0.04, 0.3), (0.06, 0.78), (0.3, 1.0), (0.56, 0.74), (0.56, 0.26), (0.3, 0.0)]],
        [[(0.4, 0.04), (0.1, 0.2), (0.02, 0.62), (0.24, 1.0), (0.52, 0.8), (0.56, 0.3), (0.34, 0.0)]],
        [[(0.4, 0.0), (0.02, 0.34), (0.1, 0.86), (0.46, 1.0), (0.82, 0.7), (0.74, 0.16), (0.36, 0.02)]],
        [
            [
                *[(0.3, 0.0), (0.04, 0.3), (0.06, 0.78), (0.3, 1.0)],
                *[(0.56, 0.74), (0.54, 0.2), (0.36, 0.04), (0.5, 0.06), (0.7, -0.02)],
            ]
        ],
    ],
    1: [
        [[(0.0, 0.42), (0.18, 0.24), (0.3, 0.0), (0.3, 0.0), (0.29, 0.5), (0.28, 1.0)]],
        [[(0.0, 0.62), (0.22, 0.34), (0.4, 0.0), (0.4, 0.0), (0.36, 0.5), (0.34, 1.0)]],
        [[(0.0, 0.8), (0.24, 0.46), (0.46, 0.0), (0.46, 0.0), (0.42, 0.5), (0.38, 1.0)]],
        [[(0.06, 0.36), (0.2, 0.22), (0.32, 0.0), (0.32, 0.0), (0.3, 0.5), (0.28, 1.0)], _FOOT],
        [[(0.1, 0.16), (0.22, 0.08), (0.28, 0.0), (0.28, 0.0), (0.27, 0.5), (0.26, 1.0)]],
    ],
    2: [
        [
            [
                *[(0.02, 0.2), (0.26, 0.0), (0.52, 0.2), (0.36, 0.6), (0.08, 0.96)],
                *[(0.0, 0.86), (0.14, 0.84), (0.36, 0.96), (0.64, 0.94)],
            ]
        ],
        [
            [
                (0.02, 0.2),
                (0.28, 0.0),
                (0.54, 0.24),
                (0.3, 0.66),
                (0.0, 1.0),
                (0.0, 1.0),
                (0.3, 0.97),
                (0.6, 0.98),
            ]
        ],
    ],
    3: [
        [
            [
                *[(0.04, 0.1), (0.3, 0.0), (0.5, 0.2), (0.2, 0.45), (0.2, 0.45)],
                *[(0.54, 0.68), (0.32, 1.0), (0.0, 0.88)],
            ]
        ],
        [
            [
                *[(0.02, 0.03), (0.26, 0.02), (0.52, 0.0), (0.52, 0.0), (0.22, 0.4), (0.22, 0.4)],
                *[(0.54, 0.68), (0.28, 1.0), (0.0, 0.9)],
            ]
        ],
    ],
    4: [
        [
            [(0.14, 0.0), (0.06, 0.34), (0.0, 0.6), (0.0, 0.6), (0.3, 0.62), (0.62, 0.58)],
            [(0.46, 0.2), (0.43, 0.6), (0.4, 1.0)],
        ],
        [
            [(0.26, 0.0), (0.12, 0.34), (0.0, 0.64), (0.0, 0.64), (0.3, 0.62), (0.66, 0.6)],
            [(0.5, 0.3), (0.45, 0.65), (0.42, 1.0)],
        ],
        [
            [(0.1, 0.0), (0.08, 0.3), (0.14, 0.5), (0.3, 0.52), (0.46, 0.46)],
            [(0.5, 0.0), (0.48, 0.5), (0.44, 1.0)],
        ],
        [
            [(0.44, 0.0), (0.2, 0.34), (0.0, 0.66), (0.0, 0.66), (0.3, 0.66), (0.62, 0.64)],
            [(0.44, 0.0), (0.44, 0.5), (0.43, 1.0)],
        ],
    ],
    5: [
        [
            [
                *[(0.12, 0.06), (0.09, 0.26), (0.06, 0.42), (0.06, 0.42)],
                *[(0.34, 0.4), (0.54, 0.66), (0.34, 0.98), (0.0, 0.9)],
            ],
            [(0.16, 0.03), (0.38, 0.02), (0.62, 0.0)],
        ],
        [
            [
                *[(0.12, 0.12), (0.09, 0.3), (0.07, 0.46), (0.07, 0.46)],
                *[(0.36, 0.44), (0.52, 0.7), (0.3, 1.0), (0.0, 0.92)],
            ],
            [(0.24, 0.0), (0.46, -0.02), (0.7, -0.06)],
        ],
        [
            [
                *[(0.58, 0.0), (0.36, 0.02), (0.12, 0.03), (0.12, 0.03), (0.06, 0.42), (0.06, 0.42)],
                *[(0.36, 0.4), (0.54, 0.68), (0.32, 0.99), (0.0, 0.9)],
            ]
        ],
    ],
    6: [
        [
            [
                *[(0.48, 0.0), (0.14, 0.36), (0.04, 0.76), (0.28, 1.0)],
                *[(0.54, 0.76), (0.32, 0.54), (0.07, 0.72)],
            ]
        ],
        [
            [
                *[(0.34, 0.0), (0.06, 0.36), (0.0, 0.7), (0.28, 1.0)],
                *[(0.58, 0.7), (0.34, 0.42), (0.04, 0.62)],
            ]
        ],
    ],
    7: [
        [[(0.0, 0.04), (0.3, 0.02), (0.58, 0.0), (0.58, 0.0), (0.36, 0.5), (0.22, 1.0)], _CROSS],
        [
            [(0.02, 0.14), (0.04, 0.03), (0.04, 0.03), (0.58, 0.0), (0.58, 0.0), (0.4, 0.46), (0.28, 1.0)],
            _CROSS,
        ],
        [[(0.0, 0.06), (0.18, 0.0), (0.36, 0.06), (0.6, 0.0), (0.6, 0.0), (0.36, 0.48), (0.22, 1.0)], _CROSS],
        [[(0.0, 0.06), (0.2, 0.0), (0.38, 0.06), (0.58, 0.0), (0.58, 0.0), (0.36, 0.5), (0.26, 1.0)]],
    ],
    8: [
        [
            [
                *[(0.5, 0.12), (0.26, 0.0), (0.06, 0.2), (0.3, 0.46), (0.52, 0.74)],
                *[(0.26, 1.0), (0.02, 0.78), (0.24, 0.48), (0.5, 0.14)],
            ]
        ],
        [
            [(0.28, 0.0), (0.06, 0.22), (0.28, 0.44), (0.48, 0.22), (0.28, 0.0)],
            [(0.28, 0.44), (0.0, 0.72), (0.28, 1.0), (0.54, 0.72), (0.28, 0.44)],
        ],
    ],
    9: [
        [
            [
                (0.5, 0.14),
                (0.24, 0.0),
                (0.02, 0.26),
                (0.2, 0.48),
                (0.5, 0.16),
                (0.5, 0.16),
                (0.49, 0.6),
                (0.48, 1.0),
            ]
        ],
        [
            [
                (0.5, 0.16),
                (0.26, 0.0),
                (0.04, 0.24),
                (0.22, 0.44),
                (0.52, 0.12),
                (0.52, 0.12),
                (0.42, 0.55),
                (0.3, 1.0),
            ]
        ],
        [
            [
                (0.54, 0.04),
                (0.2, 0.06),
                (0.06, 0.3),
                (0.26, 0.44),
                (0.52, 0.1),
                (0.52, 0.1),
                (0.5, 0.55),
                (0.46, 1.0),
            ]
        ],
        [
            [
                (0.48, 0.14),
                (0.26, 0.0),
                (0.04, 0.24),
                (0.22, 0.46),
                (0.49, 0.2),
                (0.5, 0.7),
                (0.3, 1.0),
                (0.04, 0.9),
            ]
        ],
    ],
}


def pen_hand(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what tells one hand's digits from another's, (10,) of 0..1: which style it writes each in."""
    return rng.random(10)


def pen_digit(
    rng: np.random.Generator, digit: int, hand: NDArray[np.float64], *, width: float
) -> NDArray[np.uint8]:
    """Return a `digit` as the `hand` of `pen_hand` writes it, uint8 (32, 32), 255 for ink.

    `width` is that of the pen, in pixels. Like MNIST's digits it is at most 20 pixels high and wide, with its
    centre of mass in the middle.
    """
    styles = _STYLES[digit]
    curves = [_smooth(np.array(curve)) for curve in styles[int(hand[digit] * len(styles))]]
    return drawn(_fitted(_shaken(rng, curves), width), width)


def crossed(rng: np.random.Generator, seven: NDArray[np.uint8], *, width: float) -> NDArray[np.uint8]:
    """Return the field of a 7, uint8 (32, 32), with a bar across its stem."""
    row = int(rng.integers(15, 20))
    ink = np.flatnonzero(seven[row] > 127)
    if not len(ink):
        return seven
    middle, half, rise = float(np.median(ink)), rng.uniform(3, 6.5), rng.uniform(-1.5, 0.8)
    bar = np.array([(middle - half, row - rise), (middle + half, row + rise)]) + 0.5
    return np.maximum(seven, drawn([bar], width))


def drawn(curves: list[Curve], width: float, *, columns: int = FIELD) -> NDArray[np.uint8]:
    """Return the field, uint8 (32, `columns`), on which a pen `width` pixels wide has drawn the `curves`."""
    fine = np.zeros((FIELD * _FINE, columns * _FINE), np.uint8)
    lines = [np.rint(curve * _FINE).astype(np.int32) for curve in curves]
    cv2.polylines(fine, lines, False, (255,), thickness=max(1, round(width * _FINE)))
    return np.asarray(cv2.resize(fine, (columns, FIELD), interpolation=cv2.INTER_AREA))


def _smooth(points: Curve) -> Curve:
    """Return the curve through `points` (n, 2), as a Catmull-Rom spline; at a doubled point it turns."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, _STEPS, endpoint=False)[:, None, None]
    pieces = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.concatenate([pieces.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])


def _shaken(rng: np.random.Generator, curves: list[Curve]) -> list[Curve]:
    """Return the curves squeezed and bent as a hand would; the second and later ones slip a little."""
    squeeze = np.array([rng.uniform(0.75, 1.3), 1.0])
    sizes, phases = rng.normal(0, 0.035, (2, 4)), rng.uniform(0, 2 * np.pi, 4)
    shaken = []
    for number, curve in enumerate(curves):
        turns = 2 * np.pi * 0.6 * np.concatenate([curve, 2 * curve], axis=1)  # (n, 4): two waves each way
        bent = curve + np.sin(turns + phases) @ sizes.T
        slip = rng.normal(0, 0.04, 2) if number else 0.0
        shaken.append(bent * squeeze + slip)
    return shaken


def _fitted(curves: list[Curve], width: float) -> list[Curve]:
    """Return the curves scaled into MNIST's box for a pen `width` pixels wide, and centred in the field."""
    points = np.concatenate(curves)
    scale = (BOX - width) / float(np.ptp(points, axis=0).max())
    middle = points.mean(axis=0)  # along the curves, so about the centre of mass
    return [(curve - middle) * scale + FIELD / 2 for curve in curves]
