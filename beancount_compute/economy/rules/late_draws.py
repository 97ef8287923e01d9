"""What late events take: what their holder had on their day, and nothing sealed had need of since.

    2026-05-01  ivy pays 100.00 for 100 CU; 2026-06-01 70 become tokens, 30 lapse (breakage 30.00)
    2026-05-20  a use of 50, which comes when May and June are closed:

    2026-07-01 * "ivy" "Consumption" #compute-consumption #compute-late
      Liabilities:DeferredRevenue:Tokens:Ivy         35 CU {1.00 USD, 2026-05-01, "pro"}
      Liabilities:DeferredRevenue:Allocations:Ivy   -15 CU {1.00 USD, 2026-05-01, "pro/2026-06-01"}
      Liabilities:DeferredRevenue:Allocations:Ivy    15 CU {1.00 USD, 2026-05-01, "pro/2026-06-01"}
      Income:Compute                             -50.00 USD
      Income:Breakage                             15.00 USD

So it comes out as if it had come in time. Of a lot it takes at most the smallest quantity that its
holder had of it at the end of any day since; what has lapsed since counts as still there, and
tokens minted since are the lot that they were minted of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from beancount_compute.economy import (
    LATE_MONTHS,
    PRICE_STEP,
    WIDE,
    ZERO,
    Draw,
    Event,
    Kind,
    Leg,
    Lot,
    LotChange,
    LotEnd,
    LotHistory,
    LotLeg,
    OpenLot,
    Pocket,
    Refused,
    Role,
    Span,
    amount,
    cost_of_lots,
    income,
    later,
    lot_of,
    must_be_exact,
    quoted,
    rank_of,
    trim,
)
from beancount_compute.economy.state import Economy, Lots, Subscriber

_BECAME: dict[str, str] = {
    Kind.CONSUMPTION: "used",
    Kind.TRADE: "sold",
    Kind.TRANSFER: "given away",
    Kind.SPEND: "spent",
    Kind.REFUND: "given back",
    Kind.ALLOCATION: "taken back",
    Kind.GRANT: "taken back",
}


class LateDraw(NamedTuple):
    """What a late event takes."""

    draws: list[Draw]  # out of lots that are open
    lapsed: Lots  # and of those that lapsed since
    missing: Decimal  # units that these don't cover


def refuse_old(economy: Economy, event: Event) -> None:
    """Refuse a late event that lies too far back."""
    months = economy.terms.on(LATE_MONTHS, economy.today)
    if later(event.date, Span(months, 0)) < economy.today:
        raise Refused(
            f"{event.date} lies more than {months} months before {economy.today}, the day on which "
            "it would be booked: date it on an open day, or let the option late-months say more"
        )


def drawn_late(
    economy: Economy,
    event: Event,
    holder: Subscriber,
    pockets: Sequence[Pocket],
    *,
    lapsed: bool = True,
) -> LateDraw:
    """What a late event takes of its holder's lots; of open ones only where not of the `lapsed`."""
    assert event.units is not None
    taking = _Taking(holder, history_of(economy))
    missing = event.units
    for lot in _had(economy, event, holder, pockets):
        if missing:
            missing = WIDE.subtract(missing, taking.take(lot, missing, event.date, lapsed=lapsed))
    draws = [each for each in taking.open.values() if each[1]]
    for open_lot, units in draws:
        must_be_exact((open_lot.units - units) * open_lot.lot.cost)  # what stays
    for lot, units in taking.lapsed.values():
        must_be_exact(units * lot.cost)
    return LateDraw(draws, [*taking.lapsed.values()], missing)


def no_breakage(holder: str, lapsed: Lots) -> list[Leg]:
    """The legs that take back the breakage of lots that lapsed."""
    costs = cost_of_lots(lapsed)
    return income(Role.BREAKAGE, holder, {place: -cost for place, cost in costs.items()})


