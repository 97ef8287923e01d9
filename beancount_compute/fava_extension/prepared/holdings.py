"""All subscribers as of a day: open units, what they carry, tokens at market, access, money owed.

    subscriber  unit  currency  open units  carrying  market value  access  next expiry  receivable
    alice       CU    USD             1300    260.00         75.00    5.33   2026-07-01      200.00

For any day in no time: the holdings after each movement are worked out once, and found by date.
Units, carrying amount and market value are those of the roll-forward and of the open lots, what is
owed that of the aging report. Tokens alone have a market, so allocations have no market value.
Access and what is owed are money, and stand in the first row of their subscriber and currency.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, localcontext
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from beancount_compute.economy import (
    OWED_TO_OTHERS,
    WIDE,
    ZERO,
    Pocket,
    Role,
    is_access,
)
from beancount_compute.fava_extension.prepared.subscriptions import NOTHING_USED, Used, note
from beancount_compute.reports import Books, LotKey, Movement, Owed

HeldThen = tuple[Decimal, Decimal, Decimal, date | None]  # units, tokens among them, carrying
# amount, the next end of a lot
_NONE: HeldThen = (ZERO, ZERO, ZERO, None)
OwedThen = tuple[Decimal, Decimal, Decimal]  # receivable, unbilled, payable
_NOTHING: OwedThen = (ZERO, ZERO, ZERO)


class HeldLine(NamedTuple):
    """What one subscriber holds, in one unit and currency, after each day on which it changed."""

    account: str  # "" for all accounts and plans together
    origin: str
    days: list[int]  # ordinals, which compare faster than dates
    held: list[HeldThen]


class OwedLine(NamedTuple):
    """What one subscriber owes and is owed, in one currency, after each day."""

    account: str  # "" for all accounts together
    days: list[int]
    total: list[OwedThen]


HolderKey = tuple[str, str, str]  # subscriber, unit, currency
OwerKey = tuple[str, str]  # subscriber, currency
# of a row; as which it is active beside its unit; units, access, money owed
_Lines = tuple[HolderKey, tuple[str, str], list[HeldLine], list[HeldLine], list[OwedLine]]
_named = attrgetter("subscriber", "commodity", "currency")


class Standing(NamedTuple):
    """One row, not yet written."""

    subscriber: str
    commodity: str
    currency: str
    units: Decimal
    carrying: Decimal
    value: Decimal | None  # of its tokens
    end: date | None
    receivable: Decimal
    unbilled: Decimal
    payable: Decimal
    access: Decimal = ZERO  # still to be earned
    plan: str = ""
    status: str = ""
    used: Used = NOTHING_USED

    @property
    def cells(self) -> tuple[Any, ...]:
        """What stands in each of the columns."""
        return (
            self.subscriber,
            self.plan,
            self.status,
            *self[1:4],
            self.used.share,
            *self[4:6],
            self.access,
            *self[6:10],
        )


class Holdings:
    """What every subscriber holds and owes after every day; `movements` and `owed` by date."""

    def __init__(
        self, books: Books, movements: Sequence[Movement], owed: Sequence[Owed], *, fine: bool
    ) -> None:
        """With `fine` holdings, by account and plan, some of these can be asked for."""
        self._books = books
        with localcontext(WIDE):
            held_lines = _held_lines(movements, fine=fine)
            owed_lines = _owed_lines(owed, fine=fine)
        access_lines = {key[::2]: lines for key, lines in held_lines.items() if is_access(key[1])}
        of_units = {key: lines for key, lines in held_lines.items() if not is_access(key[1])}
        first_of = {key[::2]: key for key in reversed(of_units)}  # whose row shows money too
        for pair in (*access_lines, *owed_lines):
            first_of.setdefault(pair, (pair[0], "", pair[1]))
        with_money = set(first_of.values())
        self._rows: list[_Lines] = []
        for key in sorted(with_money | of_units.keys()):
            pair = key[::2] if key in with_money else ("", "")
            money = access_lines.get(pair, []), owed_lines.get(pair, [])
            named = (key[0], "") if key in with_money else key[:2]
            self._rows.append((key, named, of_units.get(key, []), *money))

    def on(
        self,
        day: date,
        accounts: frozenset[str] | None = None,
        plan: str = "",
        active: frozenset[tuple[str, str]] = frozenset(),
    ) -> list[Standing]:
        """All that hold or owe something on a day, by name; and of whom a unit is `active`, or "".

        What is owed is left out where a plan is named: a bill may be for several.
        """
        at = day.toordinal()
        prices: dict[tuple[str, str], Decimal | None] = {}
        found: list[Standing] = []
        with localcontext(WIDE):
            for key, named, lines, access_lines, owed_lines in self._rows:
                units, tokens, carrying, end = _held_at(lines, at, accounts, plan)
                access = _held_at(access_lines, at, accounts, plan)[2]
                owed = _owed_at(owed_lines, at, accounts) if owed_lines and not plan else _NOTHING
                held = units or carrying or access or any(owed)
                if not held and key[:2] not in active and named not in active:
                    continue
                pair = key[1:]
                if pair not in prices:
                    prices[pair] = self._books.price_on(day, *pair)
                price = prices[pair]
                value = None if price is None or not tokens else tokens * price
                fields = (*key, units, carrying, value, end, *owed, access, "", "", NOTHING_USED)
                found.append(_new(Standing, fields))
        return found


_new = tuple.__new__


def _held_at(
    lines: list[HeldLine], at: int, accounts: frozenset[str] | None, plan: str
) -> HeldThen:
    held = _NONE
    for account, origin, days, after in lines:
        place = bisect_right(days, at)
        if place and (accounts is None or account in accounts) and plan in ("", origin):
            one = after[place - 1]
            held = one if held is _NONE else _together(held, one)
    return held


def _together(one: HeldThen, other: HeldThen) -> HeldThen:
    ends = [end for end in (one[3], other[3]) if end is not None]
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], min(ends, default=None)


def _owed_at(lines: list[OwedLine], at: int, accounts: frozenset[str] | None) -> OwedThen:
    owed = _NOTHING
    for account, days, total in lines:
        place = bisect_right(days, at)
        if place and (accounts is None or account in accounts):
            one = total[place - 1]
            owed = one if owed is _NOTHING else _added(owed, one)
    return owed


def _added(one: OwedThen, other: OwedThen) -> OwedThen:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _held_lines(movements: Iterable[Movement], *, fine: bool) -> dict[HolderKey, list[HeldLine]]:
    """The lines of each subscriber, unit and currency, by name."""
    lines: dict[tuple[str, ...], tuple[HolderKey, HeldLine, dict[LotKey, Decimal]]] = {}
    for each in movements:
        named, lot = _named(each), each.lot
        key = (*named, each.account, each.origin) if fine else named
        found = lines.get(key)
        if found is None:
            of = (each.account, each.origin) if fine else ("", "")
            found = lines[key] = (named, HeldLine(*of, [], []), {})
        _, (_, _, days, held), lots = found
        left = lots.get(lot, ZERO) + each.units
        if left:
            lots[lot] = left
        else:
            lots.pop(lot, None)
        units, tokens, carrying, end = held[-1] if held else _NONE
        if end is None or (lot.end is not None and lot.end <= end):
            end = min([one.end for one in lots if one.end is not None], default=None)
        if each.pocket is Pocket.TOKENS:
            tokens += each.units
        after = (units + each.units, tokens, carrying + each.amount, end)
        note(days, held, each.date.toordinal(), after)
    grouped: defaultdict[HolderKey, list[HeldLine]] = defaultdict(list)
    for named, line, _ in sorted(lines.values(), key=itemgetter(0)):
        grouped[named].append(line)
    return grouped


def _owed_lines(owed: Iterable[Owed], *, fine: bool) -> dict[OwerKey, list[OwedLine]]:
    """The lines of each subscriber and currency; what others are owed is left out."""
    lines: dict[tuple[OwerKey, str], OwedLine] = {}
    grouped: defaultdict[OwerKey, list[OwedLine]] = defaultdict(list)
    for each in owed:
        if each.role in OWED_TO_OTHERS:
            continue
        pair = (each.party, each.currency)
        key = (pair, each.account if fine else "")
        line = lines.get(key)
        if line is None:
            line = lines[key] = OwedLine(key[1], [], [])
            grouped[pair].append(line)
        receivable, unbilled, payable = line.total[-1] if line.total else _NOTHING
        if each.role is Role.RECEIVABLE:
            receivable += each.amount
        elif each.role is Role.UNBILLED:
            unbilled += each.amount
        else:
            payable -= each.amount
        note(line.days, line.total, each.date.toordinal(), (receivable, unbilled, payable))
    return grouped
