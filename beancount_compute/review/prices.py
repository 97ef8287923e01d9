"""Trades whose price is far from what was paid before: a total typed as the price of a unit.

    2026-05-20 custom "compute-trade" "ann" "bob" 40 CU 48.00 USD      ; the median is 1.20 USD

The price is compared with the median of the trades of the 30 days before, in the same unit and
currency, that nobody reversed. Where there are none it says nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext

from beancount_compute.economy import PRICE_BAND, WIDE, Event, amount, trim
from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.looked_at import LookedAt, Sale

DAYS = timedelta(30)
_TENTH = Decimal("0.1")


def out_of_band(look: LookedAt, month: str) -> Iterator[Finding]:
    """The trades of a month whose price is out of the band."""
    of_month = [sale for sale in look.sales_of.get(month, ()) if sale.stands_in(month)]
    for pair in sorted({_pair(sale.event) for sale in of_month}):
        asked = [sale for sale in of_month if _pair(sale.event) == pair]
        since = min(sale.event.date for sale in asked) - DAYS
        until = max(sale.event.date for sale in asked)
        sales = [
            sale
            for sale in _between(look.sales, since, until)
            if _pair(sale.event) == pair and sale.month <= month and sale.stands_in(month)
        ]
        with localcontext(WIDE):
            yield from _of_pair(look, month, sales)


def _pair(event: Event) -> tuple[str, str]:
    return event.commodity, event.currency


def _between(sales: Sequence[Sale], since: date, until: date) -> Sequence[Sale]:
    first = bisect_left(sales, since, key=lambda sale: sale.event.date)
    last = bisect_left(sales, until + timedelta(1), key=lambda sale: sale.event.date)
    return sales[first:last]


def _of_pair(look: LookedAt, month: str, sales: Sequence[Sale]) -> Iterator[Finding]:
    window = Window([sale.event.price or Decimal() for sale in sales])
    oldest = 0
    for at, sale in enumerate(sales):
        event = sale.event
        while sales[oldest].event.date < event.date - DAYS:
            window.drop(oldest)
            oldest += 1
        if at > oldest and sale.month == month:
            band = look.terms.on(PRICE_BAND, event.date)
            median = window.median
            if not median / band <= window.prices[at] <= median * band:
                yield _finding(event, month, median, at - oldest, band)
        window.add(at)


def _finding(event: Event, month: str, median: Decimal, trades: int, band: Decimal) -> Finding:
    assert event.price is not None and event.units is not None
    high = event.price > median
    times = (event.price / median if high else median / event.price).quantize(_TENTH)
    far = f"{trim(times, 0):,f} times" if high else f"1/{trim(times, 0):,f} of"
    said = amount(event.price, event.currency)
    text = (
        f"{amount(event.units, event.commodity)} at {said}: {far} the median of the 30 days "
        f"before, {amount(trim(median, 0), event.currency)} in {trades:,} "
        f"{'trade' if trades == 1 else 'trades'}"
    )
    each = event.price / event.units
    if high and median / band <= each <= median * band:
        text += f"; if {said} is the total, the price is {event.price:f} / {event.units:f}"
    about = (
        str(event.date),
        event.subscriber,
        event.counterparty,
        amount(event.units, event.commodity),
        said,
        event.id,
    )
    figures = (
        Amounts("price", event.price, event.currency),
        Amounts("median", median, event.currency),
        Amounts("trades", Decimal(trades), ""),
    )
    return Finding("price", month, event.place, text, about, figures)


class Window:
    """Some of a sequence of prices, and their median: each step takes the logarithm of them."""

    def __init__(self, prices: Sequence[Decimal]) -> None:
        self.prices = prices
        self._sorted = sorted(set(prices))
        self._rank = {price: rank for rank, price in enumerate(self._sorted, 1)}
        self._tree = [0] * (len(self._sorted) + 1)  # counts, as Fenwick sums them
        self._count = 0

    def add(self, at: int) -> None:
        """Take in a price of the sequence."""
        self._change(at, 1)

    def drop(self, at: int) -> None:
        """Leave out one that was taken in."""
        self._change(at, -1)

    def _change(self, at: int, by: int) -> None:
        self._count += by
        rank = self._rank[self.prices[at]]
        while rank < len(self._tree):
            self._tree[rank] += by
            rank += rank & -rank

    @property
    def median(self) -> Decimal:
        """The middle one, or the mean of the two in the middle."""
        low, high = self._nth((self._count + 1) // 2), self._nth(self._count // 2 + 1)
        return (low + high) / 2

    def _nth(self, number: int) -> Decimal:
        """The nth smallest, counted from 1."""
        rank, step = 0, 1 << len(self._tree).bit_length()
        while step := step >> 1:
            if rank + step < len(self._tree) and self._tree[rank + step] < number:
                rank += step
                number -= self._tree[rank]
        return self._sorted[rank]
