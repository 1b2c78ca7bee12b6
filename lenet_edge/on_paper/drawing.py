"""Draw photographs of digits on paper, as from a phone, from MNIST digits and a seed.

The outline of the digit is redrawn at the photograph's resolution with the stroke width of a pen, placed on
plain, ruled or squared paper, lit, tilted slightly, blurred and made noisy. On request it has a ring or a box
around it, or its sheet lies on a table.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, MNIST_SIDE
from lenet_edge.picture.findings import box_of
from lenet_edge.picture.strokes import distances, skeleton

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pen:
    """What a pen draws: stroke widths in twentieths of the digit's longer side, and how dark it is.

    `darkness` is the share of light that the middle of a stroke absorbs, `grain` the standard deviation of
    its variation from point to point, relative to it.
    """

    widths: tuple[float, float]
    darkness: tuple[float, float]
    grain: float
    inks: tuple[str, ...]


PENS = {
    "ballpoint": Pen((0.6, 1.1), (0.65, 0.95), 0.08, ("black", "blue")),
    "fineliner": Pen((1.0, 2.0), (0.8, 0.97), 0.02, ("black", "blue")),
    "felt-tip": Pen((2.0, 3.6), (0.8, 0.97), 0.02, ("black", "blue")),
    "pencil": Pen((0.7, 1.8), (0.3, 0.7), 0.35, ("graphite",)),
}
INKS = {"black": (0.08, 0.08, 0.1), "blue": (0.12, 0.2, 0.62), "graphite": (0.1, 0.1, 0.11)}
PAPERS = {"white": (0.98, 0.98, 0.98), "grey": (0.7, 0.7, 0.69), "cream": (0.98, 0.94, 0.82)}
RULINGS = ("none", "ruled", "squared")
SHADOWS = ("none", "gradient", "cast")
SURROUNDINGS = ("none", "ring", "box", "table")
TABLES = ((0.07, 0.07, 0.08), (0.2, 0.12, 0.07), (0.1, 0.14, 0.12))
WIDTHS = (40, 2000)
"""The range of a photograph's width, in pixels."""

_FINE = 6  # pixels of the redrawn outline per pixel of the 28x28 digit
_REACH = 12.0  # how far outside the outline the distance is known, in those pixels
_REACHES = {"ring": (0.75, 1.0), "box": (0.65, 0.95), "table": (0.8, 1.5)}  # from the digit's middle
_LARGEST = 0.9  # of the photograph's shorter side: a ring, a box or a sheet with what is around it
_RENDERED = 240  # pixels: a narrower photograph is drawn at a multiple of its size and averaged


@dataclass(frozen=True)
class Conditions:
    """Everything that is drawn at random for one photograph, except its noise.

    `stroke` is in twentieths of the digit's longer side; `darkness` the share of light that the ink absorbs;
    `width` and `height` pixels; `size` the digit's longer side as a share of the photograph's shorter one;
    `centre` the digit's position between those at which it just stays in the frame, 0..1 both ways;
    `rotation` and `jitter` (of the digit against the ruling) degrees; `spacing` and `offset` of the ruling in
    digit sizes and spacings; `rule` the share of light that a rule absorbs; `tilt` the change of scale across
    the photograph both ways; `exposure` the brightness of white (0..1); `tint` the light's ratio of red to
    blue; `depth` and `vignette` shares of light lost; `blur` pixels; `noise` grey levels; `quality` JPEG's.
    `around`: what is around the digit: a ring or a box of the same pen, or the table that its sheet lies on;
    `reach` how far that is from the digit's middle, across and down, in digit sizes.
    """

    pen: str
    ink: str
    paper: str
    ruling: str
    shadow: str
    stroke: float
    darkness: float
    width: int
    height: int
    size: float
    centre: tuple[float, float]
    rotation: float
    jitter: float
    spacing: float
    offset: tuple[float, float]
    rule: float
    tilt: tuple[float, float]
    exposure: float
    tint: float
    depth: float
    vignette: float
    blur: float
    noise: float
    quality: int
    around: str = "none"
    reach: tuple[float, float] = (0.5, 0.5)


