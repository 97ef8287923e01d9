"""Short words for the tests of the economy: events and terms in, the books as text out.

    subscription("2026-05-01", "alice", "pro")
    shown(book([...], terms(plan())), "allocation")

Amounts are written as in a ledger ("200 CU", "0.25 USD"), and nothing here knows Beancount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from textwrap import dedent
from typing import Any, NamedTuple

from beancount_compute.economy.engine import Bookkeeper, PriceOfDay
from beancount_compute.economy.events import NOWHERE, Event, Place
from beancount_compute.economy.inputs import (
    Assertion,
    Facts,
    HandPosting,
    Introduction,
)
from beancount_compute.economy.journal import JournalEntry, LotLeg
from beancount_compute.economy.kinds import PHASE, Kind
from beancount_compute.economy.lots import Lot, cost_of
from beancount_compute.economy.months import parse_span
from beancount_compute.economy.options import (
    AS_OF,
    BUYER_FEE,
    BUYER_FIXED_FEE,
    COST_STEP,
    DRAW_DOWN,
    MINIMUM_FEE,
    POSTING_GRAIN,
    SELLER_FEE,
    SELLER_FIXED_FEE,
    Option,
)
from beancount_compute.economy.refusals import Refusal
from beancount_compute.economy.roles import Pocket
from beancount_compute.economy.term_values import DrawDown, Grain, Money, Unused
from beancount_compute.economy.terms import Plan, PlanLine, Terms, Timeline

START = "2026-01-01"


def day(text: str) -> date:
    return date.fromisoformat(text)


def pair(text: str) -> tuple[Decimal, str]:
    """A number and its commodity, "200 CU"."""
    number, commodity = text.split()
    return Decimal(number), commodity


def at(line: int) -> Place:
    return Place("books", line)


# Events


def event(kind: Kind, on: str, subscriber: str = "", counterparty: str = "", **more: Any) -> Event:
    """An event; `units`, `price` and `paid` as text with their commodity, `line` as its place."""
    units = price = paid = None
    quantity = Decimal(more.pop("quantity", 0))
    discount = Decimal()
    commodity = currency = ""
    if "units" in more:
        units, commodity = pair(more.pop("units"))
    if quantity and units is None:
        units = Decimal()
    if "price" in more:
        price, currency = pair(more.pop("price"))
    charge = credit = Decimal()
    if "charge" in more:
        charge, currency = pair(more.pop("charge"))
        credit, currency = pair(more.pop("credit"))
    if "paid" in more:
        paid, currency = pair(more.pop("paid"))
    if "discount" in more:
        discount, currency = pair(more.pop("discount"))
    texts = (
        "time",
        "plan",
        "expires",
        "id",
        "memo",
        "started",
        "reverses",
        "meter",
        "first_day",
        "last_day",
        "charged",
        "unbilled",
        "of",
        "unpaid",
        "void",
        "from_plan",
        "now",
    )
    text = {name: more.pop(name, "") for name in texts}
    made = Event(
        day(on),
        PHASE[kind],
        text["time"],
        kind,
        subscriber,
        counterparty,
        text["plan"],
        units,
        price,
        paid,
        currency,
        text["expires"],
        text["id"],
        text["memo"],
        commodity,
        text["started"],
        text["reverses"],
        text["meter"],
        quantity,
        text["first_day"],
        text["last_day"],
        discount,
        text["charged"],
        text["unbilled"],
        text["of"],
        text["unpaid"],
        text["void"],
        text["from_plan"],
        charge,
        credit,
        text["now"],
        more.pop("extra", ()),
        *at(more.pop("line", 0)),
        more.pop("flaw", ""),
    )
    assert not more, f"what is {more}?"
    return made


def subscription(on: str, subscriber: str, plan: str = "pro", **more: Any) -> Event:
    return event(Kind.SUBSCRIPTION, on, subscriber, plan=plan, **more)


def change(on: str, subscriber: str, from_plan: str, plan: str, **more: Any) -> Event:
    """A change of plan, with or without `charge` and `credit`."""
    return event(Kind.CHANGE, on, subscriber, from_plan=from_plan, plan=plan, **more)


def cancellation(on: str, subscriber: str, plan: str = "pro", **more: Any) -> Event:
    return event(Kind.CANCELLATION, on, subscriber, plan=plan, **more)


def top_up(on: str, subscriber: str, units: str, paid: str, **more: Any) -> Event:
    return event(Kind.ALLOCATION, on, subscriber, units=units, paid=paid, **more)


def one_period(on: str, subscriber: str, plan: str = "pro", **more: Any) -> Event:
    return event(Kind.ALLOCATION, on, subscriber, plan=plan, **more)


def grant(on: str, subscriber: str, units: str, **more: Any) -> Event:
    return event(Kind.GRANT, on, subscriber, units=units, **more)


def consumption(on: str, subscriber: str, units: str, **more: Any) -> Event:
    return event(Kind.CONSUMPTION, on, subscriber, units=units, **more)


def measured(on: str, subscriber: str, meter: str, quantity: str, **more: Any) -> Event:
    """A use by a quantity of a meter, with or without `units`."""
    return event(Kind.CONSUMPTION, on, subscriber, meter=meter, quantity=quantity, **more)


def trade(on: str, seller: str, buyer: str, units: str, price: str, **more: Any) -> Event:
    return event(Kind.TRADE, on, seller, buyer, units=units, price=price, **more)


def transfer(on: str, giver: str, receiver: str, units: str, **more: Any) -> Event:
    return event(Kind.TRANSFER, on, giver, receiver, units=units, **more)


def spend(on: str, subscriber: str, partner: str, units: str, paid: str, **more: Any) -> Event:
    return event(Kind.SPEND, on, subscriber, partner, units=units, paid=paid, **more)


def refund(on: str, subscriber: str, units: str, **more: Any) -> Event:
    return event(Kind.REFUND, on, subscriber, units=units, **more)


def money_refund(on: str, subscriber: str, paid: str, of: str, **more: Any) -> Event:
    return event(Kind.REFUND, on, subscriber, paid=paid, of=of, **more)


def chargeback(on: str, of: str, **more: Any) -> Event:
    return event(Kind.CHARGEBACK, on, of=of, **more)


def write_off(on: str, of: str, **more: Any) -> Event:
    return event(Kind.WRITE_OFF, on, of=of, **more)


def recovery(on: str, of: str, **more: Any) -> Event:
    return event(Kind.RECOVERY, on, of=of, **more)


def reversal(on: str, reverses: str, **more: Any) -> Event:
    return event(Kind.REVERSAL, on, reverses=reverses, **more)


def purchase(on: str, provider: str, units: str, paid: str, **more: Any) -> Event:
    return event(Kind.PURCHASE, on, "", provider, units=units, paid=paid, **more)


def bill(on: str, provider: str, paid: str, first: str = "", last: str = "", **more: Any) -> Event:
    """A bill for some days."""
    days = {"first_day": first, "last_day": last}
    return event(Kind.BILL, on, "", provider, paid=paid, **days, **more)


def stated_cost(on: str, provider: str, meter: str, paid: str, **more: Any) -> Event:
    """What a provider states that a meter cost on a day."""
    return event(Kind.COST, on, "", provider, meter=meter, paid=paid, **more)


# Terms


def plan(name: str = "pro", price: str = "200 USD", units: str = "1000 CU", **more: Any) -> Plan:
    """A plan; spans as text, `overage` as an amount."""
    spans = {
        key: parse_span(more.pop(key))
        for key in ("every", "expires", "token_expires")
        if key in more
    }
    if "overage" in more:
        more["overage"] = Money(*pair(more["overage"]))
    if "unused" in more:
        more["unused"] = Unused(more["unused"])
    if "mint_rate" in more:
        more["mint_rate"] = Decimal(more["mint_rate"])
    since = day(more.pop("since", START))
    number, currency = pair(price)
    return Plan(name, since, currency, (PlanLine(number, *pair(units)),), **spans, **more)


def seat(price: str = "90 USD", name: str = "seat", **more: Any) -> Plan:
    """A plan of access alone."""
    return plan(name, price, "0 CU", access=pair(price)[0], **more)._replace(lines=())


def bundle(price: str, units: str, access_ssp: str, units_ssp: str, **more: Any) -> Plan:
    """A plan of access and units, with their stand-alone selling prices."""
    ssps = {"access_ssp": Money(*pair(access_ssp)), "units_ssp": Money(*pair(units_ssp))}
    number = pair(price)[0]
    return plan("pro", price, units, **ssps, **more)._replace(access=number).at(number)


def timeline(value: Any) -> Timeline[Any]:
    """A value from the start on, or a dictionary of days and values."""
    dated = value if isinstance(value, dict) else {START: value}
    return Timeline([(day(on), each) for on, each in dated.items()])


def decimals(value: Any) -> Any:
    if isinstance(value, dict):
        return {on: Decimal(each) for on, each in value.items()}
    return Decimal(value)


def terms(*plans: Plan, **options: Any) -> Terms:
    """Terms from plans and options; grants cost USD, unless it says otherwise."""
    by_name: dict[str, list[tuple[date, Plan]]] = {}
    for each in plans:
        by_name.setdefault(each.name, []).append((each.since, each))
    currency = options.pop("grant_currency", "USD")
    made: dict[tuple[str, str], Timeline[Any]] = {}
    for name, value in options.items():
        option = NAMED[name]
        match name:
            case "seller_fee" | "buyer_fee":
                made[option.name, ""] = timeline(decimals(value))
            case "minimum_fee" | "seller_fixed_fee" | "buyer_fixed_fee":
                for of, fee in value.items():
                    dated = fee if isinstance(fee, dict) else {START: fee}
                    money = {on: Money(Decimal(each), of) for on, each in dated.items()}
                    made[option.name, of] = timeline(money)
            case "draw_down" if isinstance(value, dict):
                made[option.name, ""] = timeline(
                    {on: DrawDown(order) for on, order in value.items()}
                )
            case "draw_down":
                made[option.name, ""] = timeline(DrawDown(value))
            case _:
                read: dict[str, Any] = {"cost_step": Decimal, "grain": Grain, "as_of": day}
                made[option.name, ""] = Timeline([(date.min, read[name](value))])
    timelines = {name: Timeline(dated) for name, dated in by_name.items()}
    return Terms(timelines, made, currency)


NAMED: dict[str, Option[Any]] = {
    "seller_fee": SELLER_FEE,
    "buyer_fee": BUYER_FEE,
    "minimum_fee": MINIMUM_FEE,
    "seller_fixed_fee": SELLER_FIXED_FEE,
    "buyer_fixed_fee": BUYER_FIXED_FEE,
    "draw_down": DRAW_DOWN,
    "cost_step": COST_STEP,
    "grain": POSTING_GRAIN,
    "as_of": AS_OF,
}


# Other facts


def lot(text: str) -> tuple[Lot, Decimal]:
    """A lot and its units as `lots_shown` writes them: "tokens alice 5 CU {0.2 USD, DAY, pro}"."""
    head, cost = text.rstrip("}").split(" {")
    pocket, holder, number, commodity = head.split()
    price, on, label = cost.split(", ")
    origin, _, end = label.partition("/")
    per_unit, currency = pair(price)
    return (
        Lot(
            holder,
            Pocket(pocket),
            commodity,
            cost_of(per_unit, currency),
            currency,
            day(on),
            origin,
            day(end) if end else None,
        ),
        Decimal(number),
    )


def by_hand(on: str, text: str, line: int = 0, flaw: str = "") -> HandPosting:
    """An opening lot, or units taken out of a lot."""
    return HandPosting(day(on), *lot(text), at(line), flaw)


def introduction(on: str, name: str, line: int = 0) -> Introduction:
    return Introduction(day(on), name, at(line))


def assertion(
    on: str, figure: str, expected: str, subscriber: str = "", line: int = 0
) -> Assertion:
    return Assertion(day(on), figure, subscriber, *pair(expected), at(line))


# Books


def first_letter_up(name: str) -> str:
    return name[0].upper() + name[1:]


class Books(NamedTuple):
    """What is booked, what was refused, and what is held at the end."""

    journal: list[JournalEntry]
    prices: list[PriceOfDay]
    refusals: list[Refusal]
    lots: list[tuple[Lot, Decimal]]
    as_of: date


def book_facts(facts: Facts, terms: Terms, component: Callable[[str], str]) -> Books:
    """The books of facts. `component` names a subscriber's account component."""
    keeper = Bookkeeper(facts, terms, component)
    journal = list(keeper.entries())
    return Books(journal, keeper.prices(), keeper.refusals, keeper.lots(), keeper.as_of)


