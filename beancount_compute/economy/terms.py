"""What was agreed, and from which day: plans, fees, the draw-down order.

    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
      unused: "mint"
      token-expires: "12 months"
    2026-01-01 custom "compute-option" "seller-fee" 0.05

Terms hold from their date until the next ones of that name.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from beancount_compute.economy.capacities import Capacity
from beancount_compute.economy.events import NOWHERE, Place
from beancount_compute.economy.meters import Meter, Provider, Quote
from beancount_compute.economy.months import MONTH, Span
from beancount_compute.economy.options import (
    BUYER_FEE,
    BUYER_FIXED_FEE,
    MINIMUM_FEE,
    SELLER_FEE,
    SELLER_FIXED_FEE,
    TOP_UPS_REFUNDABLE,
    Option,
)
from beancount_compute.economy.roles import Pocket
from beancount_compute.economy.rounding import (
    WIDE,
    ZERO,
    decimals_written,
    round_money,
    to_few_digits,
)
from beancount_compute.economy.term_values import AccessBy, BilledBy, Money, ScaleTarget, Unused

TOP_UP = "top-up"
GRANT = "grant"
RESERVED_ORIGINS = (TOP_UP, GRANT)

T = TypeVar("T")


class PlanLine(NamedTuple):
    """One thing that a plan sells: units for their part of its price, into a pocket."""

    price: Decimal  # per period, in the plan's currency
    units: Decimal  # per period; zero where units are only priced, as overage
    commodity: str
    pocket: Pocket = Pocket.ALLOCATIONS
    decimals: int = 0  # with which the units are written


ACCESS = "ACCESS-"  # and a currency: the commodity of access, one of which costs one of it


def is_access(commodity: str) -> bool:
    """Whether a commodity is access, of which one always costs one of its currency."""
    return commodity.startswith(ACCESS)


def no_unit(commodity: str) -> str:
    """What to say of access where units or money belong."""
    return (
        f"{commodity} is access, which plans sell and time earns: write a unit of compute, or money"
    )


class Plan(NamedTuple):
    """An offer: units, access or both for a price each period, and what becomes of unused units."""

    name: str
    since: date
    currency: str
    lines: tuple[PlanLine, ...]
    every: Span = MONTH
    unused: Unused = Unused.EXPIRE
    mint_rate: Decimal = Decimal(1)  # fraction of each unused lot
    expires: Span | None = None  # rollover: life of a lot, counted from its allocation
    token_expires: Span | None = None  # life of minted tokens, counted from the mint
    overage: Money | None = None  # per unit of use beyond the holdings
    overage_since: date | None = None  # from when it holds for earlier uses of running periods
    meter: str = ""  # of uses that name none
    access: Decimal = ZERO  # what a period's access costs, in `currency`
    access_ssp: Money | None = None  # stand-alone selling price of a period's access
    units_ssp: Money | None = None  # and of its units
    access_by: AccessBy = AccessBy.DAY
    factor: Decimal = Decimal(1)  # of a scenario, in the price: a discount has it too
    bill: BilledBy = BilledBy.USE  # when use beyond the holdings is invoiced
    minimum: Money | None = None  # what a period's use beyond the holdings is charged at least
    refundable: bool = False  # on demand: for the disclosure
    bookable: bool = True  # False: its cost step is an error, reported on the plan's line
    place: Place = NOWHERE

    @property
    def price(self) -> Decimal:
        """What a period costs, in `currency`."""
        return sum((line.price for line in self.lines), self.access)

    @property
    def sells_nothing(self) -> bool:
        """Whether a period books nothing, and only what is used is charged."""
        return not self.price and not any(line.units for line in self.lines)

    def at(self, price: Decimal) -> Plan:
        """The plan at another price, which falls on access and units as it did before.

        Of a bundle each gets its share by stand-alone selling prices, and the units what rounding
        leaves (ASC 606-10-32-31).
        """
        if self.access_ssp is None or self.units_ssp is None:
            if self.access:
                return self._replace(access=round_money(price, self.currency))
            return self._replace(lines=tuple([each._replace(price=price) for each in self.lines]))
        price = round_money(price, self.currency)
        of_access, of_units = self.access_ssp.number, self.units_ssp.number
        share = WIDE.divide(WIDE.multiply(price, of_access), WIDE.add(of_access, of_units))
        access = round_money(share, self.currency)
        return self._replace(access=access, lines=(self.lines[0]._replace(price=price - access),))

    def less(self, discount: Decimal) -> Plan:
        """The plan for whom each period costs less; a price that fell below that is zero."""
        off = round_money(WIDE.multiply(discount, self.factor), self.currency)
        return self.at(max(ZERO, round_money(self.price, self.currency) - off))

    def scaled(self, number: Decimal) -> Decimal:
        """What an event says of its price in money, multiplied as a scenario multiplies that."""
        return number if self.factor == 1 else to_few_digits(WIDE.multiply(number, self.factor))

    @property
    def unit_decimals(self) -> int:
        """How many decimals the units of a part of a period have."""
        return max(
            [max(each.decimals, decimals_written(each.units)) for each in self.lines], default=0
        )

    def sells(self, commodity: str) -> bool:
        """Whether units of a commodity are among what a period holds."""
        return any(line.commodity == commodity for line in self.lines)


class Timeline(Generic[T]):
    """Values that each hold from their day until the next one's."""

    def __init__(self, values: Iterable[tuple[date, T]] = ()) -> None:
        pairs = sorted(values, key=lambda pair: pair[0])
        self._days = [day for day, _ in pairs]
        self._values = [value for _, value in pairs]

    def __iter__(self) -> Iterator[T]:
        return iter(self._values)

    def items(self) -> Iterator[tuple[date, T]]:
        """The values, each with the day from which it holds."""
        return zip(self._days, self._values, strict=True)

    def on(self, day: date) -> T | None:
        """The value in force on a day; None before the first."""
        index = bisect_right(self._days, day)
        return self._values[index - 1] if index else None

    def since(self, day: date) -> date:
        """The day from which the value of a day is in force; the first of all days for none."""
        index = bisect_right(self._days, day)
        return self._days[index - 1] if index else date.min

    def first(self) -> T | None:
        """The value that came into force first."""
        return self._values[0] if self._values else None


