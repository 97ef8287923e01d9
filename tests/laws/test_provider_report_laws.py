"""What always holds of the reports on providers, on random ledgers that have some."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext

import pytest

from beancount_compute.economy import MoneyLeg, Role, minor_unit
from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, Selection
from tests.laws.test_report_laws import (
    SEEDS,
    SMALL,
    Sums,
    added_up,
    explain_all,
    middle,
    table,
    with_costs,
)

SIDES = {
    "invoiced": Role.PROVIDER,
    "not_billed": Role.ACCRUED,
    "invoiced_less_booked": Role.VARIANCE,
}


def booked(books: Books, selection: Selection) -> Sums:
    """What was booked of providers until the selection's last day, by currency and role."""
    found: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for _, entry in books.of_providers:
        if selection.end is not None and entry.date > selection.end:
            continue
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg):
                found[leg.currency, leg.role] += leg.number
            elif entry.kind == "cost":
                found[leg.lot.currency, "drawn"] -= leg.units * leg.lot.cost
    for at, accrual in books.accruals_opened:  # of the year before, as if booked in this one
        if selection.end is None or books.transactions[at].date <= selection.end:
            found[accrual.currency, Role.COST] += accrual.number
            found[accrual.currency, Role.ACCRUED] -= accrual.number
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_bill_match_adds_up_to_what_is_booked(seed: int) -> None:
    """Owed, accrued, variance and cost; by meter as by month; whole, and until the middle."""
    books = with_costs(seed)
    for selection in (Selection(), middle(books)._replace(start=None)):
        with localcontext(WIDE):
            sums = booked(books, selection)
            keys = ("listed", "stated", "booked", *SIDES)
            months = added_up(table(books, "bill-match", "months", selection), "currency", *keys)
            meters = added_up(table(books, "bill-match", "meters", selection), "currency", *keys)
            assert months == meters
            prepaid = ("drawn", "purchased", "lapsed")
            stock = added_up(table(books, "bill-match", "prepaid", selection), "currency", *prepaid)
            for currency in {currency for currency, _ in sums}:
                found = {key: months.get((currency, key), Decimal()) for key in keys}
                cost = sums[currency, Role.COST] - sums[currency, "drawn"]
                assert found["booked"] == cost
                assert found["not_billed"] == -sums[currency, Role.ACCRUED]
                assert found["invoiced_less_booked"] == sums[currency, Role.VARIANCE]
                owed = found["invoiced"] + stock.get((currency, "purchased"), Decimal())
                assert owed == -sums[currency, Role.PROVIDER]
                assert stock.get((currency, "drawn"), Decimal()) == sums[currency, "drawn"]
                assert stock.get((currency, "lapsed"), Decimal()) == sums[currency, Role.LAPSED]


@pytest.mark.parametrize("seed", SEEDS)
def test_uses_at_the_list_are_what_is_booked_where_nothing_was_stated(seed: int) -> None:
    """Rounded by the month of their day here, and by that of the booking there."""
    books = with_costs(seed)
    told = {entry.subscriber for _, entry in books.of_providers if entry.stated}
    differ: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    rounded: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in table(books, "bill-match", "months"):
        key = (row["provider"], row["currency"])
        differ[key] += row["booked_less_listed"]
        rounded[key].add(f"use {row['month']}")
    for each in books.serving.costs:
        rounded[each.provider, each.currency].add(each.month)
    for (provider, currency), number in differ.items():
        most = minor_unit(currency) * len(rounded[provider, currency]) / 2
        assert provider in told or abs(number) <= most


@pytest.mark.parametrize("seed", SEEDS)
def test_exposure_is_what_margin_says_of_each_provider(seed: int) -> None:
    """Units, the first bill and what it leaves, by provider and by meter."""
    books = with_costs(seed)
    for selection in (Selection(), middle(books)):
        for by in ("provider", "meter"):
            margin = table(books, "margin", f"money-by-{by}", selection)
            exposed = table(books, "exposure", f"money-by-{by}", selection)
            found = added_up(exposed, "currency", "cost", "revenue", "margin")
            for currency in {row["currency"] for row in margin}:
                rows = [row for row in margin if row["currency"] == currency]
                first = sum([row["first"] for row in rows], Decimal())
                use = sum([row["use"] + row["overage"] for row in rows], Decimal())
                assert found.get((currency, "cost"), Decimal()) == first
                assert found.get((currency, "revenue"), Decimal()) == use
                assert found.get((currency, "margin"), Decimal()) == use - first


def test_every_figure_of_the_reports_on_providers_is_explained() -> None:
    """In one ledger of each kind."""
    for seed in SMALL:
        assert explain_all(with_costs(seed), Selection(), ("bill-match", "exposure")) > 50
