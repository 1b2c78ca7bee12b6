"""Synthetic fields: strings of handwritten digits on one line, and fields without any, from a seed.

A field is a picture 32 pixels high, ink 255 on 0. Digits of MNIST are warped as one hand would write them
(slant, size, a baseline that rises or falls), laid side by side at a spacing, with dots, commas and dashes
between them, and soiled: ruled lines, boxes, faint print behind them, noise on up to 10 % of the pixels
("salt and pepper", section VII). Empty fields hold what is no digit: printed letters, marks, lines, noise.
The same seed gives the same fields. `python -m lenet_edge.digits.string_fields FILE.png` draws some of each
kind.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import write_atomically
from converters.base.options import command_parser
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.digits.smoothing import smoothing

SPACINGS = {"touching": (-2.0, 0.0), "normal": (2.0, 7.0), "wide": (8.0, 24.0)}
"""Smallest and largest number of columns between the inks of two digits; digits are some 20 rows high.

At 0 the last column of one stands beside the first of the next, below 0 they overlap.
"""

MOST_DIGITS = 8
"""The longest string of a field."""

TRAINING_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
)
OTHER_FONTS = ("STIXGeneral", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10")
"""The fonts, all of matplotlib's, of the letters in training and of those that training never sees."""

LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhkmnprtuvwxy"
"""What printed words are made of: B, D, I, O, Q, S, Z, b, g, i, l, o, q, s, z have a digit's shape."""

_ELASTIC_DISTANCE = 4.5  # pixels: what is nearer moves together

INK = 64  # a pixel from here on is ink where a digit's box is taken; what is fainter is a stroke's soft edge


@dataclass(frozen=True)
class Writing:
    """How strings are written and soiled; zeros leave MNIST's digits as they are.

    Of a string: `slant` (columns a row) and `size` (natural logarithm) as standard deviations, `baseline` in
    rows, `drift` in rows from one end to the other. Of each digit beside its string: `own_slant`, `own_size`,
    `squeeze`, `rotation` (radians), `own_row` (rows) as standard deviations, `elastic` in pixels, the largest
    displacement field's. `separators`: the share of gaps with a dot, a comma or a dash. `dirt`: 0 clean to 1,
    a factor on the chance of every kind of line, print and noise.
    """

    slant: float = 0.14
    size: float = 0.11
    baseline: float = 1.2
    drift: float = 1.5
    own_slant: float = 0.06
    own_size: float = 0.05
    squeeze: float = 0.07
    rotation: float = 0.07
    own_row: float = 0.8
    elastic: float = 0.9
    separators: float = 0.15
    dirt: float = 1.0

    def gentler(self, factor: float) -> Writing:
        """Return the same writing, what warps a digit and what soils the field `factor` (0..1) as large."""
        expect(0 <= factor <= 1, "a factor of 0..1", factor)
        sizes = ("slant", "size", "own_slant", "own_size", "squeeze", "rotation", "elastic", "dirt")
        return replace(self, **{name: factor * getattr(self, name) for name in sizes})


AS_IN_MNIST = Writing(**dict.fromkeys(Writing.__dataclass_fields__, 0.0))
"""Digits exactly as MNIST has them, all on one line, nothing else."""


AMOUNTS = Writing(separators=0.4, dirt=0.0)
"""Amounts such as 25.441: dots, commas and dashes at four gaps of ten; `behind` adds the form's print."""


