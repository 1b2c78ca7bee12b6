"""Time finding digits and lines on pages, beside an older commit: `python scripts/picture_speed.py HEAD~5`.

The pages are drawn from calibration digits, by seeds. Each tree finds them in a process of its own, in turn,
and the least processor time counts. The older tree is taken from git into a temporary folder.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from converters.base.errors import exit_status, expect
from converters.base.options import command_parser
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.on_paper.drawing import jpeg, photograph

ROOT = Path(__file__).resolve().parent.parent
SEED = 17
STRIP = 150, 50
"""The size of a strip with a line of digits, in pixels."""

TIMED = """
import json, sys, time
from pathlib import Path
from lenet_edge.picture.digit import prepare
from lenet_edge.picture.files import read_images
from lenet_edge.picture.line.finding import find_line
milliseconds = {}
for kind, find in (("photographs", prepare), ("strips", find_line)):
    files = sorted(Path(sys.argv[1]).glob(f"{kind}-*.jpg"))
    before = time.process_time()
    for file in files:
        for picture in read_images(file, line=kind == "strips"):
            find(picture.grey)
    milliseconds[kind] = 1000 * (time.process_time() - before) / len(files)
print(json.dumps(milliseconds))
"""


def draw_pages(folder: Path, count: int) -> None:
    """Write `count` photographs of a digit and as many strips of four to `folder`."""
    digits = calibration_digits().images
    for number in range(count):
        image, conditions = photograph(digits[number % len(digits)], seed=(SEED, number))
        (folder / f"photographs-{number:04d}.jpg").write_bytes(jpeg(image, conditions.quality))
        chosen = np.random.default_rng((SEED, number)).choice(len(digits), 4)
        row = 220 - (np.concatenate(list(digits[chosen]), axis=1) * 0.8).astype(np.uint8)
        strip = Image.fromarray(np.pad(row, ((5, 5), (8, 8)), constant_values=220)).resize(STRIP)
        (folder / f"strips-{number:04d}.jpg").write_bytes(jpeg(strip, 90))


def timed(tree: Path, folder: Path) -> dict[str, float]:
    """Return the milliseconds a page, by kind, of the package in `tree`."""
    command = [sys.executable, "-c", TIMED, str(folder)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def extract(commit: str, folder: Path) -> None:
    """Write the tree of `commit` to `folder`; raise InputError for a commit that git does not know."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=False)
    expect(done.returncode == 0, "a commit of this repository", commit)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the times of both trees and their ratio."""
    parser = command_parser(name="picture_speed.py", description=__doc__)
    parser.add_argument("commit", metavar="COMMIT", help="the older commit")
    parser.add_argument("--count", type=int, default=200, help="pages of each kind (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="times in turn (default: %(default)s)")
    options = parser.parse_args(argv)
    expect(options.count >= 1 and options.rounds >= 1, "--count and --rounds of 1 or more", "less")
    with tempfile.TemporaryDirectory() as name:
        older, pages = Path(name) / "older", Path(name) / "pages"
        for folder in (older, pages):
            folder.mkdir()
        extract(options.commit, older)
        draw_pages(pages, options.count)
        rounds = [(timed(older, pages), timed(ROOT, pages)) for _ in range(options.rounds)]
    for kind in rounds[0][0]:
        before, now = (min(one[place][kind] for one in rounds) for place in (0, 1))
        print(f"{kind:12} {before:7.1f} ms before, {now:6.1f} ms now: {now / before:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="picture_speed.py"))
