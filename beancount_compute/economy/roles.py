"""The roles of accounts: what an account is for, before its name."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an account is for, before its name."""

    __hash__ = str.__hash__  # the one of Enum is a Python function, and this is a dictionary key

    RECEIVABLE = "receivable"
    PAYABLE = "payable"
    PARTNER = "partner"
    ALLOCATIONS = "allocations"
    TOKENS = "tokens"
    REVENUE = "revenue"
    BREAKAGE = "breakage"
    FEES = "fees"
    PARTNER_INCOME = "partner-income"
    OVERAGE = "overage"


class Pocket(StrEnum):
    """Where a subscriber's units lie; consumption takes from allocations first."""

    __hash__ = str.__hash__

    ALLOCATIONS = "allocations"
    TOKENS = "tokens"


class Earning(StrEnum):
    """The kinds of income."""

    __hash__ = str.__hash__

    COMPUTE = "compute"
    BREAKAGE = "breakage"
    FEES = "fees"
    PARTNER_INCOME = "partner income"
    OVERAGE = "overage"
