"""Find the printed rules of ruled and squared paper, so that they can be subtracted from the ink.

A rule runs from one edge of the picture to another, which no stroke of a digit does. A discrete Radon
transform finds the rules; they are traced at full size and measured. Subtracting their own density, not
erasing them, keeps the ink of strokes that cross them or lie on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet_edge.picture.ink import Array, deviation, running_maximum

_SIDE = 128  # pixels: the size of the Radon transform, a power of two
_PARTS = 16  # parts of a line in the transform
_SLOPE = 0.5  # rows per column at most: rules are level within 26 degrees
_THICKEST = 7  # pixels at that size
_SEGMENTS = 20  # parts of a rule that are checked one by one
_MOST_RULES = 60  # rules in one direction


@dataclass(frozen=True)
class Rules:
    """The `density` (h, w) of the rules alone, their `count`, and their `turn`.

    The turn is clockwise, in degrees; None without rules.
    """

    density: Array
    count: int
    turn: float | None


def find_rules(
    density: Array, noise: float, *, thickest: float = np.inf, thickest_upright: float | None = None
) -> Rules:
    """Find the rules in the ink `density` (h, w); `noise`: the standard deviation of bare paper.

    Lines thicker than `thickest` pixels are not rules; for lines from top to bottom the limit is
    `thickest_upright` (default: the same).
    """
    upright = thickest if thickest_upright is None else thickest_upright
    found = np.zeros_like(density)
    turns = []
    ways = ((1, density, found, thickest), (-1, density.T, found.T, upright))
    for sign, ink, rules, most in ways:
        for rows, profile in _level_rules(np.ascontiguousarray(ink - rules), noise):
            if np.count_nonzero(profile > profile.max() / 2) > most:
                continue
            _add_profile(rules, rows, profile)
            turns.append(sign * np.degrees(np.arctan((rows[-1] - rows[0]) / max(len(rows) - 1, 1))))
    return Rules(found, len(turns), float(np.median(turns)) if turns else None)


def _level_rules(density: Array, noise: float) -> Iterator[tuple[Array, Array]]:
    """Yield each rule from side to side: its row in each column, and the density across it."""
    for start, end in _candidates(density):
        rule = _trace(density, start, end, noise)
        if rule is not None:
            yield rule
            _add_profile(density, rule[0], -rule[1])


def _candidates(density: Array) -> list[tuple[float, float]]:
    """Return the candidates for rules from side to side, best first.

    Each is a pair of rows of `density`: where it meets the middle of the first and of the last column.
    """
    height, width = density.shape
    side = min(_SIDE, 1 << max(5, round(np.log2(width))))
    rows = max(1, round(height * side / width))
    method = Image.Resampling.BOX if side < width else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(density).resize((side, rows), method))
    thin = small - _opening(small)
    evidence = np.clip(thin / max(4 * deviation(small), 0.04), 0, 1)
    falling, rising = _radon(np.stack([evidence, evidence[::-1]]))
    best = _peaks(falling, side, rows)
    best += [(score, rows - 1 - start, rows - 1 - end) for score, start, end in _peaks(rising, side, rows)]
    kept: list[tuple[float, float]] = []
    for _, start, end in sorted(best, reverse=True):
        if all(abs(start - a) + abs(end - b) > 5 for a, b in kept):
            kept.append((start, end))
    scale = height / rows
    return [((a + 0.5) * scale - 0.5, (b + 0.5) * scale - 0.5) for a, b in kept[:_MOST_RULES]]


def _opening(values: Array) -> Array:
    room = _THICKEST
    wide = np.pad(values, ((room, room), (0, 0)), mode="edge")
    eroded = -running_maximum(-wide, _THICKEST, axis=0)
    opened = running_maximum(eroded[::-1], _THICKEST, axis=0)[::-1]
    return np.minimum(opened[room:-room], values)


def _radon(values: Array) -> Array:
    """Return how many of its sixteen parts each line fills with evidence, given as `values` (k, h, n).

    Evidence is 0..1, n a power of two. Entry [k, fall, row + margin] is the line from `row` in the first
    column to `row + fall` in the last; the `_margin(n)` rows above and below are for lines that enter from
    there. Each part is summed on its own, then thresholded: a stroke fills few parts of a line, noise none.
    (Brady, "A fast discrete approximation algorithm for the Radon transform", SIAM J. Comput. 27, 1998.)
    """
    side = values.shape[2]
    margin = _margin(side)
    sums = np.pad(values, ((0, 0), (margin, 2 * margin), (0, 0)))
    sums = np.ascontiguousarray(sums.transpose(2, 0, 1))[:, :, None, :]  # (part, k, fall, row)
    rows = sums.shape[3]
    while len(sums) > 1:
        length = 2 * side // len(sums)
        left, right = sums[0::2], sums[1::2]
        falls = int(length * _SLOPE) + 2
        sums = np.empty((len(left), left.shape[1], falls, rows), np.float32)
        for fall in range(falls):
            half, step = min(fall // 2, left.shape[2] - 1), (fall + 1) // 2
            np.add(
                left[:, :, half, : rows - step], right[:, :, half, step:], out=sums[:, :, fall, : rows - step]
            )
            sums[:, :, fall, rows - step :] = left[:, :, half, rows - step :]
        if len(sums) == _PARTS:
            sums = np.clip(sums / length * 2 - 0.5, 0, 1)
    return sums[0]


def _margin(side: int) -> int:
    return int(side * _SLOPE) + 2


def _peaks(parts: Array, side: int, rows: int) -> list[tuple[float, float, float]]:
    """Return (score, start, end) of the prominent lines in `parts`, the result of `_radon`."""
    margin = _margin(side)
    parts = parts[:, : rows + 2 * margin]
    falls = np.arange(len(parts))[:, None]
    starts = np.arange(parts.shape[1])[None, :] - margin
    inside = np.minimum(starts + falls, rows) - np.maximum(starts, 0)
    share = np.clip(np.where(falls > 0, inside / np.maximum(falls, 1), (starts >= 0) & (starts < rows)), 0, 1)
    score = np.where(share >= 0.5, parts / (_PARTS * np.maximum(share, 0.5)), 0)
    chosen = np.argwhere(score > 0.6)
    return [
        (float(score[fall, column]), float(column - margin), float(column - margin + fall))
        for fall, column in chosen
    ]


def _trace(density: Array, start: float, end: float, noise: float) -> tuple[Array, Array] | None:
    """Trace one candidate: return its row in each column and its profile, or None if it is no rule.

    The profile is the density across the rule, at offsets -reach..reach from the row.
    """
    height, width = density.shape
    reach = max(4, round(0.03 * max(height, width)))
    x = np.arange(width, dtype=np.float32)
    rows = start + (end - start) * x / max(width - 1, 1)
    step = max(1, width // 200)  # two hundred columns are enough
    for attempt in range(2):
        columns = np.flatnonzero((rows >= 0) & (rows <= height - 1))
        if len(columns) < max(_SEGMENTS, width // 2):
            return None
        columns = columns[::step]
        length = len(columns) // _SEGMENTS
        columns = columns[: length * _SEGMENTS]
        strip = _strip(density, rows[columns], columns, reach)
        across = np.median(strip.reshape(2 * reach + 1, _SEGMENTS, length), axis=2).T
        middle = np.median(across, axis=0)
        if attempt == 0 and not _stands_out(middle, noise):
            return None
        if attempt == 0:
            shifts = _shifts(across, middle, reach)
            centres = columns.reshape(_SEGMENTS, length).mean(axis=1)
            rows = rows + _smooth_curve(centres, shifts, x)
    profile = _profile(middle)
    return (rows.astype(np.float32), profile) if _is_rule(across, profile, noise) else None


def _stands_out(middle: Array, noise: float) -> bool:
    """Return whether a candidate rises enough above its sides to be traced."""
    return bool(middle.max() - np.median(middle) > 0.3 * noise)


def _strip(density: Array, rows: Array, columns: NDArray[np.intp], reach: int) -> Array:
    """Return the interpolated density at offsets -reach..reach from `rows`, (2 * reach + 1, columns)."""
    height = density.shape[0]
    wanted = rows[None, :] + np.arange(-reach, reach + 1, dtype=np.float32)[:, None]
    low = np.floor(wanted).astype(np.intp)
    part = (wanted - low).astype(np.float32)
    upper = density[np.clip(low, 0, height - 1), columns]
    lower = density[np.clip(low + 1, 0, height - 1), columns]
    return upper + part * (lower - upper)


def _shifts(across: Array, middle: Array, reach: int) -> Array:
    """Return by how many rows each part lies below the median profile `middle`, within a few rows."""
    most = max(1, reach // 3)
    centre = int(np.argmax(middle[reach - most : reach + most + 1])) - most
    pattern = middle - np.median(middle)
    pattern = np.where(np.abs(np.arange(-reach, reach + 1) - centre) <= most + 1, np.maximum(pattern, 0), 0)
    shifted = np.lib.stride_tricks.sliding_window_view(np.pad(pattern, most), len(pattern))[::-1]
    return (np.argmax(across @ shifted.T, axis=1) - most + centre).astype(np.float32)


def _smooth_curve(centres: NDArray[np.floating], shifts: Array, x: Array) -> Array:
    """Fit a quadratic robustly to the `shifts` at `centres`; return its values at `x`."""
    scale = max(float(x[-1]), 1.0)
    powers = np.vander(centres / scale, 3)
    weights: NDArray[np.floating] = np.ones_like(shifts)
    for _ in range(3):
        weighted = powers.T * weights
        curve = np.linalg.solve(weighted @ powers + 1e-9 * np.eye(3), weighted @ shifts)
        weights = 1 / (1 + (shifts - powers @ curve) ** 2) ** 2
    return (np.vander(x / scale, 3) @ curve).astype(np.float32)


def _profile(middle: Array) -> Array:
    """Return the rule's own density across it: the part of `middle` that rises above both sides."""
    reach = len(middle) // 2
    sides = np.median(middle)
    raised = np.maximum(middle - sides, 0)
    peak = int(np.argmax(raised[reach - 2 : reach + 3])) + reach - 2
    low = high = peak
    while low > 0 and raised[low - 1] > 0.08 * raised[peak]:
        low -= 1
    while high < len(raised) - 1 and raised[high + 1] > 0.08 * raised[peak]:
        high += 1
    profile = np.zeros_like(raised)
    profile[low : high + 1] = raised[low : high + 1]
    return profile


