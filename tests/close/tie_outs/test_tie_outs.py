"""Tie-outs of a month worked out by hand, and each one made to fail by an edit after the load."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Posting, Price, Transaction
from beancount.core.position import Cost

from beancount_compute.close.tie_outs import tables
from beancount_compute.reports.text_face import render
from tests.close.tie_outs.ledgers import Ledger, load, on, posting

ALICE = "Liabilities:DeferredRevenue:Tokens:Alice"
BOB = "Liabilities:DeferredRevenue:Tokens:Bob"
RECEIVABLE = "Assets:Receivable:Alice"
ALLOCATIONS = "Liabilities:DeferredRevenue:Allocations:Alice"

# By hand. April leaves alice 70 of her 100 CU at 0.20. In May she uses 20 (4.00); the other 50 are
# minted, and she is billed 20.00 for 100 more. She sells 10 for 4.00 (fees 0.40 and 0.20) and 20
# for 8.60 (0.86 and 0.43); uses 103 (20.00 and 0.60 of tokens); spends 4 (0.80, settlement 0.50),
# gives back 3 (0.60) and gives bob 2; then uses 10, of which 8 are covered (1.60) and 2 cost 0.61;
# and 3 more: 5 x 0.305 is 1.525, half-even 1.52, less 0.61 is 0.91, which is reversed.
# Bob buys 40 CU at 0.25 and 20 at 0.15, which lapse (3.00), as his grant does; 1 CU is written off.
STORY = """\
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  unused: "mint"
  overage: 0.305 USD
2026-01-01 custom "compute-option" "seller-fee" 0.10
2026-01-01 custom "compute-option" "buyer-fee" 0.05
2026-01-01 custom "compute-option" "minimum-fee" 0.10 USD
2026-04-10 custom "compute-subscription" "alice" "pro"
  id: "s-alice"
2026-04-20 custom "compute-consumption" "alice" 30 CU
2026-05-02 custom "compute-allocation" "bob" 40 CU 10.00 USD
  id: "buy"
2026-05-03 custom "compute-grant" "bob" 5 CU
  expires: "10 days"
2026-05-04 custom "compute-allocation" "bob" 20 CU 3.00 USD
  expires: "10 days"
2026-05-05 custom "compute-consumption" "alice" 20 CU
  id: "use"
2026-05-11 custom "compute-trade" "alice" "bob" 10 CU 0.40 USD
  id: "sale"
2026-05-11 custom "compute-trade" "alice" "bob" 20 CU 0.43 USD
2026-05-12 custom "compute-consumption" "alice" 103 CU
  id: "much"
2026-05-13 custom "compute-spend" "alice" "shop" 4 CU 0.50 USD
  id: "spend"
2026-05-14 custom "compute-refund" "alice" 3 CU
  id: "back"
2026-05-15 custom "compute-transfer" "alice" "bob" 2 CU
  id: "gift"
2026-05-16 custom "compute-consumption" "alice" 10 CU
  id: "over"
2026-05-17 custom "compute-consumption" "alice" 3 CU
  id: "more"
2026-05-18 custom "compute-reversal" "more"
  id: "undo"
2026-05-19 * "bob" "Payment"
  Assets:Bank              5.00 USD
  Assets:Receivable:Bob   -5.00 USD
2026-05-21 * "Write-off"
  Liabilities:DeferredRevenue:Tokens:Bob  1 CU {0.25 USD, 2026-05-02, "top-up"}
  Equity:Opening                         -0.25 USD
