"""All subscribers as of a day: open units, what they carry and are worth, next expiry, money owed.

    subscriber  unit  currency  open units  carrying  market value  next expiry  receivable  payable
    alice       CU    USD             1300    260.00        325.00   2026-07-01      200.00   118.75

For any day in no time: the holdings after each movement are worked out once, and found by date.
Units, carrying amount and market value are those of the roll-forward and of the open lots, what is
owed that of the aging report.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, localcontext
from operator import itemgetter
from typing import NamedTuple

from beancount_compute.economy.journal import Role
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.reports.books import Books
from beancount_compute.reports.facts import Movement, Owed
from beancount_compute.reports.figures import written
from beancount_compute.reports.tables import Cell, Column, Kind, Table

COLUMNS = (
    Column("subscriber", "subscriber"),
    Column("commodity", "unit"),
    Column("currency", "currency"),
    Column("units", "open units", Kind.UNITS),
    Column("carrying_amount", "carrying amount", Kind.MONEY),
    Column("market_value", "market value", Kind.MONEY),
    Column("next_expiry", "next expiry", Kind.DATE),
    Column("receivable", "receivable", Kind.MONEY),
    Column("payable", "payable", Kind.MONEY),
)
SORTABLE = tuple(column.key for column in COLUMNS)
Held = tuple[Decimal, Decimal, date | None]  # units, carrying amount, the next end of a lot
_NONE: Held = (ZERO, ZERO, None)


class Line(NamedTuple):
    """What one subscriber holds on one account, in one unit and currency, after each day."""

    account: str
    days: list[int]  # ordinals, which compare faster than dates
    held: list[Held]


class OwedLine(NamedTuple):
    """What one subscriber owes, or is owed, on one account and in one currency, after each day."""

    role: Role
    account: str
    days: list[int]
    total: list[Decimal]


Key = tuple[str, str, str]  # subscriber, unit, currency


class Standing(NamedTuple):
    """One row, not yet written."""

    subscriber: str
    commodity: str
    currency: str
    units: Decimal
    carrying: Decimal
    value: Decimal | None
    end: date | None
    receivable: Decimal
    payable: Decimal


class Holdings:
    """What every subscriber holds and owes after every day; `movements` and `owed` by date."""

    def __init__(self, books: Books, movements: Iterable[Movement], owed: Iterable[Owed]) -> None:
        self._books = books
        with localcontext(WIDE):
            self._held = _held_lines(movements)
            self._owed = _owed_lines(owed)

    def on(self, day: date, accounts: frozenset[str] | None = None) -> list[Standing]:
        """All that hold or owe something on a day, by name; on some accounts only, if given."""
        prices: dict[tuple[str, str], Decimal | None] = {}
        found: list[Standing] = []
        with localcontext(WIDE):
            owed = self._owed_on(day.toordinal(), accounts)
            at = day.toordinal()
            for key, lines in self._held:
                units, carrying, end = _held_at(lines, at, accounts)
                name, commodity, currency = key
                if not (units or carrying) and (name, currency) not in owed:
                    continue
                receivable, payable = owed.pop((name, currency), _NOTHING)
                pair = (commodity, currency)
                if pair not in prices:
                    prices[pair] = self._books.price_on(day, *pair)
                price = prices[pair]
                value = None if price is None else units * price
                row = (name, commodity, currency, units, carrying, value, end, receivable, payable)
                found.append(_new(Standing, row))
        if not owed:
            return found
        only_owing = [
            Standing(name, "", currency, ZERO, ZERO, None, None, *amounts)
            for (name, currency), amounts in owed.items()
        ]
        return sorted([*found, *only_owing], key=_by_key)

    def _owed_on(
        self, at: int, accounts: frozenset[str] | None
    ) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
        found: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
        for key, lines in self._owed:
            receivable = payable = ZERO
            for role, account, days, total in lines:
                after = bisect_right(days, at)
                if after and (accounts is None or account in accounts):
                    if role is Role.RECEIVABLE:
                        receivable += total[after - 1]
                    else:
                        payable -= total[after - 1]
            if receivable or payable:
                found[key] = (receivable, payable)
        return found


_new = tuple.__new__
_NOTHING = (ZERO, ZERO)
_by_key = itemgetter(0, 1, 2)


def _held_at(lines: list[Line], at: int, accounts: frozenset[str] | None) -> Held:
    held = _NONE
    for account, days, after in lines:
        place = bisect_right(days, at)
        if place and (accounts is None or account in accounts):
            one = after[place - 1]
            held = one if held is _NONE else _together(held, one)
    return held


def _together(one: Held, other: Held) -> Held:
    ends = [end for end in (one[2], other[2]) if end is not None]
    return one[0] + other[0], one[1] + other[1], min(ends, default=None)


def _held_lines(movements: Iterable[Movement]) -> list[tuple[Key, list[Line]]]:
    """The lines of each subscriber, unit and currency, by name."""
    lines: dict[tuple[str, str, str], tuple[Key, Line, dict[int, Decimal]]] = {}
    ends: dict[int, date | None] = {}
    for day, _, _, name, _, _, commodity, units, currency, amount, lot, account, *_ in movements:
        key = (account, commodity, currency)
        found = lines.get(key)
        if found is None:
            found = lines[key] = ((name, commodity, currency), Line(account, [], []), {})
        _, (_, days, held), lots = found
        at, ordinal = id(lot), day.toordinal()
        left = lots.get(at, ZERO) + units
        if left:
            lots[at] = left
            ends[at] = lot.end
        else:
            lots.pop(at, None)
        before = held[-1] if held else _NONE
        end = before[2]
        if end is None or (lot.end is not None and lot.end <= end):
            end = min([each for at in lots if (each := ends[at]) is not None], default=None)
        after = (before[0] + units, before[1] + amount, end)
        if days and days[-1] == ordinal:
            held[-1] = after
        else:
            days.append(ordinal)
            held.append(after)
    grouped: defaultdict[Key, list[Line]] = defaultdict(list)
    for named, line, _ in lines.values():
        grouped[named].append(line)
    return sorted(grouped.items())


def _owed_lines(owed: Iterable[Owed]) -> list[tuple[tuple[str, str], list[OwedLine]]]:
    """The lines of each subscriber and currency; what partners are owed is left out."""
    lines: dict[tuple[Role, str, str, str], OwedLine] = {}
    grouped: defaultdict[tuple[str, str], list[OwedLine]] = defaultdict(list)
    for each in owed:
        if each.role is Role.PARTNER:
            continue
        key = (each.role, each.party, each.account, each.currency)
        line = lines.get(key)
        if line is None:
            line = lines[key] = OwedLine(each.role, each.account, [], [])
            grouped[each.party, each.currency].append(line)
        total = (line.total[-1] if line.total else ZERO) + each.amount
        ordinal = each.date.toordinal()
        if line.days and line.days[-1] == ordinal:
            line.total[-1] = total
        else:
            line.days.append(ordinal)
            line.total.append(total)
    return sorted(grouped.items())


NOT_NAMED = "(not named)"


def matching(rows: Iterable[Standing], words: str) -> list[Standing]:
    """The rows whose subscriber holds the words, in whatever case."""
    wanted = words.casefold()
    return [row for row in rows if wanted in row.subscriber.casefold()] if wanted else list(rows)


def ordered(rows: list[Standing], key: str, *, falling: bool) -> list[Standing]:
    """The rows by a column; what has no such figure comes last, names decide between equals.

    `rows` stand in the order of names.
    """
    at = SORTABLE.index(key)
    having = [row for row in rows if row[at] is not None and row[at] != ""]
    missing = [row for row in rows if row[at] is None or row[at] == ""]
    having.sort(key=itemgetter(at), reverse=falling)
    return having + missing


def as_table(rows: Iterable[Standing], title: str) -> Table:
    """The rows as a table."""
    return Table(title, COLUMNS, [_written(row) for row in rows], "subscribers")


def totals(rows: Iterable[Standing]) -> Table:
    """The rows added up, by unit and currency."""
    of_pair: defaultdict[tuple[str, str], list[Standing]] = defaultdict(list)
    for row in rows:
        of_pair[row.commodity, row.currency].append(row)
    found: list[Standing] = []
    with localcontext(WIDE):
        for commodity, currency in sorted(of_pair):
            among = of_pair[commodity, currency]
            values = [row.value for row in among if row.value is not None]
            found.append(
                Standing(
                    "total",
                    commodity,
                    currency,
                    units=sum([row.units for row in among], ZERO),
                    carrying=sum([row.carrying for row in among], ZERO),
                    value=sum(values, ZERO) if values else None,
                    end=None,
                    receivable=sum([row.receivable for row in among], ZERO),
                    payable=sum([row.payable for row in among], ZERO),
                )
            )
    return as_table(found, "Totals")._replace(name="totals")


def _written(row: Standing) -> tuple[Cell, ...]:
    money = [
        written(Kind.MONEY, number, row.currency)
        for number in (row.carrying, row.value, row.receivable, row.payable)
    ]
    units = written(Kind.UNITS, row.units, "")
    end = str(row.end) if row.end else None
    name = row.subscriber or NOT_NAMED
    return (name, row.commodity, row.currency, units, money[0], money[1], end, money[2], money[3])
