"""One simulated economy on the engine alone, without a ledger, and what it came to.

    seed 1, market   ->   revenue 1,543,818.71, of it breakage 329,828.95, fees 5,640.72 ...

The events are those that `written_ledger.py` writes, the rules those of the plugin; what a
subscriber uses between two trades is one use, as only figures are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.close.loading import load_sources
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import (
    EARNINGS,
    PHASE,
    WIDE,
    ZERO,
    Earning,
    Event,
    Facts,
    Grain,
    Kind,
    MoneyLeg,
    Record,
    Terms,
    in_full,
    round_money,
)
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.journal import is_use
from beancount_compute.insight.lifetime_model import RenewalsSeen
from beancount_compute.simulation.assumptions import MILLION
from beancount_compute.simulation.economy_figures import EconomyFigures, outcome_of
from beancount_compute.simulation.people import WholeNumbers
from beancount_compute.simulation.simulated_months import SimulatedMonth, simulated
from beancount_compute.simulation.written_ledger import SimulationAsked, name_of, terms_text

_new = tuple.__new__


class SimulationRefused(Exception):
    """Events of a simulation that the rules refuse: an error of this program."""


def replicate(asked: SimulationAsked) -> EconomyFigures:
    """Simulate an economy, book it, and add up."""
    terms, component = _terms(asked)
    months = list(simulated(*asked))
    events = [event for month in months for event in _events(month, asked)]
    last = months[-1].month.last
    keeper = Bookkeeper(Facts(events=events), terms, component, None, ends=[last])
    with no_cyclic_garbage(), localcontext(WIDE):
        earned = _earned(keeper.records())
        if keeper.refusals:
            raise SimulationRefused(f"{keeper.refusals[0]}")
        deferred = sum((lot.cost * units for lot, units in keeper.states[last].lots), ZERO)
    stayed = _stayed(months)
    return outcome_of(
        _renewals(stayed),
        int(stayed.months.sum()),
        len(stayed.left) - int(stayed.left.sum()),
        earned,
        _traded(months, asked.assumed.currency),
        deferred,
        asked.assumed.currency,
    )


def _terms(asked: SimulationAsked) -> tuple[Terms, Callable[[str], str]]:
    """The terms of the ledger that would be written, and the account component of a name."""
    booked = load_sources([("".join(terms_text(asked, Grain.EVENT)), False)]).booked
    return booked.terms.terms, booked.accounts.component


def _events(month: SimulatedMonth, asked: SimulationAsked) -> Iterator[Event]:
    """The events of a month, as the rows of its file are read."""
    unit, currency = asked.assumed.commodity, asked.assumed.currency
    plans = [plan.name for plan in asked.assumed.plans]
    first, last = month.month.first, month.month.last
    days = [first + timedelta(day) for day in range(last.day)]
    for day, kind, people, of in (
        (first, Kind.SUBSCRIPTION, month.came, month.plans),
        (last, Kind.CANCELLATION, month.left, month.plans_left),
    ):
        for who, plan in zip(people.tolist(), of.tolist(), strict=True):
            yield _event(day, kind, name_of(who))._replace(plan=plans[plan])
    for at, deals in month.deals:
        price = Decimal(deals.price) / MILLION
        three = (deals.seller.tolist(), deals.buyer.tolist(), deals.units.tolist())
        for number, (seller, buyer, units) in enumerate(zip(*three, strict=True)):
            yield _event(days[at], Kind.TRADE, name_of(seller))._replace(
                id=f"t{days[at]}-{number}",
                counterparty=name_of(buyer),
                units=Decimal(units),
                commodity=unit,
                price=price,
                currency=currency,
            )
    use = _event(first, Kind.CONSUMPTION, "")._replace(commodity=unit)
    money, rest = use[8:12], use[13:]  # before and after the id
    uses = merged_uses(month)
    names = [name_of(who) for who in range(int(month.used_by.max(initial=-1)) + 1)]
    for at, who, units in zip(*[column.tolist() for column in uses], strict=True):
        name, use_id = names[who], f"u{days[at]}-{who}"  # else it would be made of the content
        fields = (days[at], *use[1:4], name, "", "", Decimal(units), *money, use_id, *rest)
        yield _new(Event, fields)


def merged_uses(month: SimulatedMonth) -> tuple[WholeNumbers, WholeNumbers, WholeNumbers]:
    """The uses of a month by day, subscriber and units: of those between two trades of one, all.

    No sum of the books depends on which days of such a stretch they stand.
    """
    of_day = 32
    both = [(np.concatenate([d.seller, d.buyer]) * of_day + at) for at, d in month.deals]
    trades = np.unique(np.concatenate([np.empty(0, np.int64), *both]))
    place = month.used_by * of_day + month.used_on
    order = np.argsort(place)
    who, on, units = (each[order] for each in (month.used_by, month.used_on, month.used))
    stretch = np.searchsorted(trades, place[order], "right") + who  # neither ever falls
    ends = np.flatnonzero(np.diff(stretch, append=-1))
    return on[ends], who[ends], np.diff(np.cumsum(units)[ends], prepend=0)


def _event(day: date, kind: Kind, subscriber: str) -> Event:
    return Event(
        day, PHASE[kind], "", kind, subscriber, "", "", None, None, None, "", "", "", "", "", "", ""
    )


def _traded(months: Sequence[SimulatedMonth], currency: str) -> Decimal:
    """The gross of all sales, each rounded as it is booked."""
    gross = ZERO
    for month in months:
        for _, deals in month.deals:
            price = Decimal(deals.price) / MILLION
            gross += sum(round_money(units * price, currency) for units in deals.units.tolist())
    return gross


class _Stayed(NamedTuple):
    """How long everybody was subscribed, in months, and who left before the last one was over."""

    months: WholeNumbers
    left: npt.NDArray[np.bool_]


def _stayed(months: Sequence[SimulatedMonth]) -> _Stayed:
    start: list[int] = []
    end: dict[int, int] = {}
    for at, month in enumerate(months):
        start += [at] * len(month.came)
        end |= dict.fromkeys(month.left.tolist(), at)
    last = len(months) - 1
    until = np.array([end.get(who, last) for who in range(len(start))], np.int64)
    left = until < last
    return _Stayed(until - np.array(start, np.int64) + 1, left)


def _renewals(stayed: _Stayed) -> RenewalsSeen:
    """Each end of a month that is over, as a decision to stay or to leave."""
    decided = stayed.months - ~stayed.left  # nobody knows yet of the last one
    person = np.repeat(np.arange(len(decided)), decided)
    first = np.repeat(np.cumsum(decided) - decided, decided)
    age = np.arange(len(person)) - first + 1
    return RenewalsSeen(person, age, stayed.left[person] & (age == decided[person]))


def _earned(
    records: Iterable[Sequence[Record]],
) -> dict[Earning, Decimal]:
    """What records of the journal recognise as income."""
    earned = dict.fromkeys(Earning, ZERO)
    for of_day in records:
        for record in of_day:
            if is_use(record):
                earned[Earning.COMPUTE] += record[3]
                continue
            for leg in in_full(record).legs:
                if isinstance(leg, MoneyLeg) and leg.role in EARNINGS:
                    earned[EARNINGS[leg.role]] -= leg.number
    return earned
