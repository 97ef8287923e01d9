"""The terms that a month in bulk used, as its days tell: frozen as those of other months are.

What mints and expiries rest on was used when their lots were allocated: an earlier month says it.
"""

from __future__ import annotations

from collections.abc import Iterator

from beancount_compute.close.month_in_parquet import MonthInParquet
from beancount_compute.closed import OVERAGE, Uses
from beancount_compute.economy import OPTIONS, POCKETS, RESERVED_ORIGINS, Kind, Month, Role
from beancount_compute.ledger import LedgerTerms

_BEYOND = "beyond"  # the price beyond prepaid credits


def used_in_bulk(parquet: MonthInParquet, month: Month, terms: LedgerTerms) -> list[str]:
    """The lines of the terms that a month used."""
    uses = Uses(terms, month.name)
    for day, kind, role, origin, currency in parquet.ask(
        "SELECT DISTINCT date, kind, role, origin, currency FROM days ORDER BY ALL"
    ):
        for type_, name, key in _used(Kind(kind), Role(role), origin or "", currency):
            uses.add(day, type_, name, day, key)
    for booked, served, provider, what, meter in parquet.ask(
        "SELECT DISTINCT booked, served, provider, what, coalesce(meter, '') FROM costs "
        "ORDER BY ALL"
    ):
        if what == _BEYOND:
            uses.add(booked, "compute-provider", provider, served)
        if meter in terms.terms.meters:
            uses.add(booked, "compute-meter", meter, served)
    return uses.texts().get(month.name, [])


def _used(kind: Kind, role: Role, origin: str, currency: str) -> Iterator[tuple[str, str, str]]:
    yield "compute-account", role.value, ""
    for option in OPTIONS.values():
        if kind in option.used_by:
            yield "compute-option", option.name, currency if option.by_currency else ""
    if kind is Kind.ALLOCATION and role in POCKETS and origin not in RESERVED_ORIGINS:
        yield "compute-plan", origin, ""
    if kind is Kind.CONSUMPTION and role is Role.OVERAGE:
        yield "compute-plan", origin, OVERAGE
