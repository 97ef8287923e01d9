"""What of a frozen month counts: its items by value, and their digest.

Spacing, comments, the order of lines that have none, and idle zeros are no content; every figure,
name, date, tag, link and metadata is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Custom, Directive, Posting, Price, Transaction
from beancount.core.position import Cost

from beancount_compute.economy import CONTENT, Event, content_of, day_text, digits_of

FROZEN = "frozen"  # metadata of a copy: what wrote the original, which stays in the ledger
BY_HAND = "hand-written"
ON_LOAD = "added on load"
_NO_CONTENT = ("filename", "lineno")
_quoted = json.JSONEncoder(ensure_ascii=False).encode  # to make one for every text takes long
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = {"n": "\n", "r": "\r"}


def digest(text: str | bytes) -> str:
    """The SHA-256 of a text, as seals write it."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return "sha256:" + sha256(data).hexdigest()


def content_digest(items: Iterable[str]) -> str:
    """The digest of items, whatever their order."""
    return digest("\n".join(sorted(items)))


def item_of(entry: Directive) -> str:
    """A frozen directive by value."""
    match entry:
        case Transaction():
            names = [f"#{tag}" for tag in entry.tags or ()]
            names += [f"^{link}" for link in entry.links or ()]
            parts = [
                _text(entry.flag),
                _text(entry.payee),
                _text(entry.narration),
                *sorted(names),
                *_metadata(entry.meta),
                *sorted(map(_posting, entry.postings)),
            ]
        case Price():
            parts = ["price", entry.currency, _text(entry.amount), *_metadata(entry.meta)]
        case Custom():
            values = [_text(value) for value, _ in entry.values or ()]
            parts = ["custom", _text(entry.type), *values, *_metadata(entry.meta)]
        case _:
            parts = [_text(str(entry[2:]))]
    return " ".join([type(entry).__name__, day_text(entry.date), *parts])


def same_entries(one: Sequence[Directive], other: Sequence[Directive]) -> bool:
    """Whether directives are the same by value, one by one, but for where each stands."""
    return len(one) == len(other) and all(map(_same, one, other))


def _same(one: Directive, other: Directive) -> bool:
    if one[1:] != other[1:]:
        return False
    left, right = one.meta, other.meta
    return all(right.get(key) == left[key] for key in left if _counts(key)) and all(
        key in left for key in right if _counts(key)
    )


def _counts(key: str) -> bool:
    return key not in _NO_CONTENT and not key.startswith("__")


def item_of_event(event: Event, booked: date | None) -> str:
    """A frozen event by value, with the day on which it was booked where it came late."""
    values: list[Any] = [*content_of(event), *sorted(event.extra), booked]
    return "event " + " ".join(map(_text, values))


def same_event(one: Event, booked: date | None, other: Event, other_booked: date | None) -> bool:
    """Whether two frozen events are the same by value."""
    return booked == other_booked and one[: CONTENT + 1] == other[: CONTENT + 1]


def _posting(posting: Posting) -> str:
    cost = posting.cost
    parts = [_text(posting.flag), posting.account, _text(posting.units)]
    if isinstance(cost, Cost):
        parts += [_text(cost.number), cost.currency, day_text(cost.date), _text(cost.label)]
    elif cost is not None:
        parts.append(_text(str(cost)))
    parts += [_text(posting.price), *_metadata(posting.meta or {})]
    return "| " + " ".join(parts)


def _metadata(meta: Mapping[str, Any]) -> list[str]:
    return sorted(f"{key}={_text(value)}" for key, value in meta.items() if _counts(key))


def _text(value: Any) -> str:
    if type(value) is str:  # as most are; the ends of lines are no content
        return _quoted(value.replace("\r\n", "\n"))
    match value:
        case None:
            return "-"
        case Amount():
            return f"{_text(value.number)} {value.currency}"
        case Decimal():
            return plain(value)
        case date():
            return day_text(value)
        case bool() | int():
            return str(value)
        case Enum():
            return str(value.value)
        case _:
            return _quoted(str(value))


def escaped(text: str) -> str:
    """A text on one line, as frozen rows hold it: version control may turn the ends of lines."""
    return text.translate(_ESCAPES)


def unescaped(text: str) -> str:
    """The text that `escaped` was given."""
    return _ESCAPED.sub(lambda found: _UNESCAPED.get(found[1], found[1]), text)


def plain(number: Decimal) -> str:
    """A number without idle zeros; all its digits, whatever the context."""
    text = digits_of(number)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
