"""What was served and what it cost, shared out: worked out by hand."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from beancount_compute.close.loading import load
from beancount_compute.economy.rounding import trim
from beancount_compute.reports.books import Books, read_books
from beancount_compute.reports.served_facts import BillShare, CostReason, ShareOf
from tests.close.sealing import add, close, load_errors, write
from tests.reports.showing import books_of
from tests.two_bills_year import YEAR

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-plan" "wrap" 120.00 USD 100 CU
  overage: 2.00 USD
"""
CHAT = """\
2026-05-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1.00 USD
  provider: "openai"
2026-01-01 custom "compute-option" "meter" "chat"
"""
ALL = "".join(
    f'2026-05-01 custom "compute-subscription" "{name}" "wrap"\n'
    for name in ("alice", "bob", "carol")
)


def uses(*lines: str) -> str:
    """Consumptions such as "2026-05-20 alice 30; id: ..."."""
    written = []
    for line in lines:
        use, _, more = line.partition("; ")
        day, name, units = use.split()
        written.append(f'{day} custom "compute-consumption" "{name}" {units} CU\n')
        written += [f"  {each}\n" for each in more.split("; ") if each]
    return "".join(written)


def shares(found: tuple[BillShare, ...], *fields: str) -> dict[tuple[str, ...], str]:
    """The sums of shares by month, who or what they are for, and some fields."""
    sums: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for each in found:
        key = (each.month, each.line or each.subscriber, *[getattr(each, f) for f in fields])
        sums[key] += each.amount
    return {key: f"{trim(number, 0):f}" for key, number in sums.items() if number}


def first(ledger: str, *fields: str) -> dict[tuple[str, ...], str]:
    return shares(books_of(ledger).bill_shares.first, *fields)


def second(ledger: str, *fields: str) -> dict[tuple[str, ...], str]:
    return shares(books_of(ledger).bill_shares.second, *fields)


# The first bill


def test_the_year_on_one_screen() -> None:
    """80 of May at 1.00 out of credits, 50 of June at 0.40; 100.00 for the machine; then what is
    left of the credits lapses."""
    books = books_of(YEAR.replace("2026-06-30", "2027-05-01"))
    assert [
        (each.month, each.meter, each.provider, each.origin, each.vintage, str(each.units))
        for each in books.serving.served
    ] == [
        ("2026-05", "chat", "openai", "wrap", "2026-05", "80"),
        ("2026-06", "chat", "llama", "wrap", "2026-06", "50"),
    ]
    assert shares(books.bill_shares.first, "provider", "meter", "origin") == {
        ("2026-05", "alice", "openai", "chat", "wrap"): "80",
        ("2026-06", "alice", "llama", "chat", "wrap"): "20",
        ("2027-05", "lapsed credits", "openai", "", ""): "120",
    }
    of_year = shares(books.bill_shares.second, "provider")
    assert of_year["2026-06", "alice", "llama"] == "100"
    assert of_year["2026-07", "idle", "llama"] == "100"  # nobody was served


def test_what_rounding_leaves_of_a_day_is_a_share_of_its_own() -> None:
    """3 x 0.333333 are 0.999999, and 1.00 is booked; a use that names no meter costs nothing."""
    ledger = HEAD + CHAT.replace("1.00 USD", "0.333333 USD") + ALL
    day = uses("2026-05-20 alice 1", "2026-05-20 bob 1", "2026-05-20 carol 1")
    assert first(ledger + day, "meter", "commodity") == {
        ("2026-05", "alice", "chat", "CU"): "0.333333",
        ("2026-05", "bob", "chat", "CU"): "0.333333",
        ("2026-05", "carol", "chat", "CU"): "0.333333",
        ("2026-05", "rounding", "chat", "CU"): "0.000001",
    }
    assert first(ledger.replace('custom "compute-option" "meter"', 'event "was"') + day) == {}