2026-05-25 price CU 0.41 USD
"""
FIGURES = {
    "units in allocations CU": "0",
    "units in tokens CU": "71",  # bob: 39 + 30 + 2
    "deferred revenue, roll-forward USD": "16.15",  # 14.00 + 33.00 - 26.20 - 0.80 - 0.60 - 3.25
    "deferred revenue = open lots, 2 subscribers USD": "16.15",  # 9.75 + 6.00 + 0.40
    "units in = out + held CU": "265",  # 200 + 60 + 5 = 161 + 4 + 25 + 3 + 1 + 71
    "money in = out + deferred USD": "53.00",  # 32.20 + 3 + 0.50 + 0.30 + 0.60 + 0.25 + 16.15
    "events booked events": "13",
    "units granted CU": "5",
    "units refunded CU": "3",
    "units spent CU": "4",
    "units topped up CU": "60",
    "units traded in CU": "30",
    "units traded out CU": "30",
    "units transferred in CU": "2",
    "units transferred out CU": "2",
    "units used CU": "136",  # 20 + 103 + 10 + 3, of which 2 and 3 were beyond the holdings
    "settlements with partners USD": "0.50",
    "top-ups, as paid USD": "13.00",
    "trades, gross of buyers USD": "12.60",  # 4.00 + 8.60
    "trades, gross of sellers USD": "12.60",
    "reversals reversals": "1",
    "receivables USD": "46.84",  # alice 20.00 + 0.61 + 0.91 - 0.91, bob 13.00 + 4.20 + 9.03
    "receivables, payments by hand USD": "-5.00",
    "payables USD": "11.94",  # 3.60 + 7.74 + 0.60
    "owed to partners USD": "0.50",
    "fees = sum over trades USD": "1.89",
    "revenue from opening balance USD": "6.50",  # 4.00 + 0.60 + 1.60, partner income 0.30
    "revenue from this month USD": "23.00",  # 20.00, breakage 3.00
    "revenue from overage USD": "0.61",
    "income USD": "32.00",  # 6.50 + 23.00 + 0.61 + fees of 1.89
    "prices = average of trades days": "1",  # 12.60 / 30 = 0.42
    "trial balance, booked USD": "121.66",
    "trial balance, by hand USD": "5.25",
    "lots, none negative lots": "7",
    "hand-written on pockets postings": "1",
}


@pytest.fixture
def may() -> Ledger:
    return load(STORY)


def test_a_month_ties_to_figures_worked_out_by_hand(may: Ledger) -> None:
    """Each left side is the figure above FIGURES, each right side the same, nothing differs."""
    found = may.tied()
    assert {name: str(tie.left) for name, tie in found.items()} == FIGURES
    for name, tie in found.items():
        alone = "revenue from" in name or ("by hand" in name and "trial" not in name)
        assert tie.right == (None if alone else tie.left)
        assert tie.difference == 0
        assert tie.lines == ()
        assert tie.holds


def test_the_table_can_be_read_at_80_columns(may: Ledger) -> None:
    """Every row shows both sides and the difference, with its unit; no line is longer."""
    text = render(tables(list(may.tied().values())), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"payables +11\.94 +11\.94 +0\.00 +USD", text)
    assert "Differences" not in text


def test_a_month_without_anything_ties(may: Ledger) -> None:
    """Nothing is there to differ, and nothing fails."""
    may.entries[:] = []
    may.events[:] = []
    assert may.failing() == {}


def test_what_lies_behind_the_month_is_left_out(may: Ledger) -> None:
    """April: 100 CU billed, 30 used; all of May is in the same books."""
    found = may.tied("2026-04")
    assert found["units in allocations CU"].right == 70
    assert found["receivables USD"].right == Decimal("20.00")
    assert all(tie.holds for tie in found.values())


def at_cost(number: str) -> Callable[[Posting], Posting]:
    def edit(each: Posting) -> Posting:
        assert isinstance(each.cost, Cost)
        return each._replace(cost=each.cost._replace(number=Decimal(number)))

    return edit


# Each edit, the tie-outs that it must bring to light, and the line that they name.
EDITS = {
    "more units used than the event says": (
        ("use", posting(ALLOCATIONS, "25")),
        ["units used CU", "income: Income:Compute USD", "trial balance, booked USD"],
    ),
    "revenue that is not the cost of the lots": (
        ("use", posting("Income:Compute", "-4.10")),
        ["income USD", "income: Income:Compute USD", "trial balance, booked USD"],
    ),
    "a top-up billed higher than it says": (
        ("buy", posting("Assets:Receivable:Bob", "11.00")),
        ["top-ups, as paid USD", "trial balance, booked USD"],
    ),
    "a period that is billed to somebody else": (
        (
            "s-alice/2026-05-10",
            on(
                "Assets:Receivable:Alice",
                lambda each: each._replace(account="Assets:Receivable:Bob"),
            ),
        ),
        ["receivables USD", "receivables: Assets:Receivable:Bob USD"],
    ),
    "overage at another price": (
        ("over", posting("Assets:Receivable:Alice", "0.62")),
        ["trial balance, booked USD"],
    ),
    "a reversal that takes back too little": (
        ("undo", posting("Assets:Receivable:Alice", "-0.90")),
        ["reversals reversals", "trial balance, booked USD"],
    ),
    "a seller who is owed too much": (
        ("sale", posting("Liabilities:Payable:Alice", "-3.70")),
        [
            "trades, gross of sellers USD",
            "fees = sum over trades USD",
            "trial balance, booked USD",
        ],
    ),
    "a refund rounded up": (
        ("back", posting("Liabilities:Payable:Alice", "-0.61")),
        ["money in = out + deferred USD", "trial balance, booked USD"],
    ),
    "a settlement that nobody agreed": (
        ("spend", posting("Liabilities:Partners:Shop", "-0.51")),
        ["settlements with partners USD", "trial balance, booked USD"],
    ),
    "a fee below the rate": (
        ("sale", posting("Income:Fees", "-0.50")),
        ["fees = sum over trades USD", "trial balance, booked USD"],
    ),
    "a trade in which units are lost": (
        ("sale", posting(BOB, "-9")),
        ["units in = out + held CU", "units traded in CU"],
    ),
    "a gift that arrives as more": (
        ("gift", posting(BOB, "-3")),
        ["units in = out + held CU", "units transferred in CU"],
    ),
    "a lot that was never held": (
        ("gift", on(ALICE, at_cost("0.21"))),
        [
            "lots, none negative lots",
            "deferred revenue = open lots, 2 subscribers USD",
            "deferred revenue = open lots, Alice USD",
        ],
    ),
    "a use of more than the event says, in balance": (
        (
            "use",
            lambda entry: posting("Income:Compute", "-5.00")(posting(ALLOCATIONS, "25")(entry)),
        ),
        ["units used CU"],
    ),
    "revenue on another account": (
        ("use", on("Income:Compute", lambda each: each._replace(account="Income:Other"))),
        ["income: Income:Compute USD", "on no account of the reports: Income:Other USD"],
    ),
    "more spent than was held": (
        ("spend", posting(ALICE, "40")),
        [
            "lots, none negative lots",
            "deferred revenue = open lots, Alice USD",
            "units spent CU",
        ],
    ),
    "a booking that is gone": (("gift", lambda entry: None), ["events booked events"]),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_after_the_load_is_found(name: str, may: Ledger) -> None:
    """The tie-outs that the edit concerns don't hold, and name its line."""
    (event, change), expected = EDITS[name]
    shown = f'id: "{event}"' if "/" not in event else ""
    line = may.line(shown).split(":")[1] if shown else ""
    may.edit(event, change)
    failing = may.failing()
    assert set(expected) <= set(failing)
    for each in expected:
        place = f"<string>:{int(line) - 1}" if line else "(event s-alice/2026-05-10)"
        assert any(place in said for said in failing[each]), (each, failing[each])


