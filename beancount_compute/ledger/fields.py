"""Values as people and exports write them, parsed once, at the edge, into types.

    "2026-05-20" -> date    "0.25" -> Decimal    "14:05:09" -> time    "12 months" -> span

Every function raises `FieldError` for what it can't read. An export names the same days,
subscribers and round numbers again and again: `Fields` remembers what it has read for the length of
one load, so that a repeat costs a look-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Context, Decimal
from typing import Any, TypeVar
from unicodedata import category, normalize

from beancount_compute.economy import (
    FINEST,
    MOST_DIGITS,
    RESERVED_ORIGINS,
    ZERO,
    Refused,
    Span,
    life_of,
    parse_term_name,
    quoted,
    shorten,
    trim,
)
from beancount_compute.ledger.errors import FieldError

_MOST_DIGITS = Context(prec=MOST_DIGITS)
LONGEST_TEXT = 4096
MARKS = ("unpaid", "void", "now")  # the fields that are set or not

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CLOCK = r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(:[0-5][0-9])?(\.[0-9]+)?"
_ZONE = r" ?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_TIME = re.compile(_CLOCK + _ZONE, re.ASCII)
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](.+)", re.ASCII)
_CURRENCY = re.compile(r"[A-Z](?:[A-Z0-9'._-]{0,22}[A-Z0-9])?", re.ASCII)
_PLAN = re.compile(r"[\w.-]+(?: +[\w.-]+)*")
_LINE_BREAKS = "\t\n\r"


class Read(dict[str, T]):
    """What was read, with what it means; reads what it meets for the first time."""

    def __init__(self, parse: Callable[[str], T], known: dict[str, T]) -> None:
        super().__init__(known)
        self._parse = parse

    def __missing__(self, written: str) -> T:
        value = self[written] = self._parse(written)
        return value


class Fields:
    """What one load has read, field by field; "" is a field that is absent."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone  # where days begin
        self.dates = Read[date | None](parse_date, {"": None})
        self.times = Read(parse_time, {"": ""})
        self.names = Read(parse_name, {"": ""})
        self.ids = Read(parse_name, {"": ""})
        self.plans = Read(parse_plan_name, {"": ""})
        self.meters = Read(parse_meter_name, {"": ""})
        self.all_above_zero = True  # every number read so far
        self.numbers = Read[Decimal | None](
            lambda text: self._noted(parse_number(text)), {"": None}
        )
        self.currencies = Read(parse_currency, {"": ""})
        # none is zero, as in `Event`
        self.quantities = Read[Decimal](lambda text: self._noted(parse_number(text)), {"": ZERO})
        self.expiries = Read(parse_expires, {"": ""})
        # by their text, which is quicker to hash than a decimal
        self.decimals = Read[Decimal](lambda text: self._noted(check_number(Decimal(text))), {})
        self.days = Read(lambda text: parse_date(text).isoformat(), {"": ""})
        self.amounts = Read(parse_amount, {"": ""})
        # what reads the text of each field of an event, but for those that hardly ever repeat
        self.of: dict[str, Read[Any]] = {
            "date": self.dates,
            "time": self.times,
            "subscriber": self.names,
            "counterparty": self.names,
            "plan": self.plans,
            "units": self.numbers,
            "price": self.numbers,
            "paid": self.numbers,
            "currency": self.currencies,
            "expires": self.expiries,
            "commodity": self.currencies,
            "started": self.days,
            "reverses": self.ids,
            "meter": self.meters,
            "quantity": self.quantities,
            "from": self.days,
            "to": self.days,
            "discount": self.quantities,
            "charged": self.amounts,
            "unbilled": self.amounts,
            "of": self.ids,
            **dict.fromkeys(MARKS, Read(parse_mark, {"": ""})),
            "from_plan": self.plans,
            "charge": self.quantities,
            "credit": self.quantities,
        }

    def moment(self, day: str, time: str) -> tuple[date, str]:
        """The day and the time of day that two cells say, where the ledger's days begin.

        The day may hold the time too; a zone of its own may move it to another day.
        """
        found = _MOMENT.fullmatch(day)
        if not found and not time:
            return parse_date(day), ""
        if found and time:
            raise FieldError(f"{quoted(day)} holds a time, and so does the column time: empty one")
        if found:
            day, time = found[1], found[2]
        clock, zone = _clock_and_zone(time)
        on = parse_date(day)
        return _in_zone(on, clock, zone, self._zone) if zone else (on, clock)

    def _noted(self, number: Decimal) -> Decimal:
        """Note a number that no event can have: while there is none, nobody needs to look."""
        if number <= 0:
            self.all_above_zero = False
        return number


def parse_number(text: str) -> Decimal:
    """A number from an event file, in any notation, of at most 14 significant digits."""
    if not _NUMBER.fullmatch(text):
        raise FieldError(
            f"{quoted(text)} is not a number: write digits with a decimal point, such as 1234.50, "
            "without separators"
        )
    number = Decimal(text)
    if len(text) > MOST_DIGITS or not text.isdecimal():
        return check_number(number)
    return trim(number, 0) if number else Decimal()


def parse_amount(text: str) -> str:
    """An amount, as the text by which events are compared: "70 USD"."""
    number, _, currency = text.strip().partition(" ")
    return f"{parse_number(number):f} {parse_currency(currency.strip())}"


