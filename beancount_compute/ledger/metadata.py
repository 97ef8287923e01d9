"""The metadata of booked transactions: what no account or posting says, written and read.

    2026-05-20 * "alice" "Consumption" #compute-consumption #compute-overage
      event: "use-17"                        ; the id of the event; `source` of what is derived
      overage: "pro 30.00 USD"               ; billed beyond the holdings, by plan; of catch-ups too
      memo: "by night"

    counterparty: "bob"                      ; buyer, receiver or partner
    invoiced: "payg 32.00 USD"               ; of what was unbilled, by plan
    shortfall: "commit 30.00 USD"            ; of a minimum; below zero: taken back by a late use
    buyer-fee: 1.25 USD                      ; of a trade; the rest of its fees is the seller's
    seller-fixed-fee: 0.30 USD               ; beside those of a rate; buyer-fixed-fee too
    price: 0.25 EUR                          ; of a trade, where no posting carries it
    period: "2026-05-01/2026-05-31"          ; first and last day of what is allocated
    subscription: "s-alice"                  ; to which the period belongs, or a use is charged
    from-plan: "basic"                       ; of a change of plan
    to-plan: "payg"                          ; to one of which it begins no lot
    charge: 166.67 USD                       ; of a change of plan, as the invoice says; credit too
    prorated: "10/30"                        ; the days of its period, where they are cut short
    earned: 60.00 USD                        ; of the access that comes back, earned until then
    refunds: 36.67 USD                       ; taken back of revenue; breakage likewise
    lapsed: "tokens 60 CU {0.50 USD, 2026-06-01, top-up/2026-06-30}"
                                             ; taken late of what had lapsed; then lapsed-2 ...
    meter: "chat/output"                     ; of a use, with its
    quantity: 250000
    used: 16 CU                              ; its units, where some were overage: of a meter, or
                                             ; of a plan that has `bill` or `minimum`, or no units
    costs: "chat/output 80.00 USD"           ; of what was served, by meter
    accrued: "chat/output 1.10 USD"          ; of that, where the rest was drawn of credits
    beyond: "1 OAI 1.10 USD"                 ; credits beyond those held, with their price
    stated: "chat/output 12.34 USD"          ; by the provider
    served: 2026-05-20                       ; the day of uses whose cost is booked later
    cleared: "chat/output 20.00 USD"         ; by a bill, of what was accrued for its days
    of: "top-1"                              ; what money goes back for; of a recovery, what for
    back: "top-up 200.00 USD"                ; what goes back of its price, with its lots' origin
    moved-on: 100.00 USD                     ; of that, for units that somebody else has now
    losses: 115.00 USD                       ; and what is lost; recoveries too
    void: TRUE                               ; nothing is left of its units

A reversal carries the same, its amounts with their signs turned. What is read may have been edited
in a closed month, which is an error of its own: nothing here raises for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    EARNINGS,
    KINDS,
    NOWHERE,
    WIDE,
    ZERO,
    Beyond,
    Exchange,
    GivenBack,
    JournalEntry,
    Kind,
    Leg,
    LotLeg,
    Money,
    MoneyLeg,
    Pocket,
    Role,
    decimals_of,
    moved_by,
    trim,
)

_FEES, _TRADE = Role.FEES, Kind.TRADE  # to name a member of an enum takes longer
_COST, _BILL, _CATCH_UP = Kind.COST, Kind.BILL, Kind.CATCH_UP
_CHANGE, _INVOICE = Kind.CHANGE, Kind.INVOICE
EARNED, FROM_PLAN, TO_PLAN = "earned", "from-plan", "to-plan"
_OF_CHANGE = {
    leg.role: leg.key for leg in KINDS[Kind.CHANGE].money if leg.key and leg.role in EARNINGS
}
LAPSED = "lapsed"
_LAPSED = re.compile(
    rf"({'|'.join(Pocket)}) (-?[0-9.]+) (\S+) \{{([0-9.]+) (\S+), ([0-9-]+), (.*)\}}", re.DOTALL
)


class LapsedUnits(NamedTuple):
    """Units of a lot that had lapsed, and left in another way; below zero where that is undone.

    No posting says so: they are on no account any more.
    """

    pocket: Pocket
    number: Decimal
    commodity: str
    cost: Cost


class PeriodBooked(NamedTuple):
    """A period of a subscription that was booked."""

    plan: str  # "" where one that was changed goes on without lots
    first: date
    last: date
    subscription: str  # its id
    prorated: str = ""  # the days of a short one, of those of a whole one: "10/30"
    ran: str = ""  # the days until a change of plan, of those that were allocated: "20/30"


def add_metadata(meta: dict[str, Any], entry: JournalEntry) -> None:
    """What only some transactions carry, besides id, source and place."""
    kind, undoes = entry.kind, entry.undoes
    if entry.counterparty:
        meta["counterparty"] = entry.counterparty
        if kind is _TRADE or undoes == _TRADE:
            _add_fees(meta, entry)
            _add_price(meta, entry.legs)
    if entry.overage or undoes or kind is _CATCH_UP:
        overage = ", ".join(_overage(entry.legs))
        if overage:
            meta["overage"] = overage
    if kind is _INVOICE:
        meta["invoiced"] = ", ".join(
            f"{leg.origin} {leg.number:f} {leg.currency}"
            for leg in entry.legs
            if isinstance(leg, MoneyLeg) and leg.role is Role.RECEIVABLE
        )
    if entry.shortfall is not None:
        meta["shortfall"] = _shortfall(entry)
    if entry.period:
        meta["period"] = entry.period
    if entry.subscription:
        meta["subscription"] = entry.subscription
    if entry.occurred is not None or undoes:
        _add_lapsed(meta, entry)
    if entry.meter:
        meta["meter"] = entry.meter
        if entry.quantity:
            meta["quantity"] = entry.quantity
    if entry.used is not None:
        meta["used"] = Amount(*entry.used)
    if kind is _CHANGE:
        _add_change(meta, entry)
    elif kind is _COST:
        _add_costs(meta, entry)
    elif kind is _BILL:
        cleared = _by_meter(entry.legs, Role.ACCRUED, 1)
        if cleared:
            meta["cleared"] = cleared
    if entry.back is not None:
        _add_back(meta, entry, entry.back)
    event = entry.event
    if event is None:
        return
    if event.row:  # Fava can't open a Parquet file at a row, and must not delete the line there
        meta["filename"], meta["lineno"] = NOWHERE.file, NOWHERE.line
        meta["source"] = event.row
    if entry.uses > 1:
        meta["events"] = Decimal(entry.uses)
    if entry.occurred is not None:
        meta["occurred"] = entry.occurred
    if undoes:
        meta["reverses"] = event.reverses
        meta["undoes"] = undoes
    if event.memo:
        meta["memo"] = event.memo
    if event.extra:
        meta.update(event.extra)


def _add_back(meta: dict[str, Any], entry: JournalEntry, back: GivenBack) -> None:
    """What goes back of an allocation; where losses or recoveries may share an account, these."""
    meta["of"] = back.of
    meta["back"] = f"{back.origin} {back.amount:f} {back.currency}"
    if back.moved_on:
        meta["moved-on"] = Amount(back.moved_on, back.currency)
    for role, sign in ((Role.LOSSES, 1), (Role.RECOVERIES, -1)):
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg) and leg.role is role:
                meta[role.value] = Amount(sign * leg.number, leg.currency)
    if back.void:
        meta["void"] = True


def exchange_of(meta: Mapping[str, Any]) -> Exchange | None:
    """What the invoice of a change of plan says, where a transaction tells it."""
    charge, credit = money_of(meta.get("charge")), money_of(meta.get("credit"))
    return Exchange(charge.number, credit.number, credit.currency) if charge and credit else None


def back_of(meta: Mapping[str, Any]) -> GivenBack | None:
    """What a transaction says that goes back of an allocation."""
    moved_on = money_of(meta.get("moved-on"))
    for origin, number, currency in named_amounts(meta.get("back")):
        of, void = text_in(meta.get("of")), meta.get("void") is True
        return GivenBack(of, origin, number, currency, moved_on.number if moved_on else ZERO, void)
    return None


def _add_fees(meta: dict[str, Any], entry: JournalEntry) -> None:
    """The fees of a trade that may stand in one posting with that of the seller's rate."""
    for leg in reversed(entry.legs):  # money comes behind the lots
        if isinstance(leg, LotLeg):
            break
        if leg.role is _FEES:
            buyers = leg.holder == entry.counterparty
            if leg.origin:
                key = "buyer-fixed-fee" if buyers else "seller-fixed-fee"
            elif buyers:
                key = "buyer-fee"
            else:
                continue
            meta[key] = tuple.__new__(Amount, (leg.number.copy_negate(), leg.currency))


