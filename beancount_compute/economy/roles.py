"""The roles of accounts, a row each: what an account is for, before its name.

    2026-01-01 custom "compute-account" "breakage" Income:Breakage:Units

A row says under which root a role's account lies, its default name, what may stand in it, and what
it means to those who read the books.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What an account is for, before its name."""

    __hash__ = str.__hash__  # the one of Enum is a Python function, and this is a dictionary key

    RECEIVABLE = "receivable"
    UNBILLED = "unbilled"
    PAYABLE = "payable"
    PARTNER = "partner"
    ALLOCATIONS = "allocations"
    TOKENS = "tokens"
    ACCESS = "access"
    REVENUE = "revenue"
    BREAKAGE = "breakage"
    FEES = "fees"
    PARTNER_INCOME = "partner-income"
    OVERAGE = "overage"
    ACCESS_REVENUE = "access-revenue"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    RECOVERIES = "recoveries"
    BAD_DEBT = "bad-debt"
    LOSSES = "losses"
    PREPAID = "prepaid"
    PROVIDER = "provider"
    LAPSED = "lapsed"
    COST = "cost"
    ACCRUED = "accrued"
    VARIANCE = "variance"
    CAPACITY = "capacity"
    DEPRECIATION = "depreciation"


class Root(StrEnum):
    """A root account, whatever a ledger calls it."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    INCOME = "income"
    EXPENSES = "expenses"


class Pocket(StrEnum):
    """Where units lie: a subscriber's, of which consumption takes from allocations first and never
    from access, or the credits that the operator holds with a provider, an asset."""

    __hash__ = str.__hash__

    ALLOCATIONS = "allocations"
    TOKENS = "tokens"
    ACCESS = "access"
    PREPAID = "prepaid"


class Earning(StrEnum):
    """The kinds of income, as reports name them."""

    __hash__ = str.__hash__

    COMPUTE = "compute"
    BREAKAGE = "breakage"
    FEES = "fees"
    PARTNER_INCOME = "partner income"
    OVERAGE = "overage"
    ACCESS = "access"
    REFUNDS = "refunds"  # these take revenue back
    DISPUTES = "disputes"


class RoleRow(NamedTuple):
    """What is known of a role.

    `names` is the placeholder that its account may hold besides that of its holder; the origin of a
    leg fills it.
    """

    root: Root
    account: str  # the default, behind the root
    names: str = ""  # "plan", "partner"
    pocket: Pocket | None = None  # whose account it is
    earning: Earning | None = None  # what it recognises
    holder: str = (
        "subscriber"  # or "provider", "capacity": whose account it is, and the placeholder for that
    )
    owed: str = ""  # the heading under which what is owed on it is shown

    @property
    def placeholders(self) -> frozenset[str]:
        """What may stand in braces in its account."""
        return frozenset([self.holder, *([self.names] if self.names else [])])

    @property
    def party(self) -> str:
        """Who owes, or is owed, what stands on it: subscriber, partner or provider."""
        return self.names if self.names == "partner" else self.holder


SUBSCRIBER = "{subscriber}"
ROLES: dict[Role, RoleRow] = {
    Role.RECEIVABLE: RoleRow(Root.ASSETS, "Receivable:{subscriber}", owed="receivables"),
    Role.UNBILLED: RoleRow(Root.ASSETS, "Unbilled:{subscriber}", owed="unbilled"),
    Role.PAYABLE: RoleRow(Root.LIABILITIES, "Payable:{subscriber}", owed="payables"),
    Role.PARTNER: RoleRow(
        Root.LIABILITIES, "Partners:{partner}", "partner", owed="owed to partners"
    ),
    Role.ALLOCATIONS: RoleRow(
        Root.LIABILITIES,
        "DeferredRevenue:Allocations:{subscriber}",
        "plan",
        pocket=Pocket.ALLOCATIONS,
    ),
    Role.TOKENS: RoleRow(
        Root.LIABILITIES, "DeferredRevenue:Tokens:{subscriber}", "plan", pocket=Pocket.TOKENS
    ),
    Role.ACCESS: RoleRow(
        Root.LIABILITIES, "DeferredRevenue:Access:{subscriber}", "plan", pocket=Pocket.ACCESS
    ),
    Role.REVENUE: RoleRow(Root.INCOME, "Compute", "plan", earning=Earning.COMPUTE),
    Role.BREAKAGE: RoleRow(Root.INCOME, "Breakage", "plan", earning=Earning.BREAKAGE),
    Role.FEES: RoleRow(Root.INCOME, "Fees", earning=Earning.FEES),
    Role.PARTNER_INCOME: RoleRow(Root.INCOME, "Partners", earning=Earning.PARTNER_INCOME),
    Role.OVERAGE: RoleRow(Root.INCOME, "Overage", "plan", earning=Earning.OVERAGE),
    Role.ACCESS_REVENUE: RoleRow(Root.INCOME, "Access", "plan", earning=Earning.ACCESS),
    Role.REFUNDS: RoleRow(Root.INCOME, "Refunds", "plan", earning=Earning.REFUNDS),
    Role.DISPUTES: RoleRow(Root.INCOME, "Disputes", "plan", earning=Earning.DISPUTES),
    Role.RECOVERIES: RoleRow(Root.INCOME, "Recoveries"),
    Role.BAD_DEBT: RoleRow(Root.EXPENSES, "BadDebt", "plan"),
    Role.LOSSES: RoleRow(Root.EXPENSES, "Losses"),
    Role.PREPAID: RoleRow(
        Root.ASSETS, "Prepaid:{provider}", pocket=Pocket.PREPAID, holder="provider"
    ),
    Role.PROVIDER: RoleRow(
        Root.LIABILITIES, "Providers:{provider}", holder="provider", owed="owed to providers"
    ),
    Role.LAPSED: RoleRow(Root.EXPENSES, "Compute:Lapsed", holder="provider"),
    Role.COST: RoleRow(Root.EXPENSES, "Compute:{provider}", "meter", holder="provider"),
    Role.ACCRUED: RoleRow(Root.LIABILITIES, "Accrued:{provider}", "meter", holder="provider"),
    Role.VARIANCE: RoleRow(Root.EXPENSES, "Compute:Variance", holder="provider"),
    Role.CAPACITY: RoleRow(Root.ASSETS, "Capacity:{capacity}", holder="capacity"),
    Role.DEPRECIATION: RoleRow(Root.EXPENSES, "Capacity:{capacity}", holder="capacity"),
}
ROLE_OF_POCKET: dict[Pocket, Role] = {row.pocket: role for role, row in ROLES.items() if row.pocket}
STOCK = Pocket.PREPAID  # an asset: what comes in is a debit
POCKETS: dict[Role, Pocket] = {  # of subscribers
    role: pocket for pocket, role in ROLE_OF_POCKET.items() if pocket is not STOCK
}
EARNINGS: dict[Role, Earning] = {role: row.earning for role, row in ROLES.items() if row.earning}
CONTRA = frozenset([Role.REFUNDS, Role.DISPUTES])  # they take revenue back
ROLE_OF_EARNING: dict[Earning, Role] = {earning: role for role, earning in EARNINGS.items()}
OWED: dict[Role, str] = {role: row.owed for role, row in ROLES.items() if row.owed}
# what is lost with a payer, beside revenue, and what is recovered of it
LOST = frozenset([Role.BAD_DEBT, Role.LOSSES, Role.RECOVERIES])
OWED_TO_OPERATOR = frozenset(role for role in OWED if ROLES[role].root is Root.ASSETS)
OWED_TO_OTHERS = frozenset(role for role in OWED if ROLES[role].party != "subscriber")
