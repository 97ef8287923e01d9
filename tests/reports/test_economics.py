"""Breakage or market: one story worked out by hand, and what adds up on random ledgers."""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from beancount import loader

from beancount_compute.close.loading import load
from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.roles import Earning, Pocket
from beancount_compute.economy.rounding import WIDE
from beancount_compute.economy.terms import RESERVED_ORIGINS
from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.economics import economics
from beancount_compute.reports.figures import CellAsked, How, Request, tabulate
from beancount_compute.reports.market import MARKET
from tests.close.sealing import add, close, write
from tests.reports.showing import books_of, figures, labels_of, whole

sys.path.insert(0, str(Path(__file__).parents[1] / "laws"))
from tests.laws.random_ledgers import write_ledger

# alice leaves 800 of May's 1000 CU (160.00); sells 500 for 125.00, fee 6.25; bob uses 400 of them.
# A year later her 300 and bob's 100 lapse, and a month later her 1000 of June (200.00).
STORY = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "unit-cost" 0.04 USD
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-01 custom "compute-subscription" "bob" "pro"
2026-05-20 custom "compute-consumption" "alice" 200 CU
2026-05-20 custom "compute-consumption" "bob" 1000 CU
2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
2026-06-20 custom "compute-consumption" "bob" 1400 CU
  id: "use"
2026-06-20 custom "compute-cancellation" "alice" "pro"
2026-06-20 custom "compute-cancellation" "bob" "pro"
"""
AS_OF = '2026-01-01 custom "compute-option" "as-of" 2027-07-01\n'


def test_the_story_at_the_end_of_june() -> None:
    """400 of 800 are used: 80.00 + 6.25 - 16.00 = 70.25 so far; 400 (80.00) are still held.
    160.00 would have lapsed: 9.75 less in the end, as 16.00 / 125.00 = 12.8 % would break even."""
    books = books_of(STORY)
    found = figures(economics(), books, Selection(end=date(2026, 6, 30)), "units-by-month")
    units = {
        "unused": "800",
        "sold": "500",
        "share_sold": "0.625",
        "used": "400",
        "held": "400",
    }
    assert found == {("2026-06", "CU"): units, ("total", "CU"): units}
    found = figures(economics(), books, Selection(end=date(2026, 6, 30)), "money-by-subscriber")
    assert found == {
        ("alice", "USD"): {
            "lapsed": "160.00",
            "use": "80.00",
            "fees": "6.25",
            "cost_of_use": "-16.00",
            "market": "70.25",
            "gain": "-89.75",
            "held_amount": "80.00",
            "gain_if_held_lapses": "-9.75",
            "gross": "125.00",
            "break_even": "0.128",
            "fee_rate": "0.05",
        }
    }


def test_the_story_to_its_end() -> None:
    """What was held lapses and earns 80.00: 150.25 against 160.00. June's 1000 lapse as they would
    have without a market, 200.00 against 200.00."""
    found = figures(economics(), books_of(STORY + AS_OF), Selection(), "money-by-all")
    may = found["2026-06", "pro", "alice", "USD"]
    assert (may["lapsed"], may["use"], may["expiry"]) == ("160.00", "80.00", "80.00")
    assert (may["market"], may["gain"], may["gain_if_held_lapses"]) == ("150.25", "-9.75", "-9.75")
    june = found["2026-07", "pro", "alice", "USD"]
    assert june == {"lapsed": "200.00", "expiry": "200.00", "market": "200.00"}


METERED = """\
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.05 USD
  provider: "openai"
