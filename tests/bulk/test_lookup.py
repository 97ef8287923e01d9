"""Subscribers looked up in Parquet are the plugin's: how they stand, and their statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.looking_up import lookup
from beancount_compute.bulk.looking_up.lookup import HolderAsked, MonthFiles, Search
from beancount_compute.bulk.looking_up.standings import BulkStanding, standings
from beancount_compute.bulk.looking_up.statement_of_months import statement_of_months
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.standing import Status, cancelled_of
from beancount_compute.fava_extension.prepared.holdings import Holdings
from beancount_compute.fava_extension.prepared.standing_rows import with_plans
from beancount_compute.fava_extension.prepared.subscriptions import Subscriptions
from beancount_compute.reports import Books, Selection, Table, read_books
from beancount_compute.reports.registry import REVENUE, STATEMENT
from tests.bulk import small_months as small
from tests.bulk.test_same_books import MARKET_YEAR, BothWays

D = Decimal
Figures = Mapping[tuple[Any, ...], tuple[Any, ...]]


@pytest.fixture(scope="module")
def year(market_year: BothWays) -> list[MonthFiles]:
    """The months of a market's year, in bulk."""
    outcomes, _, _ = market_year
    return [MonthFiles(each.folder) for each in outcomes]


@cache
def of_plugin() -> tuple[Loaded, Books]:
    """The same year as the plugin books it."""
    loaded = load(MARKET_YEAR)
    return loaded, read_books(loaded.entries, loaded.options)


def summed(rows: Iterable[Mapping[str, Any]], by: tuple[str, ...], of: tuple[str, ...]) -> Figures:
    """Figures of rows added up; a day counts as its month."""
    found: defaultdict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [D(0)] * len(of))
    for row in rows:
        key = tuple([str(row[name])[:7] if name == "date" else row[name] for name in by])
        found[key] = [a + (row[name] or 0) for a, name in zip(found[key], of, strict=True)]
    return {key: tuple(sums) for key, sums in found.items() if any(sums)}


def by_name(tables: Iterable[Table]) -> dict[str, Table]:
    return {table.name: table for table in tables}


# The table of subscribers


def goes_on(status: str, month: str) -> str:
    """A ledger knows of later cancellations: only at the end of the books both know the same."""
    return status if month == "2026-12" else status.replace("cancelled", "running")


@pytest.mark.parametrize("month", ["2026-03", "2026-08", "2026-12"])
def test_everybody_stands_as_in_the_plugin_s_books(year: list[MonthFiles], month: str) -> None:
    """Units, tokens, carrying amount, next end, plans, status, and what was used of the period."""
    loaded, books = of_plugin()
    months = [each for each in year if each.month.name <= month]
    day = months[-1].month.last
    subscriptions = Subscriptions(books, cancelled_of(loaded.entries, loaded.options))
    holdings = Holdings(books, books.movements, (), fine=False)
    on_day = holdings.on(day, active=frozenset(subscriptions.names(day)))
    expected = {
        (*row[:5], row.end, row.plan, goes_on(row.status, month), *row.used)
        for row in with_plans(on_day, subscriptions, day)
    }
    names = months[-1].page(0, 100)
    found = {
        (
            *row[:4],
            row.carrying,
            row.end,
            ", ".join(row.plans),
            goes_on(row.status, month),
            row.allocated,
            row.used,
        )
        for row in standings(months, names)
        if row.commodity
    }
    assert found == expected and len(found) > 20
    assert names == sorted(names) and len(names) == months[-1].count


def test_a_plan_alone_can_be_asked_for(year: list[MonthFiles]) -> None:
    """Its lots and its subscribers, and nothing of the other plans."""
    _, books = of_plugin()
    asked = {each.subscriber for each in year[-1].found(Search(plan="team"))}
    day = year[-1].month.last
    held = Holdings(books, books.movements, (), fine=True).on(day, None, "team")
    assert asked == {row.subscriber for row in held}
    found = [row for row in standings(year, sorted(asked), "team") if row.units]
    assert {(r.subscriber, r.units, r.carrying) for r in found} == {
        (row.subscriber, row.units, row.carrying) for row in held
    }
    assert {plan for row in found for plan in row.plans} <= {"team"}


@pytest.mark.parametrize(
    ("key", "figure"),
    [
        ("units", lambda row: row.units),
        ("carrying_amount", lambda row: row.carrying),
        ("next_expiry", lambda row: row.end),
        ("plan", lambda row: row.plans and min(row.plans)),
        ("status", lambda row: row.status),
    ],
)
@pytest.mark.parametrize("falling", [False, True])
def test_an_order_is_that_of_what_is_shown(
    year: list[MonthFiles], key: str, figure: Any, falling: bool
) -> None:
    """Of each column that can be sorted; who has no such figure comes last."""
    asked = year[-1].found(Search(key=key, falling=falling))
    rows = {row[:3]: row for row in standings(year, [each.subscriber for each in asked])}
    by_one = {row.subscriber: row for row in rows.values()}
    found = [figure(rows.get(each) or by_one[each.subscriber]) for each in asked]
    having = [each for each in found if each is not None]
    assert having == sorted(having, reverse=falling) and found[: len(having)] == having
    assert len({*asked}) == len(asked) > 20


