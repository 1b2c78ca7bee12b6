"""Convert any Keras 2 model to TensorFlow Lite: fold what only scales and shifts, write each precision."""

from __future__ import annotations

import argparse
import importlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.arrays import read_npz
from converters.base.errors import InputError, exit_status, expect
from converters.base.files import write_atomically, write_json
from converters.base.options import add_conversion_options, command_parser
from converters.base.precisions import PRECISIONS, Precision

EPILOG = """\
examples:
  python -m converters MODEL.keras --calibration DATA.npz
  python -m converters MODEL.keras --precision float32 --precision float16
  python -m converters MODEL.keras --calibration DATA.npz --import my_package.layers

DATA.npz holds one array (n, ...) of real inputs, a few hundred; int8 takes its ranges from them, and every
file is compared with the original on them. --import names the module that registers the custom layers of
MODEL.keras (keras.utils.register_keras_serializable); it is run, so name only what you trust.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="python -m converters", description=__doc__, epilog=EPILOG)
    add_conversion_options(parser, default="all, int8 with --calibration")
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.keras", help="a model saved by tf_keras")
    add(
        "--calibration",
        type=Path,
        metavar="DATA.npz",
        help="real inputs of the model, for int8 and for the comparison",
    )
    add(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="module with the model's custom layers (may be repeated)",
    )
    add(
        "--input-range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="what the model's inputs can be (0 255 for pixels): refuses DATA that was scaled by mistake",
    )
    add("--no-fold", action="store_true", help="convert the model as it is")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check_archive(options.model)
    samples = _read_samples(options.calibration) if options.calibration else None
    default = PRECISIONS if samples is not None else PRECISIONS[:3]
    precisions = list(dict.fromkeys(options.precision or default))
    expect("int8" not in precisions or samples is not None, "--calibration for int8", "none")
    options.out.mkdir(parents=True, exist_ok=True)
    model = _load(options.model, options.imports)
    folded = _fold(model) if not options.no_fold else model
    answers = None if samples is None else _answers(model, samples, options.input_range)
    entries = {}
    print(
        f"{'precision':<10}{'bytes':>11}{'operators':>11}  {'XNNPACK takes':<15}{'largest difference':>18}",
        flush=True,
    )
    for precision in precisions:
        name, entry = _convert_one(folded, precision, samples, answers, options)
        entries[name] = entry
    from converters.base.environment import versions

    write_json(options.out / "manifest.json", {"versions": versions(), "models": entries})
    print(f"{len(entries)} files and manifest.json are in {options.out}")
    return 0


def _check_archive(path: Path) -> None:
    """Refuse what is no Keras 2 archive before TensorFlow is imported."""
    with path.open("rb"):
        pass  # a missing or unreadable file is told as such
    try:
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json"))["keras_version"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected a .keras file, got another or a damaged one") from error
    expect(version.startswith("2."), f"{path} to be saved by tf_keras (Keras 2)", f"Keras {version}")


def _read_samples(path: Path) -> np.ndarray:
    arrays = list(read_npz(path).values())
    expect(len(arrays) == 1, f"{path} with one array", f"{len(arrays)}")
    return arrays[0]


def _load(path: Path, imports: Sequence[str]) -> Any:
    for module in imports:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise InputError(f"expected --import to name a module, got {module}: {error}") from error
    from converters.base.environment import keras

    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (TypeError, ValueError, KeyError, OSError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
        raise InputError(
            f"{path}: expected a model that Keras can load (custom layers need --import), got: {reason[:200]}"
        ) from error


def _fold(model: Any) -> Any:
    from converters.model.folding import fold_with_notes

    folded, notes = fold_with_notes(model)
    for note in notes:
        print(note)
    return folded


def _answers(model: Any, samples: np.ndarray, input_range: list[float] | None) -> np.ndarray:
    """Return the model's answers to the calibration inputs, which are checked before a file is written."""
    from converters.model.calibration_samples import checked_samples

    limits = (input_range[0], input_range[1]) if input_range else None
    return model.predict(checked_samples(samples, model, input_range=limits), verbose=0)


def _convert_one(
    model: Any,
    precision: Precision,
    samples: np.ndarray | None,
    answers: np.ndarray | None,
    options: argparse.Namespace,
) -> tuple[str, dict[str, Any]]:
    """Convert, write and compare one file, a line of the table; return its name and manifest entry."""
    from converters.delegates.xnnpack import verdict, xnnpack_takes
    from converters.model.conversion import to_tflite
    from converters.runtimes.tensorflow_interpreter import run

    content, entry = to_tflite(model, precision=precision, calibration=samples)
    name = f"{options.model.stem}_{precision}.tflite"
    write_atomically(options.out / name, content)
    difference = "not compared"
    if samples is not None and answers is not None:
        difference = f"{np.abs(run(content, samples.astype(np.float32)) - answers).max():.1e}"
    taken, operators = xnnpack_takes(content)
    print(
        f"{precision:<10}{len(content):>11,}{operators:>11}  {verdict(taken, operators):<15}{difference:>18}",
        flush=True,
    )
    return name, entry


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="converters"))