"""


def test_the_cost_of_use_is_what_is_booked_where_a_meter_gave_it() -> None:
    """Of the 400 tokens 300 are used by a meter, at 0.05 (15.00 of the 65.00 booked), and 100
    without one, at the unit cost of 0.04: 19.00, and 15.00 of that booked. What is reversed later
    comes back when it is."""
    use = '2026-06-20 custom "compute-consumption" "bob" 1400 CU\n  id: "use"\n'
    assert use in STORY
    metered = (
        '2026-06-20 custom "compute-consumption" "bob" 1300 CU\n  id: "use"\n  meter: "chat"\n'
    )
    plain = '2026-06-20 custom "compute-consumption" "bob" 100 CU\n  time: "20:00"\n'
    ledger = STORY.replace(use, metered + plain) + METERED
    end = Selection(end=date(2026, 6, 30))
    found = figures(economics(), books_of(ledger), end, "money-by-month")["2026-06", "USD"]
    assert (found["cost_of_use"], found["cost_booked"]) == ("-19.00", "-15.00")
    assert found["market"] == "67.25"  # 80.00 + 6.25 - 19.00
    assert found["break_even"] == "0.152"  # 19.00 / 125.00
    (table,) = economics().tables(books_of(ledger), end, "assumptions")
    assert table.rows == [
        ("cost of use", "as booked, where a provider serves the meter; else the unit cost"),
        ("displaced sales", "none (see --displaced)"),
        ("unit cost from 2026-01-01", "0.04 USD a unit used"),
    ]
    ledger += '2026-07-02 custom "compute-reversal" "use"\n' + AS_OF.replace("2027-07", "2026-08")
    found = figures(economics(), books_of(ledger), end, "money-by-month")["2026-06", "USD"]
    assert found["cost_booked"] == "-15.00"
    found = figures(economics(), books_of(ledger), Selection(), "money-by-month")["2026-06", "USD"]
    assert found["cost_of_use"] == "-4.00"
    assert "cost_booked" not in found


def test_a_cost_that_is_stated_later_counts_from_then_on(tmp_path: Path) -> None:
    """June is closed with 70.00 for 1400, of which 400 are tokens: 20.00; then 140.00 is stated."""
    use = '  id: "use"\n'
    terms = STORY.split("\n", 2)[2].replace(use, use + '  meter: "chat"\n') + METERED
    ledger = write(tmp_path / "l", terms + AS_OF.replace("2027-07-01", "2026-07-31"))
    close(ledger, "2026-05", "2026-06")
    add(
        ledger,
        '2026-06-20 custom "compute-cost" "openai" 140.00 USD\n  meter: "chat"\n  id: "s"\n',
    )
    loaded = load(ledger)
    assert loaded.errors == []
    books = read_books(loaded.entries, loaded.options)
    for end, cost in ((date(2026, 6, 30), "-20.00"), (date(2026, 7, 31), "-40.00")):
        found = figures(economics(), books, Selection(end=end), "money-by-plan")["pro", "USD"]
        assert found["cost_booked"] == cost


def test_the_fees_of_units_in_no_cohort_stand_beside_those_of_cohorts() -> None:
    """Carol's opening tokens (40.00, fee 2.00), dave's top-up (10.00, 0.50): 8.75 of all trades, as
    the market says; of a plan or of months alone, the other cohorts too."""
    books = books_of(
        STORY
        + """\
2026-01-01 open Equity:Opening
2026-05-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Carol  -200 CU {0.20 USD, 2026-02-01, "pro/2027-02-01"}
  Equity:Opening
