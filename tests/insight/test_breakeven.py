"""Break-even of market and breakage: worked out on paper, published, and what can't be told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from beancount_compute.cli import main as command
from beancount_compute.insight.breakeven import breakeven
from beancount_compute.insight.months_of_subscribers import SubscriberSums, Summed, SummedRows
from beancount_compute.insight.regime_values import (
    LESS,
    MORE,
    NOT_SOLD,
    MonthsCompared,
    RegimeTerms,
    break_even_fee,
    break_even_gain,
    break_even_share,
    difference,
    worths,
)
from beancount_compute.insight.terms_of_books import drawn_terms, terms_of
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.figures import ReportLike
from beancount_compute.reports.tables import Cell
from tests.insight.test_estimates import many
from tests.reports.story import HEAD, STORY, books_of, by_key
from tests.reports.story import rows as rows_of_sums

# Two months, undiscounted. Nobody leaves with the market, half of them without it: worth 2 and 1.5
# months. 100.00 a month, 40.00 left unused; half of it is sold, at its carrying amount; what is
# sold costs 0.5 of it to serve, what is kept nothing.
TERMS = RegimeTerms(100, 40, 0.5, 1.0, 0.1, 0.5, 0.0, 0.0, 0.5)
TWO = MonthsCompared(2, 0.0)
LEDGER = (
    HEAD
    + """\
