"""The way back from the rows of a closed month's state (`frozen_state.py`).

lot,alice,allocations,800,CU,0.20,USD,2026-05-01,pro,2026-06-01   ->   a lot and its units
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from beancount.core.amount import Amount

from beancount_compute.closed.bulk_files import SealedFile, bulk_files
from beancount_compute.closed.frozen_state import FORMAT, Lapse, State, StateRow
from beancount_compute.closed.running_rows import with_row
from beancount_compute.economy import (
    Accrual,
    Billed,
    Depreciation,
    Key,
    Lot,
    Place,
    Pocket,
    Role,
    lot_of,
)
from beancount_compute.economy.carried import Carried, Running

_POCKETS = {pocket.value: pocket for pocket in Pocket}
_day = lru_cache(1 << 12)(date.fromisoformat)


class UnreadableState(Exception):
    """A state that can't be read: says where and why."""


def read_state(path: str, rows: list[StateRow], last_day: date) -> State:
    """The state that rows say; raises `UnreadableState`."""
    head = next((row for row in rows if row[:1] == ["state"]), [])
    if head[2:] != [FORMAT]:
        raise UnreadableState(f"{path}:1: not a state as this release writes it")
    reading = _Reading(path)
    for line, row in enumerate(rows, 1):
        try:
            if row and row is not head:
                reading.add(line, *row)
        except (ValueError, TypeError, InvalidOperation, LookupError):
            raise UnreadableState(f"{path}:{line}: not a row of a state: {row[0]}") from None
    return reading.state(head[1], last_day)


class _Reading:
    """The parts of a state, row by row."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lots: list[tuple[Lot, Decimal]] = []
        self._known: list[str] = []
        self._by_account: set[str] = set()
        self._subscriptions: list[Running] = []
        self._periods: list[tuple[str, date]] = []
        self._late: dict[tuple[str, Key], date] = {}
        self._by_days: list[tuple[str, Key]] = []
        self._access_since: dict[str, date] = {}
        self._provider_of: dict[str, str] = {}
        self._depreciations: dict[str, Depreciation] = {}
        self._accrued: dict[Accrual, Decimal] = {}
        self._billed: list[tuple[str, str, Billed]] = []
        self._earned: dict[tuple[Role, str, str], Decimal] = {}
        self._accounts: dict[str, date] = {}
        self._lapsed: list[Lapse] = []
        self._pack: dict[str, str] = {}
        self._bulk: list[SealedFile] = []
        self._deferred: list[Amount] = []

    def add(self, line: int, kind: str, *cells: str) -> None:
        match kind:
            case "lot":
                self._lots.append(_read_lot(*cells))
            case "known":
                name, *how = cells
                self._known.append(name)
                if how == ["account"]:
                    self._by_account.add(name)
            case "subscription":
                self._subscriptions.append(_read_subscription(Place(self._path, line), *cells))
            case "cancelled":  # the subscription before it; months closed earlier don't say so
                name, of, day = cells
                if self._subscriptions[-1].id != of:
                    raise ValueError(of)
                cancelled = name, date.fromisoformat(day)
                self._subscriptions[-1] = self._subscriptions[-1]._replace(cancelled=cancelled)
            case "arrears" | "unbilled" | "minimum" | "changed" | "at-once":
                self._subscriptions[-1] = with_row(self._subscriptions[-1], kind, *cells)
            case "days":
                name, *key = cells
                self._by_days.append((name, _read_key(*key)))
            case "period":
                name, end = cells
                self._periods.append((name, date.fromisoformat(end)))
            case "late":
                name, *key, day = cells
                self._late[name, _read_key(*key)] = date.fromisoformat(day)
            case "earned":
                role, name, number, currency = cells
                self._earned[Role(role), name, currency] = Decimal(number)
            case "access":
                currency, day = cells
                self._access_since[currency] = date.fromisoformat(day)
            case "credits":
                commodity, provider = cells
                self._provider_of[commodity] = provider
            case "capacity":
                name, *said = cells
                self._depreciations[name] = _read_capacity(*said)
            case "accrued":
                provider, meter, day, number, currency = cells
                accrual = (provider, meter, date.fromisoformat(day), currency)
                self._accrued[accrual] = Decimal(number)
            case "billed":
                provider, currency, first, last = cells
                days = Billed(date.fromisoformat(first), date.fromisoformat(last))
                self._billed.append((provider, currency, days))
            case "account":
                name, day = cells
                self._accounts[name] = date.fromisoformat(day)
            case "lapsed":
                *lot, day, minted, end = cells
                held = _read_lot(*lot), date.fromisoformat(day)
                self._lapsed.append(
                    Lapse(*held[0], held[1], Decimal(minted), _day(end) if end else None)
                )
            case "pack":
                name, digest = cells
                self._pack[name] = digest
            case "deferred":
                number, currency = cells
                self._deferred.append(Amount(Decimal(number), currency))
            case "bulk":
                self._bulk += bulk_files([[kind, *cells]])
            case _:
                raise ValueError(kind)

    def state(self, month: str, last_day: date) -> State:
        carried = Carried(
            last_day,
            self._lots,
            self._known,
            self._subscriptions,
            self._late,
            self._periods,
            self._earned,
            provider_of=self._provider_of,
            depreciations=self._depreciations,
            accrued=self._accrued,
            billed=self._billed,
            access_since=self._access_since,
            by_days=self._by_days,
        )
        by_account = frozenset(self._by_account)
        in_bulk = self._bulk, tuple(self._deferred) if self._bulk else ()
        return State(month, carried, by_account, self._accounts, self._lapsed, self._pack, *in_bulk)


def _read_lot(
    holder: str, pocket: str, units: str, commodity: str, *key: str
) -> tuple[Lot, Decimal]:
    return lot_of((holder, _POCKETS[pocket], commodity, *_read_key(*key))), Decimal(units)


def _read_key(cost: str, currency: str, day: str, origin: str, end: str) -> Key:
    return Decimal(cost), currency, _day(day), origin, _day(end) if end else None


def _read_capacity(
    first: str, since: str, before: str, so_far: str, currency: str, served: str
) -> Depreciation:
    money = Decimal(before), Decimal(so_far), currency
    return Depreciation(_day(first), _day(since), *money, Decimal(served))


def _read_subscription(
    place: Place,
    name: str,
    subscriber: str,
    plan: str,
    start: str,
    end: str,
    periods: str,
    day_of_month: str,
    in_days: str,
    ended: str,
    discount: str = "0",
    currency: str = "",
) -> Running:
    return Running(
        name,
        subscriber,
        plan,
        date.fromisoformat(start),
        int(day_of_month),
        in_days == "days",
        date.fromisoformat(end),
        int(periods),
        ended == "ended",
        place,
        discount=Decimal(discount),
        currency=currency,
    )