2026-05-02 custom "compute-allocation" "dave" 50 CU 10.00 USD
2026-06-11 custom "compute-trade" "carol" "bob" 200 CU 0.20 USD
2026-06-12 custom "compute-trade" "dave" "bob" 50 CU 0.20 USD
"""
    )
    none, cohorts = "no cohort (opening tokens, top-ups, grants)", "the cohorts above"
    assert figures(economics(), books, Selection(), "fees") == {
        (none, "USD"): {"amount": "2.50"},
        (cohorts, "USD"): {"amount": "6.25"},
    }
    (table,) = economics().tables(books, Selection(), "fees")
    (market,) = MARKET.tables(books, Selection(), "by-month")
    fees = next(at for at, each in enumerate(market.columns) if each.key == "fees")
    assert table.totals == (("total", "USD", market.rows[0][fees]),)
    assert figures(economics(), books, Selection(subscriber="bob"), "fees") == {
        (none, "USD"): {"amount": "2.50"},
        ("other cohorts (not selected)", "USD"): {"amount": "6.25"},
    }


def test_a_selection_is_of_cohorts() -> None:
    """Of July alone: what left its period then, with what became of it up to July's end; of bob,
    who never left any unused: nothing."""
    books = books_of(STORY + AS_OF.replace("2027-07-01", "2026-08-01"))
    july = Selection(date(2026, 7, 1), date(2026, 7, 31))
    found = figures(economics(), books, july, "units-by-month")
    assert found["total", "CU"] == {"unused": "1000", "held": "1000"}
    assert ("2026-06", "CU") not in found
    assert figures(economics(), books, Selection(subscriber="bob"), "units-by-month") == {}
    assert figures(economics(), books, Selection(plan="top-up"), "units-by-month") == {}


def test_what_the_rounding_of_a_refund_leaves_is_earned() -> None:
    """10.00 for 3 CU: 2 at 3.333333 and 1 at 3.333334. 1 CU is given back as 3.33: 0.003333 are
    revenue, of the cohort that it is of."""
    ledger = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 10.00 USD 3 CU
  unused: "mint"
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-02 custom "compute-cancellation" "alice" "pro"
2026-06-02 custom "compute-refund" "alice" 1 CU
"""
    found = figures(economics(), books_of(ledger), Selection(), "money-by-plan")
    assert found["pro", "USD"]["use"] == "0.003333"


def test_displaced_sales() -> None:
    """Half of the 500 that bob bought would have been overage at 0.30: 75.00. Then the market
    breaks even at (16.00 + 75.00) / 125.00."""
    report = economics(Decimal("0.5"))
    books = books_of(STORY)
    found = figures(report, books, Selection(), "money-by-plan")["pro", "USD"]
    assert (found["displaced"], found["market"]) == ("-75.00", "-4.75")
    assert found["break_even"] == "0.728"
    assumptions = figures(report, books, Selection(), "assumptions")
    assert list(assumptions) == [
        ("displaced sales", "0.5 of the units bought would have been overage"),
        ("unit cost from 2026-01-01", "0.04 USD a unit used"),
    ]


def test_what_partners_got_counts_in_the_break_even_fee_rate() -> None:
    """500 sold for 125.00, fee 6.25; of the other 300 a partner takes 100 (20.00) for 15.00. In the
    end 16.00 of use and 15.00 for the partner stand against the fees: 31.00 / 125.00 = 24.8 %.
    At that rate: 31.00 of fees, and no gain."""
    ledger = STORY + '2026-06-21 custom "compute-spend" "alice" "shop" 100 CU 15.00 USD\n'
    for rate, fees, gain in (("0.05", "6.25", "-24.75"), ("0.248", "31.00", None)):
        books = books_of(ledger.replace('"seller-fee" 0.05', f'"seller-fee" {rate}'))
        found = figures(economics(), books, Selection(), "money-by-plan")["pro", "USD"]
        assert (found["break_even"], found["fee_rate"], found["fees"]) == ("0.248", rate, fees)
        assert (found.get("gain_if_held_lapses"), found["partner_income"]) == (gain, "5.00")


def test_what_is_refunded_counts_in_the_break_even_fee_rate_as_what_was_given_back() -> None:
    """100 of the 300 that alice kept (20.00) are given back: (16.00 + 20.00) / 125.00."""
    books = books_of(STORY + '2026-06-21 custom "compute-refund" "alice" 100 CU\n')
    found = figures(economics(), books, Selection(), "money-by-plan")["pro", "USD"]
    assert (found["gain_if_held_lapses"], found["break_even"]) == ("-29.75", "0.288")


