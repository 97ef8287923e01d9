"""Accounts: from a role and a subscriber to an account's name, and back for the two pockets.

2026-01-01 custom "compute-account" "breakage" Income:Breakage
2026-01-01 custom "compute-account" "tokens" "Liabilities:Contract:Tokens:{subscriber}"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from beancount.core.account import is_valid

from beancount_compute.economy import (
    OWED,
    POCKETS,
    ROLE_OF_POCKET,
    ROLES,
    STOCK,
    SUBSCRIBER,
    Pocket,
    Role,
    like,
    quoted,
)
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.names import component_of

METER = "{meter}"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Roots(NamedTuple):
    """The names of the root accounts that the plugin books on."""

    assets: str = "Assets"
    liabilities: str = "Liabilities"
    income: str = "Income"
    expenses: str = "Expenses"

    def of(self, role: Role) -> str:
        """The root under which a role's account must lie."""
        name: str = getattr(self, ROLES[role].root)
        return name


def default_templates(roots: Roots) -> dict[Role, str]:
    """The accounts of a ledger that names none."""
    return {role: f"{roots.of(role)}:{row.account}" for role, row in ROLES.items()}


def check_template(role: Role, template: str, roots: Roots) -> None:
    """Raise `FieldError` unless a template can serve a role."""
    allowed = ROLES[role].placeholders
    named = _PLACEHOLDER.findall(template)
    for name in named:
        if name not in allowed:
            choices = ", ".join(sorted(f"{{{each}}}" for each in allowed))
            raise FieldError(
                f"account {template}: {{{name}}} can't stand there; use {choices or 'none'}"
                f"{like(name, allowed)}"
            )
    if not is_valid(_PLACEHOLDER.sub("X", template)):
        raise FieldError(
            f"{quoted(template)} is not an account: write one such as {roots.of(role)}:Name"
        )
    if template.split(":")[0] != roots.of(role):
        raise FieldError(
            f"account {template} of {role} is outside the root {roots.of(role)}: "
            f"write {roots.of(role)}:...{like(template.split(':')[0], [roots.of(role)])}"
        )
    if ROLES[role].pocket:
        holder = ROLES[role].holder
        if holder not in named:
            raise FieldError(f"account {template} of {role} must hold {{{holder}}}")
        for part in template.split(":"):
            if len(_PLACEHOLDER.findall(part)) > 1:
                raise FieldError(
                    f"account {template} of {role}: two placeholders in one component can't be "
                    "told apart again"
                )


def shared_account(
    templates: Mapping[Role, str], plans: Collection[str]
) -> tuple[Role, Role] | None:
    """A pocket, or what is unbilled, and another role that would share accounts; None if none do.

    They do where the name of one subscriber or partner, or the component of one of these plans,
    makes an account of one an account of the other.
    """
    for pocket in (*ROLE_OF_POCKET.values(), Role.UNBILLED):
        for role, template in templates.items():
            pair = templates[pocket], template
            if role is not pocket and (_reads(*pair, plans) or _reads(*pair[::-1], plans)):
                return pocket, role
    return None


def _reads(template: str, other: str, plans: Collection[str]) -> bool:
    """Whether accounts of another template would be read as some of this one."""
    return any(plan in plans or "{}" in plan for plan in _read_as(template, other))


@lru_cache(4096)  # the same for every load of a ledger
def _read_as(template: str, other: str) -> frozenset[str]:
    """The plans under which accounts of another template would be read as some of this one.

    Those of anybody, "{}", and of one whose name holds the words beside a name here: with
    "{subscriber}-All" and "Tok-{subscriber}", the tokens of "{}-All".
    """
    accounts = re.compile(_as_regex(template))
    names = {"{}"} | {_PLACEHOLDER.sub("{}", part) for part in template.split(":") if "{" in part}
    found = (accounts.fullmatch(_PLACEHOLDER.sub(name, other)) for name in names)
    return frozenset(each.groupdict().get("plan", "{}") for each in found if each)


class PocketAccount(NamedTuple):
    """What the name of a pocket's account says."""

    pocket: Pocket
    subscriber: str  # as a component
    plan: str | None  # as a component, where the template names the plan


class OwedAccount(NamedTuple):
    """What the name of an account on which money is owed says."""

    role: Role
    subscriber: str | None  # as a component, where the template names the subscriber
    other: str | None  # as a component, where the template names the partner or provider


