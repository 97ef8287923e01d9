"""What happened: facts that a ledger or an event file states, one line each.

    2026-05-20 custom "compute-consumption" "alice" 200 CU

An event is frozen; a mistake is corrected by a later event. The order of the fields is the order of
the books: `sorted(events)` is the order in which they are booked, whatever file or row they come
from (manual/language.md, section 4). Text that is absent is "", so that it comes first; numbers are
absent only where they are absent for every event of that kind: else they are zero, so that any two
events can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

from beancount_compute.economy.kinds import DISCOUNTED, KINDS, OUTSIDERS, SIGNED, Kind
from beancount_compute.economy.rounding import ZERO
from beancount_compute.economy.words import amount, quoted


class Place(NamedTuple):
    """Where something was written: what an error names and Fava opens.

    A row of a file that can't be opened at a line (Parquet) is named in `row`.
    """

    file: str
    line: int
    row: str = ""

    def __str__(self) -> str:
        """The place as a message names it."""
        at = f"{self.file}:{self.line}"
        return f"{at}, {self.row}" if self.row else at


NOWHERE = Place("<beancount_compute>", 0)


class Event(NamedTuple):
    """One fact. `sorted()` puts events into the order of the books."""

    date: date
    phase: int
    time: str  # "14:05:09"
    kind: Kind
    subscriber: str  # also the seller, giver or spender
    counterparty: str  # the buyer, receiver or partner
    plan: str
    units: Decimal | None  # of `commodity`
    price: Decimal | None  # of `currency`, per unit: a trade
    paid: Decimal | None  # of `currency`: a top-up's payment, a spend's settlement
    currency: str
    expires: str  # a date, or a span such as "12 months"
    id: str  # the writer's idempotency key
    memo: str
    commodity: str
    started: str  # a date: a subscription's first day, where that is before its own
    reverses: str  # the id of the event that a reversal undoes
    meter: str = ""  # what is measured of a use
    quantity: Decimal = ZERO  # of the meter; where it stands alone, `units` is zero
    first_day: str = ""  # a date, as `last_day`: the days that a bill is for
    last_day: str = ""
    discount: Decimal = ZERO  # of `currency`: what each period of a plan costs less
    # amounts, such as "70 USD", of a subscription that began before: what its running period was
    # charged for use, and what of its charges is not invoiced
    charged: str = ""
    unbilled: str = ""
    of: str = ""  # the id of the event that money goes back for, or comes in again
    unpaid: str = ""  # "true" where what a refund is of was never paid
    void: str = ""  # "true" where the service ends, although only part goes back
    from_plan: str = ""  # of a change of plan; `plan` is the new one
    charge: Decimal = ZERO  # of `currency`, as `credit`: what the invoice says, or no currency
    credit: Decimal = ZERO
    now: str = ""  # "true" where a cancellation lets its period end tomorrow
    extra: tuple[tuple[str, str], ...] = ()  # `x_` columns: not content, never compared
    # the place, in three fields: a tuple of its own for each event would take time and room
    file: str = NOWHERE.file
    line: int = NOWHERE.line
    row: str = ""
    flaw: str = ""  # why it can't be booked whatever the books hold; it still counts as an event

    @property
    def place(self) -> Place:
        """Where it was written."""
        return Place(self.file, self.line, self.row)


def fields_getter(*names: str) -> Callable[[Event], tuple[Any, ...]]:
    """What gives some fields of an event, in a third of the time that naming each would take."""
    return itemgetter(*map(Event._fields.index, names))


CONTENT = Event._fields.index("extra")  # the fields before it are the event's content
# These came later: they count in hashes only where they are present, so that others keep theirs.
LATER_FIELDS = (
    "meter",
    "quantity",
    "first_day",
    "last_day",
    "discount",
    "charged",
    "unbilled",
    "of",
    "unpaid",
    "void",
    "from_plan",
    "charge",
    "credit",
    "now",
)
_FIRST_LATER = CONTENT - len(LATER_FIELDS)
_NOTHING_LATER = tuple([Event._field_defaults[name] for name in LATER_FIELDS])
# What fields are called where people write them, and Python can't (`from`) or means more.
WRITTEN = {"first_day": "from", "last_day": "to"}


def events_in_order(events: Iterable[Event]) -> list[Event]:
    """Events in the order of the books; one that says no amount stands before one that does."""
    unsorted = [*events]
    try:
        return sorted(unsorted)
    except TypeError:  # an amount is compared to none
        return sorted(unsorted, key=_absent_first)


def _absent_first(event: Event) -> tuple[tuple[bool, Any], ...]:
    return tuple([(each is not None, each) for each in event])


def same_content(one: Event, other: Event) -> bool:
    """Whether two events say the same, compared by value."""
    return one[:CONTENT] == other[:CONTENT]


def content_of(event: Event) -> list[Any]:
    """What an event says, for hashes; what came later as `name=value`, where it is present."""
    content: list[Any] = [*event[:_FIRST_LATER]]
    later = event[_FIRST_LATER:CONTENT]
    if later != _NOTHING_LATER:
        said = zip(LATER_FIELDS, later, strict=True)
        content += sorted(f"{WRITTEN.get(name, name)}={_text(each)}" for name, each in said if each)
    return content


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def is_sound(event: Event) -> bool:
    """Whether the figures are such as an event can have, whatever the books hold."""
    units, price, paid, currency, commodity, quantity = _figures(event)
    return (
        (units is None or units > 0 or (not units and quantity > 0))
        and quantity >= 0
        and (price is None or price > 0)
        and (paid is None or paid > 0 or event.kind in SIGNED)
        and (currency != commodity or not currency)
        and event.charge >= 0
        and event.credit >= 0
        and ((discount := _discount_of(event)) is None or discount > 0)
        and not wrong_days(event.date, event.first_day, event.last_day)
    )


def wrong_days(dated: date, first: str, last: str) -> str:
    """What is wrong with the days that an event is for; "" for nothing, or where it says none."""
    if not first and not last:
        return ""
    begins, ends = days_for(dated, first, last)
    if ends >= dated:
        return (
            f"a bill that is not dated behind its days: {dated} lies not behind {ends}: "
            "date it later, or mend `to`"
        )
    if begins > ends:
        return (
            f"its days begin on {begins} and end on {ends}: "
            "write as `from` the first of them and as `to` the last"
        )
    return ""


def days_for(dated: date, first: str, last: str) -> tuple[date, date]:
    """The days that an event is for, both included: of the calendar month before it."""
    ends = date.fromisoformat(last) if last else dated.replace(day=1) - timedelta(1)
    return date.fromisoformat(first) if first else ends.replace(day=1), ends


def _discount_of(event: Event) -> Decimal | None:
    """The discount that an event names; None for none."""
    return event.discount if event.plan and event.currency and event.kind in DISCOUNTED else None


_figures = fields_getter("units", "price", "paid", "currency", "commodity", "quantity")


def flaw_of(event: Event) -> str:
    """What to say of an event that `is_sound` denies."""
    if event.meter and not event.units and event.quantity <= 0 and event.kind not in SIGNED:
        return (
            f"a quantity of {event.quantity:f} is not above zero: write how much of "
            f"{quoted(event.meter)} was used"
        )
    if event.quantity < 0:
        return f"a quantity of {event.quantity:f} is below zero: write a positive number"
    for name, figure in (("charge", event.charge), ("credit", event.credit)):
        if figure < 0:
            return (
                f"a {name} of {amount(figure, event.currency)} is below zero: write what the "
                "invoice adds as `charge` and what it takes off as `credit`"
            )
    if days := wrong_days(event.date, event.first_day, event.last_day):
        return days
    for number, commodity in (
        (event.units, event.commodity),
        (event.price, event.currency),
        (event.paid, event.currency),
        (_discount_of(event), event.currency),
    ):
        signed = event.kind in SIGNED and number == event.paid
        if number is not None and number <= 0 and not signed:
            return f"{amount(number, commodity)} is not above zero: {_instead_of(number, event)}"
    return (
        f"wrong currency: {event.currency} can't pay for units of {event.commodity}: "
        "write a price in money, such as USD"
    )


def _instead_of(number: Decimal, event: Event) -> str:
    """What to write instead of a number that is not above zero."""
    if event.plan:
        return "write a positive number"
    if number < 0 and number != event.price:
        return (
            "write a reversal of what was booked too much "
            '(custom "compute-reversal" and the id of that event)'
        )
    if event.kind is Kind.ALLOCATION and not event.paid:
        return "units that cost nothing are a grant: write compute-grant, without a payment"
    if event.kind is Kind.TRADE and not event.price:
        return "units that are given away are a transfer: write compute-transfer, without a price"
    return "write a positive number"


def id_taken(event_id: str, first: Place) -> str:
    """What to say of an id that stands for something else."""
    return (
        f"event id {quoted(event_id)} stands for something else at {first}: "
        "give this one an id of its own"
    )


def names_of(event: Event) -> list[str]:
    """The subscribers that an event names; partners and providers are none."""
    names = [
        event.subscriber,
        "" if KINDS[event.kind].counterparty in OUTSIDERS else event.counterparty,
    ]
    return [name for name in names if name]


def content_id(event: Event) -> str:
    """The id of an event that was given none: `e-` and 12 hex digits of its content's SHA-256."""
    text = "\x1f".join([str(value) for value in content_of(event)])
    return "e-" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
