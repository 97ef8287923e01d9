"""Months in bulk, one after the other, are the plugin's books of all at once: lot by lot, and of
every subscriber, kind and refused row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from beancount_compute.bulk.bulk_terms import JOURNAL, BulkError
from beancount_compute.bulk.month_run import BulkOutcome
from beancount_compute.economy import AS_OF, POSTING_GRAIN, Assertion, Event, Grain, Month
from tests.bulk.months_of_a_ledger import (
    book_in_months,
    days_of,
    in_the_ledger,
    lots_of_books,
    lots_of_bulk,
    money_by_day,
    movements_of_books,
    movements_of_bulk,
    refused_rows,
    ties_of_last,
    within_a_month,
)
from tests.economy.building import Books
from tests.examples import examples
from tests.laws.captured import Captured, capture
from tests.laws.random_ledgers import PROFILES, write_ledger

EXAMPLES = Path(__file__).parents[2] / "example-ledgers"
MARKET_YEAR, TWO_BILLS = (EXAMPLES / n / "main.beancount" for n in ("market-year", "two-bills"))
# Of events with years between them the plugin books some only; in bulk each month is asked for.
SEEDS = [seed for seed in range(examples(11, 360)) if PROFILES[seed % len(PROFILES)] != "far"]
CHAIN = 134  # a reversal in July, of a trade in June that rests on a reversal of what May booked


BothWays = tuple[list[BulkOutcome], Books, list[Event]]


def both_ways(ledger: Captured, folder: Path, **how: object) -> BothWays:
    """The months in bulk, and the books of all at once, of the events that bulk can read.

    What is asserted holds in both; what does not stops the run with the message of a load.
    """
    events = within_a_month([each for each in ledger.facts.events if not each.flaw])
    facts = ledger.facts._replace(events=list(events), unread=[])
    days = [each.date for each in (*events, *facts.openings, *facts.removals, *facts.accruals)]
    days += [each.since for line in ledger.terms.capacities.values() for each in line]
    months = list(Month.of(min(days)).to(Month.of(max(days))))
    within = [each for each in facts.assertions if Month.of(each.date) in months]
    terms = ledger.terms.setting(AS_OF, months[-1].last).setting(POSTING_GRAIN, Grain.EVENT)
    books = ledger.again(facts._replace(assertions=within), terms)
    failing = {each.place: each.message for each in books.refusals}
    fails = [each for each in within if each.place in failing]
    holds = [each for each in within if each.place not in failing]
    outcomes = _in_bulk(ledger, events, holds, folder, months, **how)
    for each in fails[:1]:
        again = [month for month in months if month.first <= each.date]
        with pytest.raises(BulkError) as stopped:
            _in_bulk(ledger, events, [each], folder / "again", again, **how)
        said = failing[each.place].split(", known:")[0].split("; did you")[0]
        assert str(stopped.value).startswith(f"{each.place}: {said}")
    facts = facts._replace(assertions=[], events=list(events))
    return outcomes, ledger.again(facts, terms), events


def _in_bulk(
    ledger: Captured,
    events: list[Event],
    asserted: list[Assertion],
    folder: Path,
    months: list[Month],
    **how: object,
) -> list[BulkOutcome]:
    folder.mkdir(exist_ok=True)
    ledger = ledger._replace(facts=ledger.facts._replace(assertions=asserted))
    return book_in_months(ledger, events, folder, months, **how)


def assert_same(outcomes: list[BulkOutcome], books: Books, ledger: Captured) -> None:
    assert lots_of_bulk(outcomes[-1]) == lots_of_books(books, ledger.facts)
    assert movements_of_bulk(outcomes) == movements_of_books(books)
    accounts = ledger.component.__self__
    journals = [(each.folder / JOURNAL).read_text(encoding="utf-8") for each in outcomes]
    assert days_of(journals) == money_by_day(books, accounts)


def refused_dates(events: Iterable[Event], outcomes: list[BulkOutcome]) -> Counter[str]:
    """The months in which events were refused, so many times."""
    own = {each.place[:2]: Month.of(each.date).name for each in in_the_ledger([*events])}
    months = {each.folder.name for each in outcomes}
    found: Counter[str] = Counter()
    for row in refused_rows(outcomes):
        month = own.get((row["file"], row["row"]), Path(row["file"]).stem)
        found.update([month] if month in months else [])  # else it is a line of terms
    return found


def test_a_year_of_two_bills_is_the_same_in_bulk(tmp_path: Path) -> None:
    """Providers, credits, bills and capacity; reversals of earlier months, rows without ids."""
    ledger = capture(TWO_BILLS)
    outcomes, books, _ = both_ways(ledger, tmp_path)
    assert_same(outcomes, books, ledger)
    assert len(outcomes) == 12


@pytest.mark.parametrize("plain", [True, False], ids=["kernel", "engine"])
def test_a_market_s_year_is_the_same_in_bulk(
    plain: bool, market_year: BothWays, tmp_path: Path
) -> None:
    """Twelve months of trades, mints, top-ups, transfers: nothing differs, nothing is refused."""
    ledger = capture(MARKET_YEAR)
    outcomes, books, events = market_year if plain else both_ways(ledger, tmp_path, plain=False)
    assert_same(outcomes, books, ledger)
    assert len(outcomes) == 12 and not refused_rows(outcomes)
    in_files = sum(each.counts["read"] for each in outcomes)
    assert in_files + len(in_the_ledger(events)) == len(events)
    proved = sum(each.counts.get("proved", 0) for each in outcomes)
    assert (proved > 50) == plain
    ties = ties_of_last(outcomes, ledger)
    assert len(ties) > 8 and all(ties.values()), ties


@pytest.mark.parametrize("seed", [*SEEDS, *({CHAIN} - {*SEEDS})])
def test_random_economies_are_the_same_in_bulk(seed: int, tmp_path: Path) -> None:
    """All kinds, mistakes too: the same lots, movements and days, and as many refused a month."""
    ledger = capture(write_ledger(seed, tmp_path / "ledger"))
    (tmp_path / "months").mkdir()
    outcomes, books, events = both_ways(ledger, tmp_path / "months")
    assert_same(outcomes, books, ledger)
    months = {each.place: Month.of(each.date).name for each in events}
    refused = Counter(months[each.place] for each in books.refusals if each.place in months)
    assert refused_dates(events, outcomes) == refused
