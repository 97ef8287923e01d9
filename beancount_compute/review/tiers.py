"""Several prices for the use of one period, where the right to invoice may not apply.

    2026-01-01   bulk, a year at 0.48 USD a unit    ; alice uses 75 CU in February
    2026-04-01   bulk at 0.43 USD                   ; and 225 CU in May

Use is revenue as it is invoiced where that is what it is worth (ASC 606-10-55-18); where tiers or
an expected concession change what earlier units cost, it is not. `overage-since` is the other way:
it charges the earlier units anew (32-42 to 32-45), and then there is one price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from beancount_compute.economy import (
    Earning,
    Event,
    Kind,
    Month,
    Terms,
    money_written,
    period_with,
    price_of_use,
    quoted,
)
from beancount_compute.reports import SUMMED, until
from beancount_compute.review.finding import Finding
from beancount_compute.review.looked_at import LookedAt


class PricedPeriod(NamedTuple):
    """A period in which use was charged."""

    subscriber: str
    first: date
    end: date


def several_prices(look: LookedAt, month: str) -> Iterator[Finding]:
    """The plans of which a month is the first to have charged one period at several prices."""
    plans = {name for name in look.terms.plans if _changes_price(look.terms, name)}
    if not plans:
        return
    last = Month.parse(month).last
    charged = _charged(look, plans, last)
    for plan in sorted(plans):
        lines, found = look.terms.plans[plan], dict[PricedPeriod, list[str]]()
        for period, days in sorted(charged[plan].items()):
            now, before = [
                {
                    price_of_use(lines, used, period.end, cut + timedelta(1))
                    for used, booked in days
                    if booked <= cut
                }
                for cut in (last, Month.parse(month).first - timedelta(1))
            ]
            if len(now) > max(1, len(before)):
                found[period] = sorted(money_written(price) for price in now if price)
        if found:
            prices = sorted({price for each in found.values() for price in each})
            first, *others = found
            rest = f" and {len(others):,} more" if others else ""
            line = lines.on(last)
            assert line is not None  # something was charged by it
            text = (
                f"plan {quoted(plan)} charged one period of {first.subscriber}{rest} at "
                f"{' and '.join(prices)}: where tiers or an expected concession change what "
                "earlier units cost, the right to invoice (ASC 606-10-55-18) may not apply; "
                "`overage-since` charges them anew"
            )
            names = [each.subscriber for each in found]
            yield Finding("tiers", month, line.place, text, (month, plan, *prices, *names))


def _changes_price(terms: Terms, plan: str) -> bool:
    return len({line.overage for line in terms.plans[plan] if line.overage}) > 1


def _charged(
    look: LookedAt, plans: set[str], last: date
) -> defaultdict[str, defaultdict[PricedPeriod, list[tuple[date, date]]]]:
    """The days of use beyond the holdings, and of their booking, by plan and period."""
    found: defaultdict[str, defaultdict[PricedPeriod, list[tuple[date, date]]]]
    found = defaultdict(lambda: defaultdict(list))
    subscriptions = _subscriptions(look, plans)
    for each in until(look.books.incomes, last):
        if each.earning is not Earning.OVERAGE or each.origin not in plans or each.undoes:
            continue
        if each.kind != Kind.CONSUMPTION or each.at == SUMMED:
            continue
        meta = look.books.transactions[each.at].meta
        reversed_in = look.reversed_in.get(str(meta.get("event")), "")
        if reversed_in and reversed_in <= Month.of(last).name:
            continue
        used = meta.get("occurred", each.date)
        of = subscriptions[each.subscriber, each.origin]
        starts = [start for start, known in of if start <= used and known <= each.date]
        if starts:
            days = period_with(look.terms, each.origin, max(starts), used)
            found[each.origin][PricedPeriod(each.subscriber, *days)].append((used, each.date))
    return found


def _subscriptions(
    look: LookedAt, plans: set[str]
) -> defaultdict[tuple[str, str], list[tuple[date, date]]]:
    """From which day each subscription runs, and from which it is known."""
    found: defaultdict[tuple[str, str], list[tuple[date, date]]] = defaultdict(list)
    for event in look.events:
        if event.kind is Kind.SUBSCRIPTION and event.plan in plans:
            found[event.subscriber, event.plan].append((_start(event), event.date))
    return found


def _start(event: Event) -> date:
    return date.fromisoformat(event.started) if event.started else event.date