def test_names_are_found_by_any_part_of_them(tmp_path: Path) -> None:
    """Whatever their case and accents; quotes and wildcards are letters as others are."""
    names = ["Zoë", "o'hara", '"a" b', "100%", "b_d", "bad", "Æsop", "A-10.x", "東京", "x" * 200]
    found = small.month(tmp_path, "2026-05", *[small.subscription("01", each) for each in names])
    files = MonthFiles(found.folder)
    assert files.page(0, 50) == sorted(names) and files.page(8, 50) == sorted(names)[8:]

    def words(text: str) -> list[str]:
        return [each.subscriber for each in files.found(Search(words=text))]

    assert words("zoe") == words("ZOË") == ["Zoë"]
    assert words("'") == ["o'hara"] and words('"A"') == ['"a" b']
    assert words("%") == ["100%"] and words("b_") == ["b_d"]
    assert words("a-10.X") == ["A-10.x"] == words("10.") and words("a-11.x") == []
    assert words("京") == ["東京"] and words("x" * 199) == ["x" * 200]
    assert words("nobody") == [] == files.page(10, 50)
    for name in names:
        (row,) = standings([files], [name])
        assert (row.subscriber, row.units, row.status) == (name, D(1000), Status.RUNNING)
        assert files.knows(name) and not files.knows(name + "x")


def test_who_holds_nothing_stands_there_too(tmp_path: Path) -> None:
    """Carol used all 1000 CU of her last period; bob has none: his were for May alone."""
    small.month(
        tmp_path,
        "2026-05",
        small.subscription("02", "carol"),
        small.use("20", "carol", 1000),
        small.top_up("03", "dave", 10, "1.00"),
        small.use("04", "dave", 10),
        {**small.subscription("01", "bob"), "id": "s-bob"},
        {"event": "cancellation", "date": "09", "subscriber": "bob", "plan": "pro"},
        small.use("20", "bob", 1000),
    )
    month = MonthFiles(small.month(tmp_path, "2026-06").folder)
    may = MonthFiles(tmp_path / "bulk" / "2026-05")
    found = [
        (row.subscriber, row.commodity, row.units, row.plans, row.status, row.used)
        for row in standings([may], ["bob", "carol", "dave"])
    ]
    assert found == [
        ("bob", "CU", 0, ("pro",), Status.CANCELLED, 1000),
        ("carol", "CU", 0, ("pro",), Status.RUNNING, 1000),
        ("dave", "", 0, (), Status.NONE, 0),
    ]
    (bob,) = standings([may, month], ["bob"])
    assert (bob.plans, bob.status, bob.commodity) == (("pro",), Status.ENDED, "")


