"""What stands beside a subscription in a month's state, as rows, and the way back.

    arrears,s-1,period,2026-05-01,2026-05-01,2026-06-01
    unbilled,s-1,15.00,USD
    minimum,s-1,commit,2026-04-01,2026-07-01,100.00,USD,70.00,0,
    changed,s-1,2026-05-01,basic,2026-05-12
    at-once,s-1,2026-05-16,2026-06-16

`arrears` says how a subscription is billed, of which period, since when it is not invoiced and when
it will be; `minimum` what a period costs at least, what it was charged, what shortfall was booked
and whether it is over. `changed` are the plans that it was on before, each with the first day on
the next one, behind the first day of the running period, were it not cut short. `at-once` says of
which day the period is that a cancellation at once cut short, when it would have ended, and where
others may have shared its lots, "shared". A subscription that is charged at use, has no minimum and
is none of these has no such row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from beancount_compute.economy import Arrears, BilledBy, Commitment, Money, day_text, digits_of
from beancount_compute.economy.carried import Running
from beancount_compute.economy.state import AtOnce, EarlierPlan


def rows_beside(each: Running) -> Iterator[list[str]]:
    """How a subscription is billed, what its periods cost at least, and which plans it was on."""
    if each.arrears is not None:
        dated = each.arrears.period, each.arrears.invoiced, each.arrears.next_invoice
        yield ["arrears", each.id, each.arrears.bill.value, *map(day_text, dated)]
        for currency, number in sorted(each.arrears.unbilled.items()):
            if number:
                yield ["unbilled", each.id, digits_of(number), currency]
    for made in each.commitments:
        days = [day_text(made.start), day_text(made.end)]
        minimum, currency = made.minimum
        sums = [digits_of(made.charged), digits_of(made.shortfall)]
        of = [digits_of(minimum), currency, *sums]
        yield ["minimum", each.id, made.plan, *days, *of, "over" * made.over]
    if each.earlier:
        assert each.whole_since is not None  # a change asked for it
        plans = [cell for plan, until in each.earlier for cell in (plan, day_text(until))]
        yield ["changed", each.id, day_text(each.whole_since), *plans]
    if each.at_once is not None:
        since, whole_end, shared = each.at_once
        days = [day_text(since), day_text(whole_end)]
        yield ["at-once", each.id, *days, *(["shared"] if shared else [])]


def with_row(running: Running, kind: str, of: str, *cells: str) -> Running:
    """A subscription with what one more row says beside it; raises `ValueError`."""
    if running.id != of:
        raise ValueError(of)
    if kind == "changed":
        since, *plans = cells
        pairs = zip(plans[::2], map(date.fromisoformat, plans[1::2]), strict=True)
        earlier = tuple([EarlierPlan(*each) for each in pairs])
        return running._replace(earlier=earlier, whole_since=date.fromisoformat(since))
    if kind == "arrears":
        bill, period, invoiced, due = cells
        days = date.fromisoformat(period), date.fromisoformat(invoiced), date.fromisoformat(due)
        return running._replace(arrears=Arrears(BilledBy(bill), *days))
    if kind == "unbilled":
        number, currency = cells
        if running.arrears is None:
            raise ValueError(kind)
        running.arrears.put(Decimal(number), currency)
        return running
    if kind == "at-once":
        begun, whole, *shared = cells
        at_once = AtOnce(date.fromisoformat(begun), date.fromisoformat(whole), bool(shared))
        return running._replace(at_once=at_once)
    plan, start, end, minimum, currency, charged, shortfall, over = cells
    commitment = Commitment(
        plan,
        date.fromisoformat(start),
        date.fromisoformat(end),
        Money(Decimal(minimum), currency),
        Decimal(charged),
        Decimal(shortfall),
        over == "over",
    )
    return running._replace(commitments=(*running.commitments, commitment))
