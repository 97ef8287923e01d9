"""Accounts: from a role and a subscriber to a name, and back for the two pockets."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from beancount_compute.economy.roles import Pocket, Role
from beancount_compute.ledger.accounts import (
    Accounts,
    OwedAccount,
    PocketAccount,
    Roots,
    check_template,
    default_templates,
    shared_account,
)
from beancount_compute.ledger.errors import FieldError

ROOTS = Roots()
DEFAULT = default_templates(ROOTS)


def accounts(components: dict[str, str] | None = None, **templates: str) -> Accounts:
    named = {Role(role.replace("_", "-")): template for role, template in templates.items()}
    return Accounts(DEFAULT | named, components or {}, ROOTS)


@pytest.mark.parametrize(
    ("role", "account"),
    [
        (Role.RECEIVABLE, "Assets:Receivable:Alice"),
        (Role.PAYABLE, "Liabilities:Payable:Alice"),
        (Role.PARTNER, "Liabilities:Partners:Pro"),
        (Role.ALLOCATIONS, "Liabilities:DeferredRevenue:Allocations:Alice"),
        (Role.TOKENS, "Liabilities:DeferredRevenue:Tokens:Alice"),
        (Role.REVENUE, "Income:Compute"),
        (Role.BREAKAGE, "Income:Breakage"),
        (Role.FEES, "Income:Fees"),
        (Role.PARTNER_INCOME, "Income:Partners"),
        (Role.OVERAGE, "Income:Overage"),
    ],
)
def test_the_default_accounts(role: Role, account: str) -> None:
    """manual/language.md, section 5; a partner's is named by the partner."""
    assert accounts().account(role, "alice", "pro") == account
    assert set(DEFAULT) == set(Role)


def test_own_roots_are_in_the_default_accounts() -> None:
    """`option "name_income" "Ertraege"` and the like."""
    roots = Roots("Vermoegen", "Schulden", "Ertraege")
    found = {template.split(":")[0] for template in default_templates(roots).values()}
    assert found == set(roots)
    assert roots.of(Role.RECEIVABLE) == "Vermoegen"
    assert roots.of(Role.PARTNER) == "Schulden"
    assert roots.of(Role.FEES) == "Ertraege"


def test_placeholders_are_filled_by_components() -> None:
    """Subscriber, plan and partner, in any place, also twice; a named component wins.

    The SHA-256 of "team 5" begins with 18d9e6.
    """
    named = accounts(
        {"u_8": "Acme"},
        tokens="Liabilities:{subscriber}:{plan}:{subscriber}",
        revenue="Income:Use:{plan}",
        breakage="Income:Lost",
        partner="Liabilities:P:{partner}",
    )
    assert named.account(Role.TOKENS, "u_8", "team 5") == "Liabilities:Acme:Team-5-18d9e6:Acme"
    assert named.account(Role.REVENUE, "u_8", "top-up") == "Income:Use:Top-up"
    assert named.account(Role.BREAKAGE, "u_8", "grant") == "Income:Lost"
    assert named.account(Role.PARTNER, "u_8", "shop") == "Liabilities:P:Shop"
    assert named.component("u_8") == "Acme"
    assert named.component("bob") == "Bob"


@pytest.mark.parametrize("name", ["{plan}", "{subscriber}", "{partner}", "a{plan}b"])
def test_a_name_is_never_taken_for_a_placeholder(name: str) -> None:
    """Nothing that a name contains may change what is booked."""
    named = accounts(tokens="Liabilities:T:{subscriber}:{plan}")
    account = named.account(Role.TOKENS, name, "pro")
    assert account.endswith(":Pro")
    assert "{" not in account
    assert account.count(":") == 3


@pytest.mark.parametrize(
    ("role", "template"),
    [
        (Role.REVENUE, "Income:Compute:{plan}:{subscriber}"),
        (Role.TOKENS, "Liabilities:{plan}:{subscriber}"),
        (Role.TOKENS, "Liabilities:T-{subscriber}"),
        (Role.RECEIVABLE, "Assets:Receivable"),
        (Role.PARTNER, "Liabilities:{partner}:{subscriber}"),
        (Role.FEES, "Income:Fees:{subscriber}"),
    ],
)
def test_templates_that_can_serve(role: Role, template: str) -> None:
    """`{subscriber}` anywhere, `{plan}` in pockets, revenue, breakage and overage."""
    check_template(role, template, ROOTS)


