"""With `fava --incognito` no amount leaves the server, whatever the view."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.fava_extension import fava_parts
from beancount_compute.fava_extension.incognito import NOTE, without_numbers
from tests.fava_extension.serving import (
    DIGITS_AS_X,
    ESTIMATES,
    EXTENSION,
    VIEWS,
    Site,
    example,
    tables,
)
from tests.reports.story import STORY

NUMBERS = "1.234,56 or -1,234.56 or 5 %"
DAY_OR_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(example("closed-quarter", tmp_path_factory.mktemp("hidden")), incognito=True)


def figures(page: dict[str, Any]) -> list[Any]:
    """All cells of figures, in tables, below pictures and in headlines."""
    found = [
        cell
        for table in tables(page).values()
        for row in table["rows"]
        for cell, column in zip(row, table["columns"], strict=True)
        if column.get("figure")
    ]
    for block in page["blocks"]:
        found += [item["value"] for item in block.get("items", []) if block["kind"] == "figures"]
    return found


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("asked", [{}, {"time": "2026-05"}, {"subscriber": "alice"}])
def test_no_figure_of_a_view_has_a_digit(site: Site, view: str, asked: dict[str, str]) -> None:
    """Neither as shown nor in full; and there are no pictures, whose axes would tell."""
    page = site.whole(view, *ESTIMATES, **asked)
    assert page["notes"][0] == NOTE
    assert not re.search("[0-9]", json.dumps(figures(page)))
    charts = [block for block in page["blocks"] if block["kind"] == "chart"]
    assert [chart["figure"] for chart in charts] == [None] * len(charts)
    assert not any(table["heat"] for table in tables(page).values())
    said = [block["caption"] for block in charts]
    said += [block["text"] for block in page["blocks"] if block["kind"] == "words"]
    assert not re.search("[0-9]", DAY_OR_MONTH.sub("", " ".join(said)))


def test_the_tie_outs_show_no_figures_either(site: Site) -> None:
    """They come by a request of their own."""
    page = site.page("close", endpoint="ties")
    assert figures(page)
    assert not re.search("[0-9]", json.dumps(figures(page)))


def test_no_order_tells_which_amount_is_larger(site: Site) -> None:
    """Not of subscribers, by whatever column; not of trades, whose largest would stand first."""
    by_name = [row[0] for row in tables(site.page("subscribers"))["subscribers"]["rows"]]
    for sort in ("units", "carrying_amount", "market_value", "share_used", "receivable", "payable"):
        for order in ("asc", "desc"):
            page = site.page("subscribers", sort=sort, order=order)
            block = tables(page)["subscribers"]
            shown = [row[0]["text"] for row in block["rows"]]
            names = [each["text"] for each in by_name]
            assert shown == (names if order == "asc" else names[::-1])
            assert any(
                note.startswith("Rows stand in the order of names") for note in page["notes"]
            )
            fixed = {each["key"] for each in block["columns"] if each.get("fixed")}
            assert sort in fixed
    days = [row[0] for row in tables(site.page("market"))["largest"]["rows"]]
    assert days == sorted(days)


def test_headlines_say_nothing_of_more_or_less(site: Site) -> None:
    """Even a sign tells something."""
    page = site.page("overview")
    items = [item for block in page["blocks"] for item in block.get("items", [])]
    assert {item["delta"] for item in items if "delta" in item} == {""}


def test_names_and_days_stay(site: Site) -> None:
    """Who, when and what are not hidden, as Fava does not."""
    page = site.page("subscribers", subscriber="alice")
    assert "2026-05-01" in json.dumps(tables(page)["lines"]["rows"])
    row = tables(site.page("subscribers"))["subscribers"]["rows"][0]
    assert row[0] == {"text": "alice", "go": row[0]["go"]}


def test_amounts_in_errors_are_hidden(ledger: Path) -> None:
    """The message says what is wrong, the place where; only amounts go."""
    ledger.write_text(
        f'{STORY}{EXTENSION}2026-06-21 custom "compute-consumption" "alice" 9999 CU\n'
    )
    ((place, message),) = tables(Site(ledger, incognito=True).page("close"))["errors"]["rows"]
    assert re.search(":[0-9]+$", place["text"])
    assert "9999" not in message
    assert "9999 CU".translate(DIGITS_AS_X) in message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The price is 0.25 USD on 2026-06-10.", "The price is X.XX USD on 2026-06-10."),
        (NUMBERS, NUMBERS.translate(DIGITS_AS_X)),
        ("lab-7 used 7 in 2026-W07 or 2026-Q2", "lab-7 used X in 2026-W07 or 2026-Q2"),
        ("events.csv:12: 100CU", "events.csv:12: " + "100CU".translate(DIGITS_AS_X)),
    ],
)
def test_a_sentence_keeps_its_days_and_names(text: str, shown: str) -> None:
    """A number is hidden wherever it is one."""
    (block,) = without_numbers([{"kind": "words", "text": text}], fava_parts.hidden)
    assert block["text"] == shown
