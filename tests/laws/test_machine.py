"""A machine that appends events, beside the naive auditor that writes the books by itself.

After some events the auditor's lots, totals and refusals must be the engine's.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from beancount_compute.economy.journal import LotLeg
from tests.economy import building
from tests.laws.auditor import records
from tests.laws.auditor.records import add_months, exact
from tests.laws.auditor.rules import Books

# What was agreed, in the auditor's words and in the engine's.

BEGIN = date.fromisoformat(building.START)
LATE = "2026-04-01"  # from this day on, lots are drawn in another order
NOWHERE = records.Place("terms", 0)


def offer(name: str, price: str, units: str, **more: Any) -> records.Plan:
    money = (Decimal(price), "USD", Decimal(units), "CU")
    return records.Plan(NOWHERE, name, BEGIN, *money, **more)


PLANS_AGREED = [
    offer(
        "pro",
        "10",
        "3",
        unused="mint",
        token_expires=(3, "months"),
        mint_rate=Decimal("0.5"),
        overage=(Decimal("0.333"), "USD"),
    ),
    offer("basic", "1", "10", overage=(Decimal("0.015"), "USD")),
    offer("keep", "1.99", "7", unused="rollover", expires=(2, "months")),
    offer("free", "0", "5", unused="mint", token_expires=(12, "months")),
]


def agreed_by_auditor(early: str, late: str) -> records.Terms:
    options: dict[str, list[tuple[date, Any]]] = {
        "seller-fee": [(BEGIN, Decimal("0.05"))],
        "buyer-fee": [(BEGIN, Decimal("0.01"))],
        "minimum-fee USD": [(BEGIN, Decimal("0.02"))],
        "draw-down": [(BEGIN, early), (date.fromisoformat(LATE), late)],
    }
    return records.Terms(PLANS_AGREED, options, operating_currency="USD")


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


# The same events and books in the auditor's words

SAME = ("subscriber", "counterparty", "plan", "units", "commodity", "price", "paid", "currency")


def audited(events: list[Any], early: str, late: str) -> Books:
    """The auditor's books of the engine's events."""
    with exact():
        terms = agreed_by_auditor(early, late)
        books = Books(records.Facts([in_its_words(event) for event in events]), terms)
        books.run()
    return books


def in_its_words(event: Any) -> records.Event:
    said = {name: getattr(event, name) for name in (*SAME, "expires", "reverses", "id")}
    return records.Event(
        records.Place(event.place.file, event.place.line),
        str(event.kind),
        event.date,
        **{name: None if value == "" else value for name, value in said.items()},
    )


Lots = dict[tuple[str, str, records.Lot], Decimal]


def lots_of_auditor(books: Books) -> Lots:
    """Units by holder, pocket and lot."""
    return {
        (holder, pocket, lot): units
        for (holder, pocket), lots in books.held.items()
        for lot, units in lots.items()
    }


def lots_of_engine(books: Any) -> Lots:
    return {
        (
            lot.holder,
            str(lot.pocket),
            records.Lot(lot.commodity, lot.cost, lot.currency, lot.date, lot.origin, lot.end),
        ): units
        for lot, units in books.lots
    }


def money_of_auditor(books: Books) -> dict[str, Decimal]:
    """Debits by role."""
    money: dict[str, Decimal] = defaultdict(Decimal)
    with exact():
        for transaction in books.journal:
            for leg in transaction.legs:
                if leg.lot is None:
                    money[leg.role] += leg.number
    return {role: number for role, number in money.items() if number}


def money_of_engine(books: Any) -> dict[str, Decimal]:
    money: dict[str, Decimal] = defaultdict(Decimal)
    with exact():
        for entry in books.journal:
            for leg in entry.legs:
                if not isinstance(leg, LotLeg):
                    money[str(leg.role)] += leg.number
    return {role: number for role, number in money.items() if number}


# The machine

NAMES = st.sampled_from(["alice", "bob", "carol"])
PLANS = st.sampled_from(sorted(plan.name for plan in PLANS_AGREED))
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
        audit = audited(self.events, *self.orders)
        books = building.book(self.events, agreed(*self.orders))
        refused = {("books", refusal.place.line) for refusal in books.refusals}
        assert refused == audit.refusals.places
        assert lots_of_engine(books) == lots_of_auditor(audit)
        assert money_of_engine(books) == money_of_auditor(audit)
        assert books.as_of == audit.as_of

    def teardown(self) -> None:
        if hasattr(self, "events"):
            self.compare()


Machine.TestCase.settings = settings(stateful_step_count=40)
TestMachine = Machine.TestCase
