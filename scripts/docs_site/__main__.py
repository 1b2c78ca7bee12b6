"""`python scripts/docs_site`: build the documentation site (`make docs`).

The pages are docs/*.md, some from elsewhere (pages.py), the notebook, and an API reference from docstrings.
Zensical builds them strictly, configured by zensical.toml; then every link is followed. Needs what
scripts/docs_site/requirements.txt lists.

Status: 0 when the site stands, 1 when a link is dead or a page loads something from elsewhere.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from links import faults
from notebook import as_markdown
from pages import ELSEWHERE, REFERENCE, DeadLink, gather, pages
from reference import PAGE, linked, reference

ROOT = Path(__file__).resolve().parents[2]
FOLDER, SITE = ROOT / "build" / "docs", ROOT / "build" / "site"
"""Those of zensical.toml."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    argparse.ArgumentParser(
        prog="docs_site", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(argv)
    try:
        write_pages(FOLDER)
    except DeadLink as error:
        print(error, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    built = subprocess.run([*command, "--config-file", str(ROOT / "zensical.toml")], cwd=ROOT)
    lines = faults(SITE) if built.returncode == 0 else []
    if built.returncode or lines:
        print("\n".join(lines))
        return 1
    print(f"{len(pages(ROOT))} pages: build/site/index.html")
    return 0


def write_pages(folder: Path) -> None:
    """Write all pages in Markdown to `folder`, with the pictures and files that they show or link to."""
    made = {REFERENCE, *(page for page in ELSEWHERE if page.endswith(".ipynb"))}
    texts = {page: (ROOT / page).read_text() for page in pages(ROOT) if page not in made}
    texts[REFERENCE] = reference(texts[PAGE], ROOT)
    texts[PAGE] = linked(texts[PAGE], ROOT)
    files = {"site.css": (Path(__file__).parent / "site.css").read_bytes()}
    for page in made - {REFERENCE}:
        texts[page], pictures = as_markdown(ROOT / page)
        files |= pictures
    gather(ROOT, folder, texts, files)


if __name__ == "__main__":
    raise SystemExit(main())