def _add_price(meta: dict[str, Any], legs: Iterable[Leg]) -> None:
    """The price of a trade whose lots all cost another currency, so that no posting carries it."""
    price = None
    for leg in legs:
        if isinstance(leg, LotLeg) and leg.price is not None:
            price = leg.price
            if price.currency == leg.lot.currency:
                return
    if price is not None:
        number, currency = price
        meta["price"] = Amount(trim(number, decimals_of(currency)), currency)


def _add_lapsed(meta: dict[str, Any], entry: JournalEntry) -> None:
    sign = "-" if entry.undoes else ""
    moved = [each for each in moved_by(entry.legs) if each.lapsed]
    for at, each in enumerate(moved, 1):
        lot = each.lot
        meta[LAPSED if at == 1 else f"{LAPSED}-{at}"] = (
            f"{lot.pocket} {sign}{each.lapsed:f} {lot.commodity} "
            f"{{{lot.cost:f} {lot.currency}, {lot.date}, {lot.label}}}"
        )


def _add_change(meta: dict[str, Any], entry: JournalEntry) -> None:
    """What a change of plan says of the old one, and of its period."""
    assert entry.event is not None
    meta[FROM_PLAN], plan = entry.event.from_plan, entry.event.plan
    if not any(isinstance(leg, LotLeg) and leg.lot.origin == plan for leg in entry.legs):
        meta[TO_PLAN] = plan
    if entry.prorated:
        meta["prorated"] = entry.prorated
    if entry.exchange is not None:
        charge, credit, currency = entry.exchange
        meta["charge"], meta["credit"] = Amount(charge, currency), Amount(credit, currency)
    for leg in entry.legs:
        key = _OF_CHANGE.get(leg.role) if isinstance(leg, MoneyLeg) else None
        if key is not None:
            assert isinstance(leg, MoneyLeg)
            meta[key] = Amount(leg.number if key == "refunds" else -leg.number, leg.currency)


