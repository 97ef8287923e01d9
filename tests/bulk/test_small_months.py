"""Months in bulk with figures worked out by hand: 200.00 USD a month for 1000 CU at 0.20."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from shutil import rmtree

import pyarrow as pa
import pytest
from beancount import loader
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import BulkError
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    change,
    events,
    files_of,
    held,
    month,
    reversal,
    subscription,
    table,
    top_up,
    trade,
    use,
)

D = Decimal


def table_columns(path: Path) -> list[str]:
    return list(parquet.read_schema(path).names)


def test_what_is_used_is_revenue_and_the_rest_is_held(tmp_path: Path) -> None:
    """200 of 1000 CU are used, at 0.20: 40.00 of revenue, 800 CU held until the period's end."""
    found = month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200))
    assert found.counts["by the kernel"] == 2
    assert held(found) == [("alice", "allocations", D(800), D("0.2"), "2026-06-01")]
    moved = {(r["kind"], r["role"]): r["amount"] for r in table(found, "movements")}
    assert moved == {
        ("allocation", "receivable"): D(200),
        ("allocation", "allocations"): D(-200),
        ("consumption", "allocations"): D(40),
        ("consumption", "revenue"): D(-40),
    }


def test_the_journal_is_balanced_transactions_a_day_and_kind(tmp_path: Path) -> None:
    """Two subscribers' uses of a day are one transaction, by plan and month of allocation."""
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        subscription("01", "bob"),
        use("20", "alice", 200),
        use("20", "bob", "0.5"),
    )
    text = (found.folder / "journal.beancount").read_text()
    assert text.endswith(
        """\
2026-05-20 * "Consumption" #compute-bulk
  Liabilities:DeferredRevenue:Allocations  40.10 USD
    cohort: "pro 2026-05"
    units-out: 200.5 CU
  Income:Compute  -40.10 USD
"""
    )


def test_unused_units_are_minted_when_the_next_period_begins(tmp_path: Path) -> None:
    """The 800 CU left of May are tokens on 1 June, for a year; June brings another 1000 CU."""
    month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200))
    found = month(tmp_path, "2026-06", use("02", "alice", 1100))
    assert found.counts["by the kernel"] == 1
    assert held(found) == [("alice", "tokens", D(700), D("0.2"), "2027-06-01")]


def test_a_discount_is_handed_on_by_months_that_have_any(tmp_path: Path) -> None:
    """200.00 less 30.00, each month, by the engine; bob's periods by the kernel. Before alice came
    no file says anything of discounts."""
    april = month(tmp_path, "2026-04", subscription("02", "bob"))
    assert "discount" not in table_columns(april.folder / "subscriptions.parquet")
    less = {"discount": 30, "currency": "USD"}
    may = month(tmp_path, "2026-05", subscription("01", "alice", **less))
    assert [row["discount"] for row in table(may, "subscriptions")] == [None, D(30)]
    month(tmp_path, "2026-06", use("20", "bob", 200))
    found = month(tmp_path, "2026-07", use("20", "alice", 200))
    assert (found.counts["by the kernel"], found.counts["by the engine"]) == (0, 1)
    moved = {
        (r["subscriber"], r["kind"], r["role"]): r["amount"] for r in table(found, "movements")
    }
    assert moved["alice", "allocation", "receivable"] == D(170)
    assert moved["bob", "allocation", "receivable"] == D(200)
    assert ("alice", "allocations", D(800), D("0.17"), "2026-08-01") in held(found)


def test_use_beyond_the_holdings_is_charged(tmp_path: Path) -> None:
    """Of 1010 CU 10 are overage at 0.30: 3.00, which the kernel says, too."""
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        subscription("02", "bob"),
        use("20", "alice", 1010),
        use("20", "bob", 10),
    )
    assert found.counts["by the kernel"] == 4
    (row,) = [r for r in table(found, "movements") if r["role"] == "overage"]
    assert (row["subscriber"], row["amount"]) == ("alice", D(-3))
    (running,) = [r for r in table(found, "subscriptions") if r["subscriber"] == "alice"]
    assert (running["overage"], running["overage_charged"]) == (D(3), D(3))


def test_those_who_trade_are_booked_together(tmp_path: Path) -> None:
    """Alice's 100 tokens at 0.05 go to bob at that cost; carol trades with nobody."""
    found = month(
        tmp_path,
        "2026-05",
        *[subscription("01", name) for name in ("alice", "bob", "carol")],
        top_up("03", "alice", 100, "5.00"),
        trade("10", "alice", "bob", 100, "0.25"),
        use("11", "carol", 1),
    )
    assert found.counts["by the kernel"] == 2
    assert ("bob", "tokens", D(100), D("0.05"), "None") in held(found)
    prices = (found.folder / "journal.beancount").read_text().splitlines()
    assert prices[-1] == "2026-05-10 price CU 0.25 USD"


