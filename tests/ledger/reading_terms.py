"""Terms of a ledger as text, read: for the tests of their lines and of those that stand."""

from __future__ import annotations

from beancount_compute.ledger.accounts import Roots
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.terms_in_force import LedgerTerms, read_terms
from tests.ledger.docstrings import directives


def read(text: str, *currencies: str) -> tuple[LedgerTerms, list[str]]:
    """The terms, and the errors as `line: message`; the first line of the text is line 1."""
    errors = Errors()
    terms = read_terms(directives(text), Roots(), list(currencies), errors)
    return terms, [f"{each.source['lineno']}: {each.message}" for each in errors.found]
