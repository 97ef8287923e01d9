"""Keys of plan lines that mean nothing beside what becomes of unused units: `check` notes them.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  token-expires: "12 months"    ->  of no effect: without `unused: "mint"` unused units lapse
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from beancount.core.data import Custom, Directive

from beancount_compute.economy import PLAN_KEYS, Terms, Unused, quoted
from beancount_compute.ledger.directives import place_of


def notes_of_idle_keys(entries: Iterable[Directive], terms: Terms) -> list[str]:
    """One note for each key without effect, in the order of the plans' lines."""
    plans = {plan.place: plan for offers in terms.plans.values() for plan in offers}
    found: list[str] = []
    for entry in entries:
        plan = plans.get(place_of(entry.meta)) if isinstance(entry, Custom) else None
        if plan is not None:
            found += [
                f"{plan.place}: `{key.name}` of plan {quoted(plan.name)} has no effect: it needs "
                f'`unused: "{key.needs}"`, and what a period leaves unused here '
                + _becomes(plan.unused)
                for key in PLAN_KEYS.values()
                if key.name in entry.meta and key.needs not in (None, plan.unused)
            ]
    return found


def _becomes(unused: Unused) -> str:
    match unused:
        case Unused.EXPIRE:
            return "lapses at once"
        case Unused.ROLLOVER:
            return "stays an allocation"
        case Unused.MINT:
            return "turns into tokens"
        case _:
            assert_never(unused)
