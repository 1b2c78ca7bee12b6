"""Check the built pages: every link leads somewhere, and no page loads anything from another machine.

Zensical's strict build looks at links between pages alone, not at those to files, nor at the navigation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
"""Elements whose address a browser asks for without a click, and its attribute."""


@dataclass(kw_only=True)
class Links:
    """What a page has: `ids` that a link may name, addresses of its `links`, and of what it loads."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Links()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.found.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.found.links.append(values["href"])
        elif tag == "link" and "href" in values and values.get("rel") != "canonical":
            self.found.loaded.append(values["href"])
        elif LOADED.get(tag) in values:
            self.found.loaded.append(values[LOADED[tag]])


def links_of(page: Path) -> Links:
    """Return what a page of HTML links to and loads."""
    reader = _Reader()
    reader.feed(page.read_text())
    return reader.found


def faults(site: Path) -> list[str]:
    """Return a line for each dead link and each thing that is loaded from elsewhere; none: []."""
    found = {page: links_of(page) for page in sorted(site.rglob("*.html")) if page.name != "404.html"}
    lines = []
    for page, links in found.items():
        name = page.relative_to(site)
        for address in links.loaded:
            if urlsplit(address).netloc:
                lines.append(f"{name}: expected only files of the site, got {address}")
        for address in (*links.links, *links.loaded):
            if not urlsplit(address).scheme and not urlsplit(address).netloc:
                lines += [f"{name}: dead link to {address}"] if _dead(address, page, found) else []
    return lines


def _dead(address: str, page: Path, found: dict[Path, Links]) -> bool:
    parts = urlsplit(address)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    return bool(parts.fragment) and target in found and unquote(parts.fragment) not in found[target].ids
