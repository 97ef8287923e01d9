"""RowsOfFile of days and trades as facts of the books, beside those of the ledger's own months.

    2026-05-20  consumption  allocations  pro 2026-05-01/2026-06-01   out 300 CU   60.00 USD

is a movement of -300 CU and -60.00 USD, used, of all subscribers together, and what it earned. A
fact stands at the journal's transaction of its day and kind, so that each figure finds it again.
Lots are told apart by all but their cost, those of the ledger's own months then too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import localcontext
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from beancount_compute.bulk_books.cost_facts import costs_of_months
from beancount_compute.bulk_books.month_rows import (
    Places,
    RowsOfFile,
    number_of_rows,
    rows_of,
)
from beancount_compute.bulk_books.open_lots import OpenLotsOfMonths
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import (
    ACCESS,
    BESIDES,
    EARNED_BY_LOTS,
    EARNINGS,
    KINDS,
    LOST,
    OWED,
    POCKETS,
    ROLE_OF_POCKET,
    STOCK,
    WIDE,
    ZERO,
    Flow,
    Kind,
    Month,
    Pocket,
    Role,
)
from beancount_compute.ledger import Accounts
from beancount_compute.reports import Books, Income, LotKey, MoneyFacts, Movement, Owed, Trade
from beancount_compute.reports.books import BulkMonths
from beancount_compute.reports.facts import Lost
from beancount_compute.reports.reading_money import earned_by_lots

DAYS_COLUMNS = (
    "date",
    "kind",
    "undoes",
    "role",
    "holder",
    "currency",
    "commodity",
    "origin",
    "lot_date",
    "lot_end",
    "lot_currency",
    "units_in",
    "units_out",
    "amount",
)
TRADES_COLUMNS = (
    "date",
    "undoes",
    "traded",
    "commodity",
    "currency",
    "price",
    "origins",
    "trades",
    "units",
    "gross",
    "seller_fee",
    "buyer_fee",
)
_new = tuple.__new__
_by_date, _by_place = attrgetter("date"), attrgetter("at")
_LotsOf = Callable[[str, date, str, date | None], LotKey]


class FactsOfMonths(NamedTuple):
    """What rows mean."""

    movements: list[Movement]
    earned: list[Income]
    owed: list[Owed]
    trades: list[Trade]
    lost: list[Lost]


def with_months(books: Books, folders: Mapping[str, str]) -> Books:
    """The books of a ledger with its months in bulk, by month; raises `CantReadMonths`."""
    with localcontext(WIDE), no_cyclic_garbage():
        lot_of = cache(_pooled_lot)
        found = _DayReader(Places(books), books.accounts, lot_of)
        for folder in folders.values():
            found.days(rows_of(Path(folder) / "days.parquet", DAYS_COLUMNS))
            found.trades(rows_of(Path(folder) / "trades.parquet", TRADES_COLUMNS))
        own = _pooled(books, lot_of)
        used = [each for each in found.facts.movements if each.flow is Flow.USED]
        subscribers = number_of_rows(Path([*folders.values()][-1]) / "subscribers.parquet")
        movements = sorted([*own.movements, *found.facts.movements], key=_by_date)
        earned = sorted([*own.earned, *found.facts.earned], key=_by_place)
        trades = sorted([*own.trades, *found.facts.trades], key=_by_date)
        owed = sorted([*own.owed, *found.facts.owed], key=_by_place)
        lost = sorted([*own.lost, *found.facts.lost], key=_by_place)
    months = [Month.parse(name) for name in folders]
    return replace(
        books,
        movements=tuple(movements),
        read_money=lambda: MoneyFacts(
            tuple(earned), tuple(trades), lambda: tuple(owed), lambda: tuple(lost)
        ),
        kinds=books.kinds | found.kinds,
        lots_earn=False,
        bulk=BulkMonths(
            months[0].first,
            months[-1].last,
            books,
            OpenLotsOfMonths(books, folders).at,
            cache(partial(costs_of_months, books, folders, used)),
            subscribers,
        ),
    )


@cache
def _month_of(day: date) -> str:
    return Month.of(day).name


def _pooled_lot(currency: str, since: date, origin: str, end: date | None) -> LotKey:
    return _new(LotKey, (ZERO, currency, since, _month_of(since), origin, end, None))


@cache
def _flow_of(kind: str, role: str, out: bool, undoes: bool) -> Flow:
    flows = KINDS[_KIND[kind]].moves[POCKETS[Role(role)]]
    return flows.out if out is not undoes else flows.into


_KIND = {kind.value: kind for kind in KINDS}


class _DayReader:
    """Reads the rows of months; its sums need `WIDE`."""

    def __init__(self, places: Places, accounts: Accounts, lot_of: _LotsOf) -> None:
        self.facts = FactsOfMonths([], [], [], [], [])
        self.kinds: set[str] = set()
        self._place_of = places.of
        self._account = cache(accounts.pooled)
        self._lot_of = lot_of

    def days(self, rows: RowsOfFile) -> None:
        """Add the movements, incomes and what is owed of days."""
        add, earned = self.facts.movements.append, self.facts.earned.append
        place_of, lot_of, account_of = self._place_of, self._lot_of, self._account
        add_kind = self.kinds.add
        for row in rows:
            day, kind, undoes, name, _, currency, commodity, origin, since, end, *_ = row
            add_kind(kind)
            if name not in _POCKETS:
                if name != _STOCK:
                    self._money(row)
                continue
            units_in, units_out, amount = row[-3:]
            of, month, at = undoes or kind, _month_of(day), place_of(day, kind, undoes)
            flow = _flow_of(of, name, bool(units_out), bool(undoes))
            lot, pocket = lot_of(currency, since, origin, end), _POCKETS[name]
            # fmt: off
            add(_new(Movement, (
                day, month, flow, "", pocket, origin, commodity, units_in - units_out, currency,
                -amount, lot, account_of(_ROLES[name], "", origin), at, bool(undoes), "",
            )))
            if amount and flow in EARNED_BY_LOTS:
                earning, by = EARNED_BY_LOTS[flow]
                earned(_new(Income, (
                    day, month, earning, "", origin, currency, amount, lot, at, bool(undoes), by,
                )))
            # fmt: on

    def _money(self, row: tuple[Any, ...]) -> None:
        day, kind, undoes, name, holder, currency, _, origin, since, end, of_lot, *_, amount = row
        role, of = _ROLES[name], undoes or kind
        month, at = _month_of(day), self._place_of(day, kind, undoes)
        if role in OWED:
            party = origin if role is Role.PARTNER else holder
            plan = origin if role in (Role.RECEIVABLE, Role.UNBILLED) else ""
            account = self._account(role, holder, origin)
            self.facts.owed.append(
                Owed(day, month, role, party, amount, currency, of, at, account, plan)
            )
        elif role is Role.ACCESS_REVENUE and of == Kind.CHANGE and since is not None:
            self._earned(row)
        elif role in LOST:
            self.facts.lost.append(Lost(day, month, role, "", origin, amount, currency, at))
        elif role in BESIDES[of] and amount:
            lot = None if since is None else self._lot_of(of_lot, since, origin, end)
            # fmt: off
            self.facts.earned.append(Income(
                day, month, EARNINGS[role], "", origin, currency, -amount, lot, at, bool(undoes),
                of,
            ))
            # fmt: on

    def _earned(self, row: tuple[Any, ...]) -> None:
        """Access that was earned until a change: so much less of its lot is returned."""
        day, kind, undoes, _, _, currency, _, origin, since, end, *_, amount = row
        month, at = _month_of(day), self._place_of(day, kind, undoes)
        lot, pocket = self._lot_of(currency, since, origin, end), Pocket.ACCESS
        account, unit = self._account(ROLE_OF_POCKET[pocket], "", origin), f"{ACCESS}{currency}"
        earning, by = EARNED_BY_LOTS[Flow.EARNED]
        for flow, units in ((Flow.EARNED, amount), (Flow.RETURNED, -amount)):
            # fmt: off
            self.facts.movements.append(Movement(
                day, month, flow, "", pocket, origin, unit, units, currency, units, lot, account,
                at, bool(undoes), "",
            ))
            # fmt: on
        of = (origin, currency, -amount, lot, at, bool(undoes), by)
        self.facts.earned.append(Income(day, month, earning, "", *of))

    def trades(self, rows: RowsOfFile) -> None:
        """Add the trades of days."""
        for row in rows:
            day, undoes, traded, commodity, currency, price, origins, times, *sums = row
            kind = ("reversal", "trade") if undoes else ("trade", "")
            units, gross, of_seller, of_buyer = sums
            lots = tuple([(_lot_of_origin(origin), ZERO) for origin in origins])
            # fmt: off
            self.facts.trades.append(Trade(
                day, _month_of(day), "", "", commodity, units, price, currency, gross, of_seller,
                of_buyer, lots, times, self._place_of(day, *kind), traded,
            ))
            # fmt: on


_ROLES = {role.value: role for role in Role}
_STOCK = ROLE_OF_POCKET[STOCK].value  # what providers' credits cost is no fact of the reports here
_POCKETS = {role.value: pocket for role, pocket in POCKETS.items()}


@cache
def _lot_of_origin(origin: str) -> LotKey:
    return _pooled_lot("", date.min, origin, None)


def _pooled(books: Books, lot_of: _LotsOf) -> FactsOfMonths:
    """The facts of the ledger's own months, their lots told apart as those of days are."""

    def pooled(lot: LotKey) -> LotKey:
        return lot_of(lot.currency, lot.date, lot.origin, lot.end)

    movements = [each._replace(lot=pooled(each.lot)) for each in books.movements]
    earned = [*earned_by_lots(books.movements), *books.money.earned]
    incomes = [each if each.lot is None else each._replace(lot=pooled(each.lot)) for each in earned]
    return FactsOfMonths(movements, incomes, [*books.owed], _own_trades(books), [*books.lost])


def _own_trades(books: Books) -> list[Trade]:
    """The ledger's own trades, reversals with the day of what they undo."""
    metas = books.transactions
    day_of = {
        str(metas[each.at].meta.get("event")): each.date for each in books.trades if each.times > 0
    }
    return [
        each
        if each.times > 0
        else each._replace(traded=day_of.get(str(metas[each.at].meta.get("reverses")), each.date))
        for each in books.trades
    ]
