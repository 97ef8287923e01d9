"""What is earned besides the carrying amount of lots, and on which lot: fees, partner income,
overage, what the rounding of a refund leaves.

    a trade of 500 units: 300 of {0.20 USD, 2026-05-01, pro}, 200 of {0.19 USD, 2026-05-09, basic}
    fee 6.25   ->   3.75 on the lot of pro, 2.50 on that of basic

A leg of money names one role and no lot; what belongs to several lots is shared out by units. So
the reports read it, and so a month in bulk adds it up. Sums need `WIDE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, Protocol

from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.kinds import KINDS, Flow, Kind, LegOrigin
from beancount_compute.economy.roles import EARNINGS, Earning, Role
from beancount_compute.economy.rounding import ZERO, minor_unit, multiply_money, shares_of_total
from beancount_compute.economy.term_values import Money

# the income of lots, which what moved of them tells
OF_LOTS = (LegOrigin.LOTS, LegOrigin.LAPSED, LegOrigin.EARNED)
# of each kind the legs that recognise income besides, and where they have their origin from
BESIDES: dict[str, dict[Role, LegOrigin]] = {
    kind: {
        leg.role: leg.origin
        for leg in row.money
        if leg.role in EARNINGS and leg.origin not in OF_LOTS
    }
    for kind, row in KINDS.items()
}
# To name a member of an enum takes longer than to compare it.
_SOLD, _BOUGHT, _EXPIRED = Flow.TRADED_OUT, Flow.TRADED_IN, Flow.EXPIRED
_FEES, _PARTNER_INCOME = Earning.FEES, Earning.PARTNER_INCOME
_FEES_ROLE, _PARTNER = Role.FEES, Role.PARTNER
_TRADE, _SPEND, _USE = Kind.TRADE, Kind.SPEND, Kind.CONSUMPTION


class MovedOfLot(Protocol):
    """Units of a lot that an entry moves; below zero where they leave it."""

    @property
    def flow(self) -> Flow:
        """Why."""

    @property
    def subscriber(self) -> str:
        """Whose they are."""

    @property
    def origin(self) -> str:
        """The lot's plan."""

    @property
    def commodity(self) -> str:
        """What they are units of."""

    @property
    def currency(self) -> str:
        """In which the lot cost."""

    @property
    def units(self) -> Decimal:
        """How many."""

    @property
    def amount(self) -> Decimal:
        """What they carry."""

    @property
    def lot(self) -> Any:
        """The lot."""


class SoldLots(NamedTuple):
    """A trade as its legs tell it; units and fees are below zero in a reversal."""

    seller: str
    buyer: str
    commodity: str
    units: Decimal
    price: Decimal
    currency: str
    gross: Decimal
    fees: dict[str, Decimal]  # by who paid them: of both sides, also where there are none
    lots: tuple[tuple[Any, Decimal], ...]  # with their units, in draw-down order
    origins: tuple[str, ...]  # of the lots


class EarnedBesides(NamedTuple):
    """An amount that was recognised besides what lots carried."""

    earning: Earning
    subscriber: str
    origin: str
    currency: str
    amount: Decimal
    lot: Any  # None where it belongs to none


_earned = partial(tuple.__new__, EarnedBesides)


def sale_of(
    moved: Iterable[MovedOfLot], legs: Iterable[MoneyLeg], price: Money | None
) -> SoldLots | None:
    """The trade; none where a frozen one was edited until it is none."""
    sold, bought = [], None
    for each in moved:
        if each.flow is _SOLD:
            sold.append(each)
        elif bought is None and each.flow is _BOUGHT:
            bought = each
    if price is None or not sold or bought is None:
        return None
    units = [-each.units for each in sold]
    whole = sum(units, ZERO)
    seller, buyer = sold[0].subscriber, bought.subscriber
    fees = {seller: ZERO, buyer: ZERO}
    for leg in legs:
        if leg.role is _FEES_ROLE:
            fees[leg.holder] = fees.get(leg.holder, ZERO) - leg.number
    number, currency = price
    return SoldLots(
        seller,
        buyer,
        sold[0].commodity,
        whole,
        number,
        currency,
        multiply_money(whole, number, currency),
        fees,
        tuple([(each.lot, of_lot) for each, of_lot in zip(sold, units, strict=True)]),
        tuple([each.origin for each in sold]),
    )