class Fees(NamedTuple):
    """What trades cost: rates of the gross, the least that a rate comes to, and fixed fees."""

    seller_rate: Decimal
    buyer_rate: Decimal
    minimum: Decimal
    seller_fixed: Decimal
    buyer_fixed: Decimal


_WHOLE_FEES = (MINIMUM_FEE, SELLER_FIXED_FEE, BUYER_FIXED_FEE)


class Terms(NamedTuple):
    """All that was agreed, and the settings that hold for the whole ledger."""

    plans: dict[str, Timeline[Plan]]
    # by the option's name and currency, "" where it has none; what holds whatever its date is in
    # force from the first of all days on
    options: Mapping[tuple[str, str], Timeline[Any]] = MappingProxyType({})
    grant_currency: str | None = None  # the ledger's first operating currency
    money: frozenset[str] = frozenset()  # what plans and the ledger name as currencies
    units: frozenset[str] = frozenset()  # what plans name as units of compute
    refused: Mapping[str, Place] = MappingProxyType({})  # plans whose lines can't be read
    meters: Mapping[str, Timeline[Meter]] = MappingProxyType({})
    providers: Mapping[str, Timeline[Provider]] = MappingProxyType({})
    # by meter and provider
    quotes: Mapping[tuple[str, str], Timeline[Quote]] = MappingProxyType({})
    refused_meters: Mapping[str, Place] = MappingProxyType({})  # whose lines can't be read
    related: Mapping[str, Timeline[str]] = MappingProxyType({})  # groups of subscribers
    segments: Mapping[str, Timeline[str]] = MappingProxyType({})  # others, for reports alone
    capacities: Mapping[str, Timeline[Capacity]] = MappingProxyType({})
    # of a scenario: factors by what they multiply and whose that is, "" for all
    scales: Mapping[tuple[ScaleTarget, str], Timeline[Decimal]] = MappingProxyType({})

    def on(self, option: Option[T], day: date, currency: str = "") -> T:
        """What an option says on a day; its default before the first line of it."""
        timeline = self.options.get((option.name, currency))
        found = timeline.on(day) if timeline else None
        return option.default if found is None else found

    def of_ledger(self, option: Option[T]) -> T:
        """What an option says that holds for the whole ledger."""
        return self.on(option, date.min)

    def setting(self, option: Option[Any], value: object) -> Terms:
        """The same terms with an option that says this on every day."""
        options = {**self.options, (option.name, ""): Timeline([(date.min, value)])}
        return self._replace(options=options)

    def timeline(self, option: Option[Any], currency: str = "") -> Timeline[Any]:
        """All that an option says, from which day."""
        return self.options.get((option.name, currency)) or Timeline()

    def plan(self, name: str, day: date) -> Plan | None:
        """The plan's terms on a day; None where there is no such plan yet."""
        timeline = self.plans.get(name)
        return timeline.on(day) if timeline else None

    def plan_of_lot(self, origin: str, day: date) -> Plan | None:
        """The terms under which a lot of that date ends.

        An opening lot may be older than the first terms of its plan: then those apply.
        """
        timeline = self.plans.get(origin)
        return (timeline.on(day) or timeline.first()) if timeline else None

    @property
    def sell_access(self) -> bool:
        """Whether any plan sells access."""
        return any(plan.access for line in self.plans.values() for plan in line)

    def is_refundable(self, origin: str, day: date) -> bool:
        """Whether what was paid for a lot of that date can be had back on demand."""
        if origin == TOP_UP:
            return self.on(TOP_UPS_REFUNDABLE, day)
        plan = self.plan_of_lot(origin, day)
        return plan is not None and plan.refundable

    @property
    def sell_refundable(self) -> bool:
        """Whether anything that is sold can be had back on demand."""
        plans = any(plan.refundable for line in self.plans.values() for plan in line)
        return plans or any(self.timeline(TOP_UPS_REFUNDABLE))

    @property
    def charged_anew(self) -> frozenset[str]:
        """The plans of which a line changes the price of what was used already."""
        return frozenset(
            name for name, line in self.plans.items() if any(each.overage_since for each in line)
        )

    @property
    def have_minimums(self) -> bool:
        """Whether any plan has a minimum."""
        return any(plan.minimum for line in self.plans.values() for plan in line)

    @property
    def plans_have_meters(self) -> bool:
        """Whether the uses of some subscribers have another meter than those of others."""
        return any(plan.meter for line in self.plans.values() for plan in line)

    def has_capacity(self, provider: str, day: date) -> bool:
        """Whether a provider has capacity on a day, so that its meters need no cost."""
        lines = [timeline.on(day) for timeline in self.capacities.values()]
        return any(line.provider == provider for line in lines if line)

    @property
    def known_providers(self) -> frozenset[str]:
        """The providers that any term names."""
        of_meters = {each.provider for line in self.meters.values() for each in line}
        of_quotes = {provider for _, provider in self.quotes}
        of_capacities = {each.provider for line in self.capacities.values() for each in line}
        return frozenset((self.providers.keys() | of_meters | of_quotes | of_capacities) - {""})

    def group_on(self, subscriber: str, day: date) -> str:
        """The group of related parties that a subscriber belongs to on a day; "" for none."""
        timeline = self.related.get(subscriber)
        return (timeline.on(day) or "") if timeline else ""

    def segment_on(self, subscriber: str, day: date) -> str:
        """The group that reports count a subscriber with on a day; "" for none."""
        timeline = self.segments.get(subscriber)
        return (timeline.on(day) or "") if timeline else ""

    def fees(self, day: date, currency: str) -> Fees:
        """The fees of trades of a day in a currency."""
        minimum, of_seller, of_buyer = [
            round_money(fee.number if fee else ZERO, currency)
            for fee in [self.on(each, day, currency) for each in _WHOLE_FEES]
        ]
        rates = self.on(SELLER_FEE, day), self.on(BUYER_FEE, day)
        return Fees(*rates, minimum, of_seller, of_buyer)


def no_terms() -> Terms:
    """The terms of a ledger that states none."""
    return Terms({})
