"""Draw tests/data: a digit a file, in hands that are not MNIST's, on several papers; blank and crowded too.

The strokes below were written for this; they are not from any data set. Deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from converters.base.errors import exit_status
from converters.base.files import make_folder
from converters.base.options import command_parser

OUT = Path(__file__).resolve().parent.parent / "tests" / "data"

# Points that a pen goes through, across and down, 0..1.
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [[(0.52, 0.05), (0.25, 0.25), (0.2, 0.65), (0.45, 0.95), (0.75, 0.75), (0.78, 0.3), (0.52, 0.05)]],
    1: [[(0.36, 0.24), (0.47, 0.15), (0.55, 0.05), (0.54, 0.4), (0.52, 0.95)]],
    2: [
        [
            (0.22, 0.27),
            (0.38, 0.08),
            (0.66, 0.1),
            (0.74, 0.32),
            (0.52, 0.62),
            (0.2, 0.92),
            (0.5, 0.9),
            (0.84, 0.9),
        ]
    ],
    3: [
        [(0.22, 0.14), (0.5, 0.04), (0.74, 0.2), (0.62, 0.42), (0.42, 0.48)],
        [(0.42, 0.48), (0.74, 0.58), (0.75, 0.84), (0.45, 0.97), (0.2, 0.86)],
    ],
    4: [
        [(0.32, 0.05), (0.26, 0.3), (0.2, 0.55), (0.5, 0.55), (0.85, 0.54)],
        [(0.66, 0.12), (0.64, 0.5), (0.62, 0.97)],
    ],
    5: [
        [
            (0.32, 0.07),
            (0.29, 0.27),
            (0.27, 0.45),
            (0.55, 0.4),
            (0.77, 0.6),
            (0.7, 0.87),
            (0.42, 0.96),
            (0.2, 0.87),
        ],
        [(0.31, 0.07), (0.55, 0.07), (0.78, 0.05)],
    ],
    6: [
        [
            (0.68, 0.05),
            (0.38, 0.28),
            (0.22, 0.65),
            (0.36, 0.93),
            (0.65, 0.92),
            (0.75, 0.7),
            (0.55, 0.56),
            (0.26, 0.68),
        ]
    ],
    7: [[(0.18, 0.1), (0.5, 0.09), (0.8, 0.08), (0.6, 0.5), (0.42, 0.95)]],
    8: [
        [
            *((0.5, 0.48), (0.27, 0.3), (0.4, 0.06), (0.64, 0.08), (0.71, 0.28), (0.5, 0.48)),
            *((0.26, 0.72), (0.37, 0.95), (0.64, 0.95), (0.75, 0.72), (0.5, 0.48)),
        ]
    ],
    9: [
        [
            (0.71, 0.24),
            (0.5, 0.05),
            (0.27, 0.2),
            (0.36, 0.45),
            (0.62, 0.42),
            (0.72, 0.2),
            (0.69, 0.55),
            (0.6, 0.95),
        ]
    ],
}


def smooth(points: list[tuple[float, float]]) -> np.ndarray:
    """Return a Catmull-Rom curve through `points`: (n, 2)."""
    p = np.array([points[0], *points, points[-1]])
    t = np.linspace(0, 1, 24)[:, None]
    parts = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        parts.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate(parts)


def write(
    draw: ImageDraw.ImageDraw, digit: int, box: tuple[float, float, float, float], pen: float, ink: object
) -> None:
    """Write `digit` into `box` (left, top, width, height) with a round pen of `pen` pixels."""
    left, top, width, height = box
    for points in STROKES[digit]:
        for x, y in smooth(points) * [width, height] + [left, top]:
            draw.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=ink)


def paper(
    size: tuple[int, int], colour: tuple[int, int, int], *, rules: int = 0, shadow: float = 0.0
) -> Image.Image:
    """Return paper of `colour`, ruled every `rules` pixels, a shadow growing towards the right."""
    page = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(page)
    for y in range(rules // 2, size[1], rules or size[1] + 1):
        draw.line([0, y, size[0], y], fill=(150, 175, 215), width=max(1, size[1] // 250))
    shade = np.linspace(1, 1 - shadow, size[0])[None, :, None]
    return Image.fromarray((np.asarray(page) * shade).astype(np.uint8))


def picture(
    digit: int, size: tuple[int, int], colour: tuple[int, int, int], pen: float, ink: object, **options: float
) -> Image.Image:
    """Return a page with one digit on it, a little out of focus."""
    page = paper(size, colour, rules=int(options.get("rules", 0)), shadow=options.get("shadow", 0.0))
    share, x, y = options.get("share", 0.6), options.get("x", 0.5), options.get("y", 0.5)
    height = share * size[1]
    width = 0.75 * height
    box = (x * (size[0] - width), y * (size[1] - height), width, height)
    write(ImageDraw.Draw(page), digit, box, pen * height / 20, ink)
    noise = np.random.default_rng(digit).normal(0, options.get("noise", 2.0), (size[1], size[0], 1))
    blurred = page.rotate(options.get("turn", 0), fillcolor=colour).filter(
        ImageFilter.GaussianBlur(size[1] / 400)
    )
    return Image.fromarray(np.clip(np.asarray(blurred) + noise, 0, 255).astype(np.uint8))


def amount() -> Image.Image:
    """Return a ruled page with 25.441 on it, written a little uphill."""
    page = paper((760, 300), (242, 234, 210), rules=90, shadow=0.35)
    draw, ink = ImageDraw.Draw(page), (30, 50, 150)
    for place, digit in enumerate((2, 5, None, 4, 4, 1)):
        left, top = 90 + 100 * place - (40 if place > 2 else 0), 140 - 8 * place
        if digit is None:
            draw.ellipse([left + 25, top + 98, left + 37, top + 110], fill=ink)
        else:
            write(draw, digit, (left, top, 80, 110), 7, ink)
    noise = np.random.default_rng(25441).normal(0, 3, (300, 760, 1))
    blurred = np.asarray(page.filter(ImageFilter.GaussianBlur(1)))
    return Image.fromarray(np.clip(blurred + noise, 0, 255).astype(np.uint8))


def main(argv: Sequence[str] | None = None) -> int:
    """Write every picture."""
    command_parser(name="draw_test_pictures.py", description=__doc__).parse_args(argv)
    make_folder(OUT)
    black, blue, grey = (25, 25, 30), (30, 50, 150), (115, 115, 115)
    white, cream, dull = (245, 245, 243), (242, 234, 210), (178, 178, 175)
    picture(0, (320, 400), white, 1.2, black).save(OUT / "0-ballpoint.png")
    picture(1, (300, 300), cream, 2.2, black, turn=8).save(OUT / "1-felt-tip.png")
    picture(2, (640, 480), white, 1.2, blue, rules=60, x=0.3, share=0.5).save(OUT / "2-ruled.jpg", quality=80)
    picture(3, (480, 640), dull, 1.4, black, shadow=0.5).save(OUT / "3-shadow.jpg", quality=75)
    picture(4, (400, 300), white, 1.3, grey, noise=4).save(OUT / "4-pencil.jpg", quality=85)
    picture(5, (60, 80), white, 2.5, black).save(OUT / "5-small.png")
    picture(6, (900, 700), cream, 0.8, blue, share=0.35, x=0.8, y=0.2).save(OUT / "6-corner.jpg", quality=70)
    picture(7, (300, 400), white, 1.5, black).convert("L").save(OUT / "7-grey.pgm")
    Image.fromarray(255 - np.asarray(picture(8, (256, 256), white, 1.8, black).convert("L"))).save(
        OUT / "8-chalk.png"
    )
    picture(9, (1200, 1600), white, 1.0, black, rules=130, share=0.3, x=0.4).save(
        OUT / "9-large.jpg", quality=60
    )
    paper((400, 300), cream, rules=40, shadow=0.4).save(OUT / "blank-ruled.jpg", quality=85)
    page = paper((500, 300), white)
    for place, digit in enumerate((4, 2)):
        write(ImageDraw.Draw(page), digit, (60 + 220 * place, 70, 120, 160), 12, black)
    page.save(OUT / "crowded-42.png")
    amount().save(OUT / "amount-25441.jpg", quality=85)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="draw_test_pictures.py"))