def _is_rule(across: Array, profile: Array, noise: float) -> bool:
    """Return whether `profile` appears in nearly all parts `across`, the ends included."""
    reach = len(profile) // 2
    thickness = np.count_nonzero(profile)
    if thickness == 0 or thickness > 1.5 * reach:
        return False
    weights = profile / profile.sum()
    bare = profile == 0
    if not bare.any():
        return False
    strength = across @ weights - np.median(across[:, bare], axis=1)
    expected = float((profile * weights).sum())
    present = strength > 0.4 * expected
    ends = present[:2].any() and present[-2:].any()
    return bool(ends and present.mean() >= 0.75 and expected > 0.5 * noise)


def _add_profile(density: Array, rows: Array, profile: Array) -> None:
    """Add `profile` to `density` along `rows`."""
    height = density.shape[0]
    reach = len(profile) // 2
    base = np.floor(rows).astype(np.intp)
    wanted = base[None, :] + np.arange(-reach, reach + 2)[:, None]
    away = wanted - rows[None, :]
    amount = np.interp(away, np.arange(-reach, reach + 1), profile, left=0, right=0).astype(np.float32)
    columns = np.broadcast_to(np.arange(density.shape[1]), wanted.shape)
    inside = (wanted >= 0) & (wanted < height)
    density[wanted[inside], columns[inside]] += amount[inside]
