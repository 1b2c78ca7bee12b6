"""The documentation site: navigation, glossary, how links are rewritten, and which faults are seen."""

from __future__ import annotations

import ast
import importlib.util
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import converters
import lenet_edge

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts" / "docs_site"
PAGES, REFERENCE, LINKS = (
    runpy.run_path(str(SCRIPTS / f"{name}.py")) for name in ("pages", "reference", "links")
)
API = (ROOT / "docs" / "api.md").read_text()
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()


def slug(heading: str) -> str:
    """Return a heading's anchor, as forges and the site both make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_in_the_navigation_once():
    navigation = (ROOT / "zensical.toml").read_text().partition("\nnav = [")[2].partition("\n]\n")[0]
    assert sorted(re.findall(r'"([\w-]+\.md)"', navigation)) == sorted(PAGES["pages"](ROOT).values())


TERMS = {slug(heading) for heading in re.findall(r"^### (.+)$", GLOSSARY, flags=re.MULTILINE)}
SOURCES = [
    ROOT / page for page in PAGES["pages"](ROOT) if (ROOT / page).suffix == ".md" and (ROOT / page).exists()
]


def linked_terms(page: Path) -> set[str]:
    return set(re.findall(r"\]\((?:docs/)?glossary\.md#([^)]+)\)", page.read_text()))


def test_glossary_links_lead_to_terms_and_every_term_is_linked():
    linked = set().union(*(linked_terms(page) for page in SOURCES if page.name != "glossary.md"))
    assert linked == TERMS
    headings = [slug(heading) for heading in re.findall(r"^#+ (.+)$", GLOSSARY, flags=re.MULTILINE)]
    assert len(set(headings)) == len(headings)  # a second one of a name has another anchor


@pytest.fixture
def tree(tmp_path):
    """Return a small repository: two pages, a picture, a source file and a folder."""
    for name, text in {
        "README.md": "# Home\n",
        "docs/one.md": "# The first page\n",
        "docs/two.md": "# Two\n",
        "docs/paper/map.png": "pixels",
        "src/code.py": "pass\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def relinked(tree, text, page="docs/two.md"):
    site = PAGES["Site"](
        root=tree, folder=tree / "site", titles={"docs/one.md": "The first page"}, made={"drawn.png": b""}
    )
    return PAGES["relinked"](text, page, site)


def test_a_link_that_shows_a_page_s_path_shows_its_title(tree):
    assert relinked(tree, "see [one.md](one.md)") == "see [The first page](one.md)"
    assert relinked(tree, "[docs/one.md](docs/one.md)", "README.md") == "[The first page](one.md)"
    assert relinked(tree, "[that page](one.md#part)") == "[that page](one.md#part)"
    assert relinked(tree, "[home](../README.md)") == "[home](index.md)"


def test_a_file_is_copied_and_a_folder_becomes_text(tree):
    assert relinked(tree, "[code](../src/code.py), [src](../src)") == "[code](files/src/code.py), src"
    assert (tree / "site" / "files" / "src" / "code.py").read_text() == "pass\n"
    assert relinked(tree, '![map](paper/map.png) <img src="paper/map.png">') == (
        '![map](paper/map.png) <img src="paper/map.png">'
    )
    assert (tree / "site" / "paper" / "map.png").exists()


def test_code_and_addresses_stay(tree):
    text = "```md\n[one.md](one.md)\n```\n[there](https://example.org/one.md) [here](#part)\n"
    assert relinked(tree, text) == text


def test_a_file_that_is_made_for_the_site_is_linked_to(tree):
    assert relinked(tree, "![map](drawn.png)") == "![map](drawn.png)"


def test_a_dead_link_is_refused(tree):
    with pytest.raises(PAGES["DeadLink"], match=r"docs/two\.md, got none\.md"):
        relinked(tree, "[none](none.md)")


def faults(folder: Path, **pages: str) -> list[str]:
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<html><body>{body}</body></html>")
    return LINKS["faults"](folder)


def test_a_built_site_with_live_links_has_no_fault(tmp_path):
    (tmp_path / "map.png").touch()
    one = '<a href="two.html#here">to</a><img src="map.png"><a href="https://example.org">out</a>'
    assert faults(tmp_path, one=one, two='<h2 id="here">two</h2><a href="#here">up</a>') == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('<a href="three.html">x</a>', "three.html"),
        ('<a href="two.html#there">x</a>', "two.html#there"),
        ('<a href="#there">x</a>', "#there"),
        ('<img src="none.png">', "none.png"),
        ('<script src="https://example.org/x.js"></script>', "https://example.org/x.js"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "https://example.org/x.css"),
    ],
)
def test_a_dead_link_and_what_is_loaded_from_elsewhere_are_faults(tmp_path, body, named):
    (line,) = faults(tmp_path, one=body, two='<h2 id="here">two</h2>')
    assert line.startswith("one.html: ")
    assert line.endswith(named)


def reference_homes() -> list[str]:
    return re.findall(r"^::: ([\w.]+)$", REFERENCE["reference"](API, ROOT), flags=re.MULTILINE)


def test_the_reference_has_every_public_name_where_its_source_is():
    homes = reference_homes()
    names = [home.rpartition(".")[2] for home in homes]
    assert sorted(names) == sorted([*converters.__all__, *lenet_edge.__all__])
    for home in homes:
        module, _, name = home.rpartition(".")
        source = ast.parse(Path(importlib.util.find_spec(module).origin).read_text())
        defined = {getattr(node, "name", None) for node in source.body}
        imported = {
            alias.name for node in source.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert name in defined | imported, home


def test_every_name_in_the_table_links_to_its_docstring():
    targets = re.findall(r"\[`\w+`\]\(reference\.md#([\w.]+)\)", REFERENCE["linked"](API, ROOT))
    assert sorted(targets) == sorted(reference_homes())


def test_the_drawing_is_what_its_script_draws():
    drawing = runpy.run_path(str(ROOT / "scripts" / "draw_steps.py"))["drawing"]()
    assert (ROOT / "docs" / "steps.svg").read_text() == drawing


def test_examples_in_docstrings_become_code(monkeypatch):
    griffe = SimpleNamespace(Extension=object, Object=object)  # only where the site is built
    monkeypatch.setitem(sys.modules, "griffe", griffe)
    fenced = runpy.run_path(str(SCRIPTS / "doctests.py"))["fenced"]
    text = "Sum.\n\n>>> for n in [1]:\n...     n + 1\n2\n\nRaises nothing; a > b."
    code = "```pycon\n>>> for n in [1]:\n...     n + 1\n2\n```"
    assert fenced(text) == f"Sum.\n\n{code}\n\nRaises nothing; a > b."
