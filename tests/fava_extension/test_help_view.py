"""The manual in Fava: every page, whole, as text and elements and never as markup."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from beancount_compute import manual
from beancount_compute.fava_extension.help_view import elements
from tests.fava_extension.serving import EXTENSION, Site

TAGS = {"p", "a", "code", "pre", "strong", "em", "ul", "ol", "li", "h3", "h4"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


def content(site: Site, **asked: str) -> Any:
    """The elements of a page that is asked for."""
    contents, page = site.page("help", **asked)["blocks"]
    assert contents["pages"] == [[each.name, each.title] for each in manual.pages().values()]
    assert contents["topic"] == asked.get("topic", "start")
    return page["content"]


def flat(nodes: list[Any]) -> list[Any]:
    """All elements and texts of a page, in order."""
    found = []
    for node in nodes:
        found.append(node)
        if not isinstance(node, str):
            found += flat(node[2])
    return found


@pytest.mark.parametrize("name", manual.NAMES)
def test_a_page_is_shown_whole(market_year: Site, name: str) -> None:
    """Every text of its Markdown stands in it once, in elements that are known."""
    nodes = flat(content(market_year, topic=name))
    assert {node[0] for node in nodes if not isinstance(node, str)} <= TAGS
    texts = Counter(node.strip() for node in nodes if isinstance(node, str))
    wanted: Counter[str] = Counter()
    for token in MarkdownIt().enable("table").parse(manual.pages()[name].text):
        leaves = token.children or [token]
        wanted.update(leaf.content.strip() for leaf in leaves if leaf.content)
    assert +(wanted - texts) == Counter()


@pytest.mark.parametrize("name", manual.NAMES)
def test_every_link_of_a_page_leads_to_a_page_and_a_heading(market_year: Site, name: str) -> None:
    """Within the manual, without leaving Fava."""
    links = [
        node[1]
        for node in flat(content(market_year, topic=name))
        if not isinstance(node, str) and node[0] == "a"
    ]
    for link in links:
        if "go" not in link:
            assert link["href"].startswith("https://")
            continue
        topic, section = link["go"].get("topic", name), link["go"]["section"]
        there = flat(content(market_year, topic=topic))
        places = [node[1].get("id") for node in there if not isinstance(node, str)]
        assert not section or places.count(f"manual-{section}") == 1


def test_markup_stays_text() -> None:
    """A page is the package's own, and yet nothing of it is put in as markup."""
    shown = elements("# A\n\n<img src=x>\n\nb <b>c</b> [d](terms.md#e-f)\n\n    <i>\n\n- g\n")
    assert shown == [
        ["h3", {}, ["A"]],
        ["p", {}, ["<img src=x>"]],
        ["p", {}, ["b <b>c</b> ", ["a", {"go": {"topic": "terms", "section": "e-f"}}, ["d"]]]],
        ["pre", {"tabindex": "0"}, ["<i>"]],
        ["ul", {}, [["li", {}, ["g"]]]],
    ]
    assert elements("[x](javascript:alert(1))") == [["p", {}, ["[x](javascript:alert(1))"]]]


def test_help_is_there_without_books(ledger: Path) -> None:
    """In a ledger without the plugin, where it is needed most; errors and filters don't matter."""
    ledger.write_text(EXTENSION)
    page = Site(ledger).page("help", time="2026-05", account="Assets")
    assert page["notes"] == []
    assert [block["kind"] for block in page["blocks"]] == ["contents", "manual"]


def test_help_stays_readable_incognito(ledger: Path) -> None:
    """Its figures are nobody's."""
    ledger.write_text(EXTENSION)
    shown = Site(ledger, incognito=True).page("help", topic="language")
    assert "200.00" in json.dumps(shown)


def test_an_unknown_page_is_refused(market_year: Site) -> None:
    """With the names of those that there are, and the list of them to choose from."""
    refused = market_year.refusal("help", topic="xyzzy")["refused"]
    assert refused["topic"].startswith('no page "xyzzy" of the manual: there are start, terms, ')
