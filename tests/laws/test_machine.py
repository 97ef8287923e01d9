"""A machine that appends events, beside a naive auditor that writes the books by itself.

The auditor below knows language.md and nothing of the economy's rules: whole days, plain lists and
dictionaries, fractions. After some events its lots, totals and refusals must be the engine's.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from beancount_compute.economy.journal import LotLeg
from tests.economy import building

# What was agreed: to the auditor as plain values, to the engine as `Terms`.


class Offer(NamedTuple):
    price: Fraction
    units: Fraction
    unused: str
    life: int = 0  # months: of a lot that rolls over, or of minted tokens
    rate: Fraction = Fraction(1)
    overage: Fraction | None = None


OFFERS = {
    "pro": Offer(Fraction(10), Fraction(3), "mint", 3, Fraction(1, 2), Fraction(333, 1000)),
    "basic": Offer(Fraction(1), Fraction(10), "expire", overage=Fraction(15, 1000)),
    "keep": Offer(Fraction(199, 100), Fraction(7), "rollover", 2),
    "free": Offer(Fraction(0), Fraction(5), "mint", 12),
}
SELLER_FEE, BUYER_FEE, MINIMUM_FEE = Fraction(5, 100), Fraction(1, 100), Fraction(2, 100)
STEP = Fraction(1, 10**6)
LATE = "2026-04-01"  # from this day on, lots are drawn in another order


def agreed(early: str, late: str) -> Any:
    return building.terms(
        building.plan(
            "pro",
            "10 USD",
            "3 CU",
            unused="mint",
            token_expires="3 months",
            mint_rate="0.5",
            overage="0.333 USD",
        ),
        building.plan("basic", "1 USD", "10 CU", overage="0.015 USD"),
        building.plan("keep", "1.99 USD", "7 CU", unused="rollover", expires="2 months"),
        building.plan("free", "0 USD", "5 CU", unused="mint", token_expires="12 months"),
        seller_fee="0.05",
        buyer_fee="0.01",
        minimum_fee={"USD": "0.02"},
        draw_down={building.START: early, LATE: late},
    )


# The naive auditor


class Lot(NamedTuple):
    holder: str
    pocket: str
    cost: Fraction
    date: date
    origin: str
    end: date | None


class No(Exception):
    """The event is refused."""


def cents(number: Fraction) -> Fraction:
    return Fraction(round(number * 100), 100)  # half to even


def add_months(day: date, months: int, day_of_month: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day_of_month, monthrange(year, month + 1)[1]))


def in_order(event: Any) -> tuple[Any, ...]:
    """Section 4: day, phase, then content; absent comes first."""
    phases = {"cancellation": 1, "subscription": 2, "allocation": 2, "grant": 2}
    phases |= {"trade": 3, "transfer": 3, "spend": 3, "consumption": 4, "refund": 5, "reversal": 5}
    numbers = [Fraction(n) if n is not None else Fraction(-1) for n in event[7:10]]
    return (event.date, phases[event.kind], *event[3:7], *numbers, *event[10:13])


class Naive:
    """All books of the events, written day by day."""

    def __init__(self, events: list[Any], early: str, late: str) -> None:
        self.orders = (early, late)
        self.lots: dict[Lot, Fraction] = defaultdict(Fraction)
        self.money: dict[str, Fraction] = defaultdict(Fraction)
        self.refused: set[int] = set()
        self.known: set[str] = set()
        self.subscriptions: list[dict[str, Any]] = []
        self.done: dict[str, dict[str, Any]] = {}
        self.overage: dict[tuple[Any, ...], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 2)
        making = [event.date for event in events if event.kind != "cancellation"]
        self.as_of = max(making, default=date.min)
        days = sorted({event.date for event in events})
        for day in self.days(days):
            self.today = day
            self.end_lots(day)
            of_day = sorted((event for event in events if event.date == day), key=in_order)
            cancelled = [event for event in of_day if event.kind == "cancellation"]
            self.book(cancelled)
            self.start_periods(day)
            self.book(of_day[len(cancelled) :])
        self.lots = {lot: units for lot, units in self.lots.items() if units}

    def days(self, days: list[date]) -> Iterator[date]:
        """Every day of the calendar from the first event to the last."""
        if days:
            yield from (days[0] + timedelta(n) for n in range((days[-1] - days[0]).days + 1))

    def book(self, events: list[Any]) -> None:
        for event in events:
            try:
                getattr(self, str(event.kind))(event)
            except No:
                self.refused.add(event.place.line)

    # what is derived

    def end_lots(self, day: date) -> None:
        if day <= self.as_of:
            for lot in [lot for lot in self.lots if lot.end == day]:
                self.meet_end(lot)

    def meet_end(self, lot: Lot) -> None:
        units, minted = self.lots.pop(lot), Fraction(0)
        offer = OFFERS.get(lot.origin)
        if offer and lot.pocket == "allocations" and offer.unused == "mint" and lot.cost:
            assert lot.end is not None
            minted = units * offer.rate
            end = add_months(lot.end, offer.life, lot.end.day)
            token = lot._replace(pocket="tokens", end=end)
            self.lots[token] += minted
            if end <= self.today:
                self.meet_end(token)
        self.money["breakage"] -= (units - minted) * lot.cost

    def start_periods(self, day: date) -> None:
        for each in self.subscriptions:
            if each["next"] == day and not each["cancelled"] and day <= self.as_of:
                self.start_period(each, day)

    def start_period(self, each: dict[str, Any], day: date) -> None:
        each["periods"] += 1
        each["next"] = add_months(each["start"], each["periods"], each["start"].day)
        self.allocate(f"{each['id']}/{day}", each["who"], each["plan"], day, each["next"])

    def allocate(self, name: str, who: str, plan: str, day: date, end: date | None) -> None:
        offer = OFFERS[plan]
        if offer.unused == "rollover":
            end = add_months(day, offer.life, day.day)
        lots = self.split(Lot(who, "allocations", Fraction(0), day, plan, end), offer[:2])
        self.post(name, "allocation", lots, {"receivable": offer.price})

    def split(self, lot: Lot, payment: tuple[Fraction, Fraction]) -> dict[Lot, Fraction]:
        """One lot, or two at neighbouring costs whose sum is what was paid."""
        paid, units = payment
        low = paid / units // STEP * STEP
        dearer = (paid - low * units) / STEP
        lots = {
            lot._replace(cost=low): units - dearer,
            lot._replace(cost=low + STEP): dearer,
        }
        return {each: count for each, count in lots.items() if count}

    # events

    def post(
        self,
        name: str,
        kind: str,
        lots: dict[Lot, Fraction],
        money: dict[str, Fraction],
        **more: Any,
    ) -> None:
        for lot, units in lots.items():
            self.lots[lot] += units
            if not self.lots[lot]:
                del self.lots[lot]
        for role, number in money.items():
            self.money[role] += number
        self.done[name] = {"kind": kind, "lots": lots, "money": money, "undone": False} | more

    def know(self, who: str) -> None:
        if who not in self.known:
            raise No

    def draw(self, who: str, pocket: str, units: Fraction, paid: bool = False) -> Any:
        """What is taken out of which lots, and what is missing."""
        order = self.orders[self.today >= date.fromisoformat(LATE)]
        taken: dict[Lot, Fraction] = {}
        for lot in sorted(self.lots, key=lambda lot: place(lot, order)):
            if (lot.holder, lot.pocket) == (who, pocket) and units and (lot.cost or not paid):
                taken[lot] = min(units, self.lots[lot])
                units -= taken[lot]
        return taken, units

    def tokens(self, event: Any) -> dict[Lot, Fraction]:
        taken, missing = self.draw(event.subscriber, "tokens", Fraction(event.units))
        if missing:
            raise No
        return taken

    def subscription(self, event: Any) -> None:
        for each in self.subscriptions:
            if (each["who"], each["plan"]) == (event.subscriber, event.plan) and runs(
                each, event.date
            ):
                raise No
        self.known.add(event.subscriber)
        new = {"id": event.id, "who": event.subscriber, "plan": event.plan, "start": event.date}
        self.subscriptions.append(new | {"periods": 0, "next": event.date, "cancelled": False})
        self.start_period(self.subscriptions[-1], event.date)

    def cancellation(self, event: Any) -> None:
        for each in self.subscriptions:
            if (each["who"], each["plan"]) == (event.subscriber, event.plan):
                if each["cancelled"]:
                    continue
                each["cancelled"] = True
                return
        raise No

    def allocation(self, event: Any) -> None:
        self.known.add(event.subscriber)
        if event.plan:
            end = add_months(event.date, 1, event.date.day)
            self.allocate(event.id, event.subscriber, event.plan, event.date, end)
            return
        end = date.fromisoformat(event.expires) if event.expires else None
        lot = Lot(event.subscriber, "tokens", Fraction(0), event.date, "top-up", end)
        paid = Fraction(event.paid)
        lots = self.split(lot, (paid, Fraction(event.units)))
        self.post(event.id, "allocation", lots, {"receivable": paid})

    def grant(self, event: Any) -> None:
        self.known.add(event.subscriber)
        end = date.fromisoformat(event.expires) if event.expires else None
        lot = Lot(event.subscriber, "allocations", Fraction(0), event.date, "grant", end)
        self.post(event.id, "grant", {lot: Fraction(event.units)}, {})

    def trade(self, event: Any) -> None:
        gross = cents(Fraction(event.units) * Fraction(event.price))
        self.know(event.subscriber)
        self.know(event.counterparty)
        if not gross or event.subscriber == event.counterparty:
            raise No
        lots = move(self.tokens(event), event.counterparty)
        seller, buyer = (
            min(gross, max(MINIMUM_FEE, cents(gross * rate))) for rate in (SELLER_FEE, BUYER_FEE)
        )
        money = {"receivable": gross + buyer, "payable": seller - gross, "fees": -seller - buyer}
        self.post(event.id, "trade", lots, money)

    def transfer(self, event: Any) -> None:
        self.know(event.subscriber)
        self.know(event.counterparty)
        if event.subscriber == event.counterparty:
            raise No
        self.post(event.id, "transfer", move(self.tokens(event), event.counterparty), {})

    def spend(self, event: Any) -> None:
        self.know(event.subscriber)
        taken, paid = self.tokens(event), Fraction(event.paid)
        money = {"partner": -paid, "partner-income": paid - cost(taken)}
        self.post(event.id, "spend", minus(taken), money)

    def consumption(self, event: Any) -> None:
        self.know(event.subscriber)
        taken, missing = self.draw(event.subscriber, "allocations", Fraction(event.units))
        more, missing = self.draw(event.subscriber, "tokens", missing)
        taken |= more
        money, over = {"revenue": -cost(taken)}, None
        if missing:
            of = [each for each in self.subscriptions if each["who"] == event.subscriber]
            of = [each for each in of if runs(each, event.date)]
            of.sort(key=lambda each: (-each["start"].toordinal(), each["plan"]))
            price = OFFERS[of[0]["plan"]].overage if of else None
            if price is None:
                raise No
            month = (event.subscriber, of[0]["plan"], event.date.year, event.date.month)
            total = self.overage[month]
            charge = cents(total[0] + missing * price) - total[1]
            self.overage[month] = [total[0] + missing * price, total[1] + charge]
            money |= {"receivable": charge, "overage": -charge}
            over = (month, missing * price, charge)
        self.post(event.id, "consumption", minus(taken), money, over=over)

    def refund(self, event: Any) -> None:
        self.know(event.subscriber)
        taken, missing = self.draw(event.subscriber, "tokens", Fraction(event.units), True)
        more, missing = self.draw(event.subscriber, "allocations", missing, True)
        if missing:
            raise No
        taken |= more
        owed = cents(cost(taken))
        self.post(
            event.id, "refund", minus(taken), {"payable": -owed, "revenue": owed - cost(taken)}
        )

    def reversal(self, event: Any) -> None:
        done = self.done.get(event.reverses)
        if not done or done["undone"] or done["kind"] == "reversal":
            raise No
        if any(units > self.lots.get(lot, 0) for lot, units in done["lots"].items() if units > 0):
            raise No
        done["undone"] = True
        money = {role: -number for role, number in done["money"].items()}
        self.post(event.id, "reversal", minus(done["lots"]), money)
        if done.get("over"):
            month, use, charge = done["over"]
            exact, booked = self.overage[month]
            self.overage[month] = [exact - use, booked - charge]
        for lot, units in done["lots"].items():
            if units < 0 and lot.end is not None and lot.end <= self.today:
                self.meet_end(lot)


def runs(subscription: dict[str, Any], day: date) -> bool:
    return not subscription["cancelled"] or day < subscription["next"]


def place(lot: Lot, order: str) -> tuple[Any, ...]:
    end, day = lot.end or date.max, lot.date.toordinal()
    return {
        "expiry": (end, day, lot.cost, lot.origin),
        "fifo": (day, end, lot.cost, lot.origin),
        "lifo": (-day, end, lot.cost, lot.origin),
        "hifo": (-lot.cost, end, day, lot.origin),
        "lofo": (lot.cost, end, day, lot.origin),
    }[order]


def cost(lots: dict[Lot, Fraction]) -> Fraction:
    return sum((units * lot.cost for lot, units in lots.items()), Fraction())


def minus(lots: dict[Lot, Fraction]) -> dict[Lot, Fraction]:
    return {lot: -units for lot, units in lots.items()}


def move(taken: dict[Lot, Fraction], receiver: str) -> dict[Lot, Fraction]:
    return minus(taken) | {lot._replace(holder=receiver): n for lot, n in taken.items()}


# The engine's books in the auditor's words


def engine_lots(books: Any) -> dict[Lot, Fraction]:
    return {
        Lot(lot.holder, str(lot.pocket), Fraction(lot.cost), lot.date, lot.origin, lot.end): (
            Fraction(units)
        )
        for lot, units in books.lots
    }


def engine_money(books: Any) -> dict[str, Fraction]:
    money: dict[str, Fraction] = defaultdict(Fraction)
    for entry in books.journal:
        for leg in entry.legs:
            if not isinstance(leg, LotLeg):
                money[str(leg.role)] += Fraction(leg.number)
    return {role: number for role, number in money.items() if number}


# The machine

NAMES = st.sampled_from(["alice", "bob", "carol"])
PLANS = st.sampled_from(sorted(OFFERS))
UNITS = st.sampled_from(["1 CU", "2 CU", "0.5 CU", "3 CU", "7 CU", "12.25 CU", "100 CU"])
MONEY = st.integers(1, 2500).map(lambda n: f"{Decimal(n).scaleb(-2)} USD")
PRICES = st.sampled_from(["0.25 USD", "0.01 USD", "1.005 USD", "0.0333 USD", "0.001 USD"])
BACK = st.sampled_from([0, 0, 0, 0, 1, 30])  # days: some events are entered late
ORDERS = st.sampled_from(["expiry", "fifo", "lifo", "hifo", "lofo"])


class Machine(RuleBasedStateMachine):
    """Events of a few subscribers, one after the other; now and then the books are compared."""

    booked = Bundle("booked")  # ids that a reversal may name
    subscribed = Bundle("subscribed")

    @initialize(early=ORDERS, late=ORDERS)
    def begin(self, early: str, late: str) -> None:
        self.orders = (early, late)
        self.today = date(2026, 1, 31)
        self.events: list[Any] = []
        self.add(building.top_up, 0, "alice", "150 CU", "9.99 USD")
        self.add(building.top_up, 0, "bob", "40 CU", "8 USD")

    def add(self, make: Any, back: int, *values: str, **more: str) -> str:
        number = len(self.events) + 1
        on = str(self.today - timedelta(back))
        self.events.append(make(on, *values, id=f"e{number}", line=number, **more))
        return f"e{number}"

    @rule(target=subscribed, who=NAMES, plan=PLANS, back=BACK)
    def subscribe(self, who: str, plan: str, back: int) -> Any:
        self.add(building.subscription, back, who, plan=plan)
        return self.events[-1]

    @rule(target=booked, subscription=subscribed, number=st.integers(0, 3))
    def name_a_period(self, subscription: Any, number: int) -> str:
        start = subscription.date
        return f"{subscription.id}/{add_months(start, number, start.day)}"

    @rule(subscription=subscribed, back=BACK)
    def cancel(self, subscription: Any, back: int) -> None:
        self.add(building.cancellation, back, subscription.subscriber, plan=subscription.plan)

    @rule(target=booked, who=NAMES, units=UNITS, paid=MONEY, back=BACK, life=st.integers(0, 90))
    def top_up(self, who: str, units: str, paid: str, back: int, life: int) -> str:
        expires = str(self.today + timedelta(life)) if life else ""
        return self.add(building.top_up, back, who, units, paid, expires=expires)

    @rule(target=booked, who=NAMES, plan=PLANS, back=BACK)
    def one_period(self, who: str, plan: str, back: int) -> str:
        return self.add(building.one_period, back, who, plan=plan)

    @rule(target=booked, who=NAMES, units=UNITS, back=BACK, life=st.integers(0, 90))
    def grant(self, who: str, units: str, back: int, life: int) -> str:
        expires = str(self.today + timedelta(life)) if life else ""
        return self.add(building.grant, back, who, units, expires=expires)

    @rule(target=booked, who=NAMES, units=UNITS, back=BACK)
    def consume(self, who: str, units: str, back: int) -> str:
        return self.add(building.consumption, back, who, units)

    @rule(target=booked, who=NAMES, whom=NAMES, units=UNITS, price=PRICES, back=BACK)
    def trade(self, who: str, whom: str, units: str, price: str, back: int) -> str:
        return self.add(building.trade, back, who, whom, units, price)

    @rule(target=booked, who=NAMES, whom=NAMES, units=UNITS, back=BACK)
    def transfer(self, who: str, whom: str, units: str, back: int) -> str:
        return self.add(building.transfer, back, who, whom, units)

    @rule(target=booked, who=NAMES, units=UNITS, paid=MONEY, back=BACK)
    def spend(self, who: str, units: str, paid: str, back: int) -> str:
        return self.add(building.spend, back, who, "shop", units, paid)

    @rule(target=booked, who=NAMES, units=UNITS, back=BACK)
    def refund(self, who: str, units: str, back: int) -> str:
        return self.add(building.refund, back, who, units)

    @rule(target=booked, reverses=booked, back=BACK)
    def reverse(self, reverses: str, back: int) -> str:
        return self.add(building.reversal, back, reverses)

    @rule(days=st.sampled_from([1, 1, 2, 27, 28, 31, 60]))
    def wait(self, days: int) -> None:
        self.today += timedelta(days)

    @rule()
    def compare(self) -> None:
        naive = Naive(self.events, *self.orders)
        books = building.book(self.events, agreed(*self.orders))
        assert {refusal.place.line for refusal in books.refusals} == naive.refused
        assert engine_lots(books) == naive.lots
        assert engine_money(books) == {role: n for role, n in naive.money.items() if n}
        assert books.as_of == naive.as_of

    def teardown(self) -> None:
        if hasattr(self, "events"):
            self.compare()


Machine.TestCase.settings = settings(stateful_step_count=40)
TestMachine = Machine.TestCase
