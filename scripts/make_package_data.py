"""Write the digits that ship inside the package: the test digits and the calibration digits.

The same MNIST files and the same zlib give the same bytes: the gzip header holds no time and no name.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

from converters.base.errors import exit_status
from converters.base.files import make_folder, write_atomically
from converters.base.options import command_parser
from lenet_edge.digits import idx, mnist

FOLDER = Path(__file__).resolve().parents[1] / "lenet_edge" / "data"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the four files of lenet_edge/data and print their sizes."""
    parser = command_parser(name="make_package_data.py", description=__doc__)
    parser.add_argument("--data", metavar="DIR", help="folder with the four MNIST files")
    data = parser.parse_args(argv).data
    make_folder(FOLDER)

    test = {
        name: mnist.read_file(mnist.find_file(name, data=data), name)
        for name in mnist.FILES
        if name.startswith("t10k")
    }
    calibration = mnist.choose_calibration(mnist.training_digits(data=data))
    arrays = test | {
        "calibration-images-idx3-ubyte": calibration.images,
        "calibration-labels-idx1-ubyte": calibration.labels,
    }
    for name, array in arrays.items():
        path = write_atomically(FOLDER / f"{name}.gz", gzip.compress(idx.idx_bytes(array), 9, mtime=0))
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="make_package_data.py"))