2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
2026-01-01 custom "compute-option" "unit-cost" 0.09 USD
2026-01-01 custom "compute-option" "seller-fee" 0.10
2026-01-01 custom "compute-option" "as-of" 2026-03-01
2026-01-01 custom "compute-subscription" "alice" "pro"
2026-01-01 custom "compute-subscription" "bob" "pro"
2026-01-01 custom "compute-subscription" "carl" "pro"
2026-01-01 custom "compute-subscription" "dora" "pro"
2026-01-20 custom "compute-consumption" "alice" 200 CU
2026-01-20 custom "compute-consumption" "bob" 1000 CU
2026-01-20 custom "compute-consumption" "carl" 1000 CU
2026-01-20 custom "compute-consumption" "dora" 1000 CU
2026-02-10 custom "compute-trade" "alice" "bob" 500 CU 0.10 USD
2026-02-20 custom "compute-consumption" "alice" 1000 CU
2026-02-20 custom "compute-consumption" "bob" 1500 CU
2026-02-20 custom "compute-consumption" "carl" 1000 CU
2026-02-20 custom "compute-consumption" "dora" 1000 CU
2026-02-20 custom "compute-cancellation" "dora" "pro"
"""
)
ONE_MONTH, TWO_MONTHS = breakeven(Decimal(0), 1), breakeven(Decimal(0), 2)


@pytest.fixture(scope="module")
def ledger() -> Books:
    return books_of(LEDGER)


def table(books: Books, name: str, report: ReportLike = TWO_MONTHS) -> dict[str, dict[str, Cell]]:
    (found,) = report.tables(books, Selection(), name)
    return {str([*row.values()][1]): row for row in by_key(found)}


def notes(books: Books) -> str:
    (found,) = TWO_MONTHS.tables(books, Selection(), "notes")
    return "\n".join(str(row[0]) for row in found.rows)


def test_both_worths_by_hand() -> None:
    """With: 100 + 20 x 0.1 - 20 x 0.5 = 92.00, twice; without: 100.00 and half of that again. What
    is kept may cost something, too: 40 x 0.1 a month."""
    assert worths(TERMS._replace(kept=0.1), TWO) == (pytest.approx(176), pytest.approx(150))
    assert worths(TERMS, TWO) == (pytest.approx(184), pytest.approx(150))
    assert difference(TERMS, TWO) == pytest.approx(34)


def test_each_is_solved_with_the_others_as_they_are() -> None:
    """The market may take 25.00 a month: 75 x 2 = 150.

    Fee: it brings 20 x fee - 10 at least -10: it earns more at any fee. With a churn of 0.1 without
    it (1.9 months) it may take 5.00: 20 x fee - 10 = -5, so a fee of 0.25.
    Share: 40 x share x (0.1 - 0.5) = -5, so 0.3125.
    Gain: 92 x 2 = 184 = 100 x (2 - churn), so 0.16.
    """
    assert break_even_fee(TERMS, TWO) == (None, MORE)
    a_tenth = TERMS._replace(gain=0.1)
    assert break_even_fee(a_tenth, TWO).at == pytest.approx(0.25)
    assert break_even_share(a_tenth, TWO).at == pytest.approx(0.3125)
    assert break_even_gain(a_tenth, TWO).at == pytest.approx(0.16)
    for key, solve in (
        ("fee", break_even_fee),
        ("share", break_even_share),
        ("gain", break_even_gain),
    ):
        solved = a_tenth._replace(**{key: solve(a_tenth, TWO).at})
        assert difference(solved, TWO) == pytest.approx(0, abs=1e-6), key


@pytest.mark.parametrize(
    ("solve", "terms", "over", "said"),
    [
        (break_even_fee, TERMS._replace(gain=-0.9, churn=0.9), TWO, LESS),  # 1.1 months beside 2
        (break_even_fee, TERMS._replace(share=0.0), TWO, NOT_SOLD),
        (break_even_share, TERMS._replace(share=0.0), TWO, NOT_SOLD),
        (break_even_share, TERMS, TWO, MORE),  # each sale loses, but all of them lose too little
        (break_even_share, TERMS._replace(fee=0.9), TWO, MORE),  # each sale gains
        (break_even_share, TERMS._replace(gain=-0.1, churn=0.1), TWO, LESS),
        (break_even_share, TERMS._replace(fee=0.5), TWO, MORE),  # sales bring nothing; people stay
        (break_even_share, TERMS._replace(fee=0.5, gain=0.0, kept=0.1), TWO, LESS),
        (break_even_gain, TERMS._replace(fee=1.0), TWO, MORE),  # nobody leaves, and it earns more
        (break_even_gain, TERMS._replace(unused=1000.0), TWO, LESS),
        (
            break_even_gain,
            TERMS._replace(margin=0.0),
            TWO,
            "a month earns nothing without a market",
        ),
        (break_even_gain, TERMS, MonthsCompared(1, 0.0), "over one month it changes nothing"),
    ],
)
def test_where_there_is_none_it_says_why(
    solve: Callable[[RegimeTerms, MonthsCompared], object],
    terms: RegimeTerms,
    over: MonthsCompared,
    said: str,
) -> None:
    assert solve(terms, over) == (None, said)


def test_where_the_market_brings_nothing_no_gain_is_needed() -> None:
    assert break_even_gain(TERMS._replace(share=0.0), TWO) == (0.0, "")


def test_the_break_even_of_a_ledger_by_hand(ledger: Books) -> None:
    """11 months are billed, 1100.00. All use costs 7700 x 0.09, that of the 500 CU sold 45.00, so
    a month earns (1100 - 648) / 11 = 41.0909. 80.00 are left unused, 50.00 are sold, for 50.00.

    Of the 8 months watched one ends with leaving: churn 1/8. Of those 6 of who neither traded nor
    held tokens (not alice's and bob's second) one does: 1/6, so the retention gain is 1/24.
    Over two months that is 1.875 months with the market, 1.8333 without: it has to bring
    41.0909 x (1.8333 / 1.875 - 1) = -0.9131 a month, and costs 45 / 11 = 4.0909:

        fee x 50 / 11 = 4.0909 - 0.9131, so a fee of 0.6991; without retention gain of 0.9
    """
    found = table(ledger, "break-even")
    fee = found["fee"]
    assert (fee["in_books"], fee["break_even"]) == (Decimal("0.1000"), Decimal("0.6991"))
    assert fee["said"] == "too few" and fee["low"] is None
    assert found["fee, without retention gain"]["break_even"] == Decimal("0.9000")
    assert found["share sold"]["in_books"] == Decimal("0.6250")
    assert found["retention gain a month"]["in_books"] == Decimal("0.0417")
    month = table(ledger, "month")
    assert month["margin without a market"]["amount"] == Decimal("41.09")
    # 40.00 of cost less fees over 11 months is -3.64
    assert month["what the market brings"]["amount"] == Decimal("-3.64")
    worth = table(ledger, "regimes")
    # 37.4545 x 1.875 and 41.0909 x 1.8333
    assert worth["with a market"]["amount"] == Decimal("70.23")
    assert worth["without, all breakage"]["amount"] == Decimal("75.33")
    assert worth["difference"]["amount"] == Decimal("-5.11")


def test_without_retention_it_is_the_break_even_of_economics(ledger: Books) -> None:
    """0.9 is 45.00 / 50.00; over one month staying changes nothing."""
    economics = rows_of_sums(ledger, "economics", "money-by-month")[0]
    assert economics["break_even"] == Decimal("0.9")
    fee = table(ledger, "break-even", ONE_MONTH)["fee"]
    assert fee["break_even"] == Decimal("0.9000")
    assert notes(ledger).count("too few for intervals") == 1


def test_what_is_sold_again_was_sold_once_and_paid_for_twice() -> None:
    """50.00 of the 80.00 left unused are sold, for 50.00, and 10.00 of them again, for 10.00."""
    again = LEDGER.replace('"bob" 1500 CU', '"bob" 1400 CU')
    books = books_of(f'{again}2026-02-11 custom "compute-trade" "bob" "carl" 100 CU 0.10 USD\n')
    assert table(books, "month")["of that sold"]["amount"] == Decimal("4.55")  # 50 / 11
    assert table(books, "tornado")["price over carrying amount"]["value"] == Decimal("1.2000")


def test_the_tornado_begins_with_what_matters_most(ledger: Books) -> None:
    """± 20 % of churn more or less retained: 41.09 x 0.025 both ways is a swing of 2.05."""
    (found,) = TWO_MONTHS.tables(ledger, Selection(), "tornado")
    swings = [row[-1] for row in found.rows]
    assert swings == sorted(swings, key=lambda each: -Decimal(str(each)))
    gain = table(ledger, "tornado")["retention gain a month"]
    assert (gain["varied_by"], gain["swing"]) == ("± 20% of churn", Decimal("2.05"))
    fee = table(ledger, "tornado")["fee"]  # 0.04 x 50 / 11 x 1.875
    assert (fee["low"], fee["high"]) == (Decimal("0.0800"), Decimal("0.1200"))
    assert fee["swing"] == Decimal("0.34")


def test_the_example_of_the_proposal() -> None:
    """200.00 a month, of which 40.00 are used: 160.00 or 80 % are margin, until they leave."""
    books = books_of(
        HEAD
        + """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-option" "unit-cost" 0.20 USD
