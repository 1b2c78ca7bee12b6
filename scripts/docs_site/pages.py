"""Gather the site's pages in one folder: a link leads to a page of the site, or to a copy of its file."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

REFERENCE = "docs/reference.md"
"""Where the page would be that reference.py makes: there is no such file."""

ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    REFERENCE: "reference.md",
    "android_demo/README.md": "android_demo.md",
    "examples/from_paper_to_phone.ipynb": "from_paper_to_phone.md",
    "examples/micro/README.md": "micro_example.md",
    "web_demo/README.md": "web_demo.md",
}
"""The pages that are not in docs/: where each is, and its name on the site."""

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
IMAGE = re.compile(r'(?P<before><img src=")(?P<target>[^"]+)')
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


class DeadLink(Exception):
    """A link to nothing: its text says from where to where."""


def pages(root: Path) -> dict[str, str]:
    """Return each page's path below `root` and its name on the site: all of docs/, and those elsewhere."""
    return {f"docs/{path.name}": path.name for path in sorted((root / "docs").glob("*.md"))} | ELSEWHERE


@dataclass(frozen=True, kw_only=True)
class Site:
    """What links are rewritten for: the repository `root`, the `folder` of the pages in Markdown.

    `titles`: of the pages, by their paths below `root`. `made`: files that are on the site and not below
    `root`, by name.
    """

    root: Path
    folder: Path
    titles: Mapping[str, str]
    made: Mapping[str, bytes]


def gather(root: Path, folder: Path, texts: Mapping[str, str], made: Mapping[str, bytes]) -> None:
    """Write the pages to `folder`, made anew, with the files that they link to and those `made` for them.

    `texts`: the Markdown of each page, by its path below `root`. Raises DeadLink.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    titles = {page: title(text) for page, text in texts.items()}
    site = Site(root=root, folder=folder, titles=titles, made=made)
    names = pages(root)
    for page, text in texts.items():
        (folder / names[page]).write_text(relinked(text, page, site))
    for name, content in made.items():
        (folder / name).write_bytes(content)


def title(text: str) -> str:
    """Return a page's first heading."""
    found = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    return found[1] if found else ""


def relinked(text: str, page: str, site: Site) -> str:
    """Return the page's Markdown with each link as the site has it; copies the files that it links to.

    A link that shows the path of a page shows its title instead. A folder has no page: its link becomes text.
    """

    def link(found: re.Match[str]) -> str:
        target = _target(found["target"], page, site)
        if target is None:
            return found["text"]
        of_page = posixpath.normpath(posixpath.join(posixpath.dirname(page), found["target"]))
        shows_a_path = found["text"].endswith(".md") and of_page in site.titles
        shown = site.titles[of_page] if shows_a_path else found["text"]
        return f"{found['picture']}[{shown}]({target})"

    def image(found: re.Match[str]) -> str:
        return f"{found['before']}{_target(found['target'], page, site)}"

    return _outside_of_code(text, lambda part: IMAGE.sub(image, LINK.sub(link, part)))


def _outside_of_code(text: str, change: Callable[[str], str]) -> str:
    """Return `text` with `change` made to all but the fenced code."""
    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(text[end:])])


def _target(target: str, page: str, site: Site) -> str | None:
    """Return a link's target as the site has it, None for a folder; copies a file that is no page."""
    if re.match(r"[a-z]+:|#", target) or target in site.made:
        return target
    path, _, anchor = target.partition("#")
    full = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    names = pages(site.root)
    if full in names:
        return names[full] + (f"#{anchor}" if anchor else "")
    if (site.root / full).is_dir():
        return None
    if not (site.root / full).is_file():
        raise DeadLink(f"expected a file for the link in {page}, got {target}")
    copy = full.removeprefix("docs/") if full.startswith("docs/") else f"files/{full}"
    (site.folder / copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(site.root / full, site.folder / copy)
    return copy
