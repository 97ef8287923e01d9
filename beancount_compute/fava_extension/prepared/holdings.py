"""All subscribers as of a day: open units, what they carry, tokens at market, money owed.

    subscriber  unit  currency  open units  carrying  market value  next expiry  receivable  payable
    alice       CU    USD             1300    260.00         75.00   2026-07-01      200.00   118.75

For any day in no time: the holdings after each movement are worked out once, and found by date.
Units, carrying amount and market value are those of the roll-forward and of the open lots, what is
owed that of the aging report. Tokens alone have a market, so allocations have no market value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, localcontext
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from unicodedata import combining, normalize

from beancount_compute.close.standing import Status
from beancount_compute.economy import (
    OWED_TO_OTHERS,
    PRICE_STEP,
    WIDE,
    ZERO,
    Pocket,
    Role,
    round_half_even,
)
from beancount_compute.fava_extension.prepared.subscriptions import (
    NOTHING_USED,
    Subscriptions,
    Used,
    note,
)
from beancount_compute.reports import (
    CURRENCY,
    NOT_NAMED,
    PLAN,
    SUBSCRIBER,
    UNIT,
    Books,
    Cell,
    Column,
    LotKey,
    Measure,
    Movement,
    Owed,
    Table,
    grouped,
    written,
)

COLUMNS = (
    SUBSCRIBER,
    PLAN,
    Column("status", "status"),
    UNIT,
    CURRENCY,
    Column("units", "open units", Measure.UNITS),
    Column("share_used", "used of period", Measure.RATE),
    Column("carrying_amount", "carrying amount", Measure.MONEY),
    Column("market_value", "tokens at market", Measure.MONEY),
    Column("next_expiry", "next expiry", Measure.DATE),
    Column("receivable", "receivable", Measure.MONEY),
    Column("payable", "payable", Measure.MONEY),
)
SORTABLE = tuple(column.key for column in COLUMNS)
FIGURES = tuple(column.key for column in COLUMNS if column.is_figure)
OWED = ("receivable", "payable")
HeldThen = tuple[Decimal, Decimal, Decimal, date | None]  # units, tokens among them, carrying
# amount, the next end of a lot
_NONE: HeldThen = (ZERO, ZERO, ZERO, None)


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
    total: list[tuple[Decimal, Decimal]]  # receivable, payable


HolderKey = tuple[str, str, str]  # subscriber, unit, currency
OwerKey = tuple[str, str]  # subscriber, currency
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
    payable: Decimal
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
            *self[4:9],
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
        first_of = {key[::2]: key for key in reversed(held_lines)}  # which row shows what is owed
        self._rows = [
            (key, lines, owed_lines.pop(key[::2], []) if first_of[key[::2]] == key else [])
            for key, lines in held_lines.items()
        ]
        self._rows += [
            ((name, "", money), [], lines) for (name, money), lines in owed_lines.items()
        ]
        self._rows.sort(key=itemgetter(0))

    def on(
        self,
        day: date,
        accounts: frozenset[str] | None = None,
        plan: str = "",
        active: frozenset[tuple[str, str]] = frozenset(),
    ) -> list[Standing]:
        """All that hold or owe something on a day, by name; and of whom a unit is `active`.

        What is owed is left out where a plan is named: a bill may be for several.
        """
        at = day.toordinal()
        prices: dict[tuple[str, str], Decimal | None] = {}
        found: list[Standing] = []
        with localcontext(WIDE):
            for key, lines, owed_lines in self._rows:
                units, tokens, carrying, end = _held_at(lines, at, accounts, plan)
                owed = _owed_at(owed_lines, at, accounts) if owed_lines and not plan else _NOTHING
                if not (units or carrying or owed[0] or owed[1] or key[:2] in active):
                    continue
                pair = key[1:]
                if pair not in prices:
                    prices[pair] = self._books.price_on(day, *pair)
                price = prices[pair]
                value = None if price is None or not tokens else tokens * price
                fields = (*key, units, carrying, value, end, *owed, "", "", NOTHING_USED)
                found.append(_new(Standing, fields))
        return found


_new = tuple.__new__
_NOTHING = (ZERO, ZERO)


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


def _owed_at(
    lines: list[OwedLine], at: int, accounts: frozenset[str] | None
) -> tuple[Decimal, Decimal]:
    owed = _NOTHING
    for account, days, total in lines:
        place = bisect_right(days, at)
        if place and (accounts is None or account in accounts):
            one = total[place - 1]
            owed = one if owed is _NOTHING else (owed[0] + one[0], owed[1] + one[1])
    return owed


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
        receivable, payable = line.total[-1] if line.total else _NOTHING
        if each.role is Role.RECEIVABLE:
            receivable += each.amount
        else:
            payable -= each.amount
        note(line.days, line.total, each.date.toordinal(), (receivable, payable))
    return grouped


def matching(rows: Iterable[Standing], words: str) -> list[Standing]:
    """The rows whose subscriber holds the words, in whatever case, with accents or without."""
    wanted = _spoken(words)
    return [row for row in rows if wanted in _spoken(row.subscriber)] if wanted else list(rows)


def _spoken(name: str) -> str:
    """A name without case and accents: "Zoë" as "zoe"."""
    if name.isascii():
        return name.lower()
    return "".join([c for c in normalize("NFKD", name.casefold()) if not combining(c)])


def ordered(rows: list[Standing], key: str, *, falling: bool) -> list[Standing]:
    """The rows by a column; what has no such figure comes last, names decide between equals.

    In the order of names, case and accents count last.
    """
    at = SORTABLE.index(key)
    keyed = [(row.cells[at], row) for row in sorted(rows, key=lambda row: _spoken(row.subscriber))]
    having = [each for each in keyed if each[0] is not None and each[0] != ""]
    missing = [row for cell, row in keyed if cell is None or cell == ""]
    if at:
        having.sort(key=itemgetter(0), reverse=falling)
    elif falling:
        having.reverse()
    return [row for _, row in having] + missing


def as_table(rows: Iterable[Standing], title: str, *, owed: bool = True) -> Table:
    """The rows as a table, with or without what is owed."""
    table = Table(title, COLUMNS, [_written(row) for row in rows], "subscribers")
    if owed:
        return table
    return table.only([at for at, column in enumerate(COLUMNS) if column.key not in OWED])


def totals(rows: Iterable[Standing]) -> list[Standing]:
    """The rows added up, by unit and currency, with how many stand how."""
    of_pair = grouped(rows, attrgetter("commodity", "currency"))
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
                    status=_counted([row.status for row in among]),
                    used=Used(
                        sum([row.used.allocated for row in among], ZERO),
                        sum([row.used.used for row in among], ZERO),
                    ),
                )
            )
    return found


def _counted(statuses: Sequence[str]) -> str:
    return ", ".join(f"{statuses.count(each):,} {each}" for each in Status if statuses.count(each))


def with_plans(
    rows: Iterable[Standing], subscriptions: Subscriptions, day: date, plan: str = ""
) -> list[Standing]:
    """The rows with the plans of their subscribers, how these stand, and what of them was used."""
    found: list[Standing] = []
    for row in rows:
        on = subscriptions.on(day, row.subscriber, plan)
        used = subscriptions.used(day, row.subscriber, row.commodity, plan)
        found.append(row._replace(plan=", ".join(on.plans), status=on.status, used=used))
    return found


def _written(row: Standing) -> tuple[Cell, ...]:
    money = [
        written(Measure.MONEY, number, row.currency)
        for number in (row.carrying, row.value, row.receivable, row.payable)
    ]
    units = written(Measure.UNITS, row.units, "")
    end = str(row.end) if row.end else None
    name = row.subscriber or NOT_NAMED
    share = row.used.share
    rate = None if share is None else round_half_even(share, PRICE_STEP)
    labels = (name, row.plan, row.status, row.commodity, row.currency)
    return (*labels, units, written(Measure.RATE, rate, ""), *money[:2], end, *money[2:])