2026-01-01 custom "compute-subscription" "alice" "pro"
2026-01-20 custom "compute-consumption" "alice" 200 CU
2026-01-25 custom "compute-cancellation" "alice" "pro"
2026-01-01 custom "compute-option" "as-of" 2026-02-01
"""
    )
    margin = table(books, "month")["margin without a market"]
    assert (margin["amount"], margin["share"]) == (Decimal("160.00"), Decimal("0.8000"))
    worth = table(books, "regimes")["without, all breakage"]
    assert worth["amount"] == Decimal("160.00")  # she leaves after a month, and so would all
    assert "everybody left at the first renewal" in notes(books)


def test_the_breakage_rate_of_starbucks() -> None:
    """Fiscal 2019: 140.8 of 10,983 million loaded on cards became breakage, 1.28 %."""
    books = books_of(
        HEAD
        + """\
2019-01-01 custom "compute-plan" "card" 10983.00 USD 109830 CU
2019-01-01 custom "compute-subscription" "all" "card"
2019-01-20 custom "compute-consumption" "all" 108422 CU
2019-01-25 custom "compute-cancellation" "all" "card"
2019-01-01 custom "compute-option" "as-of" 2019-02-01
"""
    )
    breakage = table(books, "month")["breakage, so far"]
    assert (breakage["amount"], breakage["share"]) == (Decimal("140.80"), Decimal("0.0128"))


def test_a_larger_ledger_has_intervals_and_varies_by_them() -> None:
    """40 people, of whom 16 leave, and 20 who sell to one of them, all on one day."""
    mint = """\
