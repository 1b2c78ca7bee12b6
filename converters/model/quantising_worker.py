"""Quantise one file; converters.model.quantising_apart starts this.

python -m converters.model.quantising_worker FOLDER reads the job in FOLDER and leaves the file there, or why
there is none. It may die.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from converters.base.quiet import quieten_tensorflow
from converters.model.quantising_apart import FAILURE, JOB, RESULT, Job


def main(folder: Path) -> int:
    """Do the job in `folder`; return the exit status."""
    from converters.model.lite_converter import quantised

    job: Job = pickle.loads((folder / JOB).read_bytes())  # written by the process that started this one
    try:
        content = quantised(job.content, job.samples, job.arguments)
    except Exception as error:  # of many kinds, as the converter has them
        (folder / FAILURE).write_text(str(error) or type(error).__name__)
        return 1
    (folder / RESULT).write_bytes(content)
    return 0


if __name__ == "__main__":
    quieten_tensorflow()
    raise SystemExit(main(Path(sys.argv[1])))