def test_a_unit_cost_behind_the_selection_is_no_assumption() -> None:
    """One of July does not count in June, nor stand there."""
    books = books_of(STORY + '2026-07-01 custom "compute-option" "unit-cost" 0.09 USD\n')
    for end, days in (("2026-06-30", 1), ("2026-07-01", 2)):
        until = Selection(end=date.fromisoformat(end))
        said = [key for key, _ in figures(economics(), books, until, "assumptions")]
        wanted = ["unit cost from 2026-01-01", "unit cost from 2026-07-01"]
        assert said == ["displaced sales", *wanted[:days]]


def test_without_a_unit_cost_the_report_says_that_it_counts_none() -> None:
    """80.00 + 6.25, and no cost of use."""
    ledger = STORY.replace('2026-01-01 custom "compute-option" "unit-cost" 0.04 USD\n', "")
    books = books_of(ledger)
    found = figures(economics(), books, Selection(), "money-by-plan")["pro", "USD"]
    assert found["market"] == "86.25"
    assert "cost_of_use" not in found
    said = [value for _, value in figures(economics(), books, Selection(), "assumptions")]
    assert "none is given (compute-option unit-cost): counted as 0" in said


def test_a_unit_cost_holds_from_its_day_and_a_reversal_takes_back_its_own() -> None:
    """Used on 20 June at 0.04: 16.00. Reversed on 25 June, when it is 0.10: nothing is left of it.
    Used again on 26 June: 40.00."""
    later = '2026-06-21 custom "compute-option" "unit-cost" 0.10 USD\n'
    undone = '2026-06-25 custom "compute-reversal" "use"\n'
    books = books_of(STORY + later + undone)
    found = figures(economics(), books, Selection(), "money-by-plan")["pro", "USD"]
    assert {"use", "cost_of_use", "break_even"} & set(found) == set()
    assert found["held_amount"] == "160.00"
    again = '2026-06-26 custom "compute-consumption" "bob" 1400 CU\n'
    books = books_of(STORY + later + undone + again)
    found = figures(economics(), books, Selection(), "money-by-plan")["pro", "USD"]
    assert (found["use"], found["cost_of_use"]) == ("80.00", "-40.00")


def test_what_a_reversal_brings_back_is_what_went_last() -> None:
    """100 tokens on 20 June at 0.04, 100 on 22 June at 0.10; the second use is undone: 4.00."""
    ledger = STORY.replace("1400 CU", "1100 CU")
    ledger += (
        '2026-06-21 custom "compute-option" "unit-cost" 0.10 USD\n'
        '2026-06-22 custom "compute-consumption" "bob" 100 CU\n  id: "second"\n'
        '2026-06-25 custom "compute-reversal" "second"\n'
    )
    found = figures(economics(), books_of(ledger), Selection(), "money-by-plan")["pro", "USD"]
    assert (found["use"], found["cost_of_use"]) == ("20.00", "-4.00")


def test_tokens_that_come_later_go_later() -> None:
    """Bob uses all his 100, and 20 of them come back on 12 June, when their period is over: they
    turn into tokens behind the 30 of alice's that he bought on 10 June. Of 40 used 30 are hers."""
    ledger = SHARED[: SHARED.index("2026-06-11")].replace("  mint-rate: 0.5\n", "")
    ledger += (
        '2026-05-20 custom "compute-consumption" "bob" 80 CU\n'
        '2026-05-21 custom "compute-consumption" "bob" 20 CU\n  id: "twenty"\n'
        '2026-06-12 custom "compute-reversal" "twenty"\n'
        '2026-06-20 custom "compute-consumption" "bob" 40 CU\n'
    )
    found = figures(economics(), books_of(ledger), Selection(), "units-by-subscriber")
    assert found["alice", "CU"]["used"] == "30"
    assert found["bob", "CU"] == {"unused": "20", "used": "10", "held": "10"}


