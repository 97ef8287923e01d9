"""Links lead somewhere: pages, headings, files; the README and the manual keep their size."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from markdown_it.token import Token

from beancount_compute import manual
from tests.manual.blocks import MANUAL, PAGES, README, ROOT, blocks, tokens

EXAMPLES = sorted((ROOT / "example-ledgers").glob("*/README.md"))
TEXTS = [*PAGES, *EXAMPLES, ROOT / "CHANGELOG.md"]
# three quarters of what README and docs were before the manual, with room for what came since; of
# the last of it the two bills are a fifth
MOST = {"README.md": 10_000, "manual": 150_000}


def inlines(page: Path) -> list[Token]:
    return [child for token in tokens(page) for child in token.children or []]


def anchors(page: Path) -> list[str]:
    """The anchors that GitHub gives to the headings of a page."""
    read = tokens(page)
    titles = [read[at + 1].content for at, each in enumerate(read) if each.type == "heading_open"]
    return [manual.anchor(title) for title in titles]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the repository, and to a heading of it where one is named."""
    found = [str(t.attrs["href"]) for t in inlines(page) if t.type == "link_open"]
    found += [str(t.attrs["src"]) for t in inlines(page) if t.type == "image"]
    for link in found:
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            continue
        target = page.parent / parts.path if parts.path else page
        assert target.is_file(), link
        assert not parts.fragment or parts.fragment in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_one_title_and_no_heading_twice(page: Path) -> None:
    """So that an anchor names one place."""
    read = tokens(page)
    assert [each.tag for each in read if each.type == "heading_open"].count("h1") == 1
    assert len(anchors(page)) == len(set(anchors(page)))


def test_pages_link_only_to_pages() -> None:
    """What is shown in Fava and on a terminal has no other files beside it, and no pictures."""
    for page in PAGES[1:]:
        for token in inlines(page):
            assert token.type not in ("image", "html_inline"), page
            if token.type == "link_open":
                path = urlsplit(str(token.attrs["href"])).path
                assert path.removesuffix(".md") in ("", *manual.NAMES), page


def test_the_manual_is_all_that_lies_in_its_folder() -> None:
    """No page is forgotten in the list of pages, and each has a title."""
    assert {path.stem for path in MANUAL.glob("*.md")} == set(manual.NAMES)
    for name, page in manual.pages().items():
        assert page.text.startswith(f"# {page.title}\n")
        assert page.name == name


def test_the_readme_and_the_manual_are_short() -> None:
    """Things are said once: who adds a paragraph takes one away."""
    assert len(README.read_text("utf-8")) <= MOST["README.md"]
    assert sum(len(page.text) for page in manual.pages().values()) <= MOST["manual"]


def test_the_readme_leads_to_every_page() -> None:
    """It is the only way in for who has not installed anything."""
    linked = {str(t.attrs["href"]) for t in inlines(README) if t.type == "link_open"}
    assert {f"beancount_compute/manual/{name}.md" for name in manual.NAMES} <= linked
    assert sum(token.type == "image" for token in inlines(README)) == 1


def test_the_places_that_developers_are_told_of_are_there() -> None:
    """Modules, folders and functions of the way of an event."""
    text = manual.pages()["developers"].text
    places = set(re.findall(r"`(\w+(?:\.py|/))`", text))
    known = {path.name + "/" * path.is_dir() for path in ROOT.rglob("beancount_compute/**/*")}
    known |= {path.name + "/" * path.is_dir() for path in ROOT.glob("tests/**/*")}
    assert len(places) >= 12
    assert places - known == {"beancount_compute/", "tests/"}
    for function in re.findall(r"`(\w+)\(\)`", text):
        assert f"\ndef {function}(" in (ROOT / "beancount_compute" / "plugin.py").read_text("utf-8")


def test_what_developers_are_told_to_run_is_there() -> None:
    """The modules and files in the commands of their page."""
    (text,) = [block.text for block in blocks(MANUAL / "developers.md", "text")]
    files = re.findall(r"(?:python |pytest )(tests/\S+)|^(\S+/\S+)", text, re.MULTILINE)
    modules = [each.replace(".", "/") + ".py" for each in re.findall(r"-m (tests\S+)", text)]
    named = [first or other for first, other in files] + modules
    assert len(named) >= 6
    assert [name for name in named if not (ROOT / name).exists()] == []
