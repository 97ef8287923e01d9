"""What people state beside events: opening lots, units taken out, known subscribers, assertions.

2026-01-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -800 CU {0.20 USD, 2025-11-01, "pro/2026-11-01"}
  Equity:Opening-Balances                  160.00 USD
2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, Inexact, localcontext
from itertools import chain, islice

from beancount_compute.economy import (
    EXACT,
    STOCK,
    Assertion,
    Draw,
    HandPosting,
    Introduction,
    Lot,
    LotLeg,
    OpeningAccrual,
    OpenLot,
    Refusal,
    Refused,
    Totals,
    amount,
    key_of,
    must_be_exact,
    quoted,
)
from beancount_compute.economy.rules.credits import check_credits, check_provider, in_stock
from beancount_compute.economy.state import Economy

MOST_LOTS = 10  # that a message shows
TOO_MANY_DIGITS = (
    "the lots that this touches would need more than the 28 digits with which Beancount computes: "
    "write numbers with fewer digits"
)


def take_in(economy: Economy, opening: HandPosting) -> None:
    """Put an opening lot into its pocket; its holder is known from now on."""
    if opening.lot.pocket is STOCK:
        _take_into_stock(economy, opening)
        return
    try:
        economy.admit(opening.lot.holder)
    except Refused as refused:
        economy.refusals.append(Refusal(opening.place, str(refused)))
        return
    lot, units = opening.lot, opening.units
    try:
        with localcontext(EXACT):
            must_be_exact(units * lot.cost)
            lots = economy.arriving(lot.holder, [(lot, units)])
    except Inexact:
        economy.refusals.append(Refusal(opening.place, TOO_MANY_DIGITS))
        return
    subscriber = economy.welcome(lot.holder)
    for each, number in lots:
        economy.put(subscriber, each, number, entered=True)
        if economy.history is not None:
            economy.history.note_by_hand(opening.date, each, number)
    if economy.totals is not None:
        economy.totals.add([LotLeg(opening.lot, -opening.units)])


def _take_into_stock(economy: Economy, opening: HandPosting) -> None:
    try:
        check_credits(economy, opening.lot.holder, opening.lot.commodity)
        with localcontext(EXACT):
            must_be_exact(opening.units * opening.lot.cost)
            lot = in_stock(economy, opening.lot, opening.units)
    except Refused as refused:
        economy.refusals.append(Refusal(opening.place, str(refused)))
    except Inexact:
        economy.refusals.append(Refusal(opening.place, TOO_MANY_DIGITS))
    else:
        economy.put_in_stock(lot, opening.units)


def accrue_before(economy: Economy, opening: OpeningAccrual) -> None:
    """Let a bill find what was accrued before the ledger began."""
    try:
        check_provider(economy, opening.provider)
    except Refused as refused:
        economy.refusals.append(Refusal(opening.place, str(refused)))
    else:
        key = (opening.provider, opening.meter, opening.served, opening.currency)
        economy.costs.accrue(key, opening.number)


def introduce(economy: Economy, introduction: Introduction) -> None:
    """Let a subscriber be known whom `compute-subscriber` names."""
    try:
        economy.admit(introduction.name)
    except Refused as refused:
        economy.refusals.append(Refusal(introduction.place, str(refused)))
    else:
        economy.welcome(introduction.name)


def take_out(economy: Economy, removal: HandPosting) -> None:
    """Let a hand-written posting take its units out of the very lot; refuse one that names none."""
    draws = [] if removal.flaw else _draws(economy, removal)
    if not draws:
        lot, causes = removal.lot, economy.causes
        cause = None if removal.flaw else causes.of_figure(lot.holder, removal.date)
        economy.refusals.append(Refusal(removal.place, _no_such_lot(economy, removal), cause))
        return
    economy.settle(removal.lot.holder)
    for open_lot, units in draws:
        open_lot.holding.take(open_lot, units)
        if economy.history is not None:
            economy.history.note_by_hand(removal.date, open_lot.lot, -units)
        if economy.again is not None:
            economy.taken.append((removal, open_lot.lot, units))
    if economy.totals is not None:
        economy.totals.add([LotLeg(removal.lot, removal.units)])


def _draws(economy: Economy, removal: HandPosting) -> list[Draw]:
    """What a posting takes: all of the very lot that it names; nothing where that can't be.

    Under other terms that lot may lie there at another cost: then those of its date and label.
    """
    lot, missing = removal.lot, removal.units
    open_lot = economy.open_lot(lot)
    if open_lot is not None and open_lot.units >= missing:
        return [(open_lot, missing)]
    if economy.again is None or removal.place not in economy.again.by_label:
        return []
    draws: list[Draw] = []
    for each in sorted(_alike(economy, lot), key=lambda each: (each is not open_lot, each.key[:2])):
        units = min(missing, each.units)
        if units:
            draws.append((each, units))
            missing -= units
    return [] if missing else draws


def _alike(economy: Economy, lot: Lot) -> list[OpenLot]:
    """The open lots of a holder, date and label, whatever they cost."""
    holdings = economy.stock
    if lot.pocket is not STOCK:
        subscriber = economy.subscribers.get(lot.holder)
        holdings = subscriber.pocket(lot.pocket) if subscriber else {}
    return [each for each in holdings.get(lot.commodity, ()) if each.lot[5:] == lot[5:]]


def check_assertion(economy: Economy, assertion: Assertion) -> bool:
    """Compare an assertion with the books before anything of its day; uses merge no further.

    False where its subscriber isn't known yet, and may be by the end of the day. It is none of
    books that are written again under other terms.
    """
    name = assertion.subscriber
    economy.settle(*([name] if name else economy.merging))
    if economy.again is not None:
        return True
    assert economy.totals is not None
    if name and name not in economy.subscribers:
        return False
    _refuse(economy, assertion, economy.totals.check(assertion))
    return True


def check_for_newcomer(economy: Economy, assertion: Assertion) -> None:
    """Compare an assertion of one who had nothing at the beginning of the day."""
    known = assertion.subscriber in economy.subscribers
    failure = Totals().check(assertion) if known else economy.unknown(assertion.subscriber)
    _refuse(economy, assertion, failure)


def _refuse(economy: Economy, assertion: Assertion, failure: str) -> None:
    if failure:
        cause = economy.causes.of_figure(assertion.subscriber, assertion.date)
        economy.refusals.append(Refusal(assertion.place, failure, cause))


def _no_such_lot(economy: Economy, removal: HandPosting) -> str:
    lot, of_provider = removal.lot, removal.lot.pocket is STOCK
    subscriber = economy.subscribers.get(lot.holder)
    holdings = list(subscriber.pocket(lot.pocket).values() if subscriber else ())
    if of_provider:
        holdings = list(economy.stock.values())
    some = sorted(
        islice(chain.from_iterable(holdings), MOST_LOTS), key=lambda each: str(key_of(each.lot))
    )
    written = ", ".join(as_written(each.lot, each.units) for each in some)
    if sum(len(holding.queue) for holding in holdings) > len(some):
        written += " and others"
    open_lot = economy.open_lot(lot)
    wrong = removal.flaw or (
        f"{as_written(lot, removal.units)} is more than the lot holds"
        if open_lot
        else f"{as_written(lot, removal.units)} is no open lot"
    )
    not_yet = ""
    if not (removal.flaw or open_lot) and date.min < economy.as_of < removal.date:
        not_yet = f" (periods, mints and expiries are made up to the as-of day {economy.as_of})"
    meant = (
        ""
        if subscriber or of_provider
        else economy.hints.of("subscriber", lot.holder, economy.subscribers)
    )
    whose = "" if of_provider else f" of {quoted(lot.holder)}"
    return (
        f"{wrong}; open lots{whose} in {lot.pocket} at the end of "
        f"{removal.date}, as a posting must write them: {written or 'none'}{not_yet}{meant}"
    )


def as_written(lot: Lot, units: Decimal) -> str:
    """A lot as a hand-written posting that takes it out must write it."""
    units = -units if lot.pocket is STOCK else units
    return (
        f'{amount(units, lot.commodity)} {{{lot.cost:f} {lot.currency}, {lot.date}, "{lot.label}"}}'
    )
