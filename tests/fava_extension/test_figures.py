"""Every figure of a page is the one that `bean-compute report` gives, for the same selection."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from tests.fava_extension.serving import Site, report, rows, tables, totals

# Fava's filters, and the options of `bean-compute report` that say the same.
SELECTIONS = [
    ({}, ()),
    ({"time": "2026-05"}, ("--month", "2026-05")),
    ({"time": "2026-04-10 - 2026-06-20"}, ("--from", "2026-04-10", "--to", "2026-06-20")),
    ({"plan": "pro"}, ("--plan", "pro")),
    (
        {"time": "2026-Q2", "plan": "pro"},
        ("--from", "2026-04", "--to", "2026-06", "--plan", "pro"),
    ),
]


RELEASE = "forward-release-USD"
Selected = tuple[dict[str, str], tuple[str, ...]]  # of the page, of the command


@pytest.fixture(params=SELECTIONS, ids=lambda each: " ".join(each[1]) or "all")
def selection(request: pytest.FixtureRequest) -> Selected:
    chosen: Selected = request.param
    return chosen


def nonzero(row: dict[str, str]) -> dict[str, str]:
    """The figures of a row apart from what has no value."""
    return {key: value for key, value in row.items() if value != ""}


def test_the_flow_of_units_is_the_roll_forward(site: Site, selection: Selected) -> None:
    """Each pocket, each column, to the last digit."""
    asked, options = selection
    shown = rows(tables(site.page("overview", **asked))["flow-CU"])
    said = report("rollforward", site.ledger, *options, "--table", "units-by-pocket")
    wanted = [{k: v for k, v in row.items() if k != "commodity"} for row in said["units-by-pocket"]]
    assert shown == wanted


def test_deferred_revenue_by_month_is_the_roll_forward_of_each_month(site: Site) -> None:
    """Every month of the year; released is what was used and what lapsed."""
    shown = rows(tables(site.page("overview"))["deferred-revenue-USD"])
    for row in shown:
        said = report(
            "rollforward", site.ledger, "--month", row["month"], "--table", "money-by-pocket"
        )
        (total,) = [each for each in said["money-by-pocket"] if each["pocket"] == "total"]
        numbers = {k: Decimal(v) for k, v in total.items() if k not in ("pocket", "currency")}
        opening, closing = numbers.pop("opening"), numbers.pop("closing")
        entered = numbers["allocated"] + numbers["topped_up"] + numbers["granted"]
        assert Decimal(row["opening"]) + Decimal(row["added"]) == opening + entered
        assert Decimal(row["released"]) == numbers["used"] + numbers["expired"]
        went = Decimal(row["released"]) + Decimal(row["otherwise"])
        assert went == sum(numbers.values()) - entered
        assert Decimal(row["closing"]) == closing


def test_income_is_the_revenue_report(site: Site, selection: Selected) -> None:
    """By kind, added up over the days of the time filter."""
    asked, options = selection
    if "time" not in asked:
        asked, options = {**asked, "time": "2026-06"}, (*options, "--month", "2026-06")
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in report("revenue", site.ledger, *options, "--table", "by-plan")["by-plan"]:
        for key, number in row.items():
            if key not in ("plan", "currency"):
                sums[key.replace("_", " ")] += Decimal(number)
    shown = rows(tables(site.page("overview", **asked))["income"])
    found = {row["income"]: Decimal(row["period"]) for row in shown}
    assert found == {name: sums[name] for name in found}
    assert {name for name, number in sums.items() if number} <= found.keys()


def test_what_is_held_is_the_open_lots(site: Site, selection: Selected) -> None:
    """Units and carrying amount of all lots together; of tokens alone the market value."""
    asked, options = selection
    held = rows(tables(site.page("overview", **asked))["held"])
    lots = report("lots", site.ledger, *options, "--table", "lots")["lots"]
    (total,) = [row for row in held if row["pocket"] == "total"]
    for key in ("units", "carrying_amount"):
        assert Decimal(total[key]) == sum(Decimal(row[key] or "0") for row in lots)
    tokens = [row for row in held if row["pocket"] == "tokens"]
    worth = sum(Decimal(row["units"]) * Decimal(row["price"]) for row in tokens)
    assert Decimal(total["market_value"]) == worth
    assert not [row for row in held if row["pocket"] == "allocations" and row["market_value"]]


def test_subscribers_hold_what_the_roll_forward_says(site: Site, selection: Selected) -> None:
    """Open units and carrying amounts of each, and nobody is left out."""
    asked, options = selection
    page = tables(site.page("subscribers", **asked))["subscribers"]
    assert page["pages"] == 1
    shown = {row["subscriber"]: row for row in rows(page)}
    for table, key in (
        ("units-by-subscriber", "units"),
        ("money-by-subscriber", "carrying_amount"),
    ):
        said = report("rollforward", site.ledger, *options, "--table", table)[table]
        closing = {row["subscriber"]: Decimal(row["closing"]) for row in said}
        held = {name: Decimal(row[key]) for name, row in shown.items()}
        assert {name: n for name, n in held.items() if n} == {
            name: n for name, n in closing.items() if n
        }


def test_subscribers_owe_what_the_aging_report_says(site: Site) -> None:
    """Receivables and payables, on the last day and on an earlier one."""
    for asked, options in SELECTIONS[:2]:
        shown = rows(tables(site.page("subscribers", **asked))["subscribers"])
        said = report("aging", site.ledger, *options)
        for table, key in (("receivables", "receivable"), ("payables", "payable")):
            wanted = {row["subscriber"]: Decimal(row["total"]) for row in said[table]}
            owed = {row["subscriber"]: Decimal(row[key]) for row in shown}
            assert {n: v for n, v in owed.items() if v} == {n: v for n, v in wanted.items() if v}


def test_the_next_expiry_and_market_value_are_those_of_the_lots(site: Site) -> None:
    """For each subscriber, from the lots of the statement; tokens alone have a market value."""
    for row in rows(tables(site.page("subscribers"))["subscribers"]):
        name = row["subscriber"]
        lots = report("statement", site.ledger, "--subscriber", name, "--table", "lots")["lots"]
        ends = [lot["ends"] for lot in lots if lot["ends"] != "no end"]
        assert row["next_expiry"] == min(ends, default="")
        worth = sum(Decimal(lot["market_value"]) for lot in lots if lot["pocket"] == "tokens")
        assert Decimal(row["market_value"] or "0") == worth


def test_a_statement_is_the_report(site: Site, selection: Selected) -> None:
    """Its lines, newest first, and the lots held at the end."""
    asked, options = selection
    page = tables(site.page("subscribers", subscriber="alice", **asked))
    said = report("statement", site.ledger, "--subscriber", "alice", *options)
    for name, wanted in (("lines", said["lines"][::-1]), ("lots", said["lots"])):
        shown = rows(page[name]) if name in page else []
        keys = shown[0].keys() if shown else set()
        assert shown == [{key: row[key] for key in keys} for row in wanted]


def test_the_market_is_the_report(site: Site, selection: Selected) -> None:
    """Each day with trades, newest first; in months too."""
    asked, options = selection
    for interval, table, key in (("day", "by-day", "date"), ("month", "by-month", "month")):
        page = tables(site.page("market", interval=interval, **asked))
        shown = rows(page[table]) if table in page else []
        wanted = report("market", site.ledger, *options, "--table", table)[table][::-1]
        assert [row["date"] for row in shown] == [row[key] for row in wanted]
        for row, said in zip(shown, wanted, strict=True):
            for name in row.keys() - {"date"}:
                assert row[name] == said[name]


def test_the_largest_trades_are_the_largest(market_year: Site) -> None:
    """Twenty of them, by gross; none of all trades is larger."""
    shown = rows(tables(market_year.page("market"))["largest"])
    gross = [Decimal(row["gross"]) for row in shown]
    assert len(shown) == 20
    assert gross == sorted(gross, reverse=True)
    by_day = report("market", market_year.ledger, "--table", "by-day")["by-day"]
    assert gross[0] <= max(Decimal(row["gross"]) for row in by_day)


def test_vintages_are_the_report(site: Site, selection: Selected) -> None:
    """Every cell."""
    asked, options = selection
    page = tables(site.page("vintages", **asked))
    wanted = report("vintages", site.ledger, *options, "--table", "recognised")["recognised"]
    shown = rows(page["recognised"]) if "recognised" in page else []
    assert shown == [{k: v for k, v in row.items() if k != "currency"} for row in wanted]


def test_economics_are_the_report(site: Site, selection: Selected) -> None:
    """Money and units, by month and by plan; without the cost that is booked where none is."""
    asked, options = selection
    page = tables(site.page("economics", **asked))
    for name in ("money-by-month", "units-by-month", "money-by-plan", "units-by-plan"):
        wanted = report("economics", site.ledger, *options, "--table", name)[name]
        shown = rows(page[name]) if name in page else []
        apart = {"commodity", "currency"}
        if not any(Decimal(row.get("cost_booked", "0")) for row in wanted):
            apart.add("cost_booked")
        assert [nonzero(row) for row in shown] == [
            nonzero({k: v for k, v in row.items() if k not in apart}) for row in wanted
        ]


def test_displaced_sales_are_those_of_the_report(site: Site) -> None:
    """For a share that the address names, which the report knows as an option."""
    shown = rows(tables(site.page("economics", displaced="0.3"))["money-by-month"])
    wanted = report("economics", site.ledger, "--displaced", "0.3", "--table", "money-by-month")
    assert [row["displaced"] for row in shown] == [
        row["displaced"] for row in wanted["money-by-month"]
    ]
    assert [row["break_even"] for row in shown] == [
        row["break_even"] for row in wanted["money-by-month"]
    ]


def test_corrections_are_the_report(site: Site) -> None:
    """Late events, reversals and reopened months."""
    page = tables(site.page("close"))
    for name, wanted in report("corrections", site.ledger).items():
        shown = rows(page[name]) if name in page else []
        keys = shown[0].keys() if shown else set()
        assert shown == [{key: row[key] for key in keys} for row in wanted]


def test_rounded_figures_carry_all_their_digits(market_year: Site) -> None:
    """What Fava writes with two decimals is there in full beside it."""
    block = tables(market_year.page("overview"))["deferred-revenue-USD"]
    closing = block["rows"][-1][-1]
    assert closing == ["14,404.45", "14404.449"]


def test_what_is_owed_is_the_aging_report_and_the_forward_release(site: Site) -> None:
    """Every cell, on the last day and on an earlier one; totals below."""
    for asked, options in SELECTIONS[:2]:
        page = tables(site.page("owed", **asked))
        aging = report("aging", site.ledger, *options)
        release = report("release", site.ledger, *options)
        shown = {**page, "totals": page["by-age-USD"]}
        wanted = {**aging, RELEASE: release["by-month"]}
        for name, said in wanted.items():
            table = shown.get(name)
            found = rows(table) if table else []
            keys = found[0].keys() if found else set()
            assert found == [{key: row[key] for key in keys} for row in said]
        for name in ("receivables", "payables"):
            if len(aging[name]) > 1:
                (total,) = totals(page[name])
                assert Decimal(total["total"]) == sum(Decimal(row["total"]) for row in aging[name])
        (total,) = totals(page[RELEASE])
        deferred = report("rollforward", site.ledger, *options, "--table", "money-by-pocket")
        (whole,) = [row for row in deferred["money-by-pocket"] if row["pocket"] == "total"]
        assert Decimal(total["total"]) == Decimal(whole["closing"])


def test_income_by_interval_is_the_revenue_report(site: Site) -> None:
    """Each month of the year, each kind."""
    table = tables(site.page("overview"))["income-USD"]
    said = report("revenue", site.ledger, "--table", "by-month")["by-month"]
    shown = {row["month"]: row for row in rows(table)}
    for row in said:
        assert shown[row["month"]] == {k: v for k, v in row.items() if k != "currency"}
    (total,) = totals(table)
    assert Decimal(total["total"]) == sum(Decimal(row["total"]) for row in said)
    weeks = rows(tables(site.page("overview", interval="week"))["income-USD"])
    assert sum(Decimal(row["total"]) for row in weeks) == Decimal(total["total"])


def test_subscribers_in_all_stand_in_their_own_columns(site: Site) -> None:
    """Below the figures that they add up, whatever page is shown."""
    table = tables(site.page("subscribers"))["subscribers"]
    (total,) = totals(table)
    for key in ("units", "carrying_amount", "market_value", "receivable", "payable"):
        whole = sum(Decimal(row[key] or "0") for row in rows(table))
        assert Decimal(total[key]) == whole