def draw_conditions(generator: np.random.Generator, **fixed: Any) -> Conditions:
    """Draw the conditions of one photograph; those in `fixed` (fields of `Conditions`) are set.

    Nothing is around the digit unless `around` says so; the digit is then as small as that needs. Raises
    InputError for an unknown condition, or an unknown pen, ink, paper, ruling, shadow or thing around.
    """
    unknown = set(fixed) - set(Conditions.__dataclass_fields__)
    expect(not unknown, f"conditions among {', '.join(Conditions.__dataclass_fields__)}", ", ".join(unknown))
    choices: dict[str, Collection[str]] = {
        "pen": PENS,
        "ink": INKS,
        "paper": PAPERS,
        "ruling": RULINGS,
        "shadow": SHADOWS,
        "around": SURROUNDINGS,
    }
    for name, known in choices.items():
        if name in fixed:
            expect(fixed[name] in known, f"{name} to be one of {', '.join(known)}", fixed[name])
    uniform = generator.uniform
    pen = fixed.get("pen") or str(generator.choice(list(PENS)))
    width = fixed.get("width") or round(float(np.exp(uniform(*np.log(WIDTHS)))))
    height = fixed.get("height") or max(WIDTHS[0], round(width * float(generator.choice([4 / 3, 1, 3 / 4]))))
    shorter = min(width, height)
    squared_spacing = generator.random() < 0.5
    conditions = Conditions(
        pen=pen,
        ink=str(generator.choice(PENS[pen].inks)),
        paper=str(generator.choice(list(PAPERS))),
        ruling=str(generator.choice(RULINGS)),
        shadow=str(generator.choice(SHADOWS)),
        stroke=float(uniform(*PENS[pen].widths)),
        darkness=float(uniform(*PENS[pen].darkness)),
        width=width,
        height=height,
        # no digit is photographed smaller than MNIST's own box
        size=float(np.exp(uniform(*np.log((min(max(0.15, BOX / shorter), 0.8), 0.85))))),
        centre=(float(uniform()), float(uniform())),
        rotation=float(uniform(-15, 15)),
        jitter=float(uniform(-4, 4)),
        spacing=float(uniform(0.25, 0.7) if squared_spacing else uniform(0.7, 1.6)),
        offset=(float(uniform()), float(uniform())),
        rule=float(uniform(0.08, 0.35)),
        tilt=(float(uniform(-0.12, 0.12)), float(uniform(-0.12, 0.12))),
        exposure=float(uniform(0.55, 0.98)),
        tint=float(uniform(0.9, 1.25)),
        depth=float(uniform(0.2, 0.65)),
        vignette=float(uniform(0, 0.3)),
        blur=float(uniform(0.3, 0.7 + width / 1000)),
        noise=float(uniform(0.5, 6)),
        quality=int(generator.integers(40, 96)),
    )
    around = fixed.get("around", "none")
    if around != "none":
        reach = float(uniform(*_REACHES[around])), float(uniform(*_REACHES[around]))
        conditions = _with_room(replace(conditions, reach=reach))
    return replace(conditions, **fixed)


def _with_room(conditions: Conditions) -> Conditions:
    """Return `conditions` with a digit so small that what is around it fits, in a photograph so large."""
    size = min(conditions.size, _LARGEST / _extent(conditions))
    larger = max(1.0, BOX / (size * min(conditions.width, conditions.height)))
    width, height = (math.ceil(larger * side) for side in (conditions.width, conditions.height))
    return replace(conditions, size=size, width=width, height=height)


def _extent(conditions: Conditions) -> float:
    """Return the side of the upright square around the turned digit and what is around it, in digit sizes."""
    turn = np.radians(abs(conditions.rotation) + 4)
    return float(2 * max(conditions.reach) * (np.cos(turn) + np.sin(turn)) * 1.1)


