"""Copy the package's models and golden vectors to an app's assets, each sha256 checked: assets.py FOLDER.

What the Gradle task `copyModels` does, where no Gradle runs, and leaves out of golden.json and strings.json
what the app does not read: drawings and strings that are hard to decide, which core's tests have, and other
files' scores.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "lenet_edge"
FILES = tuple(f"lenet5_{precision}.tflite" for precision in ("int8_qat", "int8", "float16", "float32"))


def promised() -> dict[str, str]:
    """Return the sha256 that the golden vectors have of each packed model, by its name."""
    files, wide = _golden("golden.json")["files"], _golden("strings.json")["file"]
    return {name: files[name]["sha256"] for name in FILES} | {wide["name"]: wide["sha256"]}


def main(folder: Path) -> None:
    """Copy to `folder`, which is made anew; end with a line when a file is not that of the golden vectors."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, sha256 in promised().items():
        path = PACKAGE / "released" / name
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise SystemExit(
                f"expected {name} to have the golden vectors' sha256, got another: run scripts/golden.py or "
                "scripts/golden_strings.py"
            )
        shutil.copy(path, folder)
    golden, strings = _golden("golden.json"), _golden("strings.json")
    files = {name: golden["files"][name] for name in FILES}
    _write(folder / "golden.json", {**golden, "files": files, "drawings": []})
    _write(folder / "strings.json", {**strings, "hard": []})


def _golden(name: str) -> Mapping[str, object]:
    return json.loads((PACKAGE / "golden" / name).read_text())


def _write(path: Path, facts: Mapping[str, object]) -> None:
    path.write_text(json.dumps(facts, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
