"""What the auditor's books add up to: the figures that reports must show.

Income is summed over the legs of the journal, by whom and by which plan it was earned; what is held
over the lots; what is owed over accounts, hand-written postings among them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from tests.laws.auditor.comparing import Audit
from tests.laws.auditor.records import Day, Lot, component, exact

INCOME = ("revenue", "breakage", "fees", "partner-income", "overage", "access-revenue")
INCOME += ("refunds", "disputes")
Sums = dict[tuple[str, ...], Decimal]


def without_zeros(sums: Sums) -> Sums:
    return {key: number for key, number in sums.items() if number}


def income(audit: Audit, by: str) -> Sums:
    """(month, plan or subscriber; role; currency) -> what was earned.

    Fees belong to who pays them; they and partner income have no plan: they stand under "".
    """
    sums: Sums = defaultdict(Decimal)
    with exact():
        for transaction in audit.journal:
            for leg in transaction.legs:
                if leg.role in INCOME:
                    name = {
                        "month": transaction.date.isoformat()[:7],
                        "plan": leg.origin,
                        "subscriber": leg.subscriber,
                    }[by]
                    sums[name, leg.role, leg.currency] -= leg.number
    return without_zeros(sums)


BY: dict[str, Callable[[str, str, Lot], str]] = {
    "pocket": lambda holder, pocket, lot: pocket,
    "subscriber": lambda holder, pocket, lot: holder,
    "plan": lambda holder, pocket, lot: lot.origin,
}


def held(audit: Audit, by: str) -> Sums:
    """(pocket, subscriber or plan; commodity or currency) -> units and deferred revenue."""
    sums: Sums = defaultdict(Decimal)
    with exact():
        for (holder, pocket), lots in audit.held.items():
            if pocket == "prepaid":  # the operator's own
                continue
            for lot, units in lots.items():
                name = BY[by](holder, pocket, lot)
                if pocket != "access":  # money, and no units
                    sums[name, lot.commodity] += units
                sums[name, lot.currency] += units * lot.cost
    return without_zeros(sums)


def refundable(audit: Audit) -> Sums:
    """(currency,) -> deferred revenue that can be had back on demand."""
    sums: Sums = defaultdict(Decimal)
    with exact():
        for lots in audit.held.values():
            for lot, units in lots.items():
                sums[(lot.currency,)] += units * lot.cost if lot in audit.refundable else 0
    return without_zeros(sums)


def owed(audit: Audit, role: str, day: Day) -> Sums | None:
    """(subscriber or partner; currency) -> what stands on their accounts of a role on a day.

    Assets are above zero, liabilities too. None where the accounts tell nobody apart, or where a
    role that is another's shares them.
    """
    template = audit.accounts[role]
    name = f"{{{role}}}" if role in ("partner", "provider") else "{subscriber}"
    others = [other for each, other in audit.accounts.items() if each != role]
    if name not in template or any(pattern_of(template).fullmatch(other) for other in others):
        return None
    last: dict[tuple[str, str], Decimal] = {}
    for (on, account, currency), number in sorted(audit.balances.items()):
        if on <= day:
            last[account, currency] = number
    sums: Sums = defaultdict(Decimal)
    names = names_of(audit, role)
    with exact():
        for (account, currency), number in last.items():
            match = pattern_of(template).fullmatch(account)
            if match and match["who"] in names:  # other accounts are nobody's that is known
                who = names[match["who"]]
                sums[who, currency] += number if role == "receivable" else -number
    return without_zeros(sums)


def pattern_of(template: str) -> re.Pattern[str]:
    """Accounts that a template gives, with the component of whom they are."""
    holder = r"\\{(subscriber|partner|provider)\\}"
    pattern = re.sub(holder, "(?P<who>[^:]+)", re.escape(template), count=1)
    pattern = re.sub(holder, "(?P=who)", pattern)
    return re.compile(pattern.replace(r"\{plan\}", "[^:]+"))


def names_of(audit: Audit, role: str) -> dict[str, str]:
    """The subscriber, partner or provider of each account component."""
    if role not in ("partner", "provider"):
        return {made: name for name, made in audit.components.items()}
    legs = [leg for transaction in audit.journal for leg in transaction.legs]
    return {component(leg.partner): leg.partner for leg in legs if leg.partner}