def test_rows_stand_by_subscriber(tmp_path: Path) -> None:
    """What each kind moves, in the order of names and not of days; and all names in order."""
    days = {"alice": "20", "bob": "10", "carol": "05", "dave": "06", "erin": "02"}
    month(tmp_path, "2026-05", *[subscription(day, name) for name, day in days.items()])
    moved = top_up("03", "bob", 100, "5.00"), trade("04", "bob", "dave", 100, "0.25")
    found = month(tmp_path, "2026-06", *moved)
    minted = [r["subscriber"] for r in table(found, "movements") if r["kind"] == "mint"]
    assert minted == [*["alice", "carol", "erin"] * 2, *["bob"] * 2, *["dave"] * 2]
    assert [r["subscriber"] for r in table(found, "subscribers")] == sorted(days)


def test_a_payment_is_split_into_two_costs_that_add_up(tmp_path: Path) -> None:
    """20.00 for 3000 CU: 1000 CU at 0.006666 and 2000 at 0.006667, as the plugin does it."""
    found = month(
        tmp_path, "2026-05", subscription("01", "alice"), top_up("03", "alice", 3000, "20.00")
    )
    assert found.counts["by the kernel"] == 2
    tokens = [each[2:4] for each in held(found) if each[1] == "tokens"]
    assert tokens == [(D(1000), D("0.006666")), (D(2000), D("0.006667"))]


def test_a_row_that_comes_again_is_booked_once(tmp_path: Path) -> None:
    """The very same row of an id is dropped; another one of it is refused, as in the plugin."""
    one = use("20", "alice", 200, id="u-1")
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        subscription("01", "bob"),
        one,
        one,
        use("21", "bob", 7, id="u-2"),
        use("21", "bob", 8, id="u-2"),
    )
    assert held(found)[0][2] == D(800)
    assert found.counts["repeated"] == 1
    (refused,) = table(found, "refused")
    assert "stands for something else" in refused["message"] and refused["row"] == 6


def test_names_are_read_as_the_plugin_reads_them(tmp_path: Path) -> None:
    """Blanks around a name, and accents in two pieces, name the same subscriber."""
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "\u00e9mile"),
        use("20", "e\u0301mile ", 200),
        subscription("01", "bob"),
        use("20", " bob", 1),
    )
    assert [each[0::2] for each in held(found)] == [
        ("bob", D(999), "2026-06-01"),
        ("\u00e9mile", D(800), "2026-06-01"),
    ]


def test_whoever_is_unknown_is_refused(tmp_path: Path) -> None:
    """A use by somebody without units, as in the plugin; all others are booked."""
    found = month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "zoe", 1))
    (refused,) = table(found, "refused")
    assert refused["message"].startswith('unknown subscriber "zoe"') and refused["row"] == 2


def test_the_ledger_loads_with_the_journals_of_its_months(tmp_path: Path) -> None:
    """Beancount balances them; no account is opened twice."""
    begin(tmp_path)
    month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200))
    (tmp_path / "main.beancount").write_text(LEDGER)
    month(tmp_path, "2026-06", use("02", "alice", 1100))
    month(tmp_path, "2026-06", use("02", "alice", 1100))  # again, over the first
    entries, errors, _ = loader.load_file(str(tmp_path / "main.beancount"))
    assert not errors
    assert sum(type(entry).__name__ == "Transaction" for entry in entries) == 5


@pytest.mark.parametrize("plain", [True, False])
def test_a_rerun_writes_the_same_bytes(plain: bool, tmp_path: Path) -> None:
    """Nothing depends on when or where a month is booked."""
    rows = [subscription("01", name) for name in ("alice", "bob")]
    rows += [use(f"{day:02}", name, day) for day in range(2, 30) for name in ("alice", "bob")]
    first = files_of(month(tmp_path, "2026-05", *rows, plain=plain).folder)
    assert (
        files_of(book(tmp_path, "2026-05", tmp_path / "2026-05.parquet", plain=plain).folder)
        == first
    )


def test_events_may_stand_in_several_files(tmp_path: Path) -> None:
    """A glob names them; a row of another file may say the same again."""
    begin(tmp_path)
    one = use("20", "alice", 200, id="u-1")
    events(tmp_path, "2026-05", subscription("01", "alice"), one, name="part-1")
    events(tmp_path, "2026-05", one, use("20", "alice", 1), name="part-2")
    found = book(tmp_path, "2026-05", tmp_path / "part-*.parquet")
    assert held(found)[0][2] == D(799)


