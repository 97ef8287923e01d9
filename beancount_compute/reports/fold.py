"""The one way of adding up: facts that are alike in some fields become one fact.

    fold(movements, by=("flow", "plan"), sums=("units",))

    2026-05-20  used  alice  pro  -200 CU
    2026-05-21  used  bob    pro  -300 CU   ->   used  pro  -500 CU

As `SELECT flow, plan, sum(units) GROUP BY flow, plan` would: keys and sums are fields, named. What
is added up comes in the order in which its first fact does. Sums need the context `WIDE`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import count, repeat
from operator import itemgetter
from typing import Any, TypeVar

from beancount_compute.economy import ZERO
from beancount_compute.reports.facts import SUMMED

# What stands in a field that is folded away. In any other it is None: to read it is a mistake.
_FOLDED = {"at": SUMMED, "subscriber": "", "account": "", "undoes": False, "why": ""}
FoldKey = TypeVar("FoldKey", bound=Hashable)
Fact = TypeVar("Fact", bound=tuple[Any, ...])  # a named tuple
Thing = TypeVar("Thing")


def fold(
    facts: Iterable[Fact], by: Sequence[str], sums: Sequence[str], same: Sequence[str] = ()
) -> list[Fact]:
    """The facts, those alike in the fields `by` added up in the fields `sums`.

    `same` names fields that follow from those in `by`, as a month from a date, to keep them too.
    """
    facts = list(facts)
    if not facts:
        return []
    kind: Any = type(facts[0])
    place = {name: at for at, name in enumerate(kind._fields)}
    columns = [map(itemgetter(place[name]), facts) for name in sums]
    keys = map(itemgetter(*[place[name] for name in by]), facts)
    firsts, totals = added_up(keys, *columns, things=facts)
    kept: dict[str, Iterable[Any]] = dict(zip(sums, totals, strict=True))
    kept |= {name: map(itemgetter(place[name]), firsts) for name in (*by, *same)}
    whole = [kept.get(name) or repeat(_FOLDED.get(name)) for name in kind._fields]
    return list(map(partial(tuple.__new__, kind), zip(*whole, strict=False)))


def grouped(
    things: Iterable[Thing], key: Callable[[Thing], FoldKey]
) -> defaultdict[FoldKey, list[Thing]]:
    """The things by a key, those of each in their order."""
    found: defaultdict[FoldKey, list[Thing]] = defaultdict(list)
    for each in things:
        found[key(each)].append(each)
    return found


def added_up(
    keys: Iterable[FoldKey], *columns: Iterable[Decimal], things: Iterable[Any] | None = None
) -> tuple[list[Any], list[list[Decimal]]]:
    """The different keys in the order in which they come, and the sums of each column by key.

    With `things`, one beside each key, the first thing of every key stands in its place.
    """
    places: defaultdict[FoldKey, int] = defaultdict(count().__next__)
    place_of = list(map(places.__getitem__, keys))
    totals: list[list[Decimal]] = []
    for column in columns:
        sums = [ZERO] * len(places)
        for place, number in zip(place_of, column, strict=True):
            sums[place] += number
        totals.append(sums)
    if things is None:
        return list(places), totals
    firsts = dict(zip(reversed(place_of), reversed(list(things)), strict=True))
    return [firsts[place] for place in range(len(places))], totals


def pivot(
    rows: Iterable[FoldKey], columns: Iterable[str], numbers: Iterable[Decimal]
) -> tuple[list[FoldKey], dict[str, list[Decimal | None]]]:
    """The different rows, and for each column the sums of every row; None where nothing adds."""
    places: defaultdict[FoldKey, int] = defaultdict(count().__next__)
    place_of = list(map(places.__getitem__, rows))
    sums: defaultdict[str, list[Decimal | None]] = defaultdict(lambda: [None] * len(places))
    for place, column, number in zip(place_of, columns, numbers, strict=True):
        of_column = sums[column]
        known = of_column[place]
        of_column[place] = number if known is None else known + number
    return list(places), sums
