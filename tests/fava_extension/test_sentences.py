"""What pages say about figures is true of them: sentences, titles, notes, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fava_extension.serving import EXTENSION, Site, exact, rows, tables
from tests.reports.story import STORY


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The story of the language in Fava."""
    ledger = tmp_path_factory.mktemp("story") / "main.beancount"
    ledger.write_text(STORY + EXTENSION)
    return Site(ledger)


def said(page: dict[str, Any], name: str) -> str:
    """What a picture says in words; names begin as given."""
    (text,) = [
        block["said"]
        for block in page["blocks"]
        if block["kind"] == "chart" and block["name"].startswith(name)
    ]
    return str(text)


def words(page: dict[str, Any]) -> list[str]:
    """The paragraphs of a page."""
    return [block["text"] for block in page["blocks"] if block["kind"] == "words"]


def titles(page: dict[str, Any]) -> list[str]:
    """The titles of a page."""
    return [block["title"] for block in page["blocks"] if "title" in block]


def written(folder: Path, text: str) -> Site:
    """A ledger of its own, in Fava."""
    (folder / "main.beancount").write_text(text)
    return Site(folder / "main.beancount")


@pytest.mark.parametrize("sort", ["", "receivable", "payable"])
def test_a_plan_shows_no_column_of_what_is_owed(story: Site, sort: str) -> None:
    """bob owes 525.00 under whatever plan: a 0.00 would deny it. By name, where that was sorted."""
    page = story.page("subscribers", plan="pro", sort=sort, order="desc" if sort else "")
    assert page["notes"] == ["What is owed is left out: a bill may be for several plans."]
    for name in ("subscribers", "totals"):
        keys = {column["key"] for column in tables(page)[name]["columns"]}
        assert {"units", "carrying_amount"} <= keys
        assert keys.isdisjoint({"receivable", "payable"})
    block = tables(page)["subscribers"]
    assert block["sort"]["key"] == "subscriber"
    assert {row["subscriber"]: row["units"] for row in rows(block)} == {
        "alice": "1300",
        "bob": "100",
    }
    assert exact(tables(story.page("subscribers"))["totals"]["rows"][0][-2]) == "925.00"
