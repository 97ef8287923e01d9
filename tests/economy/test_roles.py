"""Roles: what an account is for, and what its name may hold."""

from __future__ import annotations

import pytest

from beancount_compute.economy.roles import ROLES, Role


@pytest.mark.parametrize("role", Role)
def test_what_may_stand_in_an_account(role: Role) -> None:
    """Everybody's own accounts may be asked for anywhere; a plan's where lots say which."""
    of_plans = {
        *("allocations", "tokens", "access"),
        *("revenue", "breakage", "overage", "access-revenue"),
        *("refunds", "disputes", "bad-debt"),
    }
    expected = {"subscriber"}
    if role in of_plans:
        expected.add("plan")
    if role == "partner":
        expected.add("partner")
    if role in ("prepaid", "provider", "lapsed", "variance"):
        expected = {"provider"}
    if role in ("capacity", "depreciation"):
        expected = {"capacity"}
    if role in ("cost", "accrued"):
        expected = {"provider", "meter"}
    assert ROLES[role].placeholders == expected
