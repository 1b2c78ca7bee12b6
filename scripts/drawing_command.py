"""The command of the scripts that draw a picture of the packaged calibration digits to a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from converters.base.errors import expect
from converters.base.files import check_writable, write_atomically
from converters.base.options import command_parser
from lenet_edge.digits.mnist import calibration_digits


def draw_to_file(
    draw: Callable[..., Image.Image],
    argv: Sequence[str] | None,
    *,
    name: str,
    description: str | None,
    example: str,
) -> int:
    """Run the command `name` with `argv`: write what `draw(digits, seed=...)` returns; `example`: a FILE."""
    parser = command_parser(
        name=name, description=description, epilog=f"example:\n  python scripts/{name} {example}\n"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the picture to write (.png)")
    parser.add_argument("--seed", type=int, default=1998, help="another picture (default: %(default)s)")
    options = parser.parse_args(argv)
    expect(options.seed >= 0, "--seed of 0 or more", options.seed)
    expect(options.file.suffix == ".png", "a FILE that ends in .png", options.file)
    check_writable(options.file)
    buffer = io.BytesIO()
    draw(calibration_digits(), seed=options.seed).save(buffer, "PNG", optimize=True)
    write_atomically(options.file, buffer.getvalue())
    return 0