def _add_costs(meta: dict[str, Any], entry: JournalEntry) -> None:
    """What an entry of cost says of meters, and of days."""
    if entry.served is not None:
        meta["served"] = entry.served
    costs = _by_meter(entry.legs, Role.COST, 1)
    if costs:
        meta["costs"] = costs
    if any(isinstance(leg, LotLeg) for leg in entry.legs):
        accrued = _by_meter(entry.legs, Role.ACCRUED, -1)
        if accrued:
            meta["accrued"] = accrued
    if entry.beyond:
        meta["beyond"] = ", ".join(
            f"{units:f} {commodity} {price.number:f} {price.currency}"
            for units, commodity, price in entry.beyond
        )
    if entry.stated:
        meta["stated"] = ", ".join(
            f"{meter} {number:f} {currency}" for meter, number, currency in entry.stated
        )


def _by_meter(legs: Iterable[Leg], role: Role, sign: int) -> str:
    sums: dict[tuple[str, str], Decimal] = {}
    for leg in legs:
        if isinstance(leg, MoneyLeg) and leg.role is role:
            key = (leg.origin, leg.currency)
            number = leg.number if sign > 0 else leg.number.copy_negate()
            sums[key] = WIDE.add(sums.get(key, ZERO), number)
    return ", ".join(f"{meter} {number:f} {of}" for (meter, of), number in sums.items())


