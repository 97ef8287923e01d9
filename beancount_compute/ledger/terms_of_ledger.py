"""A ledger's terms and accounts, from its entries and options: for the plugin and for reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from beancount.core.data import Custom, Directive

from beancount_compute.ledger.accounts import Accounts, Roots
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.term_directives import TERM_TYPES, LedgerTerms, read_terms


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


def accounts_of(entries: Iterable[Directive], options_map: dict[str, Any]) -> Accounts:
    """The accounts of a loaded ledger. What is wrong with its terms was reported on loading."""
    lines = [entry for entry in entries if isinstance(entry, Custom) and entry.type in TERM_TYPES]
    terms = terms_of(lines, options_map, Errors())
    components = {line.name: line.value for line in terms.introductions}
    return Accounts(terms.templates, components, roots_of(options_map))
