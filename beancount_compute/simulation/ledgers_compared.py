"""Ledgers side by side: what they came to, and where a market would earn what breakage does.

figure             market/main.beancount   breakage/main.beancount
revenue                      36,910.9672               57,871.6662
break-even fee                                                        ; nowhere, or nothing sold
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount_compute.economy import WIDE, ZERO
from beancount_compute.insight.breakeven import MONTHS
from beancount_compute.insight.estimates import rate
from beancount_compute.insight.months_of_subscribers import sums_by_currency
from beancount_compute.insight.regime_values import (
    MonthsCompared,
    break_even_fee,
    break_even_gain,
    break_even_share,
)
from beancount_compute.insight.terms_of_books import terms_of_all
from beancount_compute.reports import Books, Column, Measure, Selection, Table
from beancount_compute.reports.tables import Row
from beancount_compute.simulation.economy_figures import (
    OF_A_MONTH,
    EconomyFigures,
    outcome_of_books,
)

_SOLVED = (
    ("break-even fee", break_even_fee),
    ("break-even share sold", break_even_share),
    ("break-even retention gain", break_even_gain),
)


class LedgerFigures(NamedTuple):
    """What a ledger came to, in a currency."""

    name: str
    currency: str
    outcome: EconomyFigures
    break_evens: tuple[Decimal | None, ...]  # as `_SOLVED`; None where there is none


def figures_of(name: str, books: Books, currency: str) -> LedgerFigures:
    """The figures of a ledger."""
    with localcontext(WIDE):
        sums = sums_by_currency(books, Selection(), ZERO).get(currency)
    found: tuple[Decimal | None, ...] = (None,) * len(_SOLVED)
    if sums is not None:
        terms, over = terms_of_all(sums), MonthsCompared(MONTHS, OF_A_MONTH)
        found = tuple(rate(solve(terms, over).at) for _, solve in _SOLVED)
    return LedgerFigures(name, currency, outcome_of_books(books, currency), found)


def side_by_side(ledgers: Sequence[LedgerFigures]) -> Table:
    """A column for each."""
    columns = [Column("figure", "figure")]
    columns += [Column(each.name, each.name, Measure.PRICE) for each in ledgers]
    rows: list[Row] = [
        (name.replace("_", " "), *[getattr(each.outcome, name) for each in ledgers])
        for name in EconomyFigures._fields
    ]
    for at, (name, _) in enumerate(_SOLVED):
        rows.append((name, *[each.break_evens[at] for each in ledgers]))
    currencies = dict.fromkeys(each.currency for each in ledgers)
    return Table(f"Side by side, in {' and '.join(currencies)}", tuple(columns), rows, "outcome")
