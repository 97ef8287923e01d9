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

from decimal import Decimal

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Draw,
    Event,
    JournalEntry,
    Kind,
    Leg,
    Money,
    Refused,
    Role,
    amount,
    into,
    money_leg,
    multiply_money,
    out_of,
    quoted,
)
from beancount_compute.economy.state import Economy, Subscriber

# to name a member of an enum takes longer
_RECEIVABLE, _PAYABLE, _FEES = Role.RECEIVABLE, Role.PAYABLE, Role.FEES


def trade(economy: Economy, event: Event, event_id: str) -> None:
    """Book an executed sale of tokens between two subscribers, and the operator's fees."""
    assert event.units is not None and event.price is not None
    economy.check_commodities(event)
    seller, buyer = _parties(economy, event, "seller", "buyer")
    currency = event.currency
    gross = multiply_money(event.units, event.price, currency)
    if not gross:
        raise Refused(
            f"{amount(event.units, event.commodity)} at {amount(event.price, currency)} "
            "is a gross that rounds to zero: trade more units, or at a higher price"
        )
    seller_rate, buyer_rate, minimum = economy.fees_in(currency)
    fees = (
        fee_on(gross, seller_rate, minimum, currency),
        fee_on(gross, buyer_rate, minimum, currency),
    )
    _sell(economy, event, event_id, seller, buyer, gross, fees)
    day = (economy.today, event.commodity, currency)
    trades = economy.traded.get(day)
    if trades is None:
        trades = economy.traded[day] = []
    trades.append((event.price, event.units))


def _sell(
    economy: Economy,
    event: Event,
    event_id: str,
    seller: Subscriber,
    buyer: Subscriber,
    gross: Decimal,
    fees: tuple[Decimal, Decimal],
) -> None:
    assert event.price is not None
    currency = event.currency
    draws = tokens_for(economy, event, seller, "sells")
    lots = economy.moving(draws, buyer)
    seller_fee, buyer_fee = fees
    price = tuple.__new__(Money, (event.price, currency))
    legs = out_of(draws, price) + into(lots, price)
    legs.append(money_leg((_RECEIVABLE, buyer.name, "", gross + buyer_fee, currency)))
    if seller_fee != gross:
        legs.append(money_leg((_PAYABLE, seller.name, "", seller_fee - gross, currency)))
    if seller_fee:
        legs.append(money_leg((_FEES, seller.name, "", -seller_fee, currency)))
    if buyer_fee:
        legs.append(money_leg((_FEES, buyer.name, "", -buyer_fee, currency)))
    _book_move(economy, event, event_id, Kind.TRADE, draws, legs, f"Trade with {buyer.name}")
    for lot, units in lots:
        economy.put(buyer, lot, units)


def transfer(economy: Economy, event: Event, event_id: str) -> None:
    """Book tokens that are given away: they move at carrying amount, no money does."""
    giver, receiver = _parties(economy, event, "giver", "receiver")
    draws = tokens_for(economy, event, giver, "gives")
    lots = economy.moving(draws, receiver)
    legs = out_of(draws) + into(lots)
    narration = f"Transfer to {receiver.name}"
    _book_move(economy, event, event_id, Kind.TRANSFER, draws, legs, narration)
    for lot, units in lots:
        economy.put(receiver, lot, units)


def tokens_for(economy: Economy, event: Event, holder: Subscriber, verb: str) -> list[Draw]:
    """The tokens that leave a holder; refuses more than the holder has."""
    assert event.units is not None
    holding = holder.tokens.get(event.commodity)
    draws, missing = holding.plan(event.units, economy.order) if holding else ([], event.units)
    if missing:
        held = WIDE.subtract(event.units, missing)
        raise Refused(
            f"{quoted(holder.name)} {verb} {amount(event.units, event.commodity)} and holds "
            f"{amount(held, event.commodity)} in tokens: write at most that"
        )
    return draws


def _parties(economy: Economy, event: Event, one: str, other: str) -> tuple[Subscriber, Subscriber]:
    if event.subscriber == event.counterparty:
        raise Refused(f"{one} is {other}: {quoted(event.subscriber)} can't be on both sides")
    return economy.known(event.subscriber), economy.known(event.counterparty)


def fee_on(gross: Decimal, rate: Decimal, minimum: Decimal, currency: str) -> Decimal:
    """One side's fee: the rate of the gross, at least the minimum, at most the gross."""
    if not rate:
        return ZERO
    return min(gross, max(minimum, multiply_money(gross, rate, currency)))


def _book_move(
    economy: Economy,
    event: Event,
    event_id: str,
    kind: Kind,
    draws: list[Draw],
    legs: list[Leg],
    narration: str,
) -> None:
    economy.take(draws)
    economy.settle(event.subscriber, event.counterparty)
    entry = JournalEntry(
        economy.today,
        kind,
        event.subscriber,
        narration,
        legs,
        event_id,
        event,
        counterparty=event.counterparty,
    )
    economy.post(entry)
