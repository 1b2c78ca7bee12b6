"""Write lenet_edge/golden: what every port must reproduce, as JSON and a C header; `--check` only compares.

Pictures are calibration digits (training digits), a blank one, a full one and noise. For each released file
the scores that TensorFlow gives, as the file stores them, and the least and most that a runtime may give
(converters.proof.tolerance), and below which score its answer is unsure (scripts/thresholds.py). Drawings
with the 32x32 pictures that `lenet_edge.picture.drawing` makes of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import make_folder, write_atomically
from converters.base.options import command_parser
from converters.file.graph import Tensor, read_graph
from lenet_edge.digits.geometry import middle
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import packaged_models
from lenet_edge.packaged.names import WIDE
from lenet_edge.picture.drawing import picture_of_drawing

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "lenet_edge" / "released"
GOLDEN = ROOT / "lenet_edge" / "golden"


def pictures() -> list[dict[str, Any]]:
    """Return the pictures: name, label (None when it is no digit) and 1,024 pixels, row by row."""
    digits = calibration_digits()
    found = []
    for label in range(10):
        for number, place in enumerate(np.flatnonzero(digits.labels == label)[:2]):
            found.append((f"digit-{label}-{number}", label, pad(digits.images[place : place + 1])[0]))
    noise = np.random.default_rng(1998).integers(0, 256, (32, 32), np.uint8)
    found.append(("blank", None, np.zeros((32, 32), np.uint8)))
    found.append(("full", None, np.full((32, 32), 255, np.uint8)))
    found.append(("noise", None, noise))
    return [{"name": n, "label": label, "pixels": p.ravel().tolist()} for n, label, p in found]


def file_facts(name: str, content: bytes, pixels: np.ndarray) -> dict[str, Any]:
    """Return a file's hash, its ends, and its scores of `pixels` (n, 32, 32) with their limits."""
    from converters.proof.exact_arithmetic import LIMITS  # these load TensorFlow
    from converters.proof.tolerance import Tolerance
    from converters.runtimes.tensorflow_interpreter import run_stored

    graph, sha256 = read_graph(content), hashlib.sha256(content).hexdigest()
    (source,), (sink,) = graph.inputs, graph.outputs
    size = source.shape[1]
    inputs = middle(pixels, side=size)[..., None].astype(np.float32)
    _, scores = run_stored(content, inputs)
    low, high = Tolerance(graph, inputs).limits(np.arange(len(inputs)))
    if sink.type in LIMITS:
        step, zero_point = float(sink.scales[0]), int(sink.zero_points[0])
        low = np.clip(np.ceil(low / step - 1e-9) + zero_point, *LIMITS[sink.type]).astype(int)
        high = np.clip(np.floor(high / step + 1e-9) + zero_point, *LIMITS[sink.type]).astype(int)
    else:
        scores, low, high = (np.vectorize(_short, otypes=[float])(a) for a in (scores, low, high))
    return {
        "sha256": sha256,
        "bytes": len(content),
        **_unsure(name, sha256),
        "input": {"size": size, **_end(source)},
        "output": _end(sink),
        "scores": scores.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


def _unsure(name: str, sha256: str) -> dict[str, float]:
    """Return below which score an answer of the file is unsure; nothing for a file without a threshold."""
    facts = json.loads((RELEASED / "thresholds.json").read_text())["files"].get(name)
    if facts is None:
        return {}
    right = facts["sha256"] == sha256
    expect(right, f"released/thresholds.json to be of {name}", "another's: run scripts/thresholds.py")
    return {"unsure_below": facts["unsure_below"]}


def _short(value: float) -> float:
    """Return `value` as nine digits tell it: enough for float32."""
    return float(f"{value:.9g}")


def _end(tensor: Tensor) -> dict[str, Any]:
    if not tensor.scales.size:
        return {"type": tensor.type}
    return {
        "type": tensor.type,
        "scale": float(tensor.scales[0]),
        "zero_point": int(tensor.zero_points[0]),
    }


def drawings() -> list[dict[str, Any]]:
    """Return drawings, width, height and ink row by row, each with its picture's pixels."""
    digits = pad(calibration_digits().images[:3])
    slanted = np.zeros((60, 40), np.uint8)
    for row in range(5, 55):
        slanted[row, 30 - row // 3 : 35 - row // 3] = 255
    dot = np.zeros((7, 9), np.uint8)
    dot[3, 4] = 1
    bar = np.zeros((11, 90), np.uint8)
    bar[4:7, 3:88] = 200
    ring = np.hypot(*(np.mgrid[:64, :64] - 31.5))
    cases = {
        "digit-3x": np.kron(digits[0], np.ones((3, 3), np.uint8)),
        "digit-2x": np.kron(digits[1], np.ones((2, 2), np.uint8)),
        "digit-5x-wide": np.kron(digits[2], np.ones((2, 5), np.uint8)),
        "one": slanted,
        "faint-dot": dot,
        "bar": bar,
        "ring": np.clip(255 * (6 - np.abs(ring - 22)), 0, 255).astype(np.uint8),
    }
    return [
        {
            "name": name,
            "width": ink.shape[1],
            "height": ink.shape[0],
            "ink": ink.ravel().tolist(),
            "pixels": picture_of_drawing(ink).ravel().tolist(),
        }
        for name, ink in cases.items()
    ]


def golden() -> dict[str, Any]:
    """Return everything, as golden.json has it."""
    shown = pictures()
    pixels = np.array([picture["pixels"] for picture in shown], np.uint8).reshape(-1, 32, 32)
    of_one_digit = sorted(name for name, one in packaged_models().items() if one["model"] != WIDE)
    files = {name: (RELEASED / name).read_bytes() for name in of_one_digit}
    return {
        "format": 1,
        "pictures": shown,
        "files": {name: file_facts(name, content, pixels) for name, content in files.items()},
        "drawings": drawings(),
    }


def as_json(value: Any, indent: int = 0) -> str:
    """Return JSON in which a list of numbers is one line."""
    outer, inner = " " * indent, " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {as_json(one, indent + 1)}" for key, one in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{outer}}}"
    if isinstance(value, list) and not all(isinstance(one, (int, float)) for one in value):
        return "[\n" + ",\n".join(inner + as_json(one, indent + 1) for one in value) + f"\n{outer}]"
    return json.dumps(value, separators=(",", ":"))


