"""Write lenet_edge/golden/strings.json and strings_int8_qat.json: lines of digits and how they are read.

Lines are calibration digits (training digits) side by side. For each, the scores that TensorFlow gives with
an int8 lenet5_wide, as the file stores them, the least and most that a runtime may give
(converters.proof.tolerance), and the string that `lenet_edge.runtime.string_decoder` reads from them. In
strings.json, more strings are read from scores that are hard to decide, drawn at random. Every port must
reproduce all that is told of the file that it runs. `--check` only compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, exit_status
from converters.base.files import write_atomically
from converters.base.options import command_parser
from converters.file.graph import read_graph
from lenet_edge.digits.geometry import CLASSES, EMPTY, FIELD, OWN_WIDTH, STEP, windows
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.thresholds import string_threshold
from lenet_edge.runtime.string_decoder import DigitString, viterbi
from lenet_edge.runtime.string_reader import MARGIN

FOLDER = Path(__file__).resolve().parent.parent / "lenet_edge" / "golden"
FILES = {"strings.json": "lenet5_wide_int8.tflite", "strings_int8_qat.json": "lenet5_wide_int8_qat.tflite"}
"""The .tflite file that each is of."""

_LINES = {"three": (0, 1, 2), "pair": (10, 10), "one": (24,), "eight": (3, 5, 7, 9, 11, 13, 15, 17)}
"""The calibration digits of each line, by their number."""

_PITCH = 22  # columns from one digit's middle to the next
_HARD = 12  # strings from random scores


def line_of(numbers: Sequence[int]) -> NDArray[np.uint8]:
    """Return the calibration digits `numbers` side by side: uint8 (32, width)."""
    digits = pad(calibration_digits().images[list(numbers)])
    line = np.zeros((FIELD, FIELD + _PITCH * (len(numbers) - 1)), np.uint8)
    for place, digit in enumerate(digits):
        part = line[:, _PITCH * place :][:, :FIELD]
        np.maximum(part, digit, out=part)
    return line


def pieces_of(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `line` with margins, cut into overlapping pieces of the file's own width: (n, 32, 112)."""
    padded = np.pad(line, ((0, 0), (MARGIN, MARGIN)))
    step = STEP * windows(OWN_WIDTH)
    starts = range(0, STEP * windows(padded.shape[1]), step)
    wide = np.pad(padded, ((0, 0), (0, step * len(starts) + OWN_WIDTH - padded.shape[1])))
    return np.stack([wide[:, start : start + OWN_WIDTH] for start in starts])


def line_facts(name: str, numbers: Sequence[int], content: bytes) -> dict[str, Any]:
    """Return a line, its scores with their limits, and the string that they are read as."""
    from converters.proof.exact_arithmetic import LIMITS  # these load TensorFlow
    from converters.proof.tolerance import Tolerance
    from converters.runtimes.tensorflow_interpreter import run_stored

    line = line_of(numbers)
    inputs = pieces_of(line)[..., None].astype(np.float32)
    graph = read_graph(content)
    (sink,) = graph.outputs
    step, zero_point = float(sink.scales[0]), int(sink.zero_points[0])
    limits = Tolerance(graph, inputs).limits(np.arange(len(inputs)))
    low = np.clip(np.ceil(limits.low / step - 1e-9) + zero_point, *LIMITS[sink.type])
    high = np.clip(np.floor(limits.high / step + 1e-9) + zero_point, *LIMITS[sink.type])
    _, stored = run_stored(content, inputs)
    count = windows(line.shape[1] + 2 * MARGIN)
    scores, low, high = (one.astype(int).reshape(-1, CLASSES)[:count] for one in (stored, low, high))
    return {
        "name": name,
        "digits": "".join(str(calibration_digits().labels[number]) for number in numbers),
        "width": line.shape[1],
        "pixels": line.ravel().tolist(),
        "scores": scores.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "read": _string((step * (scores - zero_point)).astype(np.float32)),
    }


def hard_scores(number: int) -> NDArray[np.float64]:
    """Return scores (T, 11) of sum 1 that favour no string much; `number`: which."""
    random = np.random.default_rng(1998 + number)
    logits = random.normal(0, (1.0, 2.0, 5.0)[number % 3], (1 + 2 * number, CLASSES))
    logits[:, EMPTY] += 2 * (number % 2)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.round(shares / shares.sum(axis=1, keepdims=True), 9)


def _string(scores: NDArray[Any]) -> dict[str, Any]:
    found: DigitString = viterbi(scores)
    return {
        "text": found.text,
        "probability": _short(found.probability),
        "digits": [
            {
                "digit": one.digit,
                "probability": _short(one.probability),
                "left": _short(one.left),
                "right": _short(one.right),
            }
            for one in found.digits
        ],
    }


def _short(value: float) -> float:
    return float(f"{value:.9g}")


def strings(name: str) -> dict[str, Any]:
    """Return everything that the golden file `name` has."""
    file = FILES[name]
    content = (released_folder() / file).read_bytes()
    (sink,) = read_graph(content).outputs
    sha256 = hashlib.sha256(content).hexdigest()
    hard = _HARD if name == "strings.json" else 0  # the decoder's, whatever gave the scores
    return {
        "format": 1,
        "file": {
            "name": file,
            "sha256": sha256,
            "bytes": len(content),
            "unsure_below": string_threshold(sha256),
            "columns": OWN_WIDTH,
            "output": {
                "type": sink.type,
                "scale": float(sink.scales[0]),
                "zero_point": int(sink.zero_points[0]),
            },
        },
        "lines": [line_facts(name, numbers, content) for name, numbers in _LINES.items()],
        "hard": [{"scores": rows.tolist(), "read": _string(rows)} for rows in map(hard_scores, range(hard))],
    }


def as_text(facts: dict[str, Any]) -> str:
    """Return JSON, a line for each line of digits and each hard string."""
    parts = [f'"format": {facts["format"]}', f'"file": {json.dumps(facts["file"])}']
    for name in ("lines", "hard"):
        rows = ",\n  ".join(json.dumps(one, separators=(",", ":")) for one in facts[name])
        parts.append(f'"{name}": [\n  {rows}\n ]' if rows else f'"{name}": []')
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or compare them."""
    parser = command_parser(name="golden_strings.py", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="only compare the files with what they should be"
    )
    check = parser.parse_args(argv).check
    for name in FILES:
        text, path = as_text(strings(name)), FOLDER / name
        if not check:
            write_atomically(path, text)
        elif not path.is_file() or path.read_text() != text:
            raise InputError(
                f"expected {name} to be what scripts/golden_strings.py gives, got another: run it"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="golden_strings.py"))