@pytest.mark.parametrize(
    ("role", "template", "message"),
    [
        (Role.FEES, "Income:Fees:{plan}", "{plan} can't stand there; use {subscriber}"),
        (Role.RECEIVABLE, "Assets:{plan}", "{plan} can't stand there"),
        (Role.REVENUE, "Income:{partner}", "{partner} can't stand there; use {plan}, {subscriber}"),
        (Role.TOKENS, "Liabilities:{who}", "{who} can't stand there"),
        (Role.TOKENS, "Liabilities:Tokens", "must hold {subscriber}"),
        (Role.ALLOCATIONS, "Liabilities:A:{plan}", "must hold {subscriber}"),
        (Role.TOKENS, "Liabilities:{plan}-{subscriber}", "two placeholders in one component"),
        (Role.REVENUE, "Assets:Revenue", "outside the root Income: write Income:..."),
        (Role.RECEIVABLE, "Liabilities:R", "outside the root Assets"),
        (Role.PAYABLE, "Assets:P", "outside the root Liabilities"),
        (Role.REVENUE, "Income", "is not an account"),
        (Role.REVENUE, "Income:use", "is not an account"),
        (Role.REVENUE, "Income:Use:{plan", "is not an account"),
    ],
)
def test_templates_that_can_t(role: Role, template: str, message: str) -> None:
    """A pocket's account must be read back to its subscriber; the root must be the role's."""
    with pytest.raises(FieldError) as refused:
        check_template(role, template, ROOTS)
    assert message in str(refused.value)


def shared(plans: Collection[str] = (), **own: str) -> tuple[Role, Role] | None:
    """What the default accounts share with these of one's own in place of theirs."""
    return shared_account(DEFAULT | {Role(name): own[name] for name in own}, plans)


def test_a_pocket_shares_its_account_with_no_other_role() -> None:
    """Whatever the placeholders are called; other roles may share among themselves."""
    pocket = DEFAULT[Role.TOKENS]
    partner = pocket.replace("{subscriber}", "{partner}")
    assert shared() is None
    assert shared(payable=pocket) == (Role.TOKENS, Role.PAYABLE)
    assert shared(partner=partner) == (Role.TOKENS, Role.PARTNER)
    assert shared(allocations=pocket) == (Role.ALLOCATIONS, Role.TOKENS)
    assert shared(breakage=DEFAULT[Role.REVENUE]) is None


def test_a_pocket_shares_no_account_for_a_name_that_somebody_could_have() -> None:
    """A subscriber called "Sub-Alice", or "payable", would lie on the account of another role."""
    tokens = "Liabilities:DeferredRevenue:Tokens"
    assert shared(allocations=f"{tokens}:Sub-{{subscriber}}") == (Role.ALLOCATIONS, Role.TOKENS)
    assert shared(allocations=f"{tokens}:{{subscriber}}-Alloc") == (Role.ALLOCATIONS, Role.TOKENS)
    assert shared(payable=f"{tokens}:Payable") == (Role.TOKENS, Role.PAYABLE)
    assert shared(payable=f"{tokens}:Payable:{{subscriber}}") is None  # a component longer
    assert shared(payable="Liabilities:Deferred.evenue:Tokens:{subscriber}") is None
    assert shared(
        tokens="Liabilities:Tok-{subscriber}", allocations="Liabilities:{subscriber}-Al"
    ) == (
        Role.ALLOCATIONS,
        Role.TOKENS,
    )
    assert (
        shared(tokens="Liabilities:A-{subscriber}", allocations="Liabilities:B-{subscriber}")
        is None
    )
    assert (
        shared(tokens="Liabilities:A-{subscriber}-A", payable="Liabilities:A-A") is None
    )  # no name
    # one subscriber can't be two
    twice = "Liabilities:{subscriber}:Tok:{subscriber}"
    assert shared(tokens=twice, payable="Liabilities:P:Tok:Q") is None
    assert shared(tokens=twice, payable="Liabilities:P:Tok:P") == (Role.TOKENS, Role.PAYABLE)
    long = "Liabilities:A" + 60 * "b"
    assert shared(tokens=f"{long}:{{subscriber}}", partner="Liabilities:{partner}-Z:X") is None
    # only where the name of a plan that there is would do it
    assert shared(tokens="Liabilities:{plan}:{subscriber}") is None
    assert shared({"Payable"}, tokens="Liabilities:{plan}:{subscriber}") == (
        Role.TOKENS,
        Role.PAYABLE,
    )
    assert shared(
        {"Pro"}, tokens="Liabilities:{plan}:{subscriber}", payable="Liabilities:Pro:P"
    ) == (
        Role.TOKENS,
        Role.PAYABLE,
    )
    assert shared(
        {"Pro"}, tokens="Liabilities:{plan}:{subscriber}", partner="Liabilities:{partner}:P"
    ) == (
        Role.TOKENS,
        Role.PARTNER,
    )
    # two names at once, each in the place of a word of the other: manual/limits.md
    assert shared(tokens="Liabilities:{subscriber}:Tok") is None


