"""The API reference: each public name's docstring, in the order and under the headings of docs/api.md."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

PAGE = "docs/api.md"
LAYERS = ("lenet_edge/paper/layers.py", "lenet_edge/paper/losses.py")
"""Where those classes are defined that a function makes for each Keras: only there can they be read."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading of docs/api.md, its package, and the names in its table."""

    heading: str
    package: str
    names: tuple[str, ...]


def sections(api: str) -> list[Section]:
    """Return the sections of docs/api.md that have a table of names."""
    found = []
    for part in re.split(r"^## ", api, flags=re.MULTILINE)[1:]:
        heading, _, rest = part.partition("\n")
        cells = re.findall(r"^\| (`[^|]+`) \|", rest, flags=re.MULTILINE)
        names = tuple(name for cell in cells for name in re.findall(r"`(\w+)`", cell))
        if names:
            title, _, package = heading.partition(": ")
            found.append(Section(heading=title, package=package.strip("`"), names=names))
    return found


def reference(api: str, root: Path) -> str:
    """Return the page in Markdown, with a directive of mkdocstrings for each name."""
    lines = ["# API reference", "", "What the docstrings say of each public name. [Examples](api.md).", ""]
    for section in sections(api):
        lines += [f"## {section.heading}", "", f"`import {section.package}`", ""]
        for name in section.names:
            options = ["    options:", f"      heading: {name}", f"      toc_label: {name}"]
            lines += [f"::: {home(name, section.package, root)}", *options, ""]
    return "\n".join(lines)


def home(name: str, package: str, root: Path) -> str:
    """Return the dotted path under which the source of a public name can be read.

    It is where the package imports the name from for type checkers: the name itself loads late.
    """
    for file in LAYERS:
        path = root / file
        if package == "lenet_edge" and _defines(path, name):
            return f"{file.removesuffix('.py').replace('/', '.')}.{name}"
    imports = ast.walk(ast.parse((root / package / "__init__.py").read_text()))
    homes = [one.module for one in imports if isinstance(one, ast.ImportFrom) and _imports(one, name)]
    return f"{homes[0]}.{name}"


def _imports(statement: ast.ImportFrom, name: str) -> bool:
    return name in [alias.name for alias in statement.names]


def _defines(path: Path, name: str) -> bool:
    return bool(re.search(rf"^(class|def) {name}\b", path.read_text(), flags=re.MULTILINE))


def linked(api: str, root: Path) -> str:
    """Return docs/api.md with each name in a table linked to its place in the reference."""
    for section in sections(api):
        for name in section.names:
            link = f"[`{name}`](reference.md#{home(name, section.package, root)})"
            api = re.sub(rf"^(\| [^|]*?)(?<!\[)`{name}`", rf"\g<1>{link}", api, flags=re.MULTILINE)
    return api