def test_files_need_not_have_every_column(tmp_path: Path) -> None:
    """Uses alone have neither plans nor money; a column that says nothing may be absent."""
    month(tmp_path, "2026-05", subscription("01", "alice"))
    file = events(tmp_path, "2026-06", use("20", "alice", 100))
    rows = parquet.read_table(file).select(
        ["id", "date", "event", "subscriber", "units", "commodity"]
    )
    parquet.write_table(rows, file)
    found = book(tmp_path, "2026-06", file)
    assert found.counts["by the kernel"] == 1
    assert held(found)[0] == ("alice", "allocations", D(900), D("0.2"), "2026-07-01")


def test_rows_without_an_id_are_as_many_events(tmp_path: Path) -> None:
    """Who gives no id says nothing of repeats: two equal uses of 200 CU leave 600."""
    one = use("20", "alice", 200, id=None)
    found = month(tmp_path, "2026-05", subscription("01", "alice"), one, one)
    assert found.counts["repeated"] == 0
    assert held(found)[0][2] == D(600)


def test_an_event_of_an_earlier_month_can_be_reversed(tmp_path: Path) -> None:
    """The 200 CU that alice used in May come back in June, as tokens of the mint: 1000 in all."""
    month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200, id="u-1"))
    file = events(tmp_path, "2026-06", use("02", "alice", 1000))
    rows = parquet.read_table(file)
    back = {"id": "r-1", "date": date(2026, 6, 3), "event": "reversal", "reverses": "u-1"}
    parquet.write_table(pa.Table.from_pylist([*rows.to_pylist(), back], rows.schema), file)
    found = book(tmp_path, "2026-06", file)
    assert not table(found, "refused")
    assert held(found) == [("alice", "tokens", D(1000), D("0.2"), "2027-06-01")]
    twice = events(tmp_path, "2026-07", use("02", "alice", 1))
    again = {**back, "id": "r-2", "date": date(2026, 7, 3)}
    parquet.write_table(pa.Table.from_pylist([again], rows.schema), twice)
    (refused,) = table(book(tmp_path, "2026-07", twice), "refused")
    assert "is reversed already" in refused["message"]


def test_numbers_that_32_bits_do_not_hold_stay_exact(tmp_path: Path) -> None:
    """4,000 CU at 0.001 come in each month, of which May uses 3,000.000001 and June 3,000. In the
    millionths that May's use asks for, and June's lot of 0.000001 CU, 32 bits hold neither."""
    begin(tmp_path, LEDGER + '2026-01-01 custom "compute-plan" "bit" 0.00 USD 0.000001 CU\n')
    left = D(0)
    for name, units in (("2026-05", D("3000.000001")), ("2026-06", D(3000))):
        rows = top_up("03", "alice", 4_000, "4.00"), use("04", "alice", units)
        found = month(tmp_path, name, *rows, subscription("05", f"of-{name}", "bit"))
        assert found.counts["by the kernel"] == 3
        used = [r for r in table(found, "movements") if r["kind"] == "consumption"]
        assert sum(r["units_out"] for r in used if r["role"] == "tokens") == units
        assert sum(r["amount"] for r in used if r["role"] == "revenue") == -units / 1000
        left += 4000 - units
        assert sum(lot[2] for lot in held(found) if lot[0] == "alice") == left


def test_what_is_invoiced_later_stands_unbilled_from_month_to_month(tmp_path: Path) -> None:
    """750 CU at 0.02 in May, 200 in June, 1,000 in July, by the month of the period: 15.00 and
    4.00 on 15 June, 20.00 on 15 July. 39.00 of a minimum of 100.00: 61.00 are breakage, and
    invoiced behind the quarter."""
    commit = (
        '2026-01-01 custom "compute-plan" "commit" 0.00 USD 0 CU\n  every: "quarter"\n'
        '  overage: 0.02 USD\n  minimum: 100.00 USD\n  bill: "month"\n'
    )
    begin(tmp_path, LEDGER + commit)
    found: dict[str, dict[tuple[str, str], Decimal]] = {}
    rows = {
        "2026-05": [subscription("15", "bob", "commit"), use("25", "bob", 750)],
        "2026-06": [use("10", "bob", 200)],
        "2026-07": [use("10", "bob", 1000)],
        "2026-08": [subscription("01", "alice")],
    }
    for name, of_month in rows.items():
        booked = month(tmp_path, name, *of_month)
        assert not table(booked, "refused")
        sums = found.setdefault(name, {})
        for row in table(booked, "movements"):
            if row["subscriber"] == "bob":
                key = row["kind"], row["role"]
                sums[key] = sums.get(key, D(0)) + row["amount"]
    charged = {"2026-05": D(15), "2026-06": D(4), "2026-07": D(20)}
    invoiced = {"2026-06": D(19), "2026-07": D(20), "2026-08": D(61)}
    for name, sums in found.items():
        assert sums.get(("consumption", "unbilled"), D(0)) == charged.get(name, D(0))
        assert sums.get(("invoice", "receivable"), D(0)) == invoiced.get(name, D(0))
    assert found["2026-08"]["shortfall", "breakage"] == D(-61)
    rows_of_bob = [r for r in table(booked, "subscriptions") if r["subscriber"] == "bob"]
    assert "unbilled" not in rows_of_bob[0]["beside"]