def test_an_event_that_is_booked_twice_is_found(may: Ledger) -> None:
    """The same use once more: one booking has no event left, and 20 CU more were used."""
    (use,) = [each for each in may.entries if each.meta.get("event") == "use"]
    may.entries.append(use._replace(meta={**use.meta, "__order": "1999999999"}))
    failing = may.failing()
    assert failing["events booked events"] == (may.line('id: "use"').replace("22", "21"),)
    assert "units used CU" in failing


def test_a_fold_that_forgets_a_movement_is_found(may: Ledger) -> None:
    """The balances of the accounts know of the write-off that the movements leave out."""
    books = may.books()
    found = may.tied(books=replace(books, movements=books.movements[:-1]))
    failing = {name: tie.difference for name, tie in found.items() if not tie.holds}
    assert failing == {
        "units in tokens CU": 1,
        "deferred revenue, roll-forward USD": Decimal("0.25"),
        "deferred revenue = open lots, 2 subscribers USD": Decimal("-0.25"),
        "deferred revenue = open lots, Bob USD": Decimal("-0.25"),
    }


def test_a_price_that_is_no_average_is_found(may: Ledger) -> None:
    """0.42 is the average; 0.43 fails, and so does a price on a day without trades."""
    (at,) = [
        at
        for at, each in enumerate(may.entries)
        if isinstance(each, Price) and "__order" in each.meta
    ]
    price = may.entries[at]
    may.entries[at] = price._replace(amount=Amount(Decimal("0.43"), "USD"))
    failing = may.failing()
    assert failing["prices = average of trades days"] == ("CU on 2026-05-11",)
    assert "CU on 2026-05-11 USD" in failing
    may.entries[at] = price
    may.entries.append(price._replace(date=date(2026, 5, 12)))
    assert may.failing() == {
        "prices = average of trades days": ("CU on 2026-05-12: no trade",),
    }