def lapsed_of(meta: Mapping[str, Any]) -> Iterator[LapsedUnits]:
    """What a transaction took of lots that had lapsed."""
    at, text = 1, meta.get(LAPSED)
    while text is not None:
        found = _LAPSED.fullmatch(text_in(text))
        try:
            if found is not None:  # else edited, which is an error of its own
                pocket, number, commodity, per_unit, currency, day, label = found.groups()
                cost = Cost(Decimal(per_unit), currency, date.fromisoformat(day), label)
                yield LapsedUnits(Pocket(pocket), Decimal(number), commodity, cost)
        except (ValueError, InvalidOperation):
            pass
        at += 1
        text = meta.get(f"{LAPSED}-{at}")


def _overage(legs: Iterable[Leg]) -> Iterator[str]:
    """What was billed beyond the holdings, by the plan whose price it was: "pro 30.00 USD"."""
    for leg in legs:
        if isinstance(leg, MoneyLeg) and leg.role is Role.OVERAGE:
            yield f"{leg.origin} {leg.number.copy_negate():f} {leg.currency}"


def _shortfall(entry: JournalEntry) -> str:
    """What is booked of a minimum, by the plan that has it."""
    assert entry.shortfall is not None
    number, currency = entry.shortfall
    plan = next(
        leg.origin
        for leg in reversed(entry.legs)
        if isinstance(leg, MoneyLeg) and leg.role is Role.BREAKAGE
    )
    return f"{plan} {number:f} {currency}"


def shortfall_of(text: object) -> Money | None:
    """What is booked of a minimum: "commit 30.00 USD"."""
    return next((Money(number, of) for _, number, of in named_amounts(text)), None)


def period_of(entry: Transaction) -> PeriodBooked | None:
    """The period of a subscription that a transaction allocates; None for any other."""
    first, _, last = str(entry.meta.get("period", "")).partition("/")
    start, end = date_of(first), date_of(last)
    subscription = entry.meta.get("subscription")
    if start is None or end is None or subscription is None:
        return None
    plan = plan_of(entry)
    if not plan and FROM_PLAN not in entry.meta:
        return None
    return PeriodBooked(plan, start, end, str(subscription), text_in(entry.meta.get("prorated")))


def plan_of(entry: Transaction) -> str:
    """The plan of the lots that a transaction gives; "" where it gives none."""
    for posting in entry.postings:
        # the lots of the old plan come back
        if isinstance(posting.cost, Cost) and (
            FROM_PLAN not in entry.meta or _number_of(posting) < ZERO
        ):
            return (posting.cost.label or "").partition("/")[0]
    return ""


def _number_of(posting: Posting) -> Decimal:
    amount = money_of(posting.units)
    return amount.number if amount else ZERO


def price_of(entry: Transaction) -> Money | None:
    """The price of a trade, per unit."""
    for posting in entry.postings:
        if posting.price is not None:
            return money_of(posting.price)
    return money_of(entry.meta.get("price"))


def named_amounts(text: object) -> Iterator[tuple[str, Decimal, str]]:
    """Name, number and currency of each of several amounts: "pro 30.00 USD, team a 1.00 USD"."""
    for each in str(text).split(", ") if text else ():
        name, _, amount = each.rpartition(" ")
        name, _, number = name.rpartition(" ")
        try:
            yield name, Decimal(number), amount
        except InvalidOperation:  # edited, which is an error of its own
            continue


def beyond_of(text: object) -> Iterator[Beyond]:
    """Credits beyond those held: "2 OAI 1.10 USD"."""
    for credits, number, currency in named_amounts(text):
        units, _, commodity = credits.partition(" ")
        with suppress(InvalidOperation):  # edited, which is an error of its own
            yield Beyond(Decimal(units), commodity, Money(number, currency))


def text_in(value: Any) -> str:
    """A text; "" where there is none."""
    return value if value.__class__ is str else ""


def money_of(amount: Any) -> Money | None:
    """An amount; None where there is none, or Beancount's booking failed and said so."""
    if amount.__class__ is Amount and amount[0].__class__ is Decimal:
        return tuple.__new__(Money, amount)
    return None


def date_of(text: str) -> date | None:
    """A date; None where there is none, or what somebody wrote is no date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:  # no date, or a posting that the plugin has refused
        return None
