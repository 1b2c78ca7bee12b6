"""Print the requirements of an extra of pyproject.toml, own extras resolved, a line each.

pip can install a project's requirements without the project itself only from such a list.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def requirements(project: dict, extra: str) -> list[str]:
    """Return the requirements of `extra` and of the extras that it names."""
    lines = list(project["dependencies"])
    for line in project["optional-dependencies"][extra]:
        own = re.fullmatch(r"lenet-edge\[(.+)\]", line)
        inner = own.group(1).split(",") if own else []
        lines += [one for name in inner for one in requirements(project, name)] if own else [line]
    return list(dict.fromkeys(lines))


if __name__ == "__main__":
    try:
        import tomllib
    except ImportError:  # Python 3.10
        from pip._vendor import tomli as tomllib
    declared = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    print("\n".join([*requirements(declared, sys.argv[1]), "setuptools>=77", "wheel"]))
