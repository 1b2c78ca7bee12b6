"""A notebook as a page of the site: its text, code, printed lines and pictures."""

from __future__ import annotations

from pathlib import Path


def as_markdown(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return the notebook in Markdown, and the PNG files that it shows, by name."""
    from nbconvert import MarkdownExporter  # only where the site is built

    text, resources = MarkdownExporter().from_filename(str(path))
    return text, resources["outputs"]