SHARED = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  unused: "mint"
  mint-rate: 0.5
2026-01-01 custom "compute-option" "seller-fee" 0.10
2026-01-01 custom "compute-option" "buyer-fee" 0.05
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-01 custom "compute-subscription" "bob" "pro"
2026-05-02 custom "compute-cancellation" "alice" "pro"
2026-05-02 custom "compute-cancellation" "bob" "pro"
2026-06-10 custom "compute-trade" "alice" "bob" 30 CU 1.00 USD
  id: "sale"
2026-06-11 custom "compute-spend" "bob" "shop" 60 CU 9.00 USD
2026-06-12 custom "compute-refund" "alice" 5 CU
"""


def test_two_subscribers_whose_tokens_are_of_one_lot() -> None:
    """Both leave 100 unused: 50 lapse at once (10.00), 50 become tokens at 0.20. Alice sells 30 to
    bob for 30.00 (fees 3.00 and 1.50). Of bob's 80 his own 50 came first, so the partner takes
    these and 10 of alice's: settlement 7.50 and 1.50, so 2.50 and 0.50 are income. She is given
    back 5. Bob holds 20 of hers, she 15."""
    books = books_of(SHARED)
    units = figures(economics(), books, Selection(), "units-by-subscriber")
    assert units["alice", "CU"] == {
        "unused": "100",
        "sold": "30",
        "share_sold": "0.3",
        "spent": "10",
        "expired": "50",
        "refunded": "5",
        "held": "35",
    }
    assert units["bob", "CU"] == {"unused": "100", "spent": "50", "expired": "50"}
    money = figures(economics(), books, Selection(), "money-by-subscriber")
    alice, bob = money["alice", "USD"], money["bob", "USD"]
    assert (alice["lapsed"], alice["expiry"], alice["fees"]) == ("20.00", "10.00", "4.50")
    assert (alice["partner_income"], alice["held_amount"]) == ("0.50", "7.00")
    assert (bob["lapsed"], bob["expiry"], bob["partner_income"]) == ("20.00", "10.00", "2.50")
    assert "fees" not in bob


def test_a_trade_that_is_undone_found_no_buyer() -> None:
    """The very units that were sold go back, though bob's own lie with them: nothing is left."""
    ledger = SHARED.replace(
        '2026-06-11 custom "compute-spend"', '2026-06-13 custom "compute-spend"'
    )
    ledger = ledger.replace("60 CU 9.00", "50 CU 7.50")
    books = books_of(ledger + '2026-06-12 custom "compute-reversal" "sale"\n')
    alice = figures(economics(), books, Selection(), "units-by-subscriber")["alice", "CU"]
    assert "sold" not in alice
    assert alice["held"] == "45"
    money = figures(economics(), books, Selection(), "money-by-subscriber")
    assert {"fees", "gross"} & set(money["alice", "USD"]) == set()
    assert money["bob", "USD"]["partner_income"] == "2.50"


def test_a_trade_of_two_lots_shares_its_gross_and_its_fees() -> None:
    """Alice sells 10 CU that cost 0.20 (of pro) and 30 that cost 0.10 (of lite) for 40.00, fee
    4.00: a quarter and three quarters."""
    ledger = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 2.00 USD 10 CU
  unused: "mint"
2026-01-01 custom "compute-plan" "lite" 3.00 USD 30 CU
  unused: "mint"
