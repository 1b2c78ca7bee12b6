"""HTML made by functions, well formed as XML too: whatever is not markup yet is escaped."""

from __future__ import annotations

from html import escape

_EMPTY = ("img", "meta", "wbr")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, /, *children: object, **attributes: object) -> Markup:
    """Return the element `tag`; its children are escaped unless they are Markup, and left out if None.

    Attributes lose an underscore at their end (class_) and have hyphens for others; None leaves one out.
    """
    words = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY:
        return Markup(f"<{tag}{words}/>")
    return Markup(f"<{tag}{words}>{joined(*children)}</{tag}>")


def joined(*children: object) -> Markup:
    """Return `children` one after another, escaped unless they are Markup, without those that are None."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(str(child))
            for child in children
            if child is not None
        )
    )


def table(head: Markup, *rows: Markup, class_: str) -> Markup:
    """Return a table of a `head` row and `rows`, which can be moved sideways where it is too wide."""
    whole = element("table", element("thead", head), element("tbody", *rows), class_=class_)
    return element("div", whole, class_="wide")


def row(name: object, *cells: object) -> Markup:
    """Return a table's row: `name` is its heading, each other a cell."""
    return element("tr", element("th", name, scope="row"), *(element("td", cell) for cell in cells))


def heads(*names: object) -> Markup:
    """Return a table's head row."""
    return element("tr", *(element("th", name, scope="col") for name in names))


def breakable(name: str) -> Markup:
    """Return a file's `name`, which may go on in another line behind each underscore."""
    parts = name.split("_")
    return joined(*(joined(f"{part}_", element("wbr")) for part in parts[:-1]), parts[-1])
