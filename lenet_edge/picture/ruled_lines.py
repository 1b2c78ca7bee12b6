"""Find the printed rules of ruled and squared paper, so that they can be subtracted from the ink.

A rule runs from one edge of the picture to another, which no stroke of a digit does. A discrete Radon
transform finds the rules; they are traced at full size and measured. Subtracting their own density, not
erasing them, keeps the ink of strokes that cross them or lie on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.ink import Array, deviation

_SIDE = 128  # pixels: the size of the Radon transform, a power of two
_PARTS = 16  # parts of a line in the transform
_MOST_EVIDENCE, _MOST_OF_PART = 31, 15  # so that eight pixels, and sixteen parts, add up to less than 256
_FILLED = 0.6  # of a line's parts: so far a rule's are filled at least
_SLOPE = 0.5  # rows per column at most: rules are level within 26 degrees
_THICKEST = 7  # pixels at that size
_SEGMENTS = 20  # parts of a rule that are checked one by one
_COLUMNS = 5  # of a part that are looked at: a hundred are enough
_COMPARED = 16  # columns, at least, in which two lines are compared
_CLEAR = 0.3  # of the noise: a candidate that rises less above its sides is not traced
_MOST_RULES = 60  # rules in one direction
_NEIGHBOURS = 5  # rows, at that size: the differences at both ends of lines that may be the same


@dataclass(frozen=True, kw_only=True)
class Courses:
    """Where rules run in a picture of `shape` (h, w).

    `level`, (k, 2): the rows of each in the first and in the last column; `upright`, (n, 2): the columns of
    each in the first and in the last row.
    """

    level: Array
    upright: Array
    shape: tuple[int, ...]

    def in_part(self, corner: tuple[float, float], size: float, shape: tuple[int, ...]) -> Courses:
        """Return the same in a part of the picture, of `shape` (h, w), with the `corner` (column, row).

        `size`: pixels of the picture for each pixel of the part.
        """
        across, down = (
            (np.array([0.5, length - 0.5]) * size + start - 0.5) / max(own - 1, 1)
            for length, own, start in zip(shape[::-1], self.shape[::-1], corner, strict=True)
        )
        return Courses(
            level=_between(self.level, across, corner[1], size),
            upright=_between(self.upright, down, corner[0], size),
            shape=shape,
        )


def _between(ends: Array, shares: NDArray[np.float64], start: float, size: float) -> Array:
    """Return `ends` (k, 2) of lines at `shares` of the way, from `start` on, in larger pixels."""
    places = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * shares
    return ((places + 0.5 - start) / size - 0.5).astype(np.float32)


@dataclass(frozen=True)
class Rules:
    """The `density` (h, w) of the rules alone, and their `courses`."""

    density: Array
    courses: Courses

    @property
    def count(self) -> int:
        """How many rules there are."""
        return len(self.courses.level) + len(self.courses.upright)

    @property
    def turn(self) -> float | None:
        """Their turn, clockwise, in degrees; None without rules."""
        height, width = self.density.shape
        level, upright = (
            np.arctan2(ends[:, 1] - ends[:, 0], max(length - 1, 1))
            for ends, length in ((self.courses.level, width), (self.courses.upright, height))
        )
        return float(np.median(np.degrees(np.concatenate([level, -upright])))) if self.count else None


def no_rules(shape: tuple[int, ...]) -> Rules:
    """Return the rules of a picture of `shape` (h, w) without any."""
    none = np.zeros((0, 2), np.float32)
    return Rules(np.zeros(shape, np.float32), Courses(level=none, upright=none, shape=shape))


def find_rules(
    density: Array,
    noise: float,
    *,
    thickest: float = np.inf,
    thickest_upright: float | None = None,
    expected: Courses | None = None,
) -> Rules:
    """Find the rules in the ink `density` (h, w); `noise`: the standard deviation of bare paper.

    Lines thicker than `thickest` pixels are not rules; for lines from top to bottom the limit is
    `thickest_upright` (default: the same). `expected`: where they run, nearly; no others are looked for.
    """
    upright = thickest if thickest_upright is None else thickest_upright
    rows, columns = (expected.level, expected.upright) if expected else (None, None)
    level = _level_rules(density, noise, thickest, rows)
    rest = density - level.density if len(level.ends) else density
    beside = _level_rules(_turned(rest), noise, upright, columns)
    found = level.density + _turned(beside.density) if len(beside.ends) else level.density
    return Rules(found, Courses(level=level.ends, upright=beside.ends, shape=density.shape))


def _turned(density: Array) -> Array:
    """Return `density` (h, w) with its rows as columns: NumPy's copy takes five times as long."""
    return np.asarray(cv2.transpose(density), np.float32)