def earned_besides(
    kind: str, moved: Sequence[MovedOfLot], legs: Sequence[MoneyLeg], sale: SoldLots | None
) -> Iterator[EarnedBesides]:
    """What an entry of a kind, or one that undoes it, earns besides; amounts of zero too.

    `sale` is that of a trade.
    """
    if kind == _TRADE:
        return _fees(sale) if sale is not None else iter(())
    return _partner_income(moved, legs) if kind == _SPEND else _of_legs(kind, moved, legs)


def _of_legs(
    kind: str, moved: Sequence[MovedOfLot], legs: Iterable[MoneyLeg]
) -> Iterator[EarnedBesides]:
    """Of one plan, and of the first lot where it is one's.

    So is overage (also within the posting of the use), what the rounding of a refund or of a
    change of plan leaves, and a shortfall, or what a late use takes back of one.
    """
    roles = BESIDES[kind]
    lapsed = [each for each in moved if each.flow is _EXPIRED] if kind == _USE else ()
    for leg in [*_besides_lapsed(legs, lapsed)] if lapsed else legs:
        origin = roles.get(leg.role)
        if origin is not None:
            lots = (each.lot for each in moved if each.currency == leg.currency)
            is_residue = leg.role is Role.REVENUE and origin is LegOrigin.FROM_PLAN
            lot = next(lots, None) if is_residue or origin is LegOrigin.FIRST else None
            of = leg.holder, leg.origin, leg.currency
            yield _earned((EARNINGS[leg.role], *of, -leg.number, lot))


def _besides_lapsed(legs: Iterable[MoneyLeg], lapsed: Iterable[MovedOfLot]) -> Iterator[MoneyLeg]:
    """The legs of a use without the breakage of lots that had lapsed."""
    of_lots: dict[tuple[str, str], Decimal] = {}
    for each in lapsed:
        key = each.origin, each.currency
        of_lots[key] = of_lots.get(key, ZERO) + each.amount
    for leg in legs:
        if leg.role is Role.BREAKAGE:
            taken = of_lots.pop((leg.origin, leg.currency), ZERO)
            leg = leg._replace(number=leg.number - taken)
        if leg.number:
            yield leg


def _fees(sale: SoldLots) -> Iterator[EarnedBesides]:
    """The fees of a trade, by lot."""
    weights = [units for _, units in sale.lots]
    for payer, fee in sale.fees.items():
        shares = shares_of_total(fee, weights, minor_unit(sale.currency))
        for (lot, _), origin, share in zip(sale.lots, sale.origins, shares, strict=True):
            yield _earned((_FEES, payer, origin, sale.currency, share, lot))


def _partner_income(
    moved: Iterable[MovedOfLot], legs: Iterable[MoneyLeg]
) -> Iterator[EarnedBesides]:
    """Each lot's carrying amount less its share, by units, of the settlement.

    A settlement in a currency in which none of the lots costs anything falls on the first.
    """
    spent = [each for each in moved if each.flow is not _EXPIRED]
    for leg in legs:
        if leg.role is not _PARTNER:
            continue
        bearing = [each for each in spent if each.currency == leg.currency] or spent[:1]
        weights = [each.units for each in bearing]
        shares = shares_of_total(leg.number, weights, minor_unit(leg.currency))
        for each, share in zip(bearing, shares, strict=True):
            yield _partners(each, leg.currency, share)
    for each in spent:
        yield _partners(each, each.currency, -each.amount)


def _partners(moved: MovedOfLot, currency: str, amount: Decimal) -> EarnedBesides:
    of = moved.subscriber, moved.origin, currency
    return _earned((_PARTNER_INCOME, *of, amount, moved.lot))
