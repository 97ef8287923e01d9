"""Trades that move nothing: between related parties, and units that come back to their seller.

    05-10  ann -> bob  500 CU           05-10  ann -> bob  500 CU
    05-12  bob -> ann  480 CU           05-11  bob -> cy   500 CU      ; the same units go on
                                        05-12  cy  -> ann  500 CU

Two who sell to each other within `wash-days` are told whatever the units; three where each passes
on exactly what it got. What was reversed does not count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext

from beancount_compute.economy import WASH_DAYS, WIDE, ZERO, Event, amount, quoted
from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.looked_at import LookedAt

MOST_NAMED = 4  # trades of a circle, before the rest is only counted


def related(look: LookedAt, month: str) -> Iterator[Finding]:
    """The trades of a month between subscribers of one group, by pair."""
    by_pair: defaultdict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for sale in look.sales_of.get(month, ()):
        event = sale.event
        group = look.terms.group_on(event.subscriber, event.date)
        same = group and group == look.terms.group_on(event.counterparty, event.date)
        if same and sale.stands_in(month):
            one, other = sorted((event.subscriber, event.counterparty))
            by_pair[group, one, other].append(event)
    for (group, one, other), events in sorted(by_pair.items()):
        text = (
            f"{quoted(one)} and {quoted(other)} trade with each other and are both of "
            f"{quoted(group)}: {_legs(events)}"
        )
        about = (month, group, one, other, *map(_said, events))
        yield Finding("related", month, events[0].place, text, about, _figures(events))


def circles(look: LookedAt, month: str) -> Iterator[Finding]:
    """The circles that a trade of the month ends, by unit and those who take part."""
    closing = [sale.event for sale in look.sales_of.get(month, ()) if sale.stands_in(month)]
    if not closing:
        return
    most = max(int(look.terms.on(WASH_DAYS, event.date)) for event in closing)
    since = min(event.date for event in closing)
    window = timedelta(min(most, (since - date.min).days))
    legs = Legs(
        sale.event
        for sale in look.sales
        if since - window <= sale.event.date and sale.month <= month and sale.stands_in(month)
    )
    found: defaultdict[tuple[str, ...], dict[Event, None]] = defaultdict(dict)
    for event in closing:
        days = int(look.terms.on(WASH_DAYS, event.date))
        for circle in legs.closed_by(event, days):
            parties = sorted({each.subscriber for each in circle})
            found[(event.commodity, *parties)].update(dict.fromkeys(circle))
    for (commodity, *parties), by_event in sorted(found.items()):
        events = sorted(by_event)
        names = ", ".join(map(quoted, parties))
        text = f"units come back to who sold them, among {names}: {_legs(events)}"
        about = (month, commodity, *parties, *map(_said, events))
        place = events[-1].place
        yield Finding("circle", month, place, text, about, _figures(events))


class Legs:
    """Trades by who sold to whom, in the order of the books."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._by_pair: defaultdict[tuple[str, str, str], list[Event]] = defaultdict(list)
        self._into: defaultdict[tuple[str, str, Decimal | None], list[Event]] = defaultdict(list)
        for event in events:
            self._by_pair[event.commodity, event.subscriber, event.counterparty].append(event)
            self._into[event.commodity, event.counterparty, event.units].append(event)

    def closed_by(self, last: Event, days: int) -> Iterator[tuple[Event, ...]]:
        """The circles that end with a trade: of two, and of three with the same units."""
        commodity, seller, buyer = last.commodity, last.subscriber, last.counterparty
        since = last.date - timedelta(min(days, (last.date - date.min).days))
        back = self._by_pair.get((commodity, buyer, seller), ())
        for first in _within(back, since, last.date)[-MOST_NAMED:]:
            yield first, last
        for middle in _before(self._into.get((commodity, seller, last.units), ()), since, last):
            if middle.subscriber == buyer:
                continue
            into = self._by_pair.get((commodity, buyer, middle.subscriber), ())
            for first in reversed(_before(into, since, middle)):
                if first.units == last.units:
                    yield first, middle, last
                    break


def _within(events: Sequence[Event], since: date, until: date) -> Sequence[Event]:
    start = bisect_left(events, since, key=lambda event: event.date)
    return events[start : bisect_right(events, until, key=lambda event: event.date)]


def _before(events: Sequence[Event], since: date, event: Event) -> Sequence[Event]:
    """The trades since a day that stand before another one."""
    start = bisect_left(events, since, key=lambda each: each.date)
    return events[start : bisect_left(events, event)]


def _legs(events: Sequence[Event]) -> str:
    named = [
        f"{event.date} {event.subscriber} to {event.counterparty} {_units(event)}"
        for event in events[:MOST_NAMED]
    ]
    rest = len(events) - len(named)
    return "; ".join([*named, *([f"and {rest:,} more"] if rest else [])])


def _units(event: Event) -> str:
    return amount(event.units or ZERO, event.commodity)


def _said(event: Event) -> str:
    price = amount(event.price or ZERO, event.currency)
    parts = (str(event.date), event.subscriber, event.counterparty, _units(event), price, event.id)
    return "\x1e".join(parts)


def _figures(events: Sequence[Event]) -> tuple[Amounts, ...]:
    units: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for event in events:
            units[event.commodity] += event.units or ZERO
    sums = [Amounts("units", number, commodity) for commodity, number in sorted(units.items())]
    return (Amounts("trades", Decimal(len(events)), ""), *sums)