def photograph(
    digit: NDArray[np.uint8], *, seed: int | Sequence[int], **fixed: Any
) -> tuple[Image.Image, Conditions]:
    """Photograph one `digit`, uint8 (28, 28), 0 for paper to 255 for ink.

    `seed` is anything that numpy.random.default_rng takes; the same seed gives the same pixels. The `fixed`
    conditions are set, the others drawn at random. Returns the photograph (RGB) and its conditions.
    Raises InputError for another shape or type, a digit without ink, or an unknown condition.
    """
    expect(
        isinstance(digit, np.ndarray) and digit.shape == (MNIST_SIDE, MNIST_SIDE) and digit.dtype == np.uint8,
        "a digit of uint8 (28, 28)",
        f"{getattr(digit, 'dtype', type(digit).__name__)} {getattr(digit, 'shape', '')}".strip(),
    )
    expect(digit.any(), "a digit with ink", "none")
    generator = np.random.default_rng(seed)
    conditions = draw_conditions(generator, **fixed)
    multiple = max(1, -(-_RENDERED // conditions.width))
    scene = _Scene(digit, conditions, multiple)
    tint = np.array([conditions.tint**0.5, 1, conditions.tint**-0.5], np.float32)
    light = scene.paper(generator) * scene.rules() * scene.light(generator)[..., None] * tint
    ink = np.array(INKS[conditions.ink], np.float32)
    cover = scene.ink(generator)[..., None]
    picture = _image(light * (1 - cover * (1 - ink))).reduce(multiple)
    picture = picture.filter(ImageFilter.GaussianBlur(conditions.blur))
    return _with_noise(picture, conditions.noise, generator), conditions


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return `image` as the bytes of a JPEG file of the given `quality` (1..95)."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


class _Scene:
    """One photograph's geometry: where each of its pixels lies on the paper, and what is there.

    Paper coordinates have the digit's longer side as their unit and its middle as their origin.
    """

    def __init__(self, digit: NDArray[np.uint8], conditions: Conditions, multiple: int) -> None:
        self.conditions = conditions
        self.width, self.height = conditions.width * multiple, conditions.height * multiple
        self.outline, middle, self.longer = _outline(digit, conditions.stroke)
        # The digit, with half a stroke on each side, stays within the frame.
        self.scale = min(self.width, self.height) * conditions.size
        room = self._room()
        self.origin = [
            length / 2 + (share - 0.5) * max(0.0, length - extent)
            for length, extent, share in zip((self.width, self.height), room, conditions.centre, strict=True)
        ]
        self.middle = middle
        x = np.arange(self.width, dtype=np.float32) + 0.5
        y = np.arange(self.height, dtype=np.float32)[:, None] + 0.5
        self.across, self.down = (x / self.width - 0.5), (y / self.height - 0.5)
        matrix = self._to_paper()
        weight = matrix[2, 0] * x + matrix[2, 1] * y + 1
        self.u = ((matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / weight).astype(np.float32)
        self.v = ((matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / weight).astype(np.float32)
        self.sheet = self._sheet()

    def _room(self) -> tuple[float, float]:
        """Return the width and height, in pixels, of the digit in the frame, with a small margin."""
        side = self.scale * _extent(self.conditions) + 4
        return side, side

    def _to_paper(self) -> NDArray[np.float64]:
        """Return the homography from pixels to paper coordinates, its last entry 1."""
        turn = np.radians(self.conditions.rotation)
        cos, sin = np.cos(turn) / self.scale, np.sin(turn) / self.scale
        turned = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        moved = np.array([[1, 0, -self.origin[0]], [0, 1, -self.origin[1]], [0, 0, 1]])
        tilted = np.eye(3)
        tilted[2, :2] = self.conditions.tilt[0] / self.width, self.conditions.tilt[1] / self.height
        matrix = turned @ tilted @ moved
        return matrix / matrix[2, 2]

    def ink(self, generator: np.random.Generator) -> Array:
        """Return the share of light that the ink absorbs at each pixel, (height, width), 0..1."""
        conditions = self.conditions
        jitter = np.radians(conditions.jitter)
        cos, sin = self.longer * np.cos(jitter), self.longer * np.sin(jitter)
        to_outline = np.array([[cos, sin, self.middle[0]], [-sin, cos, self.middle[1]], [0, 0, 1]])
        matrix = to_outline @ self._to_paper()
        matrix /= matrix[2, 2]
        field = Image.fromarray(self.outline).transform(
            (self.width, self.height),
            Image.Transform.PERSPECTIVE,
            data=tuple(matrix.ravel()[:8]),
            resample=Image.Resampling.BICUBIC,
        )
        # The pixel size converts the distance to the outline into the covered share of the pixel.
        cover = np.clip((np.asarray(field) - _REACH) * (self.scale / self.longer) + 0.5, 0, 1)
        if conditions.around in ("ring", "box"):
            cover = np.maximum(cover, self._around())
        grain = _fine_noise(generator, self.height, self.width, self.scale / 110)
        pressure = _fine_noise(generator, self.height, self.width, self.scale / 4)
        pen = PENS[conditions.pen]
        density = conditions.darkness * (1 + pen.grain * grain + 0.06 * pressure)
        return (cover * np.clip(density, 0, 1)).astype(np.float32)

    def _around(self) -> Array:
        """Return the share of each pixel, (height, width), that the ring or box around the digit covers."""
        reach = self.conditions.reach
        across, down = np.abs(self.u) / reach[0], np.abs(self.v) / reach[1]
        from_middle = np.hypot(across, down) if self.conditions.around == "ring" else np.maximum(across, down)
        away = np.abs(from_middle - 1) * min(reach)
        return np.clip((self.conditions.stroke / BOX / 2 - away) * self.scale + 0.5, 0, 1)

    def _sheet(self) -> Array:
        """Return the share of each pixel, (height, width), that the sheet covers; 1 without a table."""
        if self.conditions.around != "table":
            return np.ones((self.height, self.width), np.float32)
        across, down = self.conditions.reach
        inside = np.minimum(across - np.abs(self.u), down - np.abs(self.v))
        return np.clip(inside * self.scale + 0.5, 0, 1).astype(np.float32)

    def rules(self) -> Array:
        """Return the share of light that the printed rules reflect, (height, width, 3)."""
        conditions = self.conditions
        cover = np.zeros((self.height, self.width), np.float32)
        directions = {"none": (), "ruled": (self.v,), "squared": (self.v, self.u)}[conditions.ruling]
        half = 0.5 * np.clip(0.035 * conditions.spacing, 0.012, 0.03) * self.scale
        for along, offset in zip(directions, conditions.offset, strict=False):
            turns = along / conditions.spacing + offset
            away = np.abs(turns - np.round(turns)) * (conditions.spacing * self.scale)
            np.maximum(cover, np.clip(half - away + 0.5, 0, min(1, 2 * half)), out=cover)
        cover *= self.sheet
        # Printed in pale blue: they absorb mostly red light.
        return 1 - conditions.rule * cover[..., None] * np.array([1.15, 1, 0.7], np.float32)

    def paper(self, generator: np.random.Generator) -> Array:
        """Return the colour of the bare paper, or of the table, (height, width, 3), 0..1."""
        fibres = _fine_noise(generator, self.height, self.width, self.scale / 60)
        colour = np.array(PAPERS[self.conditions.paper], np.float32)
        paper = (1 + 0.012 * fibres)[..., None] * colour
        if self.conditions.around != "table":
            return paper
        sheet = self.sheet[..., None]
        table = np.array(TABLES[int(generator.integers(len(TABLES)))], np.float32)
        return sheet * paper + (1 - sheet) * (1 + 0.1 * fibres)[..., None] * table

    def light(self, generator: np.random.Generator) -> Array:
        """Return the light on the paper, (height, width), 0..1, with shadow and vignette."""
        conditions = self.conditions
        light = 1 - conditions.vignette * 2 * (self.across**2 + self.down**2)
        turn, edge, softness = generator.uniform(0, 2 * np.pi), generator.uniform(-0.3, 0.3), 0.02
        along = np.cos(turn) * self.across + np.sin(turn) * self.down
        if conditions.shadow == "gradient":
            light *= 1 - conditions.depth * np.clip(along + 0.5, 0, 1)
        elif conditions.shadow == "cast":
            # The shadow of a hand or a phone: a straight edge, or curved like a fist.
            softness = generator.uniform(0.01, 0.12)
            across = -np.sin(turn) * self.across + np.cos(turn) * self.down
            bent = along + generator.uniform(-1.0, 1.0) * across**2
            light *= 1 - conditions.depth / (1 + np.exp(-np.clip((bent - edge) / softness, -30, 30)))
        return (light * conditions.exposure).astype(np.float32)


def _outline(digit: NDArray[np.uint8], stroke: float) -> tuple[Array, tuple[float, float], float]:
    """Return the digit's outline for a pen, its middle (x, y) and its longer side.

    The outline is given as `_REACH` plus the distance inwards from it, in fine pixels; 0 far outside. Strokes
    are thinned or thickened by the difference between their median width and the pen's, and nowhere thinner
    than the pen.
    """
    field = Image.fromarray(np.pad(digit, 4).astype(np.float32))
    side = field.width * _FINE
    fine = np.asarray(field.resize((side, side), Image.Resampling.BICUBIC))
    mask = fine > 0.5 * digit.max()
    left, top, right, bottom = box_of(mask)
    longer = float(max(right - left, bottom - top))
    inside, outside = distances(~mask), distances(mask)
    lines = skeleton(mask)
    radius = stroke / BOX * longer / 2
    change = radius - float(np.median(inside[lines]))
    outline = np.maximum(inside - outside + change, radius - distances(lines))
    middle = (left + right) / 2, (top + bottom) / 2
    return _smooth(np.maximum(outline + _REACH, 0)), middle, longer


def _smooth(field: NDArray[np.floating]) -> Array:
    """Return `field` after a five-pixel binomial filter along both axes, which removes pixel steps."""
    for axis in (0, 1):
        for _ in range(2):
            field = (2 * field + np.roll(field, 1, axis) + np.roll(field, -1, axis)) / 4
    return field.astype(np.float32)


def _fine_noise(generator: np.random.Generator, height: int, width: int, period: float) -> Array:
    """Return noise of unit variance, (height, width), with a period of `period` pixels, at least one."""
    period = max(period, 1.0)
    rows, columns = int(height / period) + 4, int(width / period) + 4
    noise = generator.standard_normal((rows, columns), np.float32)
    if period > 1:
        noise = np.asarray(
            Image.fromarray(noise).resize(
                (width, height), Image.Resampling.BICUBIC, box=(1, 1, 1 + width / period, 1 + height / period)
            )
        )
        return noise / max(float(noise.std()), 0.3)
    return noise[:height, :width]


def _image(light: Array) -> Image.Image:
    return Image.fromarray((np.clip(light, 0, 1) * 255 + 0.5).astype(np.uint8))


def _with_noise(picture: Image.Image, deviation: float, generator: np.random.Generator) -> Image.Image:
    """Add sensor noise: Gaussian, half of it common to the three colours."""
    pixels = np.asarray(picture).astype(np.float32)
    common = generator.standard_normal((*pixels.shape[:2], 1), np.float32)
    own = generator.standard_normal(pixels.shape, np.float32)
    return _image((pixels + deviation * np.sqrt(0.5, dtype=np.float32) * (common + own)) / 255)
