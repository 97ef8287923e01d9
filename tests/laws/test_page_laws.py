"""What pages work out quickly is what the reports say, on random ledgers and for random days."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from beancount import loader

from beancount_compute.economy.rounding import WIDE
from beancount_compute.fava_extension.prepared.economics_by_day import EconomicsByDay
from beancount_compute.fava_extension.prepared.holdings import Holdings
from beancount_compute.fava_extension.prepared.narrowing import coarse
from beancount_compute.fava_extension.prepared.overview import deferred_within, held_on
from beancount_compute.reports.aging import AGING
from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.economics import economics
from beancount_compute.reports.held_lots import LOTS
from beancount_compute.reports.intervals import Interval
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.rollforward import ROLLFORWARD
from beancount_compute.reports.tables import NOT_NAMED
from tests.examples import examples
from tests.laws.random_ledgers import write_ledger
from tests.reports.story import by_key

SEEDS = range(examples(22, 1000))  # two of each profile
COARSE = ("rollforward", "vintages", "market", "revenue")  # what pages ask of coarse books
BY_SUBSCRIBER = ("units-by-subscriber", "money-by-subscriber", "by-subscriber")


@cache
def loaded(seed: int) -> Books:
    with TemporaryDirectory() as folder:
        ledger = write_ledger(seed, Path(folder) / "ledger")
        entries, _, options = loader.load_file(str(ledger))
    return read_books(entries, options)


def selections(books: Books, seed: int) -> list[Selection]:
    """Everything, and some random days and plans of the books."""
    if not books.movements:
        return [Selection()]
    chance = random.Random(seed)
    first, last = books.movements[0].date, books.movements[-1].date
    found = [Selection()]
    for _ in range(4):
        days = sorted(first + timedelta(chance.randint(0, (last - first).days)) for _ in range(2))
        plan = chance.choice(["", *sorted(books.origins)])
        found.append(Selection(*days, plan=plan))
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_coarse_books_give_the_same_tables(seed: int) -> None:
    """Of all reports that tell no subscriber and no lot, for any days and plan."""
    books = loaded(seed)
    summed = coarse(books)
    for selection in selections(books, seed):
        for name in COARSE:
            report = REPORTS[name]
            tables = [each.name for each in report.layouts(books, selection)]
            kept = [each for each in tables if each not in BY_SUBSCRIBER]
            assert report.tables(summed, selection, *kept) == report.tables(books, selection, *kept)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_economics_by_day_are_the_report(seed: int) -> None:
    """By month and plan, with and without displaced sales."""
    books = loaded(seed)
    by_day = EconomicsByDay(books)
    names = ("units-by-month", "money-by-month", "units-by-plan", "money-by-plan")
    for selection in selections(books, seed):
        for displaced in (Decimal(), Decimal("0.37")):
            wanted = economics(displaced).tables(books, selection, *names)
            assert by_day.tables(selection, displaced, Interval.MONTH, *names) == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_holdings_are_the_roll_forward_the_lots_and_the_aging(seed: int) -> None:
    """Everybody's, together and by account, on any day."""
    books = loaded(seed)
    for fine in (False, True):
        holdings = Holdings(books, books.movements, books.owed, fine=fine)
        for selection in selections(books, seed):
            if selection.plan and not fine:
                continue
            rows = holdings.on(selection.day_of(books), None, selection.plan)
            check_units(books, selection, rows)
            if not selection.plan:
                check_owed(books, selection, rows)


def check_units(books: Books, selection: Selection, rows: list[Any]) -> None:
    for table, unit, key in (
        ("units-by-subscriber", "commodity", "units"),
        ("money-by-subscriber", "currency", "carrying"),
    ):
        wanted: dict[tuple[str, str], Decimal] = {}
        for row in by_key(ROLLFORWARD.tables(books, selection, table)[0]):
            wanted[row["subscriber"], row[unit]] = row["closing"]
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        with localcontext(WIDE):
            for each in rows:
                found[each.subscriber, getattr(each, unit)] += getattr(each, key)
                if key == "carrying":  # access is money, in a column of its own
                    found[each.subscriber, getattr(each, unit)] += each.access
        assert {k: n for k, n in found.items() if n} == {k: n for k, n in wanted.items() if n}


def check_owed(books: Books, selection: Selection, rows: list[Any]) -> None:
    receivables, payables = AGING.tables(books, selection, "receivables", "payables")
    for table, key in ((receivables, "receivable"), (payables, "payable")):
        wanted = {(row["subscriber"], row["currency"]): row["total"] for row in by_key(table)}
        found = {
            (each.subscriber or NOT_NAMED, each.currency): getattr(each, key)
            for each in rows
            if getattr(each, key)
        }
        assert found == {k: n for k, n in wanted.items() if n}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_held_is_worth_what_the_lots_are(seed: int) -> None:
    """Units, carrying amount and market value, by unit and currency."""
    books = loaded(seed)
    summed = coarse(books)
    for selection in selections(books, seed):
        wanted: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal()] * 3)
        keys = ("units", "carrying_amount", "market_value")
        with localcontext(WIDE):
            for row in by_key(LOTS.tables(books, selection, "lots")[0]):
                known = wanted[row["commodity"], row["currency"]]
                wanted[row["commodity"], row["currency"]] = [
                    number + (row[key] or 0) for number, key in zip(known, keys, strict=True)
                ]
        found = {
            (row["commodity"], row["currency"]): [row[key] or Decimal() for key in keys]
            for row in by_key(held_on(summed, selection))
            if row["pocket"] == "total"
        }
        assert {k: n for k, n in found.items() if any(n)} == {
            k: n for k, n in wanted.items() if any(n)
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_each_interval_closes_to_the_next(seed: int) -> None:
    """The parts of a row make its closing, which opens the next one, but for opening lots."""
    books = loaded(seed)
    summed = coarse(books)
    for selection in selections(books, seed):
        for interval in Interval:
            held: dict[str, Decimal] = {}
            for row in by_key(deferred_within(summed, selection, interval)):
                with localcontext(WIDE):
                    total = row["opening"] + row["added"] + row["released"]
                    total += row["otherwise"]
                assert total == row["closing"]
                held[row["currency"]] = row["closing"]
            (closing,) = ROLLFORWARD.tables(books, selection, "money-by-pocket")
            wanted = {
                row["currency"]: row["closing"]
                for row in by_key(closing)
                if row["pocket"] == "total"
            }
            assert {k: n for k, n in held.items() if n} == {k: n for k, n in wanted.items() if n}
