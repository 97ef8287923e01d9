"""A ledger's terms and accounts, from its entries and options: for the plugin and for reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive

from beancount_compute.economy import Terms
from beancount_compute.ledger.accounts import Accounts, Roots
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.names import component_of
from beancount_compute.ledger.term_directives import TERM_TYPES
from beancount_compute.ledger.terms_in_force import LedgerTerms, read_terms


def roots_of(options_map: dict[str, Any]) -> Roots:
    """The ledger's own names of the roots."""
    return Roots(
        options_map["name_assets"], options_map["name_liabilities"], options_map["name_income"]
    )


def terms_of(
    directives: Iterable[Custom], options_map: dict[str, Any], errors: Errors
) -> LedgerTerms:
    """The terms that the term directives of a ledger state."""
    currencies = options_map["operating_currency"]
    return read_terms(directives, roots_of(options_map), currencies, errors)


class Agreed(NamedTuple):
    """What reports need to know of a ledger's terms."""

    terms: Terms
    accounts: Accounts
    introduced: dict[str, str]  # the components of whom a `compute-subscriber` line names


def read_terms_and_accounts(entries: Iterable[Directive], options_map: dict[str, Any]) -> Agreed:
    """The terms of a loaded ledger. What is wrong with them was reported on loading."""
    lines = [entry for entry in entries if entry.__class__ is Custom and entry.type in TERM_TYPES]
    found = terms_of(lines, options_map, Errors())
    introduced = {line.name: component_of(line.name) for line in found.known}
    introduced |= found.components
    accounts = Accounts(found.templates, introduced, roots_of(options_map))
    return Agreed(found.terms, accounts, introduced)


def accounts_of(entries: Iterable[Directive], options_map: dict[str, Any]) -> Accounts:
    """The accounts of a loaded ledger."""
    return read_terms_and_accounts(entries, options_map).accounts
