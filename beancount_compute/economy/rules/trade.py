"""The market: tokens change hands at carrying amount; only the fee is the operator's.

    2026-06-10 * "alice" "Trade with bob" #compute-trade
      Liabilities:DeferredRevenue:Tokens:Alice    500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Liabilities:DeferredRevenue:Tokens:Bob     -500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Assets:Receivable:Bob                    125.00 USD
      Liabilities:Payable:Alice               -118.75 USD
      Income:Fees                               -6.25 USD

The operator is the agent for the price (ASC 606-10-55-36 to 55-40): it controls neither the token
nor the cash, so deferred revenue does not change.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce

from beancount_compute.economy import (
    FIXED_FEE,
    WIDE,
    ZERO,
    Draw,
    Event,
    JournalEntry,
    Lacking,
    Leg,
    Money,
    Pocket,
    Refused,
    Role,
    amount,
    lot_leg,
    money_leg,
    multiply_money,
    quoted,
    received,
)
from beancount_compute.economy.rules.late_draws import drawn_late, held_then, undone_later
from beancount_compute.economy.scales import price_of_trade
from beancount_compute.economy.state import Economy, Lots, Subscriber

_TOKENS = (Pocket.TOKENS,)
# to name a member of an enum takes longer
_RECEIVABLE, _PAYABLE, _FEES = Role.RECEIVABLE, Role.PAYABLE, Role.FEES


def trade(economy: Economy, event: Event, event_id: str) -> None:
    """Book an executed sale of tokens between two subscribers, and the operator's fees."""
    assert event.units is not None
    economy.check_commodities(event)
    seller, buyer = _parties(economy, event, "seller", "buyer")
    currency = event.currency
    each = price_of_trade(event, economy.terms)
    gross = multiply_money(event.units, each, currency)
    if not gross:
        raise Refused(
            f"{amount(event.units, event.commodity)} at {amount(each, currency)} "
            "is a gross that rounds to zero: trade more units, or at a higher price"
        )
    seller_rate, buyer_rate, minimum, seller_fixed, buyer_fixed = economy.fees_in(currency)
    seller_fee = fee_on(gross, seller_rate, minimum, currency)
    buyer_fee = fee_on(gross, buyer_rate, minimum, currency)
    if seller_fixed or buyer_fixed:
        seller_fixed = min(seller_fixed, gross - seller_fee)
        buyer_fixed = min(buyer_fixed, gross - buyer_fee)
    owed, due = gross + buyer_fee + buyer_fixed, gross - seller_fee - seller_fixed
    money: list[Leg] = [money_leg((_RECEIVABLE, buyer.name, "", owed, currency))]
    if due:
        money.append(money_leg((_PAYABLE, seller.name, "", -due, currency)))
    for payer, fee, fixed in ((seller, seller_fee, seller_fixed), (buyer, buyer_fee, buyer_fixed)):
        if fee:
            money.append(money_leg((_FEES, payer.name, "", -fee, currency)))
        if fixed:
            money.append(money_leg((_FEES, payer.name, FIXED_FEE, -fixed, currency)))
    draws, _ = tokens_for(economy, event, seller, "sells")
    price = Money(each, currency)
    _move(economy, event, event_id, draws, buyer, f"Trade with {buyer.name}", price, money)
    day = (economy.today, event.commodity, currency)
    trades = economy.traded.get(day)
    if trades is None:
        trades = economy.traded[day] = []
    trades.append((each, event.units))


def transfer(economy: Economy, event: Event, event_id: str) -> None:
    """Book tokens that are given away: they move at carrying amount, no money does."""
    economy.check_commodities(event)
    giver, receiver = _parties(economy, event, "giver", "receiver")
    draws, _ = tokens_for(economy, event, giver, "gives")
    _move(economy, event, event_id, draws, receiver, f"Transfer to {receiver.name}")


def _move(
    economy: Economy,
    event: Event,
    event_id: str,
    draws: list[Draw],
    receiver: Subscriber,
    narration: str,
    price: Money | None = None,
    money: Iterable[Leg] = (),
) -> None:
    """Book drawn units that become the receiver's tokens: same cost, date, origin and end."""
    name, tokens = receiver.name, receiver.tokens
    legs: list[Leg] = []
    lots: Lots = []
    for open_lot, units in draws:
        lot = open_lot.lot
        legs.append(lot_leg((lot, units, price)))
        arriving = received(lot, name)
        holding = tokens.get(lot.commodity)
        lots.append((holding.lot_for(arriving, units) if holding else arriving, units))
    legs += [lot_leg((lot, -units, price)) for lot, units in lots]
    legs += money
    economy.take(draws)
    economy.settle(event.subscriber, name)
    entry = JournalEntry(
        economy.today,
        event.kind,
        event.subscriber,
        narration,
        legs,
        event_id,
        event,
        counterparty=name,
    )
    economy.post(entry)
    for lot, units in lots:
        economy.put(receiver, lot, units)


def tokens_for(
    economy: Economy, event: Event, holder: Subscriber, verb: str, *, lapsed: bool = False
) -> tuple[list[Draw], Lots]:
    """The tokens that leave a holder; refuses more than the holder has.

    A late event may take what lapsed since, where it is asked for.
    """
    assert event.units is not None
    gone: Lots = []
    if economy.late:
        draws, gone, missing = drawn_late(economy, event, holder, _TOKENS, lapsed=lapsed)
    else:
        holding = holder.tokens.get(event.commodity)
        draws, missing = holding.plan(event.units, economy.order) if holding else ([], event.units)
    if missing:
        held = WIDE.subtract(event.units, missing)
        holds, undone = f"and holds {amount(held, event.commodity)} in tokens", ""
        if economy.late:
            holds = held_then(economy, event, holder, _TOKENS, held, lapsed=lapsed)
            undone = undone_later(economy, event, holder)
        raise Lacking(
            f"{quoted(holder.name)} {verb} {amount(event.units, event.commodity)} {holds}"
            f"{_what_instead(event, holder, held)}{undone}",
            holder.name,
            (missing, event.commodity),
        )
    return draws, gone


def _what_instead(event: Event, holder: Subscriber, held: Decimal) -> str:
    """What to write where a holder has too few tokens."""
    if held:
        return ": write at most that"
    allocated = holder.allocations.get(event.commodity)
    units = reduce(WIDE.add, (each.units for each in allocated or ()), ZERO)
    if units:
        return (
            f", and {amount(units, event.commodity)} in allocations, which stay with their "
            "subscriber until a mint: write a later date, or a top-up before it"
        )
    return ": write a top-up before it, or check the name, the units and the date"


def _parties(economy: Economy, event: Event, one: str, other: str) -> tuple[Subscriber, Subscriber]:
    if event.subscriber == event.counterparty:
        raise Refused(f"{one} is {other}: {quoted(event.subscriber)} can't be on both sides")
    return economy.known(event.subscriber), economy.known(event.counterparty)


def fee_on(gross: Decimal, rate: Decimal, minimum: Decimal, currency: str) -> Decimal:
    """One side's fee: the rate of the gross, at least the minimum, at most the gross."""
    if not rate:
        return ZERO
    return min(gross, max(minimum, multiply_money(gross, rate, currency)))
