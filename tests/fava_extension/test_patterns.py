"""Expressions of filters that could run for ever are refused, with the reason, before they run."""

from __future__ import annotations

import pytest

from beancount_compute.fava_extension.patterns import Costly, check_pattern
from tests.fava_extension.serving import Site

MANY = [40] * 10_000  # names of 40 characters

TOO_OFTEN = "is to be repeated"
NESTED = "a repetition or a choice stands within a repetition"
WAYS = "too many parts that match in many ways"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("a{99999999999}", TOO_OFTEN),
        ("a{1001}", TOO_OFTEN),
        ("(" * 5000, "is to be repeated too often, or nested too deeply"),
        ("a" * 5001, "it has more than 5,000 characters"),
        ("(a+)+$", NESTED),
        ("(a|a)*b", NESTED),
        ("(a?a?)*b", NESTED),
        ("(?:x+x+)+y", NESTED),
        ("((ab)*c)*", NESTED),
        ("a?" * 30 + "a" * 30, WAYS),
        ("(a?){30}a{30}", WAYS),
        ("(a|b|ab)" * 30, WAYS),
        ("(.*a){12}", WAYS),
        (".*.*.*.*x", WAYS),
        ("(?=.*.*).*.*x", WAYS),
    ],
)
def test_what_could_run_for_ever_is_refused(words: str, reason: str) -> None:
    """The classes of the attack, each a shape or two."""
    with pytest.raises(Costly, match=reason):
        check_pattern(words, MANY)


@pytest.mark.parametrize(
    "words",
    [
        "Alice",
        "^Income:(Fees|Breakage)$",
        "Assets:.*:Bank",
        ".*Receivable.*",
        "a{2,5}",
        "(?:Tokens|Allocations):[A-Z]",
        r"^t\-2026\-02\-10\-03\Z",
        "(",  # no expression: whoever tries it says so
    ],
)
def test_what_people_type_is_tried(words: str) -> None:
    """On ten thousand accounts."""
    check_pattern(words, MANY)


def test_what_few_names_bear_is_too_much_for_many() -> None:
    """Four parts without end, on the accounts of a small ledger."""
    check_pattern(".*.*.*.*x", [40] * 40)


@pytest.mark.parametrize("filter_name", ["account", "filter"])
@pytest.mark.parametrize("words", ["a{99999999999}", "(a+)+$", "a?" * 40 + "a" * 40])
def test_a_page_refuses_it_with_the_reason(market_year: Site, filter_name: str, words: str) -> None:
    """400, beside the controls, within no time; a filter of entries holds it as a text."""
    asked = {filter_name: f'payee:"{words}"' if filter_name == "filter" else words}
    answer = market_year.refusal("overview", **asked)
    assert "could take very long to try" in answer["error"]
    assert answer["refused"].keys() == {filter_name}
