"""Statements of who has access, changed plans, was billed later or got money back: the plugin's."""

from __future__ import annotations

import pytest

from beancount_compute.bulk.looking_up.lookup import MonthFiles
from beancount_compute.bulk.looking_up.standings import standings
from beancount_compute.bulk.looking_up.statement_of_months import statement_of_months
from beancount_compute.close.standing import Cancelled, cancelled_of
from beancount_compute.fava_extension.prepared.holdings import Holdings
from beancount_compute.fava_extension.prepared.standing_rows import with_plans
from beancount_compute.fava_extension.prepared.subscriptions import Subscriptions
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.registry import REVENUE, STATEMENT
from tests.bulk.both_ledgers import both_ledgers
from tests.bulk.test_lookup import by_name, summed, without
from tests.bulk.test_reports_of_months import assert_same_tables

# erin leaves two seats of one plan within a month, each of which was earned in part by then
LEDGER = """\
option "operating_currency" "USD"
plugin "beancount_compute"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
  unused: "mint"
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000 CU
2026-01-01 custom "compute-plan" "seat" 90.00 USD
2026-01-01 custom "compute-plan" "desk" 120.00 USD
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  minimum: 50.00 USD
  bill: "period"
2026-01-05 custom "compute-subscription" "erin" "seat"
  id: "s-erin"
2026-01-15 custom "compute-subscription" "bob" "payg"
2026-01-20 custom "compute-subscription" "carol" "pro"
  id: "s-carol"
2026-01-25 custom "compute-consumption" "bob" 750 CU
2026-01-25 custom "compute-consumption" "carol" 600 CU
2026-01-08 custom "compute-subscription" "dave" "pro"
2026-02-07 custom "compute-change" "erin" "seat" "desk"
2026-02-18 custom "compute-change" "dave" "pro" "max"
2026-02-19 custom "compute-consumption" "dave" 100 CU
2026-04-18 custom "compute-change" "dave" "max" "pro"
2026-02-12 custom "compute-change" "erin" "desk" "seat"
2026-02-20 custom "compute-change" "erin" "seat" "desk"
2026-03-03 custom "compute-refund" "carol" 50.00 USD
  of: "s-carol/2026-02-20"
  unpaid: TRUE
2026-03-10 custom "compute-write-off" "s-erin/2026-03-05" 40.00 USD
  id: "w-1"
2026-04-02 custom "compute-recovery" "w-1" 15.00 USD
2026-04-03 custom "compute-chargeback" "s-carol/2026-03-20"
2026-04-10 custom "compute-cancellation" "carol" "pro"
  now: TRUE
2026-05-01 custom "compute-consumption" "bob" 1 CU
"""
Both = tuple[Books, Books, Cancelled, list[MonthFiles]]
FIGURES = ("units", "amount")
LOT = ("date", "flow", "pocket", "lot", "commodity", "currency")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("months")
    (folder / "both").mkdir()
    (folder / "main.beancount").write_text(LEDGER, encoding="utf-8")
    ledgers = both_ledgers(folder / "main.beancount", folder / "both")
    assert not ledgers.plugin.errors and not ledgers.bulk.errors
    cancelled = cancelled_of(ledgers.plugin.entries, ledgers.plugin.options)
    months = sorted((folder / "both" / "bulk").glob("2*"))
    return *ledgers.books(), cancelled, [MonthFiles(each) for each in months]


@pytest.mark.parametrize("name", ["bob", "carol", "dave", "erin"])
def test_a_statement_is_the_plugin_s(both: Both, name: str) -> None:
    """Each flow of each lot and month, what is not invoiced, what is held, and what was earned."""
    plugin, _, _, months = both
    selection = Selection(subscriber=name)
    expected = by_name(STATEMENT.tables(plugin, selection))
    found = by_name(statement_of_months(months, name, Selection()))
    (lines, bills), (moved, billed) = (
        [without(tables[part], "line") for part in ("lines", "bills")]
        for tables in (found, expected)
    )
    assert summed(lines, LOT, FIGURES) == summed(moved, LOT, FIGURES)
    of_money = ("date", "currency", "entry"), ("amount",)
    assert summed(bills, *of_money) == summed(billed, *of_money)
    at_end = [
        {row[0].partition("(")[2] or row[0]: row[-1] for row in t["money"].rows}
        for t in (found, expected)
    ]
    assert at_end[0] == at_end[1]
    assert found["units"].rows == expected["units"].rows
    assert [row[:-1] for row in expected["lots"].rows] == found["lots"].rows
    earned = [
        table.by_key()
        for table in (found["revenue"], *REVENUE.tables(plugin, selection, "by-month"))
    ]
    of_month = [
        [{key: value for key, value in row.items() if value} for row in rows] for rows in earned
    ]
    assert of_month[0] == of_month[1]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_everybody_stands_as_in_the_plugin_s_books(both: Both, count: int) -> None:
    """Units and their carrying amount, plans, and what was used of a period, also a short one."""
    plugin, _, cancelled, all_months = both
    months = all_months[:count]
    day = months[-1].month.last
    subscriptions = Subscriptions(plugin, cancelled)
    holdings = Holdings(plugin, plugin.movements, (), fine=False)
    on_day = holdings.on(day, active=frozenset(subscriptions.names(day)))
    expected = {
        (*row[:5], row.end, row.plan, *row.used)
        for row in with_plans(on_day, subscriptions, day)
        if row.commodity == "CU"
    }
    found = {
        (*row[:4], row.carrying, row.end, ", ".join(row.plans), row.allocated, row.used)
        for row in standings(months, months[-1].page(0, 10))
        if row.commodity == "CU"
    }
    assert found == expected and len(found) > 1


def test_reports_are_the_plugin_s(both: Both) -> None:
    """Access that was earned before a change is revenue, and not returned."""
    plugin, months, *_ = both
    selections = [Selection(), Selection(plan="seat"), Selection(plan="desk")]
    assert assert_same_tables(plugin, months, selections) > 40
