"""Subscribers with their component and accounts: where to post what a customer pays.

    subscriber     component  receivable               payable
    ann@x.io       Ann-...    Assets:Receivable:Ann-...  Liabilities:Payable:Ann-...

An account that has a placeholder for plans or partners is shown with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from beancount_compute.economy import Role
from beancount_compute.reports.books import Books
from beancount_compute.reports.tables import SUBSCRIBER, Cell, Column, Table

_ROLES = (Role.RECEIVABLE, Role.PAYABLE, Role.ALLOCATIONS, Role.TOKENS)
_COLUMNS = [  # on a narrow terminal the last go first
    Column(role.value, role.value, aside=at, whole=True) for at, role in enumerate(_ROLES)
]


def accounts_table(books: Books, names: Iterable[str]) -> Table:
    """The accounts of these subscribers."""
    component, account = books.accounts.component, books.accounts.account_of
    rows: list[tuple[Cell, ...]] = [
        (name, component(name), *(account(role, name) for role in _ROLES)) for name in sorted(names)
    ]
    header = (
        SUBSCRIBER._replace(whole=True),
        Column("component", "component", whole=True),
        *_COLUMNS,
    )
    return Table("Accounts of subscribers", header, rows, "accounts")
