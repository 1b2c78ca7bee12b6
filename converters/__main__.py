"""Convert a saved Keras model, or a SavedModel, to a TensorFlow Lite file for each precision.

In a Keras model, layers that only scale and shift are folded first.
"""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from converters.base.arrays import read_arrays
from converters.base.errors import exit_status, expect
from converters.base.files import make_folder, write_atomically, write_json
from converters.base.kerases import BACKEND
from converters.base.model_files import check_model_file
from converters.base.options import (
    add_conversion_options,
    add_import_option,
    add_model_argument,
    add_trust_option,
    command_parser,
)
from converters.base.precisions import CALIBRATED, PRECISIONS
from converters.base.shapes import shapes_of_texts
from converters.base.untyped import Json
from converters.base.words import counted
from converters.proof.cell import Cell

if TYPE_CHECKING:
    from converters.proof.checked_files import CheckedFile

EPILOG = """\
MODEL is a .keras, .h5 or .hdf5 file that Keras 3 or Keras 2 (tf_keras) saved, or the folder of a SavedModel,
which model.export writes. A SavedModel is converted as it is, without folding. So is a fine-tuned model,
which must be in an .h5 file, and only to int8.

examples:
  python -m converters MODEL.keras --calibration DATA.npz
  python -m converters MODEL.keras --precision float32 --precision float16
  python -m converters MODEL.keras --calibration DATA.npz --import my_package.layers
  python -m converters EXPORTED/ --calibration DATA.npz
  python -m converters MODEL.keras --calibration DATA.npz --precision int8 --keep-float first_conv scores
  python -m converters MODEL.keras --shape 96x96x3

DATA.npz holds a few hundred real inputs (n, ...): one array or, for a model with several inputs, an array for
each, by the input's name. int8 and int16 (16-bit activations, 8-bit weights) take their ranges from it. Every
file is compared with the model on it, and proven as by python -m converters.prove. The exit status is 1 if a
file is out of tolerance, 2 on bad input.

--import names the module that registers MODEL's custom layers (keras.saving.register_keras_serializable).
The module is run, so name only one that you trust. A model that holds code (a Lambda layer, a Python
function), or that names code outside of Keras, is refused unless --trust-code is given. A model saved under
JAX or PyTorch is run on TensorFlow.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="python -m converters", description=__doc__, epilog=EPILOG)
    add_conversion_options(parser, default="float32, float16 and dynamic; with --calibration int8 too")
    add = parser.add_argument
    add_model_argument(parser)
    add(
        "--calibration",
        type=Path,
        metavar="DATA.npz",
        help="real inputs of the model: for int8 and int16, and to compare each file with the model",
    )
    add_import_option(parser)
    add(
        "--input-range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="range of the model's inputs (0 255 for pixels): DATA that was scaled by mistake is refused",
    )
    add(
        "--shape",
        action="append",
        default=[],
        metavar="[NAME=]SIDES",
        help="shape of an input, without the batch, where the model leaves sides open: 96x96x3, or "
        "NAME=96x96x3 if it has several inputs (may be repeated)",
    )
    add(
        "--keep-float",
        nargs="+",
        default=[],
        metavar="LAYER",
        help="names of layers that stay in float32 in the int8 file",
    )
    add_trust_option(parser)
    add(
        "--prove",
        choices=("one", "all"),
        default="one",
        help="prove each file on DATA in TensorFlow's interpreter (one, the default) or in every runtime "
        "found here (all)",
    )
    add(
        "--per-channel-dense",
        action="store_true",
        help="give each output of a dense kernel its own scale in the int8 file: more accurate, above all "
        "where a batch normalisation was folded in; but NNAPI refuses it, and TensorFlow Lite Micro from "
        "before 2024 gives wrong answers without a message",
    )
    add("--no-fold", action="store_true", help="convert the model without folding it")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    check_model_file(options.model, trust_code=options.trust_code)
    shape = shapes_of_texts(options.shape)
    samples = read_arrays(options.calibration) if options.calibration else None
    expect(samples is None or samples, f"{options.calibration} with an array", "none")
    default = PRECISIONS if samples is not None else PRECISIONS[:3]
    precisions = list(dict.fromkeys(options.precision or default))
    needing = [one for one in precisions if one in CALIBRATED]
    expect(samples is not None or not needing, f"--calibration for {' and '.join(needing)}", "none")
    for_int8 = {"--keep-float": options.keep_float, "--per-channel-dense": options.per_channel_dense}
    given = " and ".join(option for option, value in for_int8.items() if value)
    expect("int8" in precisions or not given, f"{given} with an int8 file", f"only {', '.join(precisions)}")
    make_folder(options.out)
    os.environ[BACKEND] = "tensorflow"  # its converter takes no other; this process is ours
    # TensorFlow takes seconds to import: bad input has been rejected by now.
    from converters.model.folding import fold_with_notes
    from converters.model.loading import load_model
    from converters.model.saved_model import SavedModel
    from converters.model.unrounded import is_quantized
    from converters.proof.checked_files import Wishes, check_wishes, checked_files, reference_of
    from converters.proof.file_prover import FileProver
    from converters.proof.proving import prove

    model = load_model(options.model, modules=options.imports, trust_code=options.trust_code)
    if isinstance(model, SavedModel):
        folded, notes = model, ["a SavedModel is not folded: converted as it is"]
    elif is_quantized(model):
        folded, notes = model, ["a fine-tuned model is not folded: converted as it is"]
    else:
        folded, notes = (model, []) if options.no_fold else fold_with_notes(model)
    for note in notes:
        print(note)
    wishes = Wishes(
        precisions=precisions,
        shape=shape,
        keep_float=options.keep_float,
        per_channel_dense=options.per_channel_dense,
    )
    check_wishes(folded, wishes)
    limits = tuple(options.input_range) if options.input_range else None
    reference = None if samples is None else reference_of(model, samples, input_range=limits)
    prover = None if reference is None else FileProver(folded, reference, shape=shape)
    checked = checked_files(folded, wishes=wishes, reference=reference, prover=prover)
    files, is_out = _write(checked, options.out, stem=options.model.absolute().stem)
    if options.prove == "all" and reference is not None:
        show = functools.partial(print, flush=True)
        is_out = prove(model, files, reference.inputs, least=1, print_lines=show).verdict == "out" or is_out
    return 1 if is_out else 0


def _write(files: Iterable[CheckedFile], out: Path, *, stem: str) -> tuple[dict[str, bytes], bool]:
    """Write each file to `out` and print its row; return all by name, and whether one is out of tolerance."""
    from converters.base.environment import versions
    from converters.delegates.xnnpack import verdict, xnnpack_takes

    print(
        _row("precision", "bytes", "operators", "XNNPACK takes", "largest difference", "verdict"), flush=True
    )
    written: dict[str, bytes] = {}
    entries: dict[str, dict[str, Json]] = {}
    is_out = False
    try:
        for file in files:
            name = f"{stem}_{file.precision}.tflite"
            write_atomically(out / name, file.content)
            entries[name], written[name] = file.entry, file.content
            taken, operators = xnnpack_takes(file.content)
            difference = "not compared" if file.difference is None else f"{file.difference:.1e}"
            size, takes = f"{len(file.content):,}", verdict(taken, operators)
            row = _row(file.precision, size, str(operators), takes, difference, _said(file.cell))
            print(row, flush=True)
            is_out = is_out or (file.cell is not None and file.cell.verdict == "out")
    finally:
        if entries:  # the files that were written before one failed count too
            write_json(out / "manifest.json", {"versions": versions(), "models": entries})
    print(f"{counted(len(entries), 'file')} and manifest.json are in {out}")
    return written, is_out


def _row(precision: str, size: str, operators: str, taken: str, difference: str, verdict: str) -> str:
    return f"{precision:<10}{size:>11}{operators:>11}  {taken:<15}{difference:>18}  {verdict}".rstrip()


def _said(cell: Cell | None) -> str:
    return "" if cell is None else cell.sentence


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="converters"))
