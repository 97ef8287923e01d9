"""What a `custom "compute-..."` line holds: its place, values and metadata, with their types.

2026-05-20 custom "compute-consumption" "alice" 200 CU
  id: "use-17"
  time: "14:05:09"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from beancount.core.account import TYPE as ACCOUNT
from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy import Holds, Money, Place, TermKey, is_access, like, no_unit, quoted
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import check_number

PREFIX = "compute-"
_DATED = {
    "expires": 'a date, or a span in quotes such as expires: "12 months"',
    "started": "a date, such as started: 2025-11-15",
    "from": "a date, such as from: 2026-05-01",
    "to": "a date, such as to: 2026-05-31",
}
_EXAMPLES = {
    "charge": "166.67 USD",
    "charged": "70.00 USD",
    "credit": "66.67 USD",
    "discount": "30.00 USD",
    "expires": '"12 months"',
    "group": '"agency"',
    "id": '"use-17"',
    "meter": '"chat/output"',
    "of": '"top-1"',
    "related": '"acme-group"',
    "time": '"14:05:09"',
    "unbilled": "35.00 USD",
}


def place_of(meta: dict[str, Any]) -> Place:
    """Where a directive was written; whoever writes these keys may write anything there."""
    line = meta.get("lineno", 0)
    is_number = isinstance(line, int | Decimal)
    return Place(str(meta.get("filename", "<unknown>")), int(line) if is_number else 0)


def kind_of(value: object, dtype: object) -> str:
    """The type of a directive's value, in words."""
    if dtype == ACCOUNT:
        return "account"
    match value:
        case bool():
            return "TRUE or FALSE"
        case str():
            return "text"
        case Amount():
            return "amount"
        case Decimal():
            return "number"
        case date():
            return "date"
        case _:
            return "nothing"


def values_of(entry: Custom, shapes: Iterable[tuple[str, ...]], example: str) -> list[Any]:
    """The values of a directive, if their types are those of one of the shapes."""
    values = entry.values or []
    found = tuple([kind_of(value, dtype) for value, dtype in values])
    if found not in shapes:
        got = ", ".join(found) if found else "nothing"
        raise FieldError(f'custom "{entry.type}" holds {got}: write {example}')
    return [value for value, _ in values]


def metadata_of(entry: Custom, known: Iterable[str]) -> dict[str, Any]:
    """The metadata that a person wrote; raises `FieldError` for an unknown key."""
    meta = entry.meta
    if len(meta) == 2:  # file and line: nothing was written
        return {}
    written = {
        key: value
        for key, value in meta.items()
        if key not in ("filename", "lineno") and not key.startswith(("__", "x-"))
    }
    known = list(known)
    for key in written:
        if key not in known:
            choices = ", ".join(known) if known else "none"
            raise FieldError(
                f"unknown metadata {quoted(key)} of {entry.type}; known: {choices} "
                f"(keys that begin with x- are left alone){like(key, known)}"
            )
    return {key: value for key, value in written.items() if value is not None and value != ""}


def fields_of(meta: Mapping[str, Any], keys: Mapping[str, TermKey]) -> dict[str, Any]:
    """The fields that the metadata of a line of terms fills."""
    return {row.field: row.parse(_of_type(row, meta[n])) for n, row in keys.items() if n in meta}


def _of_type(row: TermKey, value: Any) -> Any:
    """A value of the metadata as its row reads it."""
    if kind_of(value, None) != row.holds:
        raise FieldError(f"`{row.name}` must be {_A[row.holds]}, such as {row.name}: {row.example}")
    return plain_value(value)


_A = {
    Holds.NUMBER: "a number",
    Holds.AMOUNT: "an amount",
    Holds.TEXT: "a text in quotes",
    Holds.DATE: "a date",
    Holds.FLAG: Holds.FLAG,
}


def plain_value(value: Any) -> Any:
    """A value as the economy knows it; numbers are checked, and no amount is one of access."""
    if isinstance(value, Amount):
        if is_access(value.currency):
            raise FieldError(no_unit(value.currency))
        return Money(check_number(value.number), value.currency)
    return check_number(value) if isinstance(value, Decimal) else value


def text_in(meta: dict[str, Any], key: str) -> str:
    """A text of the metadata; "" where it is absent."""
    value = meta.get(key, "")
    if not isinstance(value, str):
        raise FieldError(
            f"`{key}` must be a text in quotes, such as {key}: {_EXAMPLES.get(key, chr(34) * 2)}"
        )
    return value


def amount_in(meta: dict[str, Any], key: str) -> Amount:
    """An amount of the metadata, which is there."""
    value = meta[key]
    if not isinstance(value, Amount):
        raise FieldError(f"`{key}` must be an amount, such as {key}: {_EXAMPLES[key]}")
    return value


def mark_in(meta: dict[str, Any], key: str) -> str:
    """A mark of the metadata: "true" where it is set."""
    value = meta[key]
    if not isinstance(value, bool):
        raise FieldError(f"`{key}` must be TRUE or FALSE, such as {key}: TRUE")
    return "true" if value else ""


def day_or_text_in(meta: dict[str, Any], key: str) -> str:
    """A date or a text of the metadata, as text; "" where it is absent."""
    value = meta.get(key, "")
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise FieldError(f"`{key}` must be {_DATED[key]}")
    return value
