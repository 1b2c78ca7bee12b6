"""Draw the paper's figures from our nets: `python scripts/paper_figures.py RUNS`, after `train_released.sh`.

Takes RUNS/paper_1, paper_2, ... (`lenet-edge train --paper --test`, a seed each), paper_held_out
(--limit 55000 instead of --test), paper_first_15000 and paper_first_30000 (--limit), paper_distorted_1
(--distortions) and departures (`paper_departures.py`). Writes their reports to results/paper_recipe.json and
the pictures of docs/paper.md to docs/paper. Only 60 digits are learnt here, for the picture of the start.
"""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder, write_atomically, write_json
from converters.base.options import command_parser
from converters.base.untyped import Json, KerasModel
from lenet_edge.digits.mnist import Digits, calibration_digits, pad, test_digits
from lenet_edge.paper.codes import HEIGHT, WIDTH, digit_codes

NAME = "paper_figures.py"
ROOT = Path(__file__).resolve().parent.parent
INK, RED, BLUE, GREY = "#1a1a1a", "#b3261e", "#2b5c8a", "#8a8a8a"
PAPERS_TEST_ERROR, PAPERS_TRAINING_ERROR, PAPERS_DISTORTED_ERROR = 0.95, 0.35, 0.8  # percent, page 11
_PAGE, _MIDDLE = (12.0, 5.4), 0.46
"""The size in inches of the picture of the feature maps, and the height of their middle, a share of it."""
SHOWN = 2
"""The class of the digit whose feature maps are drawn."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The reports of the trainings, and the weights of the first seed's.

    `seeds`: on all digits; `held_out`: on 55,000; `first`: on the first 15,000 and 30,000; `distorted`: among
    distorted copies; `departures`: on 55,000, with other choices, by their name.
    """

    seeds: list[Json]
    held_out: Json
    first: list[Json]
    distorted: list[Json]
    departures: dict[str, list[Json]]
    weights: Path


def read_runs(folder: Path) -> Runs:
    """Return the reports in `folder`; raises InputError where one is missing that a picture needs."""
    departures: dict[str, list[Json]] = {}
    for report in sorted(folder.glob("departures/*_[0-9]/report.json")):
        departures.setdefault(report.parent.name.rsplit("_", 1)[0], []).append(_report(report))
    seeds = _reports(folder, "paper_[0-9]")
    return Runs(
        seeds=[_report(path) for path in seeds],
        held_out=_report(_reports(folder, "paper_held_out")[0]),
        first=[_report(path) for path in _reports(folder, "paper_first_*")],
        distorted=[_report(path) for path in sorted(folder.glob("paper_distorted_[0-9]/report.json"))],
        departures=departures,
        weights=seeds[0].parent / "weights.npz",
    )


def _reports(folder: Path, pattern: str) -> list[Path]:
    """Return the reports of the finished trainings in `folder` of that name; InputError without any."""
    found = sorted(folder.glob(f"{pattern}/report.json"))
    expect(found, f"finished trainings {folder}/{pattern}", "none")
    return found


def _report(path: Path) -> Json:
    report = json.loads(path.read_text())
    # Whether a training was interrupted changes nothing in it.
    words = [word for word in shlex.split(report["command"]) if word != "--resume"]
    return {**report, "command": shlex.join(words)}


def main(argv: Sequence[str] | None = None) -> int:
    """Collect the reports and draw every figure."""
    parser = command_parser(name=NAME, description=__doc__)
    parser.add_argument("runs", type=Path, metavar="RUNS", help="the folder that train_released.sh wrote")
    options = parser.parse_args(argv)
    runs, folder = read_runs(options.runs), make_folder(ROOT / "docs" / "paper")
    collected = {
        "seeds": runs.seeds,
        "held_out": runs.held_out,
        "first": runs.first,
        "distorted": runs.distorted,
        "departures": runs.departures,
    }
    write_json(ROOT / "results" / "paper_recipe.json", collected)

    from lenet_edge.packaged.weights import load_weights  # these load TensorFlow
    from lenet_edge.paper.model import lenet5

    model = lenet5()
    load_weights(model, runs.weights)
    digits = test_digits()
    draw_learning_curve(runs, folder / "learning_curve.png")
    draw_sizes(runs, folder / "training_set_size.png")
    draw_misread(model, digits, folder / "misread.png")
    draw_feature_maps(model, digits, folder / "feature_maps.png")
    draw_distorted(calibration_digits(), folder / "distorted.png")
    draw_start(calibration_digits(), folder / "start.png")
    return 0