class Accounts:
    """The account of each role, subscriber and plan."""

    def __init__(
        self, templates: Mapping[Role, str], components: Mapping[str, str], roots: Roots
    ) -> None:
        self.roots = roots
        self._templates = dict(templates)
        self._components = components  # of subscribers that `compute-subscriber` names
        self._pocket_names = {
            pocket: re.compile(_as_regex(templates[role])) for role, pocket in POCKETS.items()
        }
        self._pocket_accounts: dict[str, PocketAccount | None] = {}
        self._stock_name = re.compile(_as_regex(templates[ROLE_OF_POCKET[STOCK]]))
        self._owed_names = {role: re.compile(_as_regex(templates[role])) for role in OWED}

    @property
    def named(self) -> frozenset[str]:
        """The subscribers to whom the ledger gives a component."""
        return frozenset(self._components)

    def component(self, subscriber: str) -> str:
        """The account component of a subscriber."""
        return self._components.get(subscriber) or component_of(subscriber)

    def account(self, role: Role, holder: str, origin: str) -> str:
        """The account of a role; `origin` is what its row names: the lot's plan, or the partner."""
        template = self._templates[role]
        if "{" not in template:
            return template
        of = ROLES[role].holder
        if of != "subscriber":
            account = template.replace(f"{{{of}}}", component_of(holder))
            return account.replace(METER, component_of(origin)) if METER in account else account
        account = template.replace(SUBSCRIBER, self.component(holder))
        named = f"{{{ROLES[role].names}}}"
        return account.replace(named, component_of(origin)) if named in account else account

    def pooled(self, role: Role, holder: str, origin: str) -> str:
        """The account of a role for all subscribers together; `origin` is as for one of them."""
        if ROLES[role].holder != "subscriber":
            return self.account(role, holder, origin)
        parts = self._templates[role].split(":")
        holder = f"{{{ROLES[role].holder}}}"
        kept = [part for part in parts if holder not in part]
        if len(kept) < 2:
            kept.append("Pooled")
        return re.sub(_PLACEHOLDER, component_of(origin or "none"), ":".join(kept))

    def branch(self, account: str) -> str:
        """The account above all those of its role, where it has no others below; else itself."""
        for template in self._templates.values():
            if "{" in template and re.fullmatch(_as_regex(template), account):
                above = template.partition("{")[0].rpartition(":")[0]
                below = {
                    each for each in self._templates.values() if f"{each}:".startswith(f"{above}:")
                }
                if ":" in above and below == {template}:
                    return above
        return account

    def account_of(self, role: Role, subscriber: str) -> str:
        """The account of a role for a subscriber; what else it names stands in braces."""
        return self._templates[role].replace(SUBSCRIBER, self.component(subscriber))

    def pocket_account(self, account: str) -> PocketAccount | None:
        """The pocket that an account is, with its subscriber; None for any other account."""
        try:
            return self._pocket_accounts[account]
        except KeyError:
            read = self._pocket_accounts[account] = self._read(account)
            return read

    def is_stock(self, account: str) -> bool:
        """Whether an account is that of a provider's credits."""
        return self._stock_name.fullmatch(account) is not None

    def stock_account(self, provider: str) -> str:
        """The account of a provider's credits."""
        return self.account(ROLE_OF_POCKET[STOCK], provider, "")

    def owed_account(self, account: str) -> OwedAccount | None:
        """The role of an account on which money is owed; the first that fits, of those sharing it.

        A template that names a subscriber fits any component: the caller knows the subscribers.
        """
        for role, name in self._owed_names.items():
            found = name.fullmatch(account)
            if found:
                parts = found.groupdict()
                other = parts.get("partner") or parts.get("provider")
                return OwedAccount(role, parts.get("subscriber"), other)
        return None

    def _read(self, account: str) -> PocketAccount | None:
        for pocket, name in self._pocket_names.items():
            found = name.fullmatch(account)
            if found:
                parts = found.groupdict()
                return PocketAccount(pocket, parts["subscriber"], parts.get("plan"))
        return None


def _as_regex(template: str) -> str:
    """The accounts of a template; a placeholder that comes twice must hold the same twice."""
    pieces: list[str] = []
    seen: set[str] = set()
    for at, piece in enumerate(_PLACEHOLDER.split(template)):
        if at % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece in seen:
            pieces.append(f"(?P={piece})")
        else:
            seen.add(piece)
            pieces.append(f"(?P<{piece}>[^:]+)")
    return "".join(pieces)
