"""Assertions from directives, and the ids that they may have."""

from __future__ import annotations

from itertools import permutations

from beancount_compute.ledger.assertion_directives import check_ids
from beancount_compute.ledger.errors import Errors
from tests.economy.building import assertion, at


def test_the_first_by_day_and_place_has_the_id_whatever_the_order() -> None:
    """The one of June, and of those of July both that say something else; 5.0 CU are 5 CU."""
    said = [
        assertion("2026-06-01", "tokens", "5 CU", line=9)._replace(id="a"),
        assertion("2026-07-01", "tokens", "5 CU", line=1)._replace(id="a"),
        assertion("2026-07-01", "tokens", "5 CU", line=2)._replace(id="a"),
        assertion("2026-06-01", "tokens", "5.0 CU", line=10)._replace(id="a"),
        assertion("2026-06-01", "tokens", "6 CU", line=3),
    ]
    for order in permutations(said):
        errors = Errors()
        check_ids(order, errors)
        assert [each.source["lineno"] for each in errors.found] == [1, 2]
        assert {each.message for each in errors.found} == {
            f'event id "a" stands for something else at {at(9)}: give this one an id of its own'
        }