@pytest.mark.parametrize(
    ("account", "found"),
    [
        (
            "Liabilities:DeferredRevenue:Tokens:Alice",
            PocketAccount(Pocket.TOKENS, "Alice", None),
        ),
        (
            "Liabilities:DeferredRevenue:Allocations:Alice-2bd806",
            PocketAccount(Pocket.ALLOCATIONS, "Alice-2bd806", None),
        ),
        ("Liabilities:DeferredRevenue:Tokens", None),
        ("Liabilities:DeferredRevenue:Tokens:Alice:Sub", None),
        ("Liabilities:DeferredRevenue:TokensX:Alice", None),
        ("Assets:Receivable:Alice", None),
    ],
)
def test_pockets_are_read_back(account: str, found: PocketAccount | None) -> None:
    """The subscriber's component out of the account; twice, because it is remembered."""
    read = accounts()
    assert read.pocket_account(account) == found
    assert read.pocket_account(account) == found


def test_pockets_with_plans_and_dots_are_read_back() -> None:
    """A component that stands twice must be the same twice; no character is a pattern."""
    read = accounts(tokens="Liabilities:{subscriber}:T-1:{plan}:{subscriber}")
    expected = PocketAccount(Pocket.TOKENS, "Alice", "Pro")
    assert read.pocket_account("Liabilities:Alice:T-1:Pro:Alice") == expected
    assert read.pocket_account("Liabilities:Alice:T-1:Pro:Bob") is None
    assert read.pocket_account("Liabilities:Alice:T11:Pro:Alice") is None


@pytest.mark.parametrize(
    ("account", "read"),
    [
        ("Assets:Receivable:Alice", OwedAccount(Role.RECEIVABLE, "Alice", None)),
        ("Liabilities:Payable:Alice", OwedAccount(Role.PAYABLE, "Alice", None)),
        ("Liabilities:Providers:Openai", OwedAccount(Role.PROVIDER, None, "Openai")),
        ("Liabilities:Partners:Shop", OwedAccount(Role.PARTNER, None, "Shop")),
        ("Assets:Receivable:Alice:Old", None),
        ("Assets:Bank", None),
        ("Income:Fees", None),
    ],
)
def test_an_account_of_what_is_owed_is_read_back(account: str, read: OwedAccount | None) -> None:
    """With whom its name names; an account of another depth or role is none."""
    assert accounts().owed_account(account) == read


def test_a_pooled_account_names_nobody_and_a_shared_one_is_of_the_first_role() -> None:
    """Payable and partners in one account: payable comes first."""
    pooled = accounts(
        receivable="Assets:Owed", payable="Liabilities:Owed", partner="Liabilities:Owed"
    )
    assert pooled.owed_account("Assets:Owed") == OwedAccount(Role.RECEIVABLE, None, None)
    assert pooled.owed_account("Liabilities:Owed") == OwedAccount(Role.PAYABLE, None, None)