class Fields(NamedTuple):
    """Fields with what is written on them.

    `pictures`: uint8 (n, 32, width). `labels`: int8 (n, 8), the digits from left to right, -1 after the last.
    `centres`: float32 (n, 8), the column of each digit's middle (of its 32x32 field), NaN after the last.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int8]
    centres: NDArray[np.float32]

    def texts(self) -> list[str]:
        """Return what is written, "" for an empty field."""
        return ["".join(str(digit) for digit in row if digit >= 0) for row in self.labels]


def width_for(length: int, *, spacing: str) -> int:
    """Return a width that any string of `length` digits at `spacing` fits into."""
    return 4 * int(np.ceil((length * 30 + (length - 1) * (SPACINGS[spacing][1] + 8) + 16) / 4))


def string_fields(
    digits: Digits,
    count: int,
    *,
    seed: int | Sequence[int],
    spacing: str = "normal",
    length: int | None = None,
    width: int | None = None,
    writing: Writing | None = None,
) -> Fields:
    """Return `count` fields of strings of `digits`.

    `length`: the digits of a string, 1 to 8; None draws 1 to as many as `width` holds and may cut the string
    at either end (digits that are cut are not in the labels). `width`: of the fields, 32 or more; None is
    `width_for`. Raises InputError on anything else.
    """
    expect(spacing in SPACINGS, f"a spacing of {', '.join(SPACINGS)}", spacing)
    expect(length is None or 1 <= length <= MOST_DIGITS, f"a length of 1 to {MOST_DIGITS}", length)
    expect(len(digits.labels), "digits to write with", "none")
    wide = width or width_for(length or MOST_DIGITS, spacing=spacing)
    expect(wide >= FIELD, f"a width of {FIELD} or more", wide)
    rng = np.random.default_rng(seed)
    hand = writing or Writing()
    pictures = np.zeros((count, FIELD, wide), np.uint8)
    labels = np.full((count, MOST_DIGITS), -1, np.int8)
    centres = np.full((count, MOST_DIGITS), np.nan, np.float32)
    lengths = _lengths(rng, count, length, wide, spacing)
    written = _warped(rng, digits, lengths, hand)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for i in range(count):
        line = _Line(rng, hand, spacing)
        for k in range(starts[i], starts[i + 1]):
            line.add(written.pictures[k], written.boxes[k], int(written.labels[k]))
        seen = line.draw(pictures[i], may_cut=length is None)
        labels[i, : len(seen)] = [label for label, _ in seen]
        centres[i, : len(seen)] = [centre for _, centre in seen]
        pictures[i] = _soiled(rng, pictures[i], hand.dirt)
    return Fields(pictures, labels, centres)


def empty_fields(
    count: int,
    *,
    seed: int | Sequence[int],
    kind: str | None = None,
    width: int = 112,
    fonts: Sequence[str] = TRAINING_FONTS,
    dirt: float = 1.0,
) -> Fields:
    """Return `count` fields without a digit, of one `kind` of EMPTIES or of all in turn by chance.

    `fonts`: of the printed letters. `dirt` as in Writing. Raises InputError on another kind.
    """
    expect(kind is None or kind in EMPTIES, f"a kind of {', '.join(EMPTIES)}", kind)
    rng = np.random.default_rng(seed)
    pictures = np.zeros((count, FIELD, width), np.uint8)
    kinds = list(EMPTIES)
    for i in range(count):
        draw = EMPTIES[kind or kinds[rng.integers(len(kinds))]]
        pictures[i] = _soiled(rng, draw(rng, width, fonts), dirt)
    labels = np.full((count, MOST_DIGITS), -1, np.int8)
    return Fields(pictures, labels, np.full((count, MOST_DIGITS), np.nan, np.float32))


def behind(fields: Fields, *, seed: int | Sequence[int]) -> Fields:
    """Return the fields with faint print behind what is written on every one of them."""
    rng = np.random.default_rng(seed)
    return fields._replace(pictures=np.stack([_printed(rng, picture) for picture in fields.pictures]))


def joined(parts: Sequence[Fields], *, seed: int | Sequence[int]) -> Fields:
    """Return the fields of `parts`, all of one width, shuffled."""
    order = np.random.default_rng(seed).permutation(sum(len(part.labels) for part in parts))
    return Fields(*(np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True)))


# --- digits ---------------------------------------------------------------------------------------


class _Written(NamedTuple):
    """Warped digits (n, 32, 32), the boxes of their ink (n, 4: top, bottom, left, right), their labels."""

    pictures: NDArray[np.uint8]
    boxes: NDArray[np.int64]
    labels: NDArray[np.uint8]


def _lengths(
    rng: np.random.Generator, count: int, length: int | None, width: int, spacing: str
) -> NDArray[np.int64]:
    if length is not None:
        return np.full(count, length)
    pitch = 14 + np.mean(SPACINGS[spacing])  # the ink of a digit is some 14 columns wide
    return rng.integers(1, max(2, min(MOST_DIGITS, int(1.25 * width / pitch)) + 1), count)


def _warped(rng: np.random.Generator, digits: Digits, lengths: NDArray[np.int64], hand: Writing) -> _Written:
    """Draw a digit for each place of each string and warp it by its string's and its own distortions."""
    total = int(lengths.sum())
    chosen = rng.integers(len(digits.labels), size=total)
    of_string = np.repeat(np.arange(len(lengths)), lengths)

    def drawn(shared: float, own: float) -> NDArray[np.float32]:
        values = rng.normal(0, 1, len(lengths))[of_string] * shared + rng.normal(0, 1, total) * own
        return values.astype(np.float32)

    slant, size = drawn(hand.slant, hand.own_slant), drawn(hand.size, hand.own_size)
    squeeze, turn = drawn(0.0, hand.squeeze), drawn(0.0, hand.rotation)
    high = np.exp(np.clip(size, -0.33, 0.22))  # bodies of 14 to 25 rows: they stay within the 32
    matrix = _matrices(slant, turn, high, high * np.exp(squeeze))
    pictures = np.empty((total, FIELD, FIELD), np.uint8)
    for start in range(0, total, 2000):  # bounds the memory
        part = slice(start, start + 2000)
        sources = pad(digits.images[chosen[part]])
        pictures[part] = _sampled(sources, *_sources(rng, matrix[part], hand.elastic))
    return _Written(pictures, _boxes(pictures), digits.labels[chosen])