def _had(
    economy: Economy, event: Event, holder: Subscriber, pockets: Sequence[Pocket]
) -> Iterator[Lot]:
    """The lots that somebody had on the day of an event, in the draw-down order of that day."""
    history, day = history_of(economy), event.date
    for pocket in pockets:
        holding = holder.pocket(pocket).get(event.commodity)
        lots = {tuple(each.lot): each.lot for each in holding or ()}
        for lot in history.lots_of(holder.name, event.commodity):
            if lot.pocket is pocket:
                lots.setdefault(tuple(lot), lot)
        usable = [lot for lot in lots.values() if lot.end is None or lot.end > day]
        usable = [lot for lot in usable if history.held_on(lot, day, _open(holder, lot)) > 0]
        yield from sorted(usable, key=lambda lot: rank_of(_as_it_came(lot, history), economy.order))


def history_of(economy: Economy) -> LotHistory:
    """The history that late events are booked on."""
    assert economy.history is not None  # there is one wherever there are late events
    return economy.history


def _as_it_came(lot: Lot, history: LotHistory) -> Lot:
    """A lot with the day from which it was there; what came late has that of its booking."""
    return lot_of((*lot[:5], history.came(lot), *lot[6:]))


def _open(holder: Subscriber, lot: Lot) -> Decimal:
    open_lot = holder.find(lot)
    return open_lot.units if open_lot else ZERO


class _Taking:
    """Takes units of lots, step by step, and changes nothing."""

    def __init__(self, holder: Subscriber, history: LotHistory) -> None:
        self._holder, self._history = holder, history
        self.open: dict[int, tuple[OpenLot, Decimal]] = {}  # by identity
        self.lapsed: dict[tuple[object, ...], tuple[Lot, Decimal]] = {}
        self._taken: defaultdict[tuple[object, ...], list[tuple[date, Decimal]]]
        self._taken = defaultdict(list)
        self._ended: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)

    def take(self, lot: Lot, wanted: Decimal, day: date, *, lapsed: bool) -> Decimal:
        """Take of a lot what its holder had of it from a day on, as far as that is still there."""
        wanted = min(wanted, self._least(lot, day))
        if wanted <= 0:
            return ZERO
        open_lot, taken = self._holder.find(lot), ZERO
        if open_lot is not None:
            _, before = self.open.get(id(open_lot), (open_lot, ZERO))
            taken = min(wanted, WIDE.subtract(open_lot.units, before))
            self.open[id(open_lot)] = open_lot, WIDE.add(before, taken)
        for end in self._history.ends_after(lot, day) if lapsed else ():
            rest = WIDE.subtract(wanted, taken)
            if rest:
                taken = WIDE.add(taken, self._take_ended(lot, rest, end))
        self._taken[tuple(lot)].append((day, taken))
        return taken

    def _least(self, lot: Lot, day: date) -> Decimal:
        now = _open(self._holder, lot)
        return self._history.least_since(lot, day, now, self._taken[tuple(lot)])

    def _take_ended(self, lot: Lot, wanted: Decimal, end: LotEnd) -> Decimal:
        """Take of what met its end: what became tokens and what lapsed, in its proportion."""
        key = (*lot, end.day)
        wanted = min(wanted, WIDE.subtract(end.units, self._ended[key]))
        minted = end.minted_of(wanted, lot.cost)
        if minted:
            assert end.token is not None
            room = self._room(end.token, end.since)
            if room < minted:
                wanted, minted = _whole_of(room, end, lot.cost)
            minted = self.take(end.token, minted, end.since, lapsed=True)
        gone = WIDE.subtract(wanted, minted)
        if gone:
            _, before = self.lapsed.get(tuple(lot), (lot, ZERO))
            self.lapsed[tuple(lot)] = lot, WIDE.add(before, gone)
        self._ended[key] += wanted
        return wanted

    def _room(self, token: Lot, day: date) -> Decimal:
        """How many tokens of a lot can be taken."""
        open_lot = self._holder.find(token)
        _, before = self.open.get(id(open_lot), (None, ZERO))
        there = WIDE.subtract(open_lot.units if open_lot else ZERO, before)
        for end in self._history.ends_after(token, day):
            there = WIDE.add(there, WIDE.subtract(end.units, self._ended[(*token, end.day)]))
        return max(ZERO, min(there, self._least(token, day)))


