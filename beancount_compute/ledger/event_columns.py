"""Many events at once, column by column, where nothing about them is odd.

    date        2026-05-20   2026-05-21
    subscriber  alice        bob
    units       200          350

The fast path of both readers: columns go through `map` and `zip`, without a step of Python for each
event. It never says what is wrong. Where anything is, or only looks so, it raises `NotPlain` or
another `FieldError`, and the reader goes through that block event by event, as if this module were
not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import compress, repeat
from operator import is_not
from typing import Any

from beancount_compute.economy import PHASE, ZERO, Event, Kind, wrong_days
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import Fields, check_texts, parse_ids
from beancount_compute.ledger.rows import ABSENT

DAY, TIME = len("2026-05-20"), len("14:05:09")
BLOCK = 400  # events at once: few enough that an odd one costs little, and that caches hold them

_event: Callable[[Iterable[Any]], Event] = partial(tuple.__new__, Event)
_KINDS: dict[str, Kind] = {kind.value: kind for kind in PHASE}
_PHASES = {kind.value: phase for kind, phase in PHASE.items()}
_OF_PLANS = ("discount", "charge", "credit")  # numbers that event by event are looked at


class NotPlain(FieldError):
    """Something that is read event by event, be it right or wrong."""


def columns_of(texts: Mapping[str, Sequence[str]], fields: Fields) -> dict[str, Sequence[Any]]:
    """The columns of events from those of their texts."""
    columns: dict[str, Sequence[Any]] = {
        name: list(map(read.__getitem__, texts[name]))
        for name, read in fields.of.items()
        if name in texts and name not in ("date", "time")
    }
    columns |= _moments(texts, fields)
    if "quantity" in columns:
        if not (fields.all_above_zero or all(compress(columns["quantity"], texts["quantity"]))):
            raise NotPlain  # one is written as zero
        columns["units"] = _units_beside(columns)
    if "id" in texts:
        columns["id"] = parse_ids(texts["id"])
    if "memo" in texts:
        columns["memo"] = check_texts(texts["memo"])
    columns["kind"] = list(map(_KINDS.__getitem__, texts["event"]))
    columns["phase"] = list(map(_PHASES.__getitem__, texts["event"]))
    return columns


def _wrong_days(columns: Mapping[str, Sequence[Any]]) -> Iterable[str]:
    """What is wrong with the days of each event."""
    firsts, lasts = (columns.get(name) or repeat("") for name in ("from", "to"))
    return map(wrong_days, columns["date"], firsts, lasts)


def _all_above_zero(columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether every number is; units that a quantity stands for needn't be."""
    quantities = columns.get("quantity", ())
    for name in ("units", "price", "paid"):
        numbers = columns.get(name, ())
        if name == "units" and quantities:
            beside = zip(numbers, quantities, strict=False)
            numbers = [number or quantity or number for number, quantity in beside]
        if not min(compress(numbers, map(is_not, numbers, repeat(None))), default=1) > 0:
            return False
    return not min(quantities, default=ZERO) < 0 and columns.keys().isdisjoint(_OF_PLANS)


def _units_beside(columns: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    """The units of events, zero where a quantity stands alone."""
    units = columns.get("units") or repeat(None)
    return [
        ZERO if number is None and quantity else number
        for number, quantity in zip(units, columns["quantity"], strict=False)
    ]


def _moments(texts: Mapping[str, Sequence[str]], fields: Fields) -> dict[str, Sequence[Any]]:
    """The columns of days and times of day."""
    days, times = texts["date"], texts.get("time")
    if max(map(len, days)) > DAY or (times and max(map(len, times)) > TIME):
        moments = map(fields.moment, days, times or repeat(""))
        of_day, of_time = zip(*moments, strict=True)
        return {"date": of_day, "time": of_time}
    columns: dict[str, Sequence[Any]] = {"date": list(map(fields.dates.__getitem__, days))}
    if times:
        columns["time"] = list(map(fields.times.__getitem__, times))
    return columns


def events_of(columns: Mapping[str, Sequence[Any]], fields: Fields) -> list[Event]:
    """The events of columns; a field without one is absent."""
    if columns.keys() & {"from", "to"} and any(_wrong_days(columns)):
        raise NotPlain
    if not fields.all_above_zero and not _all_above_zero(columns):  # one that was read was not
        raise NotPlain
    if {*columns.get("currency", ())} & {*columns.get("commodity", ())} - {""}:
        raise NotPlain  # one event may be of units that are paid for in the same
    in_order = [columns.get(name) or repeat(absent) for name, absent in ABSENT.items()]
    return list(map(_event, zip(*in_order, strict=False)))
