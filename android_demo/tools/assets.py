"""Copy the package's models and golden vectors to an app's assets, each sha256 checked: assets.py FOLDER.

What the Gradle task `copyModels` does, where no Gradle runs, and leaves out of golden.json what the app does
not read: the drawings, which core's tests have, and other files' scores.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "lenet_edge"
FILES = tuple(f"lenet5_{precision}.tflite" for precision in ("int8_qat", "int8", "float16", "float32"))


def main(folder: Path) -> None:
    """Copy to `folder`, which is made anew; end with a line when a file is not what golden.json promises."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    golden = json.loads((PACKAGE / "golden" / "golden.json").read_text())
    promised = {name: golden["files"][name] for name in FILES}
    for name, facts in promised.items():
        path = PACKAGE / "released" / name
        if hashlib.sha256(path.read_bytes()).hexdigest() != facts["sha256"]:
            raise SystemExit(
                f"expected {name} to have golden.json's sha256, got another: run scripts/golden.py"
            )
        shutil.copy(path, folder)
    own = {**golden, "files": promised, "drawings": []}
    (folder / "golden.json").write_text(json.dumps(own, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