def as_header(facts: dict[str, Any]) -> str:
    """Return the same as a C header (C99 and C++11), without the drawings' names of other languages."""
    shown, files, cases = facts["pictures"], facts["files"], facts["drawings"]
    lines = [
        "/* Golden vectors of lenet-edge: golden.json as C99 and C++11. Made by scripts/golden.py. */",
        "#ifndef LENET_EDGE_GOLDEN_H_",
        "#define LENET_EDGE_GOLDEN_H_",
        "",
        "#include <stdint.h>",
        "",
        f"#define GOLDEN_PICTURES {len(shown)}",
        f"/* {', '.join(picture['name'] for picture in shown)} */",
        _array("uint8_t", "golden_pictures", "[GOLDEN_PICTURES][1024]", [p["pixels"] for p in shown]),
    ]
    for name, file in files.items():
        stem, kind = name.removesuffix(".tflite"), file["output"]["type"]
        c_type = "float" if kind == "float32" else f"{kind}_t"
        lines.append(f"/* {name}, sha256 {file['sha256']} */")
        for what in ("scores", "low", "high"):
            lines.append(_array(c_type, f"golden_{stem}_{what}", "[GOLDEN_PICTURES][10]", file[what]))
    for case in cases:
        stem = f"golden_drawing_{case['name'].replace('-', '_')}"
        lines.append(f"/* a drawing of {case['width']} by {case['height']}, and its picture */")
        lines.append(_array("uint8_t", f"{stem}_ink", f"[{case['height']} * {case['width']}]", case["ink"]))
        lines.append(_array("uint8_t", f"{stem}_pixels", "[1024]", case["pixels"]))
    return "\n".join([*lines, "", "#endif", ""])


def _array(c_type: str, name: str, shape: str, rows: list[Any]) -> str:
    return f"static const {c_type} {name}{shape} = {_braces(rows)};"


def _braces(value: Any) -> str:
    if isinstance(value, list):
        return "{" + ",".join(_braces(one) for one in value) + "}"
    return f"{value!r}f" if isinstance(value, float) else str(value)


def main(argv: Sequence[str] | None = None) -> int:
    """Write both files, or compare."""
    parser = command_parser(name="golden.py", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="only compare the files with what they should be"
    )
    check = parser.parse_args(argv).check
    make_folder(GOLDEN)
    facts = golden()
    wanted = {"golden.json": as_json(facts) + "\n", "golden.h": as_header(facts)}
    for name, text in wanted.items():
        path = GOLDEN / name
        if not check:
            write_atomically(path, text)
        elif path.read_text() != text:
            raise InputError(f"expected {name} to be what scripts/golden.py gives, got another: run it")
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="golden.py"))
