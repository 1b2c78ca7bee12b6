"""Build HTML that is well-formed XML too; everything that is not Markup is escaped."""

from __future__ import annotations

from html import escape

_EMPTY = ("img", "meta", "wbr")


class Markup(str):
    """Text that is HTML already, and is not escaped."""

    __slots__ = ()


def element(tag: str, /, *children: object, **attributes: object) -> Markup:
    """Return the element `tag`; its children are escaped unless they are Markup, and left out if None.

    Attribute names lose a trailing underscore (class_) and get hyphens for the others; None omits one.
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
    """Concatenate `children`, escaped unless they are Markup; None is left out."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(str(child))
            for child in children
            if child is not None
        )
    )


def table(head: Markup, *rows: Markup, class_: str) -> Markup:
    """Return a table of a `head` row and `rows`; it scrolls sideways if it is too wide."""
    content = element("table", element("thead", head), element("tbody", *rows), class_=class_)
    return element("div", content, class_="wide")


def row(name: object, *cells: object) -> Markup:
    """Return a table row: `name` as its heading, then the cells."""
    return element("tr", element("th", name, scope="row"), *(element("td", cell) for cell in cells))


def heads(*names: object) -> Markup:
    """Return a table's head row."""
    return element("tr", *(element("th", name, scope="col") for name in names))


def breakable(name: str) -> Markup:
    """Return a file's `name`, which may break after each underscore."""
    parts = name.split("_")
    return joined(*(joined(f"{part}_", element("wbr")) for part in parts[:-1]), parts[-1])
