"""Put trained weights into the package: `python scripts/release.py RUNS`, after `train_released.sh`.

Takes RUNS/lenet5, RUNS/stock and RUNS/qat, measures the test digits (once, here), converts every file
and writes lenet_edge/released.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import pad, test_digits

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "lenet_edge" / "released"


def release(run: Path, name: str, model: object) -> None:
    """Copy the weights of `run` and write what is known of them beside."""
    from lenet_edge.packaged.weights import load_weights  # these load TensorFlow
    from lenet_edge.paper.answers import outputs_of
    from lenet_edge.training.score_calibration import measure

    scale = load_weights(model, run / "weights.npz")
    report = json.loads((run / "report.json").read_text())
    report.pop("history")
    report["command"] = _without_places(report["command"])
    test = test_digits()
    report["test"] = asdict(measure(outputs_of(model, pad(test.images)), test.labels, scale=scale))
    shutil.copyfile(run / "weights.npz", RELEASED / f"{name}.npz")
    write_json(RELEASED / f"{name}.json", report)


def release_fine_tuned(run: Path) -> None:
    """Copy the fine-tuned weights of `run` and write what is known of them, the test digits included."""
    from converters.model.folding import fold  # these load TensorFlow
    from lenet_edge.packaged.models import fine_tuned_model, released_model
    from lenet_edge.training.fine_tuning_run import errors_of

    report = json.loads((run / "report.json").read_text())
    report["command"] = _without_places(report["command"])
    shutil.copyfile(run / "weights.npz", RELEASED / "lenet5_qat.npz")
    content = (run / "lenet5_int8_qat.tflite").read_bytes()
    model, exact = fine_tuned_model(), fold(released_model("lenet5"))
    report["test"] = errors_of(model, exact, content, test_digits()).as_json()
    write_json(RELEASED / "lenet5_qat.json", report)


def _without_places(command: str) -> str:
    """Return a recorded command with the folders of the machine that ran it left out."""
    words = shlex.split(command)
    for place, word in enumerate(words):
        if place and words[place - 1] == "--data":
            words[place] = "MNIST"
        elif "/runs/" in word:
            words[place] = "runs/" + word.split("/runs/", 1)[1]
    return shlex.join(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Release lenet5 and stock_lenet5 of a folder of runs."""
    parser = command_parser(name="release.py", description=__doc__)
    parser.add_argument("runs", type=Path, metavar="RUNS", help="the folder that train_released.sh wrote")
    runs = parser.parse_args(argv).runs
    for name in ("lenet5", "stock", "qat"):
        expect((runs / name / "report.json").is_file(), f"a finished run in {runs / name}", "none")
    make_folder(RELEASED)
    from lenet_edge.paper.model import lenet5, stock_lenet5
    from lenet_edge.training.learning_curve import draw

    release(runs / "lenet5", "lenet5", lenet5())
    release(runs / "stock", "stock_lenet5", stock_lenet5())
    release_fine_tuned(runs / "qat")
    subprocess.run([sys.executable, "-m", "lenet_edge.convert", "--out", str(RELEASED)], check=True)
    history = json.loads((runs / "lenet5" / "report.json").read_text())["history"]
    draw(history, ROOT / "docs" / "learning_curve.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="release.py"))