def draw_learning_curve(runs: Runs, path: Path) -> None:
    """Figure 5: the errors in percent after each pass, and the paper's."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(7.5, 4.6), layout="constrained")
    for place, report in enumerate(runs.seeds):
        passes, errors = _curve(report, "online_error")
        label = f"training digits, as they are learnt, {len(runs.seeds)} seeds" if place == 0 else None
        axes.plot(passes, errors, color=BLUE, linewidth=1.2, alpha=0.75, label=label)
    passes, errors = _curve(runs.held_out, "held_out_error")
    axes.plot(passes, errors, color=RED, linewidth=1.8, label="held-out digits, 55,000 learnt")
    ends = [report["test"]["error"] for report in runs.seeds]
    axes.plot([20] * len(ends), ends, "o", color=INK, markersize=5, label="test digits, once, at the end")
    for error, text in (
        (PAPERS_TEST_ERROR, "the paper's test error, 0.95 %"),
        (PAPERS_TRAINING_ERROR, "its training error after 19 passes, 0.35 %"),
    ):
        axes.axhline(error, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(19.4, error + 0.04, text, color=GREY, fontsize=8.5, ha="right")
    axes.set(xlim=(1, 20.6), ylim=(0, 5), xlabel="passes over the training digits", ylabel="misread, %")
    axes.set_xticks([1, *range(5, 21, 5)])
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    _save(figure, path)


def _curve(report: Json, name: str) -> tuple[list[int], list[float]]:
    """Return the passes and the errors `name` after each."""
    return [row["epoch"] for row in report["history"]], [row[name] for row in report["history"]]


def draw_sizes(runs: Runs, path: Path) -> None:
    """Figure 6: the errors in percent by the size of the training set, and those that the paper states."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(7.5, 4.6), layout="constrained")
    rows = sorted([*runs.first, *runs.seeds], key=lambda report: report["digits"])
    sizes = [report["digits"] / 1000 for report in rows]
    of_test = [report["test"]["error"] for report in rows]
    of_training = [report["history"][-1]["training_error"] for report in rows]
    for errors, colour, label in ((of_test, RED, "test digits"), (of_training, BLUE, "training digits")):
        axes.plot(sizes, errors, "o", color=colour, markersize=5, label=label)
        axes.plot(*_means(sizes, errors), color=colour, linewidth=1.4)
    distorted = [report["test"]["error"] for report in runs.distorted]
    if distorted:
        label = "test digits, distorted copies learnt"
        axes.plot([60] * len(distorted), distorted, "s", color=RED, fillstyle="none", label=label)
    for error, text in (
        (PAPERS_TEST_ERROR, "test 0.95 %"),
        (PAPERS_DISTORTED_ERROR, "with distortions 0.8 %"),
        (PAPERS_TRAINING_ERROR, "training 0.35 %"),
    ):
        axes.plot([63], [error], "_", color=GREY, markersize=14)
        axes.text(65.5, error, f"the paper: {text}", color=GREY, fontsize=8.5, va="center")
    axes.set(xlim=(10, 95), ylim=(0, None), xlabel="training digits, thousands", ylabel="misread, %")
    axes.set_xticks([15, 30, 60])
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    _save(figure, path)


def _means(sizes: list[float], errors: list[float]) -> tuple[list[float], list[float]]:
    """Return each size once, and the mean of its errors."""
    different = sorted(set(sizes))
    pairs = list(zip(sizes, errors, strict=True))
    return different, [float(np.mean([error for size, error in pairs if size == one])) for one in different]