2026-01-01 custom "compute-option" "seller-fee" 0.10
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-01 custom "compute-subscription" "alice" "lite"
2026-05-02 custom "compute-cancellation" "alice" "pro"
2026-05-02 custom "compute-cancellation" "alice" "lite"
2026-05-02 custom "compute-grant" "bob" 1 CU
2026-06-02 custom "compute-trade" "alice" "bob" 40 CU 1.00 USD
"""
    found = figures(economics(), books_of(ledger), Selection(), "money-by-plan")
    assert (found["pro", "USD"]["gross"], found["pro", "USD"]["fees"]) == ("10.00", "1.00")
    assert (found["lite", "USD"]["gross"], found["lite", "USD"]["fees"]) == ("30.00", "3.00")


def test_units_sold_twice_found_a_buyer_once() -> None:
    """Alice's 30 go to bob and on to carol: fees and gross of both sales count, units once. What
    is sold on are bob's own, which came first: 30 of his 50."""
    ledger = SHARED.replace('"bob" "shop" 60 CU', '"bob" "shop" 1 CU').replace(
        "9.00 USD", "0.10 USD"
    )
    ledger = ledger.replace(
        '2026-05-01 custom "compute-subscription" "bob"',
        '2026-05-01 custom "compute-grant" "carol" 1 CU\n'
        '2026-05-01 custom "compute-subscription" "bob"',
    )
    more = '2026-06-20 custom "compute-trade" "bob" "carol" 79 CU 1.00 USD\n'
    found = figures(economics(), books_of(ledger + more), Selection(), "units-by-subscriber")
    assert found["alice", "CU"]["sold"] == "30"
    assert found["bob", "CU"]["sold"] == "49"


@pytest.fixture(scope="module", params=range(18))
def random_books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Books:
    path = write_ledger(request.param, tmp_path_factory.mktemp("ledger") / "l")
    entries, _, options = loader.load_file(str(path))
    return read_books(entries, options)


WAYS_OUT = ("used", "spent", "expired", "refunded", "voided", "removed")


def test_cohorts_add_up_to_the_books(random_books: Books) -> None:
    """Every unit that was minted or lapsed in its pocket is in one cohort and went one way; by
    month, by plan, by subscriber and all together give one total."""
    books, report = random_books, economics(Decimal("0.25"))
    tables = {table.name: table for table in report.tables(books, Selection())}
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for each in books.movements:
            tokens = each.pocket is Pocket.TOKENS
            if each.origin in RESERVED_ORIGINS or not each.origin or each.pocket is Pocket.ACCESS:
                continue
            if each.flow is Flow.MINTED and tokens:
                expected[each.commodity] += each.units
            elif each.flow is Flow.EXPIRED and not tokens:
                expected[each.commodity] -= each.units
        for what in ("units", "money"):
            sums: dict[str, dict[tuple[str, str], Decimal]] = {}
            for name in ("month", "plan", "subscriber", "all"):
                table = tables[f"{what}-by-{name}"]
                front = labels_of(table)
                found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
                for row in table.rows:
                    if row[0] != "total":
                        for column, cell in zip(table.columns[front:], row[front:], strict=True):
                            if column.kind != "rate":
                                found[str(row[front - 1]), column.key] += whole(cell)
                sums[name] = {key: number for key, number in found.items() if number}
            assert sums["month"] == sums["plan"] == sums["subscriber"] == sums["all"]
        columns = [column.key for column in tables["units-by-all"].columns]
        assert set(columns[7:]) <= {*WAYS_OUT, "held"}
        for row in tables["units-by-all"].rows:
            *labels, commodity = row[:4]
            unused, _, _, *ways = map(whole, row[4:])
            assert unused == sum(ways), labels
            expected[str(commodity)] -= unused
    assert not any(expected.values())


