"""Draw the upper part of a report of `python -m converters.prove` on a MobileNetV2, for docs/prove.md.

The net has random weights and its inputs are smooth random pictures (scripts/zoo_nets.py). Chromium draws the
page.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from zoo_nets import net

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_atomically
from converters.base.options import command_parser

NAME = "draw_prove_report.py"
NET, FILE = "MobileNetV2 0.35", "mobilenet_v2"
COLOURS = 96
"""Of the picture: the page has few, and the shades at the edges of its letters."""


def write_report(folder: Path) -> Path:
    """Convert and prove the net in `folder` by the two commands of the README; return the report's path."""
    mobilenet = net(NET, folder)
    mobilenet.model.save(folder / f"{FILE}.keras")
    np.savez(folder / "data.npz", pixels=mobilenet.calibration[0])
    python = [sys.executable, "-m"]
    model, data = f"{FILE}.keras", "data.npz"
    subprocess.run(
        [*python, "converters", model, "--calibration", data, "--out", "."], cwd=folder, check=True
    )
    files = [f"{FILE}_{precision}.tflite" for precision in ("float32", "float16", "dynamic", "int8")]
    options = ["--data", data, "--layers", "--html", "proof.html"]
    # A cell that is out of tolerance is a result too: it shows in the report.
    subprocess.run([*python, "converters.prove", model, *files, *options], cwd=folder, check=False)
    return folder / "proof.html"


def picture_of(page: Path, chromium: str, *, width: int, height: int) -> bytes:
    """Return the upper `height` rows of a page that is `width` wide, both in pixels, as a .png file."""
    drawn = page.with_suffix(".png")
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"]
    command = [chromium, *options, f"--screenshot={drawn}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)
    buffer = io.BytesIO()
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """Write the report in a temporary folder and its picture to a file."""
    parser = command_parser(
        name=NAME,
        description=__doc__,
        epilog="example:\n  python scripts/draw_prove_report.py docs/prove_report.png\n",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the picture to write (.png)")
    parser.add_argument("--width", type=int, default=1640, help="of the page, in pixels (%(default)s)")
    parser.add_argument("--height", type=int, default=1990, help="of the picture (%(default)s)")
    options = parser.parse_args(argv)
    expect(options.file.suffix == ".png", "a FILE that ends in .png", options.file)
    chromium = shutil.which("chromium") or ""
    expect(chromium, "chromium on the PATH", "none")
    check_writable(options.file)
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(Path(folder))
        write_atomically(options.file, picture_of(page, chromium, width=options.width, height=options.height))
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