def test_a_price_that_changes_for_what_was_used_in_earlier_months(tmp_path: Path) -> None:
    """75 units at 480.00 in the first quarter; since April each costs 432.00: 75 x 48.00 are
    charged back. A use of 25 that is reversed in May comes back at 480.00, with a catch-up."""
    bulk = (
        '2026-01-01 custom "compute-plan" "bulk" 0.00 USD 0 CU\n  every: "year"\n'
        "  overage: 480.00 USD\n"
    )
    line = (
        '2026-04-01 custom "compute-plan" "bulk" 0.00 USD 0 CU\n  every: "year"\n'
        "  overage: 432.00 USD\n  overage-since: 2026-01-01\n"
    )
    rows = {
        "2026-01": [subscription("01", "alice", "bulk"), use("10", "alice", 50)],
        "2026-02": [subscription("01", "bob")],
        "2026-03": [use("10", "alice", 25, id="u-3")],
        "2026-04": [use("10", "alice", 100)],
        "2026-05": [reversal("02", "u-3")],
    }
    begin(tmp_path, LEDGER + bulk)
    month(tmp_path, "2026-01", *rows["2026-01"])
    begin(tmp_path, LEDGER + bulk + line)
    for name in ("2026-02", "2026-03"):
        month(tmp_path, name, *rows[name])
    with pytest.raises(BulkError, match="2026-01 was booked without this line"):
        month(tmp_path, "2026-04", *rows["2026-04"])
    rmtree(tmp_path / "bulk")
    for name in rows:
        found = month(tmp_path, name, *rows[name])
        charged: dict[str, Decimal] = {}
        for row in table(found, "movements"):
            if row["role"] == "overage" and row["subscriber"] == "alice":
                kind = row["undoes"] or row["kind"]
                charged[kind] = charged.get(kind, D(0)) - row["amount"]
        if name == "2026-04":
            assert charged == {"catch-up": D(-3600), "consumption": D(43200)}
    assert charged == {"consumption": D(-12000), "catch-up": D(1200)}


def test_a_change_of_plan_goes_on_in_the_months_behind_it(tmp_path: Path) -> None:
    """Of the quarter's 91 days 71 are left on 21 April: 180.00 x 71/91 = 140.44, earned by days
    though the plan is by even months: 140.44 x 10/71 = 19.78, then 120.66 x 31/61 = 61.32."""
    line = (
        '2026-01-01 custom "compute-plan" "{}" {} USD\n  every: "quarter"\n'
        '  access-by: "even-month"\n'
    )
    begin(tmp_path, LEDGER + line.format("seat", "90.00") + line.format("desk", "180.00"))
    rows = {
        "2026-04": [subscription("01", "alice", "seat"), change("21", "alice", "seat", "desk")],
        "2026-05": [use("01", "bob", 1)],
        "2026-06": [use("01", "bob", 1)],
        "2026-07": [use("01", "bob", 1)],
    }
    earned = {}
    for name, of_month in rows.items():
        found = month(tmp_path, name, *of_month)
        earned[name] = sum(
            -row["amount"]
            for row in table(found, "movements")
            if row["role"] == "access-revenue"
            and row["kind"] == "access"
            and row["origin"] == "desk"
        )
    assert earned["2026-04"] == D("19.78")
    assert earned["2026-05"] == D("61.32")
    assert earned["2026-06"] == D("59.34")
    assert earned["2026-07"] == D("60.00")  # a third of the next quarter
    invoiced = [row for row in table(found, "movements") if row["kind"] == "invoice"]
    assert {row["role"] for row in invoiced} == {"receivable", "unbilled"}


def test_what_is_cancelled_at_once_ends_with_the_month_that_hands_it_on(tmp_path: Path) -> None:
    """On 31 May: the 800 CU left are minted on 1 June; so are 50 that a reversal gives back."""
    at_once = {"event": "cancellation", "date": "31", "subscriber": "alice", "plan": "pro"}
    month(
        tmp_path,
        "2026-05",
        subscription("10", "alice"),
        use("20", "alice", 150),
        use("21", "alice", 50, id="again"),
        at_once | {"now": "true"},
    )
    found = month(tmp_path, "2026-06", reversal("05", "again"))
    assert held(found) == [("alice", "tokens", D(850), D("0.2"), "2027-06-01")]