def _whole_of(room: Decimal, end: LotEnd, cost: Decimal) -> tuple[Decimal, Decimal]:
    """Of how many units so many tokens were minted; and those, which may be a little less."""
    step = min(PRICE_STEP, PRICE_STEP.scaleb(int(room.as_tuple().exponent)))
    exact = WIDE.divide(WIDE.multiply(room, end.units), end.minted)
    whole = trim(exact.quantize(step, ROUND_FLOOR, WIDE), 0)
    return whole, end.minted_of(whole, cost)


def held_then(
    economy: Economy,
    event: Event,
    holder: Subscriber,
    pockets: Sequence[Pocket],
    got: Decimal,
    *,
    lapsed: bool = True,
) -> str:
    """What somebody held on the day of a late event, and what became of it.

    What lapsed is no loss where it can be taken all the same.
    """
    history, day, unit = history_of(economy), event.date, event.commodity
    held, became = ZERO, defaultdict[str, Decimal](Decimal)
    for lot in _had(economy, event, holder, pockets):
        held = WIDE.add(held, history.held_on(lot, day, _open(holder, lot)))
        for change in _lost(history, lot, day, lapsed=lapsed):
            became[_BECAME.get(change.what, change.what)] -= change.units
    where = "" if Pocket.ALLOCATIONS in pockets else " in tokens"
    told = f"on {day} and held {amount(held, unit)}{where} then"
    if held > got:
        gone = [f"{amount(units, unit)} {what}" for what, units in became.items()]
        told += f", of which {amount(got, unit)} can be taken ({', '.join(gone)} since)"
    return told


def undone_later(economy: Economy, event: Event, holder: Subscriber) -> str:
    """What to say of reversals that would have given back in time what a late event lacks."""
    return "".join(
        f"; {quoted(event_id)} is reversed on {on}: the reversal belongs on the day of the mistake"
        for event_id, on in sorted(_undone_later(economy, event, holder).items())
    )


def _lost(history: LotHistory, lot: Lot, day: date, *, lapsed: bool) -> Iterator[LotChange]:
    """What a lot lost after a day, also as tokens; those that it became are no loss."""
    for change in history.since(lot, day):
        if change.units < 0 and change.what != Kind.MINT and not (change.ends and lapsed):
            yield change
    for end in history.ends_after(lot, day):
        if end.token is not None:
            yield from _lost(history, end.token, end.since, lapsed=lapsed)


def _undone_later(economy: Economy, event: Event, holder: Subscriber) -> dict[str, date]:
    """What took units that would have been there, and is reversed after the day of an event."""
    history, day = history_of(economy), event.date
    found: dict[str, date] = {}
    for lot in history.lots_of(holder.name, event.commodity):
        if _was_there(history, lot, day):
            for change in history.since(lot, day):
                if change.undone and change.units > 0:
                    found[change.event] = change.day
    for event_id, on in economy.reversed_on.items():
        undo = economy.undo.get(event_id)
        legs = undo.entry.legs if undo and on > day else ()
        if any(
            isinstance(leg, LotLeg)
            and leg.units > 0
            and (leg.lot.holder, leg.lot.commodity) == (holder.name, event.commodity)
            and _was_there(history, leg.lot, day)
            for leg in legs
        ):
            found[event_id] = on
    return found


def _was_there(history: LotHistory, lot: Lot, day: date) -> bool:
    return history.came(lot) <= day and (lot.end is None or lot.end > day)
