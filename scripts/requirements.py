"""Print the requirements of an extra of pyproject.toml, own extras resolved, a line each.

pip can install a project's requirements without the project itself only from such a list.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path


def requirements(project: dict, extra: str) -> list[str]:
    """Return the requirements of `extra` and of the extras that it names."""
    lines = list(project["dependencies"])
    for line in project["optional-dependencies"][extra]:
        own = re.fullmatch(r"lenet-edge\[(.+)\]", line)
        inner = own.group(1).split(",") if own else []
        lines += [one for name in inner for one in requirements(project, name)] if own else [line]
    return list(dict.fromkeys(lines))


def main(argv: Sequence[str] | None = None) -> None:
    """Print the requirements of the extra that `argv` names."""
    # Nothing of the package: it runs before anything is installed.
    parser = argparse.ArgumentParser(
        prog="requirements.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("extra", metavar="EXTRA", help="a name under optional-dependencies (dev)")
    extra = parser.parse_args(argv).extra
    try:
        import tomllib
    except ImportError:  # Python 3.10
        from pip._vendor import tomli as tomllib
    declared = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    known = declared["optional-dependencies"]
    if extra not in known:
        parser.error(f"expected one of {', '.join(known)}, got {extra}")
    print("\n".join([*requirements(declared, extra), "setuptools>=77", "wheel"]))


if __name__ == "__main__":
    main()