def test_a_list_of_names_has_an_end(
    year: list[MonthFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than `MOST_FOUND` tells that there are others; pages of all names have none."""
    monkeypatch.setattr(lookup, "MOST_FOUND", 3)
    files, names = MonthFiles(year[0].folder), year[0].page(0, 100)
    assert files.found(Search()) == [HolderAsked(name) for name in names[:4]]
    falling = [HolderAsked(name) for name in names[:-5:-1]]
    assert files.found(Search(falling=True)) == falling
    assert files.page(len(names) - 1, 50) == names[-1:]


# Statements


def test_statements_are_the_plugin_s_added_up_by_month(year: list[MonthFiles]) -> None:
    """Of everybody: each flow of each lot and month, what was charged and earned, what is held."""
    _, books = of_plugin()
    lot = ("date", "flow", "pocket", "lot", "commodity", "currency")
    for name in sorted(books.subscribers):
        selection = Selection(subscriber=name)
        plugin = by_name(STATEMENT.tables(books, selection))
        found = by_name(statement_of_months(year, name, Selection()))
        lines, moved = (without(each["lines"], "flow", *NO_EVENT) for each in (found, plugin))
        assert summed(lines, lot, ("units", "amount")) == summed(moved, lot, ("units", "amount"))
        bills, billed = (without(each["bills"], "entry", *BY_HAND) for each in (found, plugin))
        money = ("date", "currency"), ("amount",)
        assert summed(bills, *money) == summed(billed, *money)
        assert held(found) == held(plugin)
        assert [row[:-1] for row in plugin["lots"].rows] == found["lots"].rows
        assert found["revenue"].rows == REVENUE.tables(books, selection, "by-month")[0].rows


NO_EVENT = ("brought forward", "opening", "entered later")
BY_HAND = ("payment", "by hand", "brought forward")


def without(table: Table, column: str, *words: str) -> list[dict[str, Any]]:
    """The rows that have none of the words in a column."""
    rows = [{"date": row.get("month"), **row} for row in table.by_key()]
    return [row for row in rows if row[column] not in words]


def held(tables: Mapping[str, Table]) -> list[tuple[Any, ...]]:
    """The units and the carrying amount at the end."""
    rows = [*tables["units"].rows, *tables["money"].rows]
    return [(*row[:-4], row[-1]) for row in rows if row[0] in ("CU", "carrying amount")]


def test_a_statement_of_some_months_opens_with_what_was_held(year: list[MonthFiles]) -> None:
    """From July to September: units, money and the lines after them, as the plugin has them."""
    _, books = of_plugin()
    selection = Selection(date(2026, 7, 1), date(2026, 9, 30), "alice")
    plugin = by_name(STATEMENT.tables(books, selection))
    found = by_name(statement_of_months(year, "alice", selection))
    assert found["units"].rows == plugin["units"].rows
    assert found["money"].rows[0] == plugin["money"].rows[0]
    assert found["lines"].rows[-1][-1] == plugin["lines"].rows[-1][-1]
    assert found["lines"].rows[0][1:3] == ("2026-07", "brought forward")
    assert found["bills"].rows[0][2] == "brought forward"
    assert [row[:-1] for row in plugin["lots"].rows] == found["lots"].rows


def test_a_statement_by_hand(tmp_path: Path) -> None:
    """1000 CU for 200.00; 620 used; 380 minted on 1 June, when the next 1000 come."""
    small.month(
        tmp_path, "2026-05", small.subscription("01", "alice"), small.use("20", "alice", 620)
    )
    small.month(tmp_path, "2026-06", small.use("02", "alice", 100))
    months = [MonthFiles(tmp_path / "bulk" / name) for name in ("2026-05", "2026-06")]
    found = by_name(statement_of_months(months, "alice", Selection()))
    shown = [(*row[:4], *row[-4:]) for row in found["lines"].rows]
    assert shown == [
        (1, "2026-05", "allocated", "allocations", 1000, 1000, D("200.00"), D("200.00")),
        (2, "2026-05", "used", "allocations", -620, 380, D("-124.00"), D("76.00")),
        (3, "2026-06", "allocated", "allocations", 1000, 1380, D("200.00"), D("276.00")),
        (4, "2026-06", "minted", "tokens", 380, 1760, D("76.00"), D("352.00")),
        (5, "2026-06", "minted", "allocations", -380, 1380, D("-76.00"), D("276.00")),
        (6, "2026-06", "used", "allocations", -100, 1280, D("-20.00"), D("256.00")),
    ]
    assert [row[2] for row in found["bills"].rows] == ["period", "period"]
    assert found["money"].rows == [
        ("carrying amount", "USD", D("0.00"), D("400.00"), D("-144.00"), D("256.00")),
        ("charged (receivable)", "USD", D("0.00"), D("400.00"), D("0.00"), D("400.00")),
    ]
    assert found["subscriptions"].rows == [("pro", "running", "2026-05-01", "2026-07-01")]
    only = by_name(statement_of_months(months, "alice", Selection(plan="top-up")))
    assert not only["lines"].rows and not only["subscriptions"].rows and only["bills"].rows


def test_units_that_were_entered_by_hand_are_a_line_of_their_own(tmp_path: Path) -> None:
    """50 CU at 0.10 that no event brought, in June: June's end goes back to more than May left."""
    hand = """\
2026-01-01 open Equity:Opening-Balances
2026-01-01 open Liabilities:DeferredRevenue:Tokens:Alice
2026-06-10 * "alice" "Units of an older system" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -50 CU {0.10 USD, 2026-06-10, "grant"}
  Equity:Opening-Balances  5.00 USD
"""
    small.begin(tmp_path, small.LEDGER + hand)
    small.month(tmp_path, "2026-05", small.subscription("01", "Alice"))
    small.month(tmp_path, "2026-06", small.use("12", "Alice", 20))
    months = [MonthFiles(tmp_path / "bulk" / name) for name in ("2026-05", "2026-06")]
    found = by_name(statement_of_months(months, "Alice", Selection(date(2026, 6, 1))))
    lines = [(row["flow"], row["units"], row["amount"]) for row in found["lines"].by_key()]
    assert lines[:2] == [("brought forward", 1000, D(200)), ("entered later", 50, D(5))]


# What is missing


def test_days_without_a_month_have_no_statement(year: list[MonthFiles]) -> None:
    """Behind the last month, and in front of the first."""
    assert statement_of_months(year, "alice", Selection(date(2027, 1, 1))) == []
    assert statement_of_months(year, "alice", Selection(None, date(2025, 12, 31))) == []


@pytest.mark.parametrize("name", ["subscribers", "lots"])
def test_a_file_that_is_gone_or_cut_off_is_one_error(name: str, tmp_path: Path) -> None:
    """It names the folder, and what to do."""
    folder = small.month(tmp_path, "2026-05", small.subscription("01", "alice")).folder
    path = folder / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    files = MonthFiles(folder)
    with pytest.raises(BulkError, match=r"2026-05.*book that month anew"):
        assert files.page(0, 1) and files.rows("lots", ["alice"])


def test_nobody_asked_for_is_nobody_found(year: list[MonthFiles]) -> None:
    """A page behind the last one has no rows, and costs no query."""
    assert standings(year, []) == [] == year[0].rows("lots", [])
    assert isinstance(standings(year, ["alice"])[0], BulkStanding)