def _matrices(slant: Any, turn: Any, high: Any, wide: Any) -> NDArray[np.float32]:
    """Return (n, 2, 2): from a place in the result, from its centre, to the place (x, y) to read."""
    cos, sin = np.cos(turn), np.sin(turn)
    rows = [[cos / wide, (sin + slant) / wide], [-sin / high, cos / high]]
    return np.array(rows, np.float32).transpose(2, 0, 1)


def _sources(
    rng: np.random.Generator, matrix: NDArray[np.float32], elastic: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for each pixel the column and row (n, 32, 32) that it takes its value from."""
    centre = np.float32((FIELD - 1) / 2)
    steps = np.arange(FIELD, dtype=np.float32) - centre
    x, y = steps[None, None, :], steps[None, :, None]
    a = matrix[:, :, :, None, None]
    columns = a[:, 0, 0] * x + a[:, 0, 1] * y + centre
    rows = a[:, 1, 0] * x + a[:, 1, 1] * y + centre
    if elastic:
        smooth = smoothing(FIELD, _ELASTIC_DISTANCE)
        noise = rng.standard_normal((2, len(matrix), FIELD, FIELD), np.float32)
        fields = smooth @ noise @ smooth.T * rng.random((len(matrix), 1, 1), np.float32) * np.float32(elastic)
        columns, rows = columns + fields[0], rows + fields[1]
    return columns, rows


def _sampled(
    pictures: NDArray[np.uint8], columns: NDArray[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Read `pictures` (n, 32, 32) at fractional places, bilinearly; beyond the edge is the edge."""
    columns, rows = np.clip(columns, 0, FIELD - 1.001), np.clip(rows, 0, FIELD - 1.001)
    left, top = columns.astype(np.int32), rows.astype(np.int32)
    right_share, lower_share = columns - left, rows - top
    corner = np.arange(len(pictures), dtype=np.int32)[:, None, None] * FIELD**2 + top * FIELD + left
    flat = pictures.reshape(-1).astype(np.float32)
    upper = flat[corner] * (1 - right_share) + flat[corner + 1] * right_share
    lower = flat[corner + FIELD] * (1 - right_share) + flat[corner + FIELD + 1] * right_share
    return np.rint(upper * (1 - lower_share) + lower * lower_share).astype(np.uint8)


def _boxes(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the box of each picture's ink: (n, 4), top, bottom, left, right; bottom, right beyond it."""
    ink = pictures >= INK
    sides = []
    for axis in (2, 1):
        used = ink.any(axis=axis)
        sides += [used.argmax(axis=1), FIELD - used[:, ::-1].argmax(axis=1)]
    return np.stack(sides, axis=1)


# --- lines ----------------------------------------------------------------------------------------


class _Line:
    """One string as it is laid out: its pieces from left to right, each with the column it starts at."""

    def __init__(self, rng: np.random.Generator, hand: Writing, spacing: str) -> None:
        self._rng, self._hand, self._spacing = rng, hand, SPACINGS[spacing]
        self._base, self._drift = rng.normal(0, 1) * hand.baseline, rng.uniform(-1, 1) * hand.drift
        self._end = 0.0
        self._pieces: list[tuple[NDArray[np.uint8], float, float]] = []  # picture, row, column of its corner
        self._labels: list[tuple[int, float, float, float]] = []  # digit, left, right, centre

    def add(self, picture: NDArray[np.uint8], box: NDArray[np.int64], label: int) -> None:
        """Write one more digit."""
        top, bottom, left, right = box
        if self._labels:
            self._gap()
        column = self._end - left
        row = np.clip(self._base + self._rng.normal(0, 1) * self._hand.own_row, -top, FIELD - bottom)
        self._pieces.append((picture, row, column))
        self._labels.append((label, self._end, column + right, column + (FIELD - 1) / 2))
        self._end = column + right

    def _gap(self) -> None:
        if self._rng.random() >= self._hand.separators:
            self._end += np.rint(self._rng.uniform(*self._spacing))
            return
        mark, row = _mark(self._rng)
        self._end += self._rng.uniform(1, 5)
        self._pieces.append((mark, row + self._base, self._end))
        self._end += mark.shape[1] + self._rng.uniform(1, 5)

    def draw(self, picture: NDArray[np.uint8], *, may_cut: bool) -> list[tuple[int, float]]:
        """Draw the line into `picture`; return the digits that are whole, each with its centre."""
        room = picture.shape[1] - self._end
        low, high = min(4.0, room), max(room - 4.0, 0.0)
        if may_cut and self._rng.random() < 0.5:
            low, high = min(low, -10.0), max(high, room + 10.0)
        elif room < 0 and not may_cut:
            raise InputError(f"expected a width that holds the string, got one {-room:.0f} columns too small")
        shift = np.rint(self._rng.uniform(low, max(low, high)))
        slope = self._drift / max(self._end, FIELD)
        for piece, row, column in self._pieces:
            sinking = slope * (column + piece.shape[1] / 2 - self._end / 2)
            _place(picture, piece, round(row + sinking), round(column + shift))
        return [
            (label, centre + shift)
            for label, left, right, centre in self._labels
            if left + shift >= -2 and right + shift <= picture.shape[1] + 2  # a stroke's edge may be cut
        ]


def _place(picture: NDArray[np.uint8], piece: NDArray[Any], row: int, column: int) -> None:
    """Put `piece` into `picture` where they overlap; the darker of both stays."""
    height, width = piece.shape
    top, left = max(0, row), max(0, column)
    bottom, right = min(picture.shape[0], row + height), min(picture.shape[1], column + width)
    if bottom > top and right > left:
        part = picture[top:bottom, left:right]
        np.maximum(part, piece[top - row : bottom - row, left - column : right - column], out=part)


def _mark(rng: np.random.Generator) -> tuple[NDArray[np.uint8], float]:
    """Return a separator and the row of its top: a dot or a comma at the feet, a dash at half height."""
    kind, ink = rng.integers(3), int(rng.integers(170, 256))
    if kind == 0:
        side = int(rng.integers(2, 5))
        return np.full((side, side), ink, np.uint8), 26.0 - side + rng.normal(0, 1)
    image = Image.new("L", (12, 9))
    pen, thick = ImageDraw.Draw(image), int(rng.integers(2, 4))
    if kind == 1:
        pen.line((5, 0, int(rng.integers(2, 5)), int(rng.integers(3, 8))), fill=ink, width=thick)
        return _cropped(image), 23.0 + rng.normal(0, 1)
    length, rise = int(rng.integers(4, 11)), int(rng.integers(-1, 2))
    pen.line((0, 4, length, 4 + rise), fill=ink, width=thick)
    return _cropped(image), 15.0 + rng.normal(0, 2)


def _cropped(image: Image.Image) -> NDArray[np.uint8]:
    box = image.getbbox()
    return np.asarray(image.crop(box) if box else image)


# --- dirt -----------------------------------------------------------------------------------------


def _soiled(rng: np.random.Generator, picture: NDArray[np.uint8], dirt: float) -> NDArray[np.uint8]:
    """Return the field with lines, print and noise, each by its own chance."""
    if not dirt:
        return picture
    for chance, soil in _DIRT:
        if rng.random() < chance * dirt:
            picture = soil(rng, picture)
    return picture


def _ruled(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A horizontal line of one or two rows, fainter than the pen."""
    row = rng.integers(FIELD)
    rows = slice(row, row + rng.integers(1, 3))
    picture[rows] = np.maximum(picture[rows], rng.integers(40, 200))
    return picture


def _boxed(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Vertical lines, as of a form's boxes."""
    columns = rng.integers(0, picture.shape[1], rng.integers(1, 5))
    picture[:, columns] = np.maximum(picture[:, columns], rng.integers(30, 160))
    return picture


def _printed(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Faint small print behind the digits, as on a cheque."""
    print_behind = np.zeros_like(picture)
    height, row = int(rng.integers(6, 12)), int(rng.integers(-4, 4))
    while row < FIELD:
        column = int(rng.integers(-20, 10))
        while column < picture.shape[1]:
            word = _word(rng, height, TRAINING_FONTS)
            _place(print_behind, word, row, column)
            column += word.shape[1] + int(rng.integers(2, 12))
        row += height + int(rng.integers(1, 8))
    faint = (print_behind * rng.uniform(0.1, 0.35)).astype(np.uint8)
    return np.maximum(picture, faint)


def _salt_and_pepper(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Up to 10 % of the pixels turned over: ink to paper, paper to ink."""
    turned = rng.random(picture.shape, np.float32) < rng.uniform(0, 0.1)
    return np.where(turned, 255 - picture, picture)


def _grain(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gaussian noise on every pixel, as of a sensor."""
    noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 22)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _paler(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink that is not black."""
    return (picture * rng.uniform(0.6, 1.0)).astype(np.uint8)


_Soil = Callable[[np.random.Generator, NDArray[np.uint8]], NDArray[np.uint8]]
_DIRT: tuple[tuple[float, _Soil], ...] = (
    (0.12, _paler),
    (0.12, _ruled),
    (0.08, _boxed),
    (0.10, _printed),
    (0.15, _salt_and_pepper),
    (0.25, _grain),
)


# --- empty fields ---------------------------------------------------------------------------------


@functools.lru_cache
def _font(name: str, height: int) -> Any:
    try:
        import matplotlib
    except ImportError:
        raise InputError(
            "expected matplotlib, whose fonts printed letters are drawn with, got no such package: "
            "install lenet-edge[train]"
        ) from None
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")), height)


@functools.lru_cache(maxsize=4096)
def _letter(letter: str, name: str, height: int) -> NDArray[np.uint8]:
    font = _font(name, height)
    left, _, right, _ = font.getbbox(letter)
    image = Image.new("L", (max(1, right - left) + 1, height + height // 2))
    ImageDraw.Draw(image).text((-left, 0), letter, fill=255, font=font)
    return np.asarray(image)


def _word(rng: np.random.Generator, height: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Return a printed word of one to seven letters of a font `height` high."""
    font = fonts[int(rng.integers(len(fonts)))]
    letters = [LETTERS[i] for i in rng.integers(len(LETTERS), size=rng.integers(1, 8))]
    return np.concatenate([_letter(letter, font, height) for letter in letters], axis=1)


def _blank(_: np.random.Generator, width: int, __: Sequence[str]) -> NDArray[np.uint8]:
    return np.zeros((FIELD, width), np.uint8)


def _letters(rng: np.random.Generator, width: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """One line of printed words, from small print to letters as high as the field."""
    picture = _blank(rng, width, fonts)
    height = int(rng.integers(9, 31))
    row, column = int(rng.integers(-4, max(-3, FIELD - height))), int(rng.integers(-8, 24))
    while column < width:
        word = _word(rng, height, fonts)
        _place(picture, (word * rng.uniform(0.6, 1)).astype(np.uint8), row, column)
        column += word.shape[1] + int(rng.integers(3, 30))
        if rng.random() < 0.25:
            break
    return picture


def _marks(rng: np.random.Generator, width: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Dots, commas and dashes anywhere."""
    picture = _blank(rng, width, fonts)
    for _ in range(rng.integers(1, 7)):
        mark, _row = _mark(rng)
        _place(picture, mark, int(rng.integers(-2, 30)), int(rng.integers(0, width)))
    return picture


def _strokes(rng: np.random.Generator, width: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Long strokes through the whole field: a line crossed out, an underline, a frame."""
    image = Image.fromarray(_blank(rng, width, fonts))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 4)):
        ends = (int(rng.integers(-20, 16)), int(rng.integers(-4, 36)))
        other = (width + int(rng.integers(-16, 20)), int(rng.integers(-4, 36)))
        pen.line((*ends, *other), fill=int(rng.integers(60, 256)), width=int(rng.integers(1, 4)))
    return np.asarray(image).copy()


def _noise(rng: np.random.Generator, width: int, _: Sequence[str]) -> NDArray[np.uint8]:
    """Every pixel by chance."""
    return (rng.random((FIELD, width), np.float32) * rng.integers(20, 256)).astype(np.uint8)


def _blobs(rng: np.random.Generator, width: int, _: Sequence[str]) -> NDArray[np.uint8]:
    """Stains: noise smoothed over one to three pixels and cut off."""
    grain = Image.fromarray((rng.random((FIELD, width)) * 255).astype(np.uint8))
    smooth = np.asarray(grain.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 2.5))), np.float32)
    level = (smooth - smooth.min()) / max(float(np.ptp(smooth)), 1.0)
    return np.clip((level - rng.uniform(0.3, 0.6)) * 500, 0, 255).astype(np.uint8)


_Draw = Callable[[np.random.Generator, int, Sequence[str]], NDArray[np.uint8]]
EMPTIES: dict[str, _Draw] = {
    "blank": _blank,
    "letters": _letters,
    "marks": _marks,
    "strokes": _strokes,
    "noise": _noise,
    "blobs": _blobs,
}
"""The kinds of fields without a digit."""


# --- the picture of the documentation -------------------------------------------------------------


def specimen(digits: Digits, *, seed: int) -> Image.Image:
    """Return a picture with four fields of each kind, black on white, as docs/strings.md shows it."""
    width, across, gap = 160, 4, 6
    rows = [
        string_fields(digits, across, seed=(seed, place), spacing=spacing, width=width, writing=writing)
        for place, spacing in enumerate(SPACINGS)
        for writing in (AS_IN_MNIST, Writing(dirt=0.0), Writing())
    ]
    rows.append(
        behind(string_fields(digits, across, seed=(seed, 4), width=width, writing=AMOUNTS), seed=seed)
    )
    rows += [
        empty_fields(across, seed=(seed, place), kind=kind, width=width)
        for place, kind in enumerate(EMPTIES, 5)
    ]
    sheet = np.full((len(rows) * (FIELD + gap) + gap, across * (width + gap) + gap), 60, np.uint8)
    for i, fields in enumerate(rows):
        for j, picture in enumerate(fields.pictures):
            _put(sheet, picture, gap + i * (FIELD + gap), gap + j * (width + gap))
    return Image.fromarray(255 - sheet)


def _put(sheet: NDArray[np.uint8], picture: NDArray[np.uint8], row: int, column: int) -> None:
    height, width = picture.shape
    sheet[row : row + height, column : column + width] = picture


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the specimen of the packaged calibration digits to a file."""
    parser = command_parser(
        name="python -m lenet_edge.digits.string_fields",
        description="Draw some of the synthetic fields that the wide net is trained and measured on.",
        epilog="example:\n  python -m lenet_edge.digits.string_fields fields.png\n",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the picture to write (.png)")
    parser.add_argument("--seed", type=int, default=1998, help="another picture (default: %(default)s)")
    options = parser.parse_args(argv)
    expect(options.file.suffix == ".png", "a FILE that ends in .png", options.file)
    buffer = io.BytesIO()
    specimen(calibration_digits(), seed=options.seed).save(buffer, "PNG")
    write_atomically(options.file, buffer.getvalue())
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="python -m lenet_edge.digits.string_fields"))