def test_a_table_alone_is_the_one_among_all(random_books: Books) -> None:
    """Worked out from sums of all subscribers, or from each; to the end, or to a day within."""
    books, report = random_books, economics()
    days = [each.date for each in books.movements]
    for selection in (Selection(), Selection(end=days[len(days) // 2]) if days else Selection()):
        for table in report.tables(books, selection):
            assert report.tables(books, selection, table.name) == [table]


def test_what_is_added_up_is_what_the_transactions_add(random_books: Books) -> None:
    """The tables, added up by cohort, are those of each transaction on its own."""
    books = random_books
    for share, selection in (("0", Selection()), ("0.25", Selection(end=books.last_day))):
        report = economics(Decimal(share))
        layouts = report.layouts(books, selection)
        request = Request(frozenset([each.name for each in layouts]), each=True)
        with localcontext(WIDE):
            singly = tabulate(layouts, report.contributions(books, selection, request))
        assert report.tables(books, selection) == singly


def test_fees_and_partner_income_are_those_booked(random_books: Books) -> None:
    """Of all lots of plans, where no tokens were there before the books began."""
    books = random_books
    before = {each for each in books.movements if each.flow is Flow.OPENING}
    table = next(
        each for each in economics().tables(books, Selection()) if each.name == "money-by-plan"
    )
    keys = [column.key for column in table.columns]
    for column, earning in (("fees", Earning.FEES), ("partner_income", Earning.PARTNER_INCOME)):
        booked: defaultdict[str, Decimal] = defaultdict(Decimal)
        with localcontext(WIDE):
            for income in books.incomes:
                if income.earning is earning and income.origin not in RESERVED_ORIGINS:
                    booked[income.currency] += income.amount
            for row in table.rows:
                booked[str(row[1])] -= whole(row[keys.index(column)])
        if not before:
            assert not any(booked.values()), (column, booked)


def test_the_gain_is_what_fees_are_above_the_break_even_fee_rate(random_books: Books) -> None:
    """To the rounding of the two rates, of every cohort that was sold; with displaced sales too."""
    step = Decimal("0.000001")
    for table in economics(Decimal("0.25")).tables(random_books, Selection()):
        if not table.name.startswith("money-by-"):
            continue
        at = {column.key: place for place, column in enumerate(table.columns)}
        for row in table.rows:
            gain, gross, rate, even = [
                whole(row[at[key]])
                for key in ("gain_if_held_lapses", "gross", "fee_rate", "break_even")
            ]
            if gross:
                assert abs(gain - (rate - even) * gross) <= step * gross, (table.name, row)


def test_every_cell_is_explained_by_transactions_that_add_up_to_it(random_books: Books) -> None:
    """In the tables of months and subscribers; rates are shared among the transactions above."""
    books, report = random_books, economics()
    layouts = {each.name: each for each in report.layouts(books, Selection())}
    for table in report.tables(books, Selection()):
        if table.name not in ("units-by-month", "money-by-subscriber"):
            continue
        front = labels_of(table)
        for row in table.rows[:4]:
            for figure, cell in zip(layouts[table.name].figures, row[front:], strict=True):
                asked = CellAsked(table.name, row[:front], figure.key)
                behind = report.trace(books, Selection(), asked)
                with localcontext(WIDE):
                    assert sum((number for _, number in behind), Decimal()) == whole(cell)
                assert figure.how in (How.SUM, How.QUOTIENT)
                assert all(0 <= at < len(books.transactions) for at, _ in behind)


def test_money_of_two_commodities_of_a_plan_is_one_row() -> None:
    """Periods of 10 days, from the second one on in GPU hours: in May 1000 CU and 10 GPU become
    tokens, of 400.00 in all."""
    ledger = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  every: "10 days"
2026-05-05 custom "compute-plan" "pro" 200.00 USD 10 GPU
  unused: "mint"
  every: "10 days"
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-15 custom "compute-cancellation" "alice" "pro"
2026-05-25 custom "compute-grant" "bob" 1 CU
"""
    books = books_of(ledger)
    units = figures(economics(), books, Selection(), "units-by-all")
    assert {row[-1]: found["held"] for row, found in units.items()} == {"CU": "1000", "GPU": "10"}
    money = figures(economics(), books, Selection(), "money-by-all")
    assert list(money) == [("2026-05", "pro", "alice", "USD")]
    assert money["2026-05", "pro", "alice", "USD"]["held_amount"] == "400.00"