def book(
    events: Iterable[Event],
    agreed: Terms | None = None,
    component: Any = first_letter_up,
    **others: Any,
) -> Books:
    """The books of events and of `openings`, `removals`, `introductions`, `assertions`."""
    return book_facts(Facts(events, **others), agreed or terms(), component)


def number(value: Decimal) -> str:
    """A number in full digits, without idle zeros."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def lot_text(each: Lot, units: Decimal) -> str:
    cost = f"{number(each.cost)} {each.currency}, {each.date}, {each.label}"
    return f"{each.pocket} {each.holder} {number(units)} {each.commodity} {{{cost}}}"


def entry_text(entry: JournalEntry) -> str:
    lines = [f"{entry.date} {entry.kind} {entry.subscriber}"]
    for leg in entry.legs:
        if isinstance(leg, LotLeg):
            price = f" @ {number(leg.price.number)} {leg.price.currency}" if leg.price else ""
            lines.append(f"  {lot_text(leg.lot, leg.units)}{price}")
        else:
            origin = f" {leg.origin}" if leg.origin else ""
            amount = f"{number(leg.number)} {leg.currency}"
            lines.append(f"  {leg.role} {leg.holder}{origin} {amount}")
    return "\n".join(lines)


def cause(entry: JournalEntry) -> tuple[str, Place, str]:
    """What an entry stems from: the event's id, its line or nowhere, and its source."""
    return entry.id, entry.event.place if entry.event else NOWHERE, entry.source


def shown(books: Books, *kinds: str) -> str:
    """The journal as text: all of it, or the entries of some kinds."""
    entries = [each for each in books.journal if not kinds or each.kind in kinds]
    return "\n".join(entry_text(entry) for entry in entries)


def text(expected: str) -> str:
    return dedent(expected).strip("\n ")


def lots_shown(books: Books) -> list[str]:
    return sorted(lot_text(each, units) for each, units in books.lots)


def messages(books: Books) -> list[str]:
    """The refusals with their lines."""
    return [f"{refusal.place.line}: {refusal.message}" for refusal in books.refusals]


def refused_lines(books: Books) -> list[int]:
    return sorted(refusal.place.line for refusal in books.refusals)


def deferred(books: Books, currency: str = "USD") -> str:
    """Deferred revenue: the cost of all open lots."""
    total = sum((units * each.cost for each, units in books.lots if each.currency == currency))
    return number(Decimal(total))


def income(books: Books, role: str, currency: str = "USD") -> str:
    """What the journal books on a role, income as a positive number."""
    legs = [leg for entry in books.journal for leg in entry.legs if not isinstance(leg, LotLeg)]
    found = [leg.number for leg in legs if leg.role == role and leg.currency == currency]
    return number(-sum(found, Decimal(0)))