def test_a_price_of_the_ledger_itself_is_shown_and_stops_nothing() -> None:
    """Both figures stand in the table: 0.42 of the trades, 0.50 that the ledger gives."""
    found = load(STORY.replace("2026-05-25 price CU 0.41", "2026-05-11 price CU 0.50")).tied()
    own = found["CU on 2026-05-11 USD"]
    assert (own.left, own.right, own.difference) == (
        Decimal("0.42"),
        Decimal("0.50"),
        Decimal("-0.08"),
    )
    assert own.holds
    assert found["prices = average of trades days"].right == 1
    assert "(shown)" in render(tables([own]), 80)


def test_by_hand_what_beancount_forgives_is_shown_and_no_more() -> None:
    """10.00 EUR at 1.0833 is 10.83 USD but for 0.003; edited to 10.93 it is no longer."""
    bought = (
        '2026-05-22 * "Currency"\n  Assets:Bank  10.00 EUR @ 1.0833 USD\n'
        "  Assets:Bank  -10.83 USD\n"
    )
    ledger = load(STORY + bought)
    tie = ledger.tied()["trial balance, by hand USD"]
    assert (tie.difference, tie.holds) == (Decimal("0.003"), True)
    (at,) = [
        at for at, each in enumerate(ledger.entries) if getattr(each, "narration", "") == "Currency"
    ]
    ledger.entries[at] = _edited(ledger.entries[at], 1, "-10.93")
    assert ledger.failing() == {"trial balance, by hand USD": (ledger.line('"Currency"'),)}


def test_a_tolerance_that_is_only_a_default_is_one_as_well() -> None:
    """3 EUR for 10.00 USD in all: each is 3.33... USD, and three of them are no 10.00."""
    bought = (
        'option "inferred_tolerance_default" "*:0.005"\n'
        '2026-05-22 * "Currency"\n  Assets:Bank  3 EUR @@ 10.00 USD\n  Assets:Bank  -10 USD\n'
    )
    tie = load(STORY + bought).tied()["trial balance, by hand USD"]
    assert tie.difference and tie.holds


