"""Kind ledgers as plain Beancount text: `bean-compute print`.

    2026-05-20 * "alice" "Consumption" #compute-consumption ^lot-Alice-2026-05-01-Pro
      event: "use-17"
      Liabilities:DeferredRevenue:Allocations:Alice     200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                 -40.00 USD

The text loads without the plugin, under Beancount's own strict booking, to the same lots and
balances. So every number has its full digits (Beancount's printer rounds by a display context), a
day stands in the engine's order (Beancount sorts it by line), and what the plugin or another one
has already worked in (plugin lines, `compute-` directives, `pad`) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from beancount.core import data
from beancount.core.account import TYPE as ACCOUNT
from beancount.core.amount import Amount
from beancount.core.position import Cost
from beancount.parser.options import OPTIONS_DEFAULTS

from beancount_compute.economy import day_text, digits_of
from beancount_compute.ledger.directives import PREFIX
from beancount_compute.ledger.hand_written import OPENING_TAG
from beancount_compute.ledger.writing import ORDER

# Options that decide how a ledger is booked and shown; the rest names files, plugins or syntax.
_OPTIONS = (
    "title",
    "name_assets",
    "name_liabilities",
    "name_equity",
    "name_income",
    "name_expenses",
    "account_previous_balances",
    "account_previous_earnings",
    "account_previous_conversions",
    "account_current_earnings",
    "account_current_conversions",
    "account_unrealized_gains",
    "account_rounding",
    "conversion_currency",
    "display_precision",
    "inferred_tolerance_default",
    "tolerance_multiplier",
    "infer_tolerance_from_cost",
    "operating_currency",
    "render_commas",
    "booking_method",
    "use_precise_interpolation",
)
_SORT_BY_TYPE = {data.Open: -2, data.Balance: -1, data.Document: 1, data.Close: 2}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def booked_text(entries: Iterable[data.Directive], options_map: dict[str, Any]) -> Iterator[str]:
    """The text of a loaded ledger, piece by piece."""
    options = "".join(option_lines(options_map))
    if options:
        yield options
    before: type | None = None
    for entry in sorted(entries, key=place_in_books):
        if isinstance(entry, data.Pad):
            continue  # its transactions stand in the entries already
        if isinstance(entry, data.Custom) and entry.type.startswith(PREFIX):
            continue
        if isinstance(entry, data.Transaction) or type(entry) is not before:
            yield "\n"
        before = type(entry)
        yield directive_text(entry)


def place_in_books(entry: data.Directive) -> tuple[date, int, int, Decimal]:
    """Where a directive stands: in a day opening lots come before what the engine booked."""
    order = entry.meta.get(ORDER)
    if order is not None:
        return (entry.date, 0, 1, order)
    if isinstance(entry, data.Transaction) and OPENING_TAG in entry.tags:
        return (entry.date, 0, 0, Decimal())
    return (entry.date, _SORT_BY_TYPE.get(type(entry), 0), 2, Decimal())


def option_lines(options_map: dict[str, Any]) -> Iterator[str]:
    """The options that decide how a ledger is booked and shown."""
    for name in _OPTIONS:
        value = options_map.get(name)
        if value == OPTIONS_DEFAULTS.get(name) or value is None:
            continue
        if isinstance(value, dict):
            values = [f"{key}:{number}" for key, number in value.items()]
        elif isinstance(value, list):
            values = value
        else:
            values = [value.value if isinstance(value, Enum) else str(value)]
        for each in values:
            yield f'option "{name}" {string(each)}\n'


def directive_text(entry: data.Directive) -> str:
    """One directive, with its metadata, in full digits."""
    return _WRITERS[type(entry)](entry) + _posting_lines(entry)


def string(text: str) -> str:
    """A text as Beancount reads it back, on one line."""
    return '"' + text.translate(_ESCAPES) + '"'


def _lines(text: str) -> str:
    """A text that people wrote over several lines; Beancount reads up to 64."""
    return string(text) if text.count("\n") > 60 else string(text).replace("\\n", "\n")


def _number(number: Any) -> str:  # always a Decimal once it is booked
    return digits_of(number)


def _amount(amount: Amount) -> str:
    return f"{_number(amount.number)} {amount.currency}"


def _tags_and_links(tags: Iterable[str] | None, links: Iterable[str] | None) -> str:
    names = [f" #{tag}" for tag in sorted(tags or ())]
    names += [f" ^{link}" for link in sorted(links or ())]
    return "".join(names)


def _metadata(meta: dict[str, Any] | None, indent: str) -> str:
    lines = [
        f"{indent}{key}: {_value(value)}".rstrip() + "\n"
        for key, value in (meta or {}).items()
        if key not in ("filename", "lineno") and not key.startswith("__")
    ]
    return "".join(lines)


def _value(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case Amount():
            return _amount(value)
        case Decimal():
            return _number(value)
        case date():
            return day_text(value)
        case _:
            return string(str(value))


def _transaction(entry: data.Transaction) -> str:
    payee = f"{string(entry.payee)} " if entry.payee is not None else ""
    names = _tags_and_links(entry.tags, entry.links)
    flag = entry.flag or "*"
    return f"{day_text(entry.date)} {flag} {payee}{string(entry.narration or '')}{names}\n"


def _posting_lines(entry: data.Directive) -> str:
    lines = [_metadata(entry.meta, "  ")]
    if isinstance(entry, data.Transaction):
        accounts = [
            f"{each.flag} {each.account}" if each.flag else each.account for each in entry.postings
        ]
        numbers = [_number_of(each.units) for each in entry.postings]
        width, most = max(map(len, accounts), default=0), max(map(len, numbers), default=0)
        for posting, account, number in zip(entry.postings, accounts, numbers, strict=True):
            line = f"  {account:{width}}  {number:>{most}}{_held_at(posting)}"
            lines.append(line.rstrip() + "\n" + _metadata(posting.meta, "    "))
    return "".join(lines)


def _number_of(units: Amount | None) -> str:
    return "" if units is None else _number(units.number)  # an amount of zero is false to Python


def _held_at(posting: data.Posting) -> str:
    text = f" {posting.units.currency}" if posting.units is not None else ""
    cost = posting.cost
    if isinstance(cost, Cost):
        label = f", {string(cost.label)}" if cost.label else ""
        # Beancount reads no comma right behind a currency of one letter
        currency = cost.currency if len(cost.currency) > 1 else f"{cost.currency} "
        held_at = f"{_number(cost.number)} {currency}, {day_text(cost.date)}{label}"
        text += f" {{{held_at}}}"
    if posting.price is not None:
        text += f" @ {_amount(posting.price)}"
    return text


def _open(entry: data.Open) -> str:
    currencies = " " + ",".join(entry.currencies) if entry.currencies else ""
    booking = f' "{entry.booking.value}"' if entry.booking else ""
    return f"{entry.date} open {entry.account}{currencies}{booking}\n"


def _balance(entry: data.Balance) -> str:
    tolerance = f" ~ {_number(entry.tolerance)}" if entry.tolerance is not None else ""
    number = f"{_number(entry.amount.number)}{tolerance} {entry.amount.currency}"
    return f"{entry.date} balance {entry.account}  {number}\n"


def _custom(entry: data.Custom) -> str:
    values = [value if dtype == ACCOUNT else _value(value) for value, dtype in entry.values or ()]
    return " ".join([f"{entry.date} custom {string(entry.type)}", *values]) + "\n"


def _note(entry: data.Note) -> str:
    names = _tags_and_links(entry.tags, entry.links)
    return f"{entry.date} note {entry.account} {string(entry.comment)}{names}\n"


def _document(entry: data.Document) -> str:
    names = _tags_and_links(entry.tags, entry.links)
    return f"{entry.date} document {entry.account} {string(entry.filename)}{names}\n"


_WRITERS: dict[type, Callable[[Any], str]] = {
    data.Transaction: _transaction,
    data.Open: _open,
    data.Close: lambda entry: f"{entry.date} close {entry.account}\n",
    data.Commodity: lambda entry: f"{entry.date} commodity {entry.currency}\n",
    data.Balance: _balance,
    data.Price: lambda entry: f"{entry.date} price {entry.currency}  {_amount(entry.amount)}\n",
    data.Note: _note,
    data.Document: _document,
    data.Event: lambda entry: (
        f"{entry.date} event {string(entry.type)} {string(entry.description)}\n"
    ),
    data.Query: lambda entry: (
        f"{entry.date} query {string(entry.name)} {_lines(entry.query_string)}\n"
    ),
    data.Custom: _custom,
}