@dataclass(frozen=True)
class _LevelRules:
    """The `density` (h, w) of the rules from side to side, and the `ends` (k, 2) of each: rows."""

    density: Array
    ends: Array


def _level_rules(density: Array, noise: float, thickest: float, expected: Array | None) -> _LevelRules:
    """Find the rules in `density` (h, w) that run from side to side and are `thickest` pixels at most."""
    found = np.zeros_like(density)
    ends = np.zeros((0, 2), np.float32)
    if thickest < 1:  # no line is that thin
        return _LevelRules(found, ends)
    lines = _lines(_candidates(density) if expected is None else expected, density.shape[1])
    density = density.copy() if len(lines) else density
    while len(lines):
        traced = _trace(density, lines, noise)
        profiles = _profiles(_medians(traced.across.swapaxes(1, 2)))
        # What is known to be a rule need not be one in the part at hand alone.
        accepted = _are_rules(traced.across, profiles, noise) if expected is None else profiles.any(axis=1)
        rules, others = _apart(traced.rows, profiles, np.flatnonzero(accepted))
        for rows, profile in zip(traced.rows[rules], profiles[rules], strict=True):
            band = _band(density.shape, rows, profile)
            density.ravel()[band.places] -= band.amounts
            if np.count_nonzero(profile > profile.max() / 2) <= thickest:
                found.ravel()[band.places] += band.amounts
                ends = np.append(ends, rows[None, [0, -1]], axis=0)
        lines = traced.lines[others]  # the same rules, or what is beside them: looked at without these
    return _LevelRules(found, ends)


def _lines(ends: Array, width: int) -> Array:
    """Return the rows, (k, `width`), of straight lines with these `ends` (k, 2)."""
    slopes = (ends[:, 1:] - ends[:, :1]) / max(width - 1, 1)
    return (ends[:, :1] + slopes * np.arange(width)).astype(np.float32)