2026-01-01 custom "compute-plan" "trader" 100.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
2026-01-01 custom "compute-option" "seller-fee" 0.10
2026-01-01 custom "compute-option" "unit-cost" 0.05 USD
"""
    for name in range(40, 60):
        mint += f'2026-01-01 custom "compute-subscription" "u{name}" "trader"\n'
        mint += f'2026-03-10 custom "compute-trade" "u{name}" "u00" {name} CU 0.10 USD\n'
    mint += '2026-03-20 custom "compute-consumption" "u00" 1500 CU\n'
    books = many(40, {1: [*range(20, 30)], 2: [*range(10, 16)]}, 9, mint)
    found = table(books, "break-even", breakeven())
    fee = found["fee, without retention gain"]
    low, at, high = (fee[key] for key in ("low", "break_even", "high"))
    # 500 of the 990 CU bought for 99.00 are used (u00's own come first), at 0.05: 25.00 / 99.00
    assert isinstance(low, Decimal) and isinstance(high, Decimal) and at == Decimal("0.2525")
    assert low <= at <= high
    assert "draws there is none" in str(found["fee"]["said"]) or found["fee"]["said"] == MORE
    worth = table(books, "regimes", breakeven())["difference"]
    assert str(worth["said"]).endswith("of 200 draws") and worth["low"] is not None
    varied = {key: row["varied_by"] for key, row in table(books, "tornado", breakeven()).items()}
    assert varied["retention gain a month"] == "its interval"
    assert varied["discount a month"] == "± 20%"


def economy(seed: int, people: int) -> SummedRows:
    """People of whom half trade and leave less; they leave unused and sell more or less."""
    dice = np.random.default_rng(seed)
    sums = np.zeros((people, len(Summed)))
    bare = dice.random(people) < 0.5
    leaves = dice.geometric(np.where(bare, 0.12, 0.05))
    months, gone = np.minimum(leaves, 12), leaves <= 12
    unused = np.where(bare, 0, 100 * dice.beta(2, 3, people) * months)
    sold = unused * dice.beta(3, 3, people)
    served = sold * dice.uniform(0.15, 0.36, people)
    for what, of in (
        (Summed.MONTHS, months),
        (Summed.BILLED, 100 * months),
        (Summed.COST, 20 * months + served),
        (Summed.OF_UNUSED, served),
        (Summed.UNUSED, unused),
        (Summed.SOLD, sold),
        (Summed.GROSS, sold * dice.uniform(0.7, 1.1, people)),
        (Summed.FEES, 0.1 * sold),
        (Summed.FORGONE_SOLD, served),
        (Summed.WATCHED, months),
        (Summed.LEFT, gone),
        (Summed.WATCHED_BARE, months * bare),
        (Summed.LEFT_BARE, gone * bare),
    ):
        sums[:, what] = of
    return sums


def test_intervals_hold_the_truth() -> None:
    """Of 100 seeds, in 90 to 99 that of the difference, and of the fee that needs no gain."""
    over = MonthsCompared(12, 0.008)

    def figures(terms: RegimeTerms) -> tuple[float, float]:
        fee = break_even_fee(terms._replace(gain=0), over).at
        assert fee is not None
        return difference(terms, over), fee

    truth = figures(terms_of(economy(100, 200_000).sum(axis=0)))
    held = [0, 0]
    for seed in range(100):
        drawn = [figures(each) for each in drawn_terms(SubscriberSums(economy(seed, 150), 12))]
        ends = np.quantile(drawn, (0.025, 0.975), axis=0)
        for at in (0, 1):
            held[at] += bool(ends[0, at] <= truth[at] <= ends[1, at])
    assert all(90 <= each <= 99 for each in held), held


def test_whom_the_retention_gain_compares_is_said(ledger: Books) -> None:
    """Of 8 decisions alice's and bob's second are of who traded, 6 of others, 4 of these a first.

    Of one month used: 20 %, thrice 100 %; of two: carl and dora 100 %: 520 % / 6. Alice used
    1200 of 2000, bob 2500, of which 500 were bought: 92.5 %.
    """
    said = notes(ledger)
    assert (
        "of 6 such decisions 4 are a newcomer's first" in said and "it is not what tokens" in said
    )
    assert "they used 87% of their allocation, the others 92%" in said
    gain = table(ledger, "break-even")["retention gain a month"]["said"]
    assert gain == "too few; no effect of tokens: see notes"
    over_one = table(ledger, "break-even", ONE_MONTH)["retention gain a month"]["said"]
    assert over_one == "over one month it changes nothing; no effect of tokens: see notes"


def test_without_a_sale_nobody_stays_for_a_market() -> None:
    """Tokens are held from the second month on, and all leave then: who holds none never did."""
    minting = LEDGER.replace("2026-02-10", "; 2026-02-10").replace("1500 CU", "1000 CU")
    books = books_of(minting)
    assert table(books, "break-even")["retention gain a month"]["in_books"] == 0
    assert table(books, "regimes")["difference"]["amount"] == 0
    assert "the retention gain is taken as 0" in notes(books)


def test_a_share_is_varied_to_one_at_most() -> None:
    """Alice sells all that she left unused: a share of 1, and 1.2 is none."""
    books = books_of(LEDGER.replace('"bob" 500 CU', '"bob" 800 CU'))
    found = table(books, "tornado")["share sold"]
    assert (found["value"], found["low"], found["high"]) == (1, Decimal("0.8000"), 1)


def all_finite(books: Books) -> bool:
    tables = TWO_MONTHS.tables(books, Selection())
    cells = [cell for each in tables for row in each.rows for cell in row]
    return all(cell.is_finite() for cell in cells if isinstance(cell, Decimal))


def test_an_empty_ledger_and_one_subscriber_are_said() -> None:
    """Nothing is compared, or not enough; a period that runs says nothing of leaving."""
    assert "there is nothing to compare" in notes(books_of(HEAD))
    alone = books_of(LEDGER.split("2026-02-10")[0].replace("2026-03-01", "2026-01-31"))
    of_alice = Selection(subscriber="alice")
    (found,) = TWO_MONTHS.tables(alone, of_alice, "notes")
    assert "USD: 1 subscriber over 0 months are too few" in str(found.rows[0][0])
    assert "no period is over yet" in str(found.rows)
    assert all_finite(alone) and all_finite(books_of(STORY))
    assert "neither provider nor unit-cost" in notes(books_of(STORY))


@pytest.mark.parametrize(
    ("leaving", "said"),
    [({}, "nobody has left yet"), ({1: [*range(40)]}, "everybody left at the first renewal")],
)
def test_no_market_nobody_and_everybody(leaving: dict[int, list[int]], said: str) -> None:
    """Without a market the two are the same, whoever leaves; no figure is endless or none."""
    books = many(40, leaving, 8)
    assert said in notes(books) and "of a market nothing can be told" in notes(books)
    found = table(books, "break-even")
    assert found["fee"]["said"] == found["share sold"]["said"] == NOT_SOLD
    assert table(books, "regimes")["difference"]["amount"] == 0
    assert all_finite(books)


def test_the_command_takes_horizon_discount_and_displaced(tmp_path: Path) -> None:
    """Displaced sales of 10 %: nothing, as nobody's plan sells overage. Another report has none."""
    path = tmp_path / "main.beancount"
    path.write_text(LEDGER, encoding="utf-8")
    options = ["--horizon", "2", "--discount", "0", "--displaced", "0.1"]
    done = CliRunner().invoke(command, ["report", "breakeven", str(path), *options])
    assert done.exit_code == 0 and "0.6991" in done.output and "over 2 months" in done.output
    refused = CliRunner().invoke(command, ["report", "lifetime", str(path), "--horizon", "2"])
    assert refused.exit_code == 2 and "--horizon is an option of breakeven" in refused.output