def draw_misread(model: KerasModel, digits: Digits, path: Path) -> None:
    """Figure 8: every misread test digit, "what it is -> what was read"."""
    from lenet_edge.paper.answers import outputs_of

    answers = outputs_of(model, pad(digits.images)).argmin(axis=1)
    wrong = np.flatnonzero(answers != digits.labels)
    across = 12
    down = -(-len(wrong) // across)
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(down, across, figsize=(across * 0.72, down * 0.92), layout="constrained")
    for cell in axes.flat:
        cell.axis("off")
    for cell, number in zip(axes.flat, wrong, strict=False):
        cell.imshow(digits.images[number], cmap="gray_r", vmin=0, vmax=255)
        cell.set_title(f"{digits.labels[number]}→{answers[number]}", fontsize=9, color=INK, pad=2)
    _save(figure, path)


def draw_feature_maps(model: KerasModel, digits: Digits, path: Path) -> None:
    """Figure 2's layers as they answer to one digit: the maps, F6 beside the code of the answer."""
    signals = _signals(model, digits)
    answer = int(signals["OUTPUT"].argmin())
    maps = {name: np.moveaxis(signals[name], -1, 0) for name in ("C1", "S2", "C3", "S4")}
    pyplot = _pyplot()
    figure = pyplot.figure(figsize=_PAGE)
    pixels = signals["pixels"][..., 0][None] / 75 - 1.7  # as wide as the signals
    _grid(figure, pixels, 0.01, 0.12, title="input\n32x32")
    _grid(figure, maps["C1"], 0.16, 0.066, title="C1\n6 of 28x28")
    _grid(figure, maps["S2"], 0.255, 0.05, title="S2\n6 of 14x14")
    _grid(figure, maps["C3"], 0.334, 0.1, title="C3\n16 of 10x10", across=2)
    _grid(figure, maps["S4"], 0.463, 0.08, title="S4\n16 of 5x5", across=2)
    _grid(figure, signals["C5"].reshape(1, 12, 10), 0.573, 0.1, title="C5\n120 units")
    _grid(figure, signals["F6"].reshape(1, HEIGHT, WIDTH), 0.7, 0.08, title="F6\n84 units")
    code = digit_codes()[answer].reshape(1, HEIGHT, WIDTH)
    _grid(figure, code, 0.795, 0.08, title=f"the code\nof a {answer}")
    _bars(figure, signals["OUTPUT"], answer)
    _save(figure, path)


def _signals(model: KerasModel, digits: Digits) -> dict[str, NDArray[np.float32]]:
    """Return what each layer answers to the first test digit of the class `SHOWN`, by its name."""
    from converters.base.kerases import keras_of
    from lenet_edge.paper.answers import as_input

    names = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT")
    inside = keras_of(model).Model(model.input, [model.get_layer(name).output for name in names])
    pixels = as_input(model, pad(digits.images[digits.labels == SHOWN][:1]))
    outputs = inside(pixels, training=False)
    return {"pixels": pixels[0]} | {
        name: output.numpy()[0] for name, output in zip(names, outputs, strict=True)
    }


def _grid(
    figure: Any, maps: NDArray[np.float32], left: float, width: float, *, title: str, across: int = 1
) -> None:
    """Draw `maps` (n, height, width) from `left` on, `across` in a row; dark is high.

    `left` and `width` are shares of the page.
    """
    down = len(maps) // across
    side = width / across
    height = side * _PAGE[0] / _PAGE[1] * maps.shape[1] / maps.shape[2]
    top = _MIDDLE + down * height / 2
    for place, one in enumerate(maps):
        column, row = divmod(place, down)
        axes = figure.add_axes((left + column * side, top - (row + 1) * height, side * 0.93, height * 0.93))
        axes.imshow(one, cmap="gray_r", vmin=-1.7, vmax=1.7)
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=GREY, linewidth=0.6)
    figure.text(left + width * 0.465, top + 0.01, title, ha="center", va="bottom", fontsize=9, color=INK)