def test_what_is_stated_of_a_day_is_shared_by_its_uses() -> None:
    """12.34 for 30 and 10: 9.255 and 3.085; of a day without a use it is for no use."""
    ledger = HEAD + CHAT + ALL + uses("2026-05-20 alice 30", "2026-05-20 bob 10")
    for day, amount in (("2026-05-20", "12.34"), ("2026-05-22", "5")):
        ledger += f'{day} custom "compute-cost" "openai" {amount} USD\n  meter: "chat"\n'
    books = books_of(ledger)
    assert shares(books.bill_shares.first, "meter") == {
        ("2026-05", "alice", "chat"): "9.255",
        ("2026-05", "bob", "chat"): "3.085",
        ("2026-05", "no use", "chat"): "5",
    }
    assert {each.reason for each in books.serving.costs} == {CostReason.STATED}


def test_a_reversed_use_takes_back_its_own_cost() -> None:
    """On a later day with an entry of its own; on its own day neither cost anything."""
    ledger = HEAD + CHAT + ALL
    ledger += uses('2026-05-20 alice 80; id: "one"', "2026-05-20 bob 20")
    later = ledger + '2026-06-02 custom "compute-reversal" "one"\n' + uses("2026-06-02 bob 5")
    assert first(later) == {
        ("2026-05", "alice"): "80",
        ("2026-05", "bob"): "20",
        ("2026-06", "alice"): "-80",
        ("2026-06", "bob"): "5",
    }
    books = books_of(later)
    assert [each.reason for each in books.serving.costs][1:] == ["given back", "uses"]
    assert [str(each.units) for each in books.serving.served] == ["80", "20", "5", "-80"]
    at_once = ledger + '2026-05-20 custom "compute-reversal" "one"\n'
    assert first(at_once) == {("2026-05", "bob"): "20"}


def test_units_beyond_the_holdings_are_of_the_plan_that_bills_them() -> None:
    """Of 150 used, 50 are overage: they cost as the others do."""
    ledger = HEAD + CHAT + ALL + uses("2026-05-20 alice 150")
    served = books_of(ledger).serving.served
    assert [(each.origin, each.vintage, str(each.units), each.currency) for each in served] == [
        ("wrap", "2026-05", "100", "USD"),
        ("wrap", "", "50", "USD"),
    ]
    assert first(ledger, "vintage") == {
        ("2026-05", "alice", "2026-05"): "100",
        ("2026-05", "alice", ""): "50",
    }
    least = ledger.replace("overage: 2.00", "overage: 0.0001")  # 0.005, rounded to nothing
    served = books_of(least).serving.served
    assert [(str(each.units), each.origin) for each in served] == [("100", "wrap"), ("50", "")]


def test_what_is_undone_comes_back_of_lots_and_of_overage() -> None:
    """100 and 50, as they were taken."""
    ledger = HEAD + CHAT + ALL + uses('2026-05-20 alice 150; id: "one"')
    books = books_of(ledger + '2026-05-25 custom "compute-reversal" "one"\n')
    assert [str(each.units) for each in books.serving.served] == ["100", "50", "-100", "-50"]
    assert shares(books.bill_shares.first) == {}


def test_a_quantity_goes_to_lots_by_their_units() -> None:
    """5 of the meter at 1.00, charged 150 CU by hand: 100 of a lot and 50 beyond; each takes its
    share of the quantity, and of the 10 CU that the meter would take."""
    ledger = HEAD + CHAT.replace("units: 1 CU", "units: 2 CU") + ALL
    ledger += uses('2026-05-20 alice 150; meter: "chat"; quantity: 5')
    served = books_of(ledger).serving.served
    assert [str(each.quantity) for each in served] == ["3.333333", "1.666667"]
    assert [str(each.in_meter.number) for each in served] == ["6.666666", "3.333334"]
    assert first(ledger, "vintage") == {
        ("2026-05", "alice", "2026-05"): "3.333333",
        ("2026-05", "alice", ""): "1.666667",
    }
    bare = ledger.replace("  units: 2 CU\n", "").replace(
        '2026-01-01 custom "compute-option" "meter" "chat"\n', ""
    )
    assert first(bare) == {("2026-05", "alice"): "5"}


