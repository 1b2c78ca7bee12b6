"""Time finding digits and lines on pages, beside an older commit: `python scripts/picture_speed.py HEAD~5`.

The pages are drawn from calibration digits, by seeds. Each tree finds them in a process of its own, in turn,
and the least processor time counts. The older tree is taken from git into a temporary folder. Then `classify`
is started for one digit in MNIST's form, beside the imports that it cannot do without, and for all
photographs, by each tree: the processor time of a start, and the most memory.
"""

from __future__ import annotations

import io
import json
import os
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
BARE = "import numpy, PIL.Image; from converters.base.installed import RUNTIMES, choose; " + (
    "__import__(RUNTIMES[choose()].package + '.interpreter')"
)
"""The imports of NumPy, Pillow and the runtime, which reading a digit cannot do without."""
MEMORY = """
import sys
from pathlib import Path
from lenet_edge.classify import main
main([*sorted(map(str, Path(sys.argv[1]).glob("photographs-*.jpg"))), "--jobs", "1", "--quiet"])
for line in Path("/proc/self/status").read_text().splitlines():
    if line.startswith("VmHWM:"):
        print(line.split()[1])
"""
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


def started(command: Sequence[str], tree: Path) -> float:
    """Return the processor time, in milliseconds, of a process of Python in `tree`; raise if it fails."""
    # An installed package is compiled: so the first start may write its bytecode, and the others read it.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, *command], cwd=tree, env=own, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return 1000 * (usage.ru_utime + usage.ru_stime)


def print_starts(older: Path, pages: Path, rounds: int) -> None:
    """Print what a start of `classify` takes beside the bare imports, and its memory on all photographs."""
    digit = pages / "digit.png"
    Image.fromarray(calibration_digits().images[0]).save(digit)
    start = ["-m", "lenet_edge.classify", str(digit)]
    commands = {"bare": (ROOT, ["-c", BARE]), "before": (older, start), "now": (ROOT, start)}
    runs = [
        {name: started(command, tree) for name, (tree, command) in commands.items()} for _ in range(rounds)
    ]
    least = {name: min(one[name] for one in runs) for name in commands}
    for name in ("before", "now"):
        ratio = least[name] / least["bare"]
        print(
            f"a start {name}: {least[name]:.0f} ms, {ratio:.2f} of the bare imports' {least['bare']:.0f} ms"
        )
    for name, tree in (("before", older), ("now", ROOT)):
        command = [sys.executable, "-c", MEMORY, str(pages)]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
        print(f"memory {name}: {int(done.stdout.splitlines()[-1]) / 1024:.0f} MB")


def extract(commit: str, folder: Path) -> None:
    """Write the tree of `commit` to `folder`; raise InputError for a commit that git does not know."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=False)
    expect(done.returncode == 0, "a commit of this repository", commit)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the times of both trees and their ratios."""
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
        print_starts(older, pages, options.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="picture_speed.py"))
