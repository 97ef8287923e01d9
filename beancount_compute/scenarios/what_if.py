"""What if: the books of a loaded ledger beside its scenarios. What the command and pages call.

what_if(booking, loaded.entries, scenarios)  ->  WhatIf, and errors
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from beancount.core.data import Custom, Directive, Transaction

from beancount_compute.booking import Booking
from beancount_compute.closed import lost_plans
from beancount_compute.economy import WIDE, ZERO, Terms
from beancount_compute.ledger import ORDER, TERM_TYPES, Errors, terms_of
from beancount_compute.scenarios.compared import WhatIf
from beancount_compute.scenarios.figures_of_runs import PartedBy, RunFigures
from beancount_compute.scenarios.merging import terms_under
from beancount_compute.scenarios.replaying import (
    Replayed,
    facts_of_all_days,
    replay,
    under_scenario,
)
from beancount_compute.scenarios.scenario_file import Scenario, read_scenario
from beancount_compute.scenarios.shared_by_plan import shared_by_plan
from beancount_compute.scenarios.side_by_side import side_by_side
from beancount_compute.scenarios.tally import DaysAsked, Tallied, by_account, sums_of_postings

ALL_DAYS = DaysAsked()


class CannotCompare(Exception):
    """Why the books can't be set beside scenarios."""


class UnderScenario(NamedTuple):
    """A scenario whose lines all stand, with the terms under it."""

    scenario: Scenario
    terms: Terms


def read_scenarios(
    booking: Booking, files: Iterable[tuple[str, str]], errors: Errors
) -> list[UnderScenario]:
    """The scenarios of names and files that can be booked; those with an error are left out."""
    of_ledger = _lines_of(booking)
    found: list[UnderScenario] = []
    for name, path in files:
        before = len(errors.found)
        scenario = read_scenario(name, path, errors)
        if len(errors.found) == before:
            terms = terms_under(scenario, of_ledger, booking.options, errors)
            if len(errors.found) == before:
                found.append(UnderScenario(scenario, terms))
    return found


def what_if(
    booking: Booking,
    entries: Iterable[Directive],
    scenarios: Sequence[UnderScenario],
    days: DaysAsked = ALL_DAYS,
    by: PartedBy = PartedBy.ALL,
) -> WhatIf:
    """The books beside scenarios; raises `CannotCompare` where the books can't be booked again.

    They are booked again as well: they must come out as they stand, to the digit, before anything
    is compared with them.
    """
    facts, accounts = facts_of_all_days(booking), booking.accounts
    agreed = booking.terms.terms
    share = None
    if by is PartedBy.PLAN:
        share = partial(shared_by_plan, _lines_of(booking), booking.options, days)
    again = partial(replay, facts, agreed, accounts, days, share)
    first = again() if facts.removals else None  # they are looked at before the scenarios are

    def under(terms: Terms) -> Replayed:
        return replay(under_scenario(facts, agreed, terms, first), terms, accounts, days, share)

    jobs: list[Callable[[], Replayed]] = [] if first else [again]
    jobs += [partial(under, each.terms) for each in scenarios]
    books, *others = [*([first] if first else []), *side_by_side(jobs)]
    written = [each for each in entries if isinstance(each, Transaction)]
    _check_books(books, booking, days)
    by_hand = sums_of_postings((each for each in written if ORDER not in each.meta), accounts, days)
    used = {key.account for outcome in (books, *others) for key in outcome.booked}
    by_hand = {key: number for key, number in by_hand.items() if key.account in used or key.role}
    runs = [_run(outcome, books, by_hand) for outcome in (books, *others)]
    scenario_runs = [(under.scenario, run) for under, run in zip(scenarios, runs[1:], strict=True)]
    return WhatIf(runs[0], scenario_runs, accounts, by)


def _lines_of(booking: Booking) -> list[Custom]:
    """The ledger's lines of terms, with the plans of closed months that are gone from it."""
    lines = [e for e in booking.entries if isinstance(e, Custom) and e.type in TERM_TYPES]
    said = terms_of(lines, booking.options, Errors())
    return [*lines, *lost_plans(said, booking.closed.terms)]


def _check_books(again: Replayed, booking: Booking, days: DaysAsked) -> None:
    """Refuse books that their events don't give again: a difference would have two causes."""
    generated = [each for each in booking.generated if isinstance(each, Transaction)]
    stand = by_account(sums_of_postings(generated, booking.accounts, days))
    found = by_account(again.booked)
    for at in sorted(stand.keys() | found.keys()):
        if stand.get(at, ZERO) != found.get(at, ZERO):
            month, account, currency = at
            when = f"in {month}" if month else f"before {days.start}"
            raise CannotCompare(
                f"the books are not what their events give again, so that nothing can be set "
                f"beside them: {account} has {stand.get(at, ZERO):f} {currency} {when}, booked "
                f"again {found.get(at, ZERO):f}: mend the errors of the ledger, and see "
                "bean-compute verify"
            )


def _run(outcome: Replayed, books: Replayed, written: Tallied) -> RunFigures:
    """The figures of a run: what it booked, what people wrote, and what that took otherwise."""
    other = _added(outcome.taken, books.taken, sign=-1)
    sums = _added(_added(outcome.booked, written), other)
    return RunFigures(sums, other, outcome.refusals, outcome.entries, outcome.shared)


def _added(one: Tallied, other: Tallied, sign: int = 1) -> Tallied:
    sums = dict(one)
    for key, number in other.items():
        sums[key] = WIDE.add(sums.get(key, ZERO), number if sign > 0 else number.copy_negate())
    return {key: number for key, number in sums.items() if number}