def _bars(figure: Any, distances: NDArray[np.float32], answer: int) -> None:
    """Draw the ten distances of F6 from the codes."""
    axes = figure.add_axes((0.905, _MIDDLE - 0.22, 0.085, 0.44))
    colours = [RED if digit == answer else GREY for digit in range(10)]
    axes.barh(range(10), distances, color=colours, height=0.7)
    axes.invert_yaxis()
    axes.set_yticks(range(10), labels=[str(digit) for digit in range(10)], fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("output: distance\nfrom each code", fontsize=9, color=INK)


def draw_distorted(digits: Digits, path: Path) -> None:
    """Figure 7: ten training digits, and five distorted copies of each; affine only, as the paper's."""
    from lenet_edge.training.distortions import AFFINE, distort

    first = [int(np.flatnonzero(digits.labels == label)[0]) for label in range(10)]
    originals = pad(digits.images[first])
    rows = [originals, *(distort(originals, seed=(1998, number), sizes=AFFINE) for number in range(5))]
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(len(rows), 10, figsize=(8, 5), layout="constrained")
    for place, (row, cells) in enumerate(zip(rows, axes, strict=True)):
        for picture, cell in zip(row, cells, strict=True):
            cell.imshow(picture, cmap="gray_r", vmin=0, vmax=255)
            cell.set(xticks=[], yticks=[])
            for spine in cell.spines.values():
                spine.set(color=INK if place == 0 else GREY, linewidth=1.2 if place == 0 else 0.4)
    _save(figure, path)


def draw_start(digits: Digits, path: Path, *, count: int = 60) -> None:
    """Show the first steps from the printed initial weights and from ours: the distance, and F6's units."""
    from lenet_edge.paper.model import lenet5
    from lenet_edge.training.paper_recipe import draw_weights
    from lenet_edge.training.preparing import training_keras

    keras = training_keras()
    keras.utils.set_random_seed(1)
    printed, ours = lenet5(keras=keras), lenet5(keras=keras)
    draw_weights(ours, seed=1)
    pyplot = _pyplot()
    figure, (loss, saturated) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for model, colour, label in (
        (printed, RED, "uniform within 2.4/F, as printed"),
        (ours, BLUE, "uniform within 1.2/√F, ours"),
    ):
        criterion, shares = _first_steps(model, digits, count)
        for axes, values in ((loss, criterion), (saturated, shares)):
            axes.plot(range(1, count + 1), values, color=colour, linewidth=1.4, label=label)
    loss.set(xlabel="digits learnt", ylabel="eq. 9", title="the criterion of each digit", ylim=(0, None))
    saturated.set(xlabel="digits learnt", ylabel="units, %", title="saturated units of F6", ylim=(-2, 102))
    saturated.legend(frameon=False, fontsize=8.5, loc="center right")
    for axes in (loss, saturated):
        axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _first_steps(model: KerasModel, digits: Digits, count: int) -> tuple[list[float], list[float]]:
    """Learn `count` digits; return eq. 9 before each and the units of F6 beyond 1.6 after it, in percent."""
    from converters.base.kerases import keras_of
    from lenet_edge.paper.answers import outputs_of
    from lenet_edge.training.one_by_one import OneByOne
    from lenet_edge.training.paper_recipe import CHOICES, MU, SCHEDULE
    from lenet_edge.training.second_derivatives import SecondDerivatives

    pictures = pad(digits.images)
    order = np.random.default_rng(1).permutation(len(pictures))[:count]
    scale = CHOICES.penalty_scale
    steps = [SCHEDULE[0] / (MU + h) for h in SecondDerivatives(model, penalty_scale=scale).of(pictures)]
    learner = OneByOne(model, rubbish=CHOICES.rubbish, penalty_scale=scale)
    f6 = keras_of(model).Model(model.input, model.get_layer("F6").output)
    criterion, shares = [], []
    for number in order:
        one = slice(number, number + 1)
        criterion.append(learner.learn(pictures[one], digits.labels[one], steps).criterion)
        shares.append(100 * float(np.mean(np.abs(outputs_of(f6, pictures[one])) > 1.6)))
    return criterion, shares


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, path: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    _pyplot().close(figure)
    write_atomically(path, picture.getvalue())


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