def _apart(rows: Array, profiles: Array, numbers: NDArray[np.intp]) -> tuple[list[int], list[int]]:
    """Return which of the lines `numbers` of `rows` (k, w) overlap no earlier one of these, and the others.

    Lines overlap that are on average nearer than half the thickness of one.
    """
    some = rows[numbers, :: max(1, rows.shape[1] // _COMPARED)]
    away = np.abs(some[:, None] - some).mean(axis=2)
    near = away <= np.maximum(np.count_nonzero(profiles[numbers], axis=1) / 2, 1)[:, None]
    apart: list[int] = []
    others: list[int] = []
    for place in range(len(numbers)):
        (others if near[place, apart].any() else apart).append(place)
    return numbers[apart].tolist(), numbers[others].tolist()


def _candidates(density: Array) -> Array:
    """Return the candidates for rules from side to side, best first: the rows of their ends, (k, 2)."""
    height, width = density.shape
    side = min(_SIDE, 1 << max(5, round(np.log2(width))))
    rows = max(1, round(height * side / width))
    # Between two sizes OpenCV's averaging takes ten times as long as interpolation, which is as good there.
    method = cv2.INTER_AREA if 2 * side <= width else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(density, (side, rows), interpolation=method), np.float32)
    thin = small - _opening(small)
    clear = _MOST_EVIDENCE / max(4 * deviation(small), 0.04)
    evidence = np.clip(thin * clear, 0, _MOST_EVIDENCE).astype(np.uint8)
    peaks = _peaks(_radon(np.stack([evidence, evidence[::-1]])), side, rows)
    return ((_separate(peaks) + 0.5) * height / rows - 0.5).astype(np.float32)


def _separate(peaks: Array) -> Array:
    """Return the starts and ends of the `_MOST_RULES` best `peaks` that are no neighbours of a better one.

    `peaks` (n, 3) are scores, starts and ends.
    """
    starts, ends = peaks[np.lexsort(-peaks.T[::-1])].T[1:]
    kept: list[tuple[float, float]] = []
    while len(starts) and len(kept) < _MOST_RULES:
        kept.append((starts[0], ends[0]))
        away = np.abs(starts - starts[0]) + np.abs(ends - ends[0]) > _NEIGHBOURS
        starts, ends = starts[away], ends[away]
    return np.array(kept, np.float32).reshape(-1, 2)


def _opening(values: Array) -> Array:
    room = _THICKEST
    wide = cv2.copyMakeBorder(values, room, room, 0, 0, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((_THICKEST, 1), np.uint8))
    return np.minimum(opened[room:-room], values)


def _radon(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how far each line fills its sixteen parts with evidence, given as `values` (k, h, n).

    Evidence is 0..`_MOST_EVIDENCE`, n a power of two up to `_SIDE`: what a part adds up to has eight bits.
    Entry [k, fall, row + margin] is the line from `row` in the first column to `row + fall` in the last,
    0..16 times `_MOST_OF_PART`; the `_margin(n)` rows above are for lines of which the first half, at most,
    is outside. Each part is summed on its own, then thresholded: a stroke fills few parts of a line, noise
    none. OpenCV has no such transform.
    (Brady, "A fast discrete approximation algorithm for the Radon transform", SIAM J. Comput. 27, 1998.)
    """
    count, height, side = values.shape
    margin = _margin(side)
    rows = height + margin
    # (part, k, fall, row): single columns, whose fall is none or one, and empty rows to shift in from.
    sums = np.zeros((side, count, 2, rows + 2 * margin), np.uint8)
    sums[..., margin : margin + height] = values.transpose(2, 0, 1)[:, :, None]
    while len(sums) > 1:
        length = 2 * side // len(sums)
        longer = np.zeros((len(sums) // 2, count, int(length * _SLOPE) + 2, rows + 2 * margin), np.uint8)
        for odd in (0, 1):  # a line that falls by 2 f + odd falls by f, odd more at the joint, and by f again
            halves = longer[:, :, odd::2, :rows]
            left = sums[0::2, :, : halves.shape[2], :rows]
            np.add(left, _sheared(sums, halves.shape, odd), out=halves)
        sums = _thresholds(length)[longer] if len(longer) == _PARTS else longer
    return sums[0, ..., :rows]


@lru_cache
def _thresholds(length: int) -> NDArray[np.uint8]:
    """Return how far evidence of 0..255 fills a part of `length` columns, (256,); a quarter does not."""
    share = np.arange(256) / (length * _MOST_EVIDENCE)
    return np.round(np.clip(2 * share - 0.5, 0, 1) * _MOST_OF_PART).astype(np.uint8)


def _sheared(sums: NDArray[np.uint8], shape: tuple[int, ...], odd: int) -> NDArray[np.uint8]:
    """Return a view of every other part of `sums`, of `shape`: row 0 of fall f is row f + `odd` there."""
    part, k, fall, row = sums.strides
    strides = 2 * part, k, fall + row, row
    return np.ndarray(shape, np.uint8, sums, offset=part + odd * row, strides=strides)


def _margin(side: int) -> int:
    return int(side * _SLOPE / 2) + 2


def _peaks(parts: NDArray[np.uint8], side: int, rows: int) -> Array:
    """Return scores, starts and ends (n, 3) of the prominent lines in `parts`, a result of `_radon`.

    The first of the `parts` are those of a picture of `rows`, the second of the same upside down.
    """
    weights, most = _weights(side, rows)
    upside_down, falls, columns = places = np.nonzero(parts > most)
    scores = parts[places] * weights[falls, columns]
    ends = columns - _margin(side) + np.stack([np.zeros_like(falls), falls])
    return np.stack([scores, *np.where(upside_down, rows - 1 - ends, ends)], axis=1)


@lru_cache(maxsize=16)
def _weights(side: int, rows: int) -> tuple[Array, NDArray[np.uint8]]:
    """Return what each line's parts count for, (falls, rows), and up to how many it is no rule.

    They count more if a line is not in the picture all along; if less than half of it is, it is no rule.
    """
    margin = _margin(side)
    falls = np.arange(int(side * _SLOPE) + 2)[:, None]
    starts = np.arange(rows + margin)[None, :] - margin
    inside = np.minimum(starts + falls, rows) - np.maximum(starts, 0)
    level = (starts >= 0) & (starts < rows)
    share = np.clip(np.where(falls > 0, inside / np.maximum(falls, 1), level), 0, 1)
    weights = (1 / (_PARTS * _MOST_OF_PART * np.maximum(share, 0.5))).astype(np.float32)
    return weights, np.where(share >= 0.5, _FILLED / weights, 255).astype(np.uint8)


@dataclass(frozen=True)
class _Traced:
    """Where `lines` really run: `rows` in each column; `across` is the density of each part beside them.

    Lines and rows are (k, w), `across` (k, segments, offsets): medians at offsets -reach..reach.
    """

    lines: Array
    rows: Array
    across: Array


def _trace(density: Array, lines: Array, noise: float) -> _Traced:
    """Follow those of `lines`, given as rows (k, w), that stand out from `noise`."""
    height, width = density.shape
    reach = max(4, round(0.03 * max(height, width)))
    x = np.arange(width, dtype=np.float32)
    inside, columns = _within(lines, height)
    lines = lines[inside]
    across = _across(density, lines, columns, reach)
    middle = _medians(across.swapaxes(1, 2))
    raised = middle - _medians(middle)[:, None]
    clear = raised.max(axis=1, initial=0) > _CLEAR * noise
    lines, shifts = lines[clear], _shifts(across[clear], raised[clear], reach)
    rows = lines + _smooth_curves(columns[clear].mean(axis=2), shifts, x)
    inside, columns = _within(rows, height)
    rows = rows[inside]
    return _Traced(lines[inside], rows, _across(density, rows, columns, reach))


def _within(rows: Array, height: int) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return which lines of `rows` (k, w) are half or more inside, and columns in which each of those is.

    The columns, (k, segments, n), are some hundred for each line.
    """
    width = rows.shape[1]
    inside = (rows >= 0) & (rows <= height - 1)
    count = inside.sum(axis=1)
    kept = count >= max(_SEGMENTS, width // 2)
    first = inside[kept].argmax(axis=1)
    each = int(np.clip(width // _SEGMENTS, 1, _COLUMNS))
    shares = (np.arange(_SEGMENTS * each, dtype=np.float32) + 0.5) / (_SEGMENTS * each)
    columns = (first[:, None] + shares * count[kept][:, None]).astype(np.intp)
    return kept, columns.reshape(len(columns), _SEGMENTS, each)


def _across(density: Array, rows: Array, columns: NDArray[np.intp], reach: int) -> Array:
    """Return the median density of each segment at offsets -reach..reach, (k, segments, offsets)."""
    count, segments, each = columns.shape
    if not count:
        return np.zeros((0, segments, 2 * reach + 1), np.float32)
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    flat = columns.reshape(count, -1)
    wanted = np.take_along_axis(rows, flat, axis=1)[:, None, :] + offsets[:, None]
    places = np.broadcast_to(flat[:, None, :].astype(np.float32), wanted.shape)
    strips = cv2.remap(
        density,
        places.reshape(-1, flat.shape[1]),
        wanted.reshape(-1, flat.shape[1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    parts = np.asarray(strips, np.float32).reshape(count, len(offsets), segments, each)
    return _medians(parts).swapaxes(1, 2)


def _medians(values: Array) -> Array:
    """Return the medians of `values` along the last axis: NumPy's own takes longer over a few values."""
    ordered = np.sort(values, axis=-1)
    half = ordered.shape[-1] // 2
    return (ordered[..., half] + ordered[..., -1 - half]) / 2


def _medians_of(values: Array, chosen: NDArray[np.bool_]) -> Array:
    """Return the medians (k, n) of `values` (k, n, m) at the places `chosen` (k, m); infinite without any."""
    ordered = np.sort(np.where(chosen[:, None, :], values, np.inf), axis=2)
    count = np.maximum(chosen.sum(axis=1), 1)[:, None, None]
    low, high = (
        np.take_along_axis(ordered, place, axis=2)[..., 0] for place in ((count - 1) // 2, count // 2)
    )
    return (low + high) / 2


def _shifts(across: Array, raised: Array, reach: int) -> Array:
    """Return by how many rows each part lies below the line's profile `raised`, within a few rows."""
    most = max(1, reach // 3)
    centres = raised[:, reach - most : reach + most + 1].argmax(axis=1) - most
    away = np.abs(np.arange(-reach, reach + 1) - centres[:, None])
    pattern = np.where(away <= most + 1, np.maximum(raised, 0), 0)
    wide = np.zeros((len(pattern), pattern.shape[1] + 2 * most), np.float32)
    wide[:, most:-most] = pattern
    places = np.arange(pattern.shape[1]) + np.arange(2 * most, -1, -1)[:, None]
    fits = across @ wide[:, places].swapaxes(1, 2)  # (k, segments, shifts)
    return (fits.argmax(axis=2) - most + centres[:, None]).astype(np.float32)


def _smooth_curves(centres: NDArray[np.floating], shifts: Array, x: Array) -> Array:
    """Fit a quadratic robustly to each line's `shifts` at `centres`, both (k, n); return it at `x`."""
    scale = max(float(x[-1]), 1.0)
    powers = (centres / scale)[..., None] ** np.arange(3)  # (k, n, 3)
    weights: NDArray[np.floating] = np.ones_like(shifts)
    for _ in range(3):
        weighted = powers.swapaxes(1, 2) * weights[:, None, :]
        curves = np.linalg.solve(weighted @ powers + 1e-9 * np.eye(3), weighted @ shifts[..., None])
        weights = 1 / (1 + (shifts - (powers @ curves)[..., 0]) ** 2) ** 2
    return (curves[..., 0] @ (x / scale) ** np.arange(3)[:, None]).astype(np.float32)


def _profiles(middle: Array) -> Array:
    """Return each rule's own density across it: the part of `middle` (k, offsets) that rises above it."""
    raised = np.maximum(middle - _medians(middle)[:, None], 0)
    reach = middle.shape[1] // 2
    peaks = raised[:, reach - 2 : reach + 3].argmax(axis=1)[:, None] + reach - 2
    places = np.arange(middle.shape[1])
    low = raised <= 0.08 * np.take_along_axis(raised, peaks, axis=1)
    first = np.where(low & (places < peaks), places, -1).max(axis=1, initial=-1)[:, None]
    last = np.where(low & (places > peaks), places, len(places)).min(axis=1, initial=len(places))[:, None]
    return np.where((places > first) & (places < last), raised, 0)


def _are_rules(across: Array, profiles: Array, noise: float) -> NDArray[np.bool_]:
    """Return whether each of `profiles` appears in nearly all its parts `across`, the ends included."""
    reach = profiles.shape[1] // 2
    bare = profiles == 0
    thickness = profiles.shape[1] - bare.sum(axis=1)
    weights = profiles / np.maximum(profiles.sum(axis=1), 1e-9)[:, None]
    strength = (across @ weights[..., None])[..., 0] - _medians_of(across, bare)
    expected = (profiles * weights).sum(axis=1)
    present = strength > 0.4 * expected[:, None]
    ends = present[:, :2].any(axis=1) & present[:, -2:].any(axis=1)
    thin = (thickness > 0) & (thickness <= 1.5 * reach)
    return thin & ends & (present.mean(axis=1) >= 0.75) & (expected > 0.5 * noise)


@dataclass(frozen=True)
class _Band:
    """The pixels that a rule covers, by their `places` in a flat picture, and its density in each."""

    places: NDArray[np.intp]
    amounts: Array


def _band(shape: tuple[int, ...], rows: Array, profile: Array) -> _Band:
    """Return what a rule with a `profile` across it covers in a picture of `shape`, along `rows`, (w,)."""
    height, width = shape
    reach = len(profile) // 2
    own = np.flatnonzero(profile)
    base = np.floor(rows).astype(np.intp)
    part = rows - base
    # Between two rows the profile is interpolated: it ends a row later.
    values = np.append(profile, 0)[own[0] : own[-1] + 2, None]
    before = np.append(0, profile)[own[0] : own[-1] + 2, None]
    amounts = (values * (1 - part) + before * part).astype(np.float32)
    wanted = base + np.arange(own[0], own[-1] + 2)[:, None] - reach
    places = wanted * width + np.arange(width)
    if wanted.min() >= 0 and wanted.max() < height:
        return _Band(places, amounts)
    inside = (wanted >= 0) & (wanted < height)
    return _Band(places[inside], amounts[inside])