def check_number(number: Decimal | None) -> Decimal:
    """A finite number of at most 14 significant digits, without idle zeros."""
    if not isinstance(number, Decimal) or not number.is_finite():
        raise FieldError("an amount without a number: write both, such as 200 CU")
    if number.adjusted() >= MOST_DIGITS or number != _MOST_DIGITS.plus(number):
        raise FieldError(
            f"{shorten(f'{number:f}')} has more than {MOST_DIGITS} significant digits: "
            f"write at most {MOST_DIGITS}"
        )
    if number and -int(number.normalize().as_tuple().exponent) > FINEST:
        raise FieldError(f"{number.normalize()} is finer than {FINEST} decimals: write fewer")
    return trim(number, 0) if number else Decimal()


def parse_date(text: str) -> date:
    """A day written as YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        raise FieldError(f"{quoted(text)} is not a date: write YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldError(f"{text} is no day of the calendar: write one that exists") from None


def parse_time(text: str) -> str:
    """A time of day without a zone, as text that sorts by time: HH:MM:SS, perhaps a fraction."""
    clock, zone = _clock_and_zone(text)
    if zone:
        raise FieldError(f"{quoted(text)}: a time with a zone needs the day beside it")
    return clock


def _clock_and_zone(text: str) -> tuple[str, str]:
    found = _TIME.fullmatch(text)
    if not found:
        raise FieldError(f"{quoted(text)} is not a time of day: write HH:MM:SS, such as 14:05:09")
    minute, second, fraction, zone = found.groups()
    if fraction and not second:
        raise FieldError(f"{quoted(text)} is not a time of day: write HH:MM:SS, such as 14:05:09")
    return f"{minute}{second or ':00'}{(fraction or '').rstrip('0').rstrip('.')}", zone or ""


def _in_zone(day: date, clock: str, zone: str, ours: tzinfo) -> tuple[date, str]:
    """A moment of another zone, in ours; what is below a second stays as it is written."""
    second, _, fraction = clock.partition(".")
    try:
        moment = datetime.fromisoformat(f"{day}T{second}{zone.upper()}").astimezone(ours)
    except (ValueError, OverflowError):
        raise FieldError(f"{day} {clock} {zone} is no moment of the calendar: mend it") from None
    return moment.date(), f"{moment:%H:%M:%S}" + (f".{fraction}" if fraction else "")


def parse_life(text: str) -> Span:
    """How long something lasts: "month", "quarter", "year", "N months" or "N days"."""
    try:
        return life_of(text)
    except Refused as refused:
        raise FieldError(str(refused)) from None


def parse_expires(text: str) -> str:
    """A date or a span, as the text by which events are compared."""
    return text if _DATE.fullmatch(text) and parse_date(text) else str(parse_life(text))


def parse_currency(text: str) -> str:
    """A commodity or currency as Beancount allows it."""
    if not _CURRENCY.fullmatch(text):
        raise FieldError(f"{quoted(text)} is not a commodity: write capitals, such as CU or USD")
    return text


def parse_name(text: str) -> str:
    """A free name (subscriber, partner, id), as NFC and without blanks at its ends."""
    name = check_text(text.strip())
    if not name.isascii():
        name = normalize("NFC", name)
    if not name:
        raise FieldError("a name is empty: write who or what is meant")
    return name


def parse_mark(text: str) -> str:
    """A mark that is set, or not: "true" or nothing."""
    match text.lower():
        case "true":
            return "true"
        case "false":
            return ""
    raise FieldError(f"{quoted(text)} is no mark: write true, or leave the cell empty")


def parse_ids(texts: Sequence[str]) -> Sequence[str]:
    """Names that come once each, so that nothing is gained by remembering them; "" is none."""
    together = "".join(texts)  # asked of all at once, which is quicker
    if (
        together.isascii()
        and together.isprintable()
        and " " not in together
        and (len(together) <= LONGEST_TEXT or max(map(len, texts)) <= LONGEST_TEXT)
    ):
        return texts
    return [text and parse_name(text) for text in texts]


def check_texts(texts: Sequence[str]) -> Sequence[str]:
    """Texts that Beancount can write and read back."""
    if not "".join(texts).isprintable() or max(map(len, texts)) > LONGEST_TEXT:
        for text in texts:
            check_text(text)
    return texts


def check_text(text: str) -> str:
    """Text that Beancount can write and read back."""
    if len(text) > LONGEST_TEXT:
        raise FieldError(
            f"a text of {len(text):,} characters; at most {LONGEST_TEXT:,} are allowed"
        )
    if text.isprintable():
        return text
    for character in text:
        if category(character) in ("Cc", "Cs") and character not in _LINE_BREAKS:
            raise FieldError(
                f"the text {quoted(text)} holds the control character U+{ord(character):04X}: "
                "remove it"
            )
    return text


def parse_meter_name(text: str) -> str:
    """The name of a meter."""
    try:
        return parse_term_name(text)
    except Refused as refused:
        raise FieldError(str(refused)) from None


def parse_plan_name(text: str) -> str:
    """A plan's name: letters, digits, `-`, `_`, `.` and inner spaces."""
    name = normalize("NFC", text.strip())
    if not _PLAN.fullmatch(name) or len(name) > LONGEST_TEXT:
        raise FieldError(
            f"{quoted(text)} is not a plan's name: write letters, digits, -, _, . and inner spaces"
        )
    if name in RESERVED_ORIGINS:
        raise FieldError(f"the name {quoted(name)} is taken: give the plan another")
    return name