def test_quantities_and_units_of_one_day_weigh_by_what_they_cost() -> None:
    """10 of the meter take 2 CU and cost 1.00: a quantity of 50 and 10 CU cost 5.00 each."""
    ledger = HEAD + CHAT.replace("units: 1 CU", "units: 2 CU\n  per: 10") + ALL
    ledger += '2026-05-20 custom "compute-consumption" "alice"\n  meter: "chat"\n  quantity: 50\n'
    found = books_of(ledger + uses("2026-05-20 bob 10"))
    assert shares(found.bill_shares.first) == {("2026-05", "alice"): "5", ("2026-05", "bob"): "5"}
    assert [str(each.in_meter.number) for each in found.serving.served] == ["10", "10"]


def test_uses_that_were_merged_over_days_share_the_cost_of_the_month() -> None:
    """30 and 10 of alice on two days are one transaction; 20 of bob stand on one of them."""
    ledger = HEAD + CHAT + ALL
    ledger += '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    ledger += uses("2026-05-10 alice 30", "2026-05-10 bob 20", "2026-05-20 alice 10")
    assert first(ledger) == {("2026-05", "alice"): "40", ("2026-05", "bob"): "20"}


def test_a_variance_is_nobodys() -> None:
    """10.00 accrued, 12.50 billed."""
    ledger = HEAD + CHAT + ALL + uses("2026-05-20 alice 10")
    ledger += '2026-06-02 custom "compute-bill" "openai" 12.50 USD\n'
    assert first(ledger, "provider") == {
        ("2026-05", "alice", "openai"): "10",
        ("2026-06", "variance", "openai"): "2.5",
    }


# Closed months


def of_closed(folder: Path, more: str) -> Books:
    ledger = write(folder, HEAD.split("\n", 2)[2] + CHAT + ALL + uses("2026-05-20 alice 30"))
    close(ledger, "2026-05")
    add(ledger, more)
    assert load_errors(ledger) == []
    loaded = load(ledger)
    return read_books(loaded.entries, loaded.options)


def test_a_late_use_is_averaged_apart(tmp_path: Path) -> None:
    """It costs what it cost on its own day, in the month of its booking."""
    books = of_closed(tmp_path / "l", uses('2026-05-20 bob 10; id: "late"'))
    found = books.bill_shares.first
    assert shares(found) == {("2026-05", "alice"): "30", ("2026-06", "bob"): "10"}


def test_a_cost_stated_of_a_closed_day_is_for_its_uses(tmp_path: Path) -> None:
    """36.00 in place of 30.00: 6.00 more, booked on the first open evening."""
    stated = '2026-05-20 custom "compute-cost" "openai" 36.00 USD\n  meter: "chat"\n  id: "s"\n'
    found = of_closed(tmp_path / "l", stated).bill_shares.first
    assert shares(found) == {("2026-05", "alice"): "30", ("2026-06", "alice"): "6"}


def test_a_cost_stated_of_a_closed_day_is_for_its_late_uses_too(tmp_path: Path) -> None:
    """6.00 more for 30 and 10, whose list cost it replaces; and it stays where one is undone."""
    more = '2026-05-20 custom "compute-cost" "openai" 36.00 USD\n  meter: "chat"\n  id: "s"\n'
    more += uses('2026-05-20 bob 10; id: "late"')
    more += '2026-06-05 custom "compute-reversal" "late"\n'
    found = of_closed(tmp_path / "l", more).bill_shares.first
    assert shares(found) == {
        ("2026-05", "alice"): "30",
        ("2026-06", "alice"): "4.5",
        ("2026-06", "bob"): "1.5",
    }


# The second bill

GPU = """\
2026-05-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "openai"
  life: "48 months"
  can-serve: 500 CU
"""


