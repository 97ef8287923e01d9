"""Hand-written postings to the two pockets: opening lots, and units taken out of a lot.

2026-01-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -800 CU {0.20 USD, 2025-11-01, "pro/2026-11-01"}
  Equity:Opening-Balances                  160.00 USD
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypeGuard

from beancount.core.amount import Amount
from beancount.core.data import Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    ACCESS,
    RESERVED_ORIGINS,
    STOCK,
    TOP_UP,
    ZERO,
    HandPosting,
    Lot,
    NotRead,
    Pocket,
    Role,
    amount,
    cost_of,
    is_access,
    never_usable,
    printable,
    quoted,
)
from beancount_compute.ledger.accounts import Accounts, PocketAccount
from beancount_compute.ledger.bulk_folders import BULK_TAG
from beancount_compute.ledger.directives import place_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import parse_date, parse_plan_name
from beancount_compute.ledger.names import component_of
from beancount_compute.ledger.opening_accruals import opens_accruals

OPENING_TAG, WHY = "compute-opening", "why"
_ENDS_IN_A_DATE = re.compile(
    r"(.*?)[\W_]*(?:([0-9]{4})[-._ ]([0-9]{1,2})[-._ ]([0-9]{1,2})"
    r"|[0-9]{1,2}[-._ ][0-9]{1,2}[-._ ][0-9]{4})",
    re.ASCII,
)


class HandWritten(NamedTuple):
    """What people wrote on the pockets, and the accounts that this needs."""

    openings: list[HandPosting]
    removals: list[HandPosting]
    accounts: dict[str, PocketAccount]


def pocket_postings(
    transactions: Iterable[Transaction], accounts: Accounts
) -> list[tuple[Transaction, Posting, PocketAccount]]:
    """All hand-written postings to pockets and of credits, in the order of the books.

    Credits of a month in bulk are of all their lots together, and name none.
    """

    def holding(account: str) -> PocketAccount | None:
        pocket = accounts.pocket_account(account)
        return (
            PocketAccount(STOCK, "", None) if not pocket and accounts.is_stock(account) else pocket
        )

    return [
        (entry, posting, pocket)
        for entry in transactions
        if BULK_TAG not in (entry.tags or ())
        for posting in entry.postings
        if (pocket := holding(posting.account)) is not None
        and not (pocket.pocket is STOCK and BULK_TAG in (entry.tags or ()))
    ]


def check_openings(openings: Iterable[Transaction], accounts: Accounts, errors: Errors) -> None:
    """One without a posting on a pocket, and without accruals, opens nothing: that is an error."""
    for entry in openings:
        if not opens_accruals(entry) and not any(
            accounts.pocket_account(posting.account) or accounts.is_stock(posting.account)
            for posting in entry.postings
        ):
            example = accounts.account(Role.TOKENS, "alice", "pro")
            message = (
                f"no posting of this #{OPENING_TAG} is on a subscriber's pocket, so nothing is "
                f"opened: write an account such as {example}, or for accruals `served` "
                "and `accrued`"
            )
            errors.add(place_of(entry.meta), message)


def why_of(meta: Mapping[str, Any]) -> str:
    """Why opening lots come after the books began; "" where nothing says so."""
    why = meta.get(WHY)
    return printable(" ".join(why.split())) if isinstance(why, str) else ""


def check_whys(
    openings: Iterable[Transaction], first: date | None, closed: date | None, errors: Errors
) -> None:
    """Opening lots behind the first booking, or the first closed month, must say why.

    Without it a month would open with what the month before did not close with.
    """
    for entry in openings:
        if why_of(entry.meta):
            continue
        if WHY in entry.meta:
            errors.add(place_of(entry.meta), f'`{WHY}` must be a text, such as {WHY}: "acquired"')
            continue
        behind = f"the first bookings, of {first}" if first and first < entry.date else ""
        if closed and closed < entry.date:
            behind = f"the first closed month, which ended on {closed}"
        if behind:
            message = (
                f"this #{OPENING_TAG} comes after {behind}: say why in its metadata, such as "
                f'{WHY}: "acquired", the name under which reports show it on its day; what was '
                "there from the beginning takes an earlier date"
            )
            errors.add(place_of(entry.meta), message)


def read_hand_written(
    postings: Iterable[tuple[Transaction, Posting, PocketAccount]],
    holders: Mapping[str, str],
    plans: Collection[str],
    errors: Errors,
) -> HandWritten:
    """The opening lots and removals; `holders` names the subscriber of a component."""
    found = HandWritten([], [], {})
    for entry, posting, pocket in postings:
        place = place_of(posting.meta or entry.meta)
        found.accounts[posting.account] = pocket
        holder = holders.get(pocket.subscriber, pocket.subscriber)
        units = posting.units.number if posting.units is not None else None
        if units is not None and pocket.pocket is STOCK:
            units = -units  # an asset: what comes in is a debit
        opening = OPENING_TAG in entry.tags and units is not None and units < 0
        try:
            lot = _lot(posting, pocket, holder, plans)
            if lot.pocket is STOCK:
                lot = _of_provider(posting.account, lot)
            _check_plan(posting.account, lot, pocket)
            assert units is not None
            if opening:
                _check_opening(entry, lot)
                found.openings.append(HandPosting(entry.date, lot, -units, place))
                continue
            if units <= 0:
                new = "a compute-allocation, a compute-grant"
                if lot.pocket is STOCK:
                    new = "a compute-purchase"
                raise FieldError(
                    "a hand-written posting can only take units out of an open lot (new units are "
                    f"{new} or an opening lot, in a transaction tagged #{OPENING_TAG})"
                )
            found.removals.append(HandPosting(entry.date, lot, units, place))
        except FieldError as error:
            if opening:
                errors.add(place, str(error))
                errors.unread.append(NotRead(place, (holder,), day=entry.date.isoformat()))
                continue
            unnamed = Lot(holder, pocket.pocket, "", ZERO, "", entry.date, "", None)
            found.removals.append(HandPosting(entry.date, unnamed, ZERO, place, str(error)))
    return found


def _lot(posting: Posting, pocket: PocketAccount, holder: str, plans: Collection[str]) -> Lot:
    """The lot that a posting names; raises `FieldError` where it names none."""
    units, cost = posting.units, posting.cost
    if not isinstance(units, Amount) or not _is_number(units.number):
        raise FieldError(f"no units on {posting.account}: write them in full")
    if not isinstance(cost, Cost) or not _is_number(cost.number):
        raise FieldError(
            f"{amount(units.number, units.currency)} on {posting.account} names no lot: write its "
            'cost, date and label, such as {0.20 USD, 2026-05-01, "pro/2026-06-01"}'
        )
    if not cost.label:
        raise FieldError(
            f"the lot on {posting.account} has no label: write its origin, and where it ends the "
            'first day on which it is no longer usable, such as "pro/2026-06-01"'
        )
    origin, _, end = cost.label.partition("/")
    if origin not in RESERVED_ORIGINS:
        _check_label(cost.label, plans)
        parse_plan_name(origin)
    return Lot(
        holder,
        pocket.pocket,
        units.currency,
        cost_of(cost.number, cost.currency),
        cost.currency,
        cost.date,
        origin,
        parse_date(end) if "/" in cost.label else None,
    )


def _check_label(label: str, plans: Collection[str]) -> None:
    """Refuse a date that no slash tells from the plan: such a lot would never end."""
    found = None if label in plans else _ENDS_IN_A_DATE.fullmatch(label.partition("/")[0])
    if found is not None:
        plan, *day = found.groups()
        end = "-".join(f"{each:0>2}" for each in day) if day[0] else "2026-12-01"
        raise FieldError(
            f"the label {quoted(label)} is no plan and looks like one with a date: write a slash "
            f"between them, and the date as {end}: {quoted(f'{plan or TOP_UP}/{end}')}"
        )


def _is_number(number: object) -> TypeGuard[Decimal]:
    return isinstance(number, Decimal) and number.is_finite()


def _of_provider(account: str, lot: Lot) -> Lot:
    """A lot of credits, whose label names the provider."""
    if f":{component_of(lot.origin)}:" not in f"{account}:":
        raise FieldError(
            f"credits of {quoted(lot.origin)} can't lie on {account}: the label begins with the "
            "provider's name"
        )
    return lot._replace(holder=lot.origin)


def _check_plan(account: str, lot: Lot, pocket: PocketAccount) -> None:
    if pocket.plan not in (None, component_of(lot.origin)):
        raise FieldError(
            f"a lot of {quoted(lot.origin)} can't lie on {account}: its component for the plan is "
            f"{component_of(lot.origin)}"
        )


def _check_access(lot: Lot) -> None:
    """Access has a commodity and a pocket of its own, costs one of its currency, and ends."""
    unit, right = ACCESS + lot.currency, "access lies on accounts of its own"
    if lot.pocket is Pocket.ACCESS:
        if lot.commodity == unit and lot.cost == 1 and lot.end is not None:
            return
        like = f'{unit} {{1 {lot.currency}, DATE, "PLAN/END"}}'
        right = f"write {like}, with the day behind the period"
    elif not is_access(lot.commodity):
        return
    said = f"{lot.commodity} at {lot.cost:f} {lot.currency}"
    raise FieldError(f"{said} is no opening lot of {lot.pocket}: {right}")


def _check_opening(entry: Transaction, lot: Lot) -> None:
    _check_access(lot)
    if lot.cost < 0:
        raise FieldError(f"the cost of an opening lot is below zero: {lot.cost:f} {lot.currency}")
    if lot.date > entry.date:
        raise FieldError(
            f"the opening lot of {lot.date} is younger than its entry of {entry.date}: "
            "write the day on which its units were allocated"
        )
    if lot.end is not None and lot.end <= lot.date:
        raise FieldError(never_usable("the opening lot's end", lot.end, lot.date))
    if lot.end is not None and lot.end < entry.date:
        raise FieldError(
            f"the opening lot ended on {lot.end}, before its entry of {entry.date}: nothing of it "
            "is outstanding: leave it out, or write the first day on which its units are no longer "
            "usable"
        )
