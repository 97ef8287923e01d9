"""The map from the ledger's accounts to those of the general ledger.

    account,code,name
    Assets:Receivable,1999,Compute clearing
    Liabilities:DeferredRevenue,2400,Deferred revenue
    Liabilities:DeferredRevenue:Tokens,2410,Token liability
    Income:Compute,4000,Token revenue

A line stands for its account and all below it; the longest account that fits wins, so 10,000
subscribers take one line. Accounts with one code become one line of the journal, so a clearing
account takes what the suite keeps by itself. Of code and name one will do (`Income:Fees,,Fees`). A
line may also name a currency as the suite calls it (`USD,US Dollar`). The column `tax` is Xero's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import NamedTuple

from beancount_compute.economy import quoted

COLUMNS = ("account", "code", "name", "tax")
REQUIRED = ("account", "code")


class MapError(Exception):
    """A map that can't be used; says where and what to write instead."""


class Target(NamedTuple):
    """An account of the general ledger."""

    code: str  # without a map, the ledger's own account
    name: str = ""
    tax: str = ""
    stands_for: str = ""  # the ledger's account, as the map names it


class Unmapped(Exception):
    """Accounts that the map leaves out: all of them."""

    def __init__(self, accounts: Iterable[str]) -> None:
        self.accounts = sorted(accounts)
        super().__init__(self.accounts)


class AccountMap:
    """Finds the general ledger's account of one of the ledger's."""

    def __init__(self, lines: Mapping[str, Target]) -> None:
        self._lines = dict(lines)

    def find(self, account: str) -> Target | None:
        """The line of the account, or of the nearest account above it; None if there is none."""
        name = account
        while name not in self._lines:
            name, _, last = name.rpartition(":")
            if not last or not name:
                return None
        return self._lines[name]


class NoMap(AccountMap):
    """Every account stands for itself."""

    def __init__(self) -> None:
        super().__init__({})

    def find(self, account: str) -> Target:
        """The account itself."""
        return Target(account, "", "", account)


def read_map(text: str, file: str) -> AccountMap:
    """The map that a CSV text holds. Raises `MapError`, with file and line."""
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), strict=True)
    lines: dict[str, Target] = {}
    names: dict[str, Target] = {}
    try:
        _check_header(reader.fieldnames, file)
        for row in reader:
            place = f"{file}:{reader.line_num}"
            target = _target(row, place)
            if target is None:
                continue
            if target.stands_for in lines:
                raise MapError(f"{place}: {target.stands_for} stands twice: remove one of the two")
            same = names.setdefault(target.code, target)
            if (same.name, same.tax) != (target.name, target.tax):
                raise MapError(
                    f"{place}: code {target.code} has another name or tax at {same.stands_for}: "
                    "write the same in both lines"
                )
            lines[target.stands_for] = target
    except csv.Error as error:
        raise MapError(f"{file}:{reader.line_num}: not CSV: {error}") from None
    return AccountMap(lines)


def _check_header(found: Iterable[str] | None, file: str) -> None:
    names = [name.strip() for name in found or ()]
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) != len(names):
        raise MapError(
            f"{file}:1: the first line is {quoted(','.join(names))}: write account,code,name (name "
            "may be left out; tax may follow)"
        )


def _target(row: Mapping[str | None, str | list[str] | None], place: str) -> Target | None:
    """The target of a row; None for an empty one."""
    if None in row or None in row.values():
        raise MapError(f"{place}: too many or too few columns: one cell for each in the first line")
    cells = {str(key).strip(): str(value).strip() for key, value in row.items()}
    if not any(cells.values()):
        return None
    code, name = cells["code"], cells.get("name", "")
    if not code:
        code, name = name, ""
    if not cells["account"] or not code:
        raise MapError(f"{place}: account or code is empty: write both, or remove the line")
    return Target(code, name, cells.get("tax", ""), cells["account"])