def test_idle_capacity_is_what_it_can_serve_and_did_not() -> None:
    """50 of 500 CU: 10.00 of 100.00 by units to who was served, 90.00 and 450 CU idle."""
    ledger = HEAD.replace("06-30", "05-31") + CHAT + ALL + GPU
    ledger += uses("2026-05-20 alice 30", "2026-05-25 bob 20")
    assert second(ledger, "meter", "commodity") == {
        ("2026-05", "alice", "chat", "CU"): "6",
        ("2026-05", "bob", "chat", "CU"): "4",
        ("2026-05", "idle", "", "CU"): "90",
    }
    (idle,) = books_of(ledger).bill_shares.idle
    assert (str(idle.units), str(idle.can_serve), idle.commodity) == ("450", "500", "CU")
    full = ledger.replace("can-serve: 500 CU", "can-serve: 40 CU")
    assert second(full) == {("2026-05", "alice"): "60", ("2026-05", "bob"): "40"}
    others = ledger.replace("can-serve: 500 CU", "can-serve: 40 GPU-H")
    assert second(others) == {("2026-05", "idle"): "100"}


def test_a_month_in_which_use_only_came_back_is_idle() -> None:
    """The 30 of May are undone in June."""
    ledger = HEAD + CHAT + ALL + GPU + uses('2026-05-20 alice 30; id: "one"')
    ledger += '2026-06-02 custom "compute-reversal" "one"\n'
    assert second(ledger) == {
        ("2026-05", "alice"): "6",
        ("2026-05", "idle"): "94",
        ("2026-06", "idle"): "100",
    }
    assert [str(each.units) for each in books_of(ledger).bill_shares.idle] == ["470", "500"]


def test_several_capacities_stand_idle_together() -> None:
    """60 of 100 + 500: 540 of 600 idle, so 90 % of each; 90 and 450 CU."""
    ledger = HEAD.replace("06-30", "05-31") + CHAT + ALL + uses("2026-05-20 alice 60")
    ledger += GPU + GPU.replace("gpu", "rack").replace("4800", "2400").replace("500", "100")
    assert second(ledger) == {("2026-05", "alice"): "15", ("2026-05", "idle"): "135"}
    idle = books_of(ledger).bill_shares.idle
    assert [str(each.units) for each in idle] == ["450.000000", "90.000000"]


def test_capacity_that_goes_by_units_has_no_idle_money() -> None:
    """60 of 6000 units cost 60.00; it could have served 440 more."""
    ledger = HEAD.replace("06-30", "05-31") + CHAT + ALL + uses("2026-05-20 alice 60")
    ledger += GPU.replace('life: "48 months"', "quantity: 4800 CU")
    assert second(ledger) == {("2026-05", "alice"): "60"}
    assert [str(each.units) for each in books_of(ledger).bill_shares.idle] == ["440"]


def test_what_goes_by_units_comes_back_to_whom_it_was_of() -> None:
    """Of May's 60 at 1.00 a unit 40 are reversed in June, in which bob uses 10: 30 less."""
    ledger = HEAD + CHAT + ALL
    ledger += uses('2026-05-20 alice 40; id: "one"', "2026-05-20 bob 20", "2026-06-10 bob 10")
    ledger += '2026-06-02 custom "compute-reversal" "one"\n'
    ledger += GPU.replace('life: "48 months"', "quantity: 4800 CU")
    assert second(ledger) == {
        ("2026-05", "alice"): "40",
        ("2026-05", "bob"): "20",
        ("2026-06", "alice"): "-40",
        ("2026-06", "bob"): "10",
    }


def test_what_rounding_leaves_of_depreciation_is_a_share_of_its_own() -> None:
    """100.00 to three."""
    ledger = HEAD.replace("06-30", "05-31") + CHAT + ALL
    ledger += GPU.replace("  can-serve: 500 CU\n", "")
    ledger += uses("2026-05-20 alice 1", "2026-05-20 bob 1", "2026-05-20 carol 1")
    assert second(ledger) == {
        ("2026-05", "alice"): "33.333333",
        ("2026-05", "bob"): "33.333333",
        ("2026-05", "carol"): "33.333333",
        ("2026-05", "rounding"): "0.000001",
    }
    assert ShareOf.ROUNDING in {each.line for each in books_of(ledger).bill_shares.second}
