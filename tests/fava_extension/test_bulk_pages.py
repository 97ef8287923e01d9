"""Pages of a ledger of months in bulk: the figures of the plugin's, or a sentence why not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.both_ledgers import both_ledgers
from tests.fava_extension.serving import EXAMPLES, EXTENSION, VIEWS, Site, rows, tables, totals
from tests.two_bills_year import YEAR

Both = tuple[Site, Site]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A market's year, booked by the plugin and in bulk."""
    folder = tmp_path_factory.mktemp("both")
    both_ledgers(EXAMPLES / "market-year" / "main.beancount", folder)
    ledgers = [folder / "plugin.beancount", folder / "main.beancount"]
    for ledger in ledgers:
        ledger.write_text(ledger.read_text() + EXTENSION)
    return Site(ledgers[0]), Site(ledgers[1])


def figures(page: dict[str, Any]) -> list[Any]:
    """The headline figures of a page."""
    return [
        (item["label"], item["value"], item["unit"], item.get("delta"))
        for block in page["blocks"]
        if block["kind"] == "figures"
        for item in block["items"]
    ]


def said(page: dict[str, Any]) -> str:
    return " ".join([block["text"] for block in page["blocks"] if block["kind"] == "words"])


@pytest.mark.parametrize(
    ("view", "asked", "names"),
    [
        ("overview", {}, {"income", "income-USD", "deferred-revenue-USD", "flow-CU", "held"}),
        ("overview", {"time": "2026-06", "plan": "pro"}, {"income", "deferred-revenue-USD"}),
        ("overview", {"interval": "quarter", "conversion": "units"}, {"deferred-revenue-CU"}),
        ("market", {}, {"by-month", "market-CU-USD", "fees-CU-USD"}),
        ("market", {"time": "2026-05", "interval": "day"}, {"by-day"}),
        ("vintages", {}, {"recognised"}),
        ("owed", {}, {"forward-release-USD"}),
    ],
)
def test_figures_are_those_of_the_plugin(
    both: Both, view: str, asked: dict[str, str], names: set[str]
) -> None:
    """Of all subscribers together; each table, its totals and the headlines."""
    plugin, bulk = (site.page(view, **asked) for site in both)
    found, expected = tables(bulk), tables(plugin)
    assert names <= found.keys() & expected.keys()
    for name in names:
        assert rows(found[name]) == rows(expected[name])
        assert totals(found[name]) == totals(expected[name])
    if view == "overview":
        assert figures(bulk) == figures(plugin) != []


@pytest.mark.parametrize("month", ["2026-04", "2026-12"])
def test_subscribers_are_those_of_the_plugin(both: Both, month: str) -> None:
    """Whoever holds something or is on a plan: the same rows and totals, but for what is owed."""
    plugin, bulk = (tables(site.page("subscribers", time=month))["subscribers"] for site in both)

    columns = [{column["key"] for column in table["columns"]} for table in (plugin, bulk)]
    kept = columns[0] & columns[1] - {"status"}

    def shown(table: dict[str, Any]) -> list[dict[str, str]]:
        return [{key: row[key] for key in kept} for row in rows(table) if row["status"] != "none"]

    expected = {row["subscriber"]: row for row in shown(plugin)}
    found = {row["subscriber"]: row for row in shown(bulk) if row["subscriber"] in expected}
    assert found == expected and len(found) > 20
    assert totals(bulk)[0]["carrying_amount"] == totals(plugin)[0]["carrying_amount"]


@pytest.mark.parametrize("view", VIEWS)
def test_each_page_has_something_to_say(both: Both, view: str) -> None:
    """No page is empty, under a time filter either, and none fails."""
    for asked in ({}, {"time": "2026-03"}, {"time": "2030"}, {"filter": "#compute-bulk"}):
        page = both[1].page(view, **asked)
        assert [each for each in page["blocks"] if each["kind"] != "controls"]


def test_a_month_in_bulk_is_tied_out_as_far_as_the_ledger_goes(both: Both) -> None:
    """What its Parquet files come to is for the command: they may be gigabytes."""
    page = both[1].page("close", endpoint="ties")
    assert ", booked in bulk" in tables(page)["tie-outs"]["title"]
    assert "ties out its Parquet files as well" in said(page)


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ("economics", "Economics reads single transactions, of which 2026-01 to 2026-12 has none"),
        ("people", "Subscribers reads single transactions, of which 2026-01 to 2026-12 has none"),
        ("retention", "Retention reads single transactions"),
        ("whatif", "those of 2026-01 to 2026-12 stand in Parquet"),
        ("market", "2026-01 to 2026-12 was booked in bulk, without single trades to list."),
        ("owed", "by whom it is owed, and since when, no transaction tells"),
        ("close", "Corrections reads single transactions"),
    ],
)
def test_what_months_in_bulk_don_t_tell_is_a_sentence(both: Both, view: str, sentence: str) -> None:
    assert sentence in said(both[1].page(view))


def test_both_bills_are_those_of_the_plugin(tmp_path: Path) -> None:
    """Headlines, price and bills, break-even, exposure and pace of a year of two bills."""
    (tmp_path / "year.beancount").write_text(YEAR)
    (tmp_path / "both").mkdir()
    both_ledgers(tmp_path / "year.beancount", tmp_path / "both")
    pages = []
    for name in ("plugin", "main"):
        ledger = tmp_path / "both" / f"{name}.beancount"
        ledger.write_text(ledger.read_text() + EXTENSION)
        pages.append(Site(ledger).page("bills"))
    plugin, bulk = pages
    assert figures(bulk) == figures(plugin) != []
    found, expected = tables(bulk), tables(plugin)
    assert found.keys() == expected.keys() and len(found) > 5
    for name, table in found.items():
        assert (rows(table), totals(table)) == (rows(expected[name]), totals(expected[name]))


def test_what_is_owed_in_all_is_told(both: Both) -> None:
    """Receivables and payables without ages: those of the plugin, payments taken off."""
    plugin, bulk = ({each[0]: each[1] for each in figures(s.page("owed"))} for s in both)
    assert bulk == plugin and bulk["Receivables"]


def test_a_price_of_a_journal_is_the_average_of_its_day(both: Both) -> None:
    """As it is where the plugin makes it."""
    plugin, bulk = (_valued_at(site.page("market", time="2026-05")["blocks"]) for site in both)
    assert bulk == plugin and "the average of 2026-05-" in bulk


def _valued_at(blocks: Any) -> str:
    """At what price a page of the market says that tokens are valued."""
    found = re.search(r"are valued at .*? of [-0-9]{10}\.", str(blocks))
    assert found is not None
    return found[0]


def test_days_of_a_market_lead_to_the_journal(both: Both) -> None:
    """To the month's transactions of trades in bulk."""
    cell = tables(both[1].page("market"))["by-month"]["rows"][0][0]
    assert "compute-bulk" in cell["href"] and both[1].get(cell["href"]).status_code == 200


def test_months_that_can_t_be_read_are_one_sentence_on_each_page(tmp_path: Path) -> None:
    """Which file, and what to do; the load goes on."""
    both_ledgers(EXAMPLES / "quickstart" / "main.beancount", tmp_path)
    ledger = tmp_path / "main.beancount"
    ledger.write_text(ledger.read_text() + EXTENSION)
    path = next(iter((tmp_path / "bulk").glob("*/days.parquet")))
    path.write_bytes(b"no Parquet")
    site = Site(ledger)
    for view in VIEWS:
        (block,) = [each for each in site.page(view)["blocks"] if each["kind"] == "words"]
        assert "days.parquet" in block["text"]