def _edited(entry: object, at: int, number: str) -> Transaction:
    assert isinstance(entry, Transaction)
    postings = [*entry.postings]
    postings[at] = postings[at]._replace(units=Amount(Decimal(number), "USD"))
    return entry._replace(postings=postings)


LOT = Cost(Decimal("0.25"), "USD", date(2026, 5, 2), "top-up")
BENDING = {
    "no cost": Posting(BOB, Amount(Decimal(1), "CU"), None, None, None, None),
    "money": Posting(BOB, Amount(Decimal(1), "USD"), None, None, None, None),
    "money at cost": Posting(BOB, Amount(Decimal(1), "USD"), LOT, None, None, None),
    "no label": Posting(BOB, Amount(Decimal(1), "CU"), LOT._replace(label=None), None, None, None),
    "units put in": Posting(BOB, Amount(Decimal(-1), "CU"), LOT, None, None, None),
    "an end that is no day": Posting(
        BOB, Amount(Decimal(1), "CU"), LOT._replace(label="top-up/soon"), None, None, None
    ),
}


@pytest.mark.parametrize("name", BENDING)
def test_a_posting_by_another_hand_that_bends_a_pocket_stops_the_close(
    name: str, may: Ledger
) -> None:
    """Another plugin adds a transaction that ours never saw; its file and line are named."""
    meta = {"filename": "other.beancount", "lineno": 7}
    entry = Transaction(
        meta, date(2026, 5, 30), "*", None, "Bent", frozenset(), frozenset(), [BENDING[name]]
    )
    may.entries.append(entry)
    (line,) = may.failing()["hand-written on pockets postings"]
    assert line.startswith("other.beancount:7: ")


@pytest.mark.parametrize(
    ("units", "lot"), [(1, LOT._replace(label="pro")), (40, LOT)], ids=["no open lot", "too many"]
)
def test_a_posting_by_another_hand_that_takes_what_no_lot_holds_stops_the_close(
    units: int, lot: Cost, may: Ledger
) -> None:
    """It names a lot in full; the lots tell that there is none, or not so much in it."""
    taken = Posting(BOB, Amount(Decimal(units), "CU"), lot, None, None, None)
    meta = {"filename": "other.beancount", "lineno": 7}
    day, none = date(2026, 5, 30), frozenset[str]()
    may.entries.append(Transaction(meta, day, "*", None, "Bent", none, none, [taken]))
    assert may.failing()["lots, none negative lots"] == ("other.beancount:7",)


def test_an_opening_lot_of_money_bends_a_pocket(may: Ledger) -> None:
    """Tagged as an opening, complete, and yet no units of compute: 1 EUR at 1.10 USD."""
    lot = Posting(BOB, Amount(Decimal(-1), "EUR"), LOT, None, None, None)
    units = lot._replace(units=Amount(Decimal(-1), "CU"))
    may.entries.append(_opening(units))
    assert may.failing().keys() & {"hand-written on pockets postings"} == set()
    may.entries[-1] = _opening(lot._replace(cost=LOT._replace(currency="EUR")))
    (line,) = may.failing()["hand-written on pockets postings"]
    assert line == "other.beancount:7: EUR is money, not a unit of compute"


def _opening(lot: Posting) -> Transaction:
    meta = {"filename": "other.beancount", "lineno": 7}
    tags = frozenset(["compute-opening"])
    return Transaction(meta, date(2026, 5, 30), "*", None, "More", tags, frozenset(), [lot])


def test_the_lines_of_what_differs_stand_below_the_table(may: Ledger) -> None:
    """Both sides by name, and at most twenty lines of each."""
    may.edit("sale", posting("Income:Fees", "-0.50"))
    text = render(tables(list(may.tied().values())), 80)
    assert "USD DIFFERS" in text
    differences = text[text.index("Differences") :]
    assert "fees = sum over trades: receivables less payables" in differences
    assert "1.89 USD" in differences
    assert may.line("10 CU 0.40 USD") in differences
