"""Lots go on as vintages did that were as old, and the interval holds what then comes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from beancount_compute.insight.forecast import Released, released
from beancount_compute.insight.going_on import going_on
from beancount_compute.insight.months_from import MonthsFrom
from beancount_compute.insight.vintage_flows import (
    AgedFlows,
    AlikeLots,
    HeldLots,
    Origin,
    VintageFlows,
)

PRO = Origin("pro", "CU", "USD")
LIFE, PAST = 6, 24


def test_months_end_with_the_day_or_with_the_month() -> None:
    last, middle = MonthsFrom(date(2026, 2, 28)), MonthsFrom(date(2026, 6, 15))
    assert [last.name_of(number) for number in (-1, 0, 1)] == ["2026-01", "2026-02", "2026-03"]
    assert [last.number_of(date(2026, 3, day)) for day in (1, 31)] == [1, 1]
    assert middle.name_of(1) == "2026-06-16 to 2026-07-15"
    days = date(2026, 5, 15), date(2026, 5, 16), date(2026, 6, 15), date(2026, 6, 16)
    assert [middle.number_of(day) for day in days] == [-1, 0, 0, 1]
    at_31 = MonthsFrom(date(2026, 12, 30))
    assert [at_31.number_of(date(2027, 2, 28)), at_31.number_of(date(2027, 3, 1))] == [2, 3]


def test_lots_go_on_by_age_and_lapse_at_their_end() -> None:
    """Of one: a quarter of it, then a tenth of 0.75; a fifth sold stays; then 0.675 lapse."""
    rates = {2: ("0.25", "0", "0.2"), 3: ("0.1", "0", "0")}
    known = {age: tuple(map(Decimal, of)) for age, of in rates.items()}

    def at(_: int, age: int) -> tuple[Decimal, Decimal, Decimal] | None:
        found = known.get(age)
        return (found[0], found[1], found[2]) if found else None

    def goes(lots: AlikeLots) -> list[tuple[int, str, str, str]]:
        went = going_on(lots, Decimal(1), 3, at)
        return [(w.ahead, f"{w.used:f}", f"{w.lapsed:f}", f"{w.sold:f}") for w in went]

    assert goes(AlikeLots(1, 3, True)) == [
        (1, "0.25", "0", "0.2"),
        (2, "0.075", "0", "0.00"),
        (3, "0", "0.675", "0"),  # older than any: nothing is known to be used
    ]
    assert goes(AlikeLots(1, 2, False))[1:] == [(2, "0", "0.75", "0")]  # it ends on the first day
    assert goes(AlikeLots(1, None, True))[-1] == (2, "0.075", "0", "0.00")


def test_rates_are_bounded_whatever_reversals_do() -> None:
    """More can be sold than there is, but no more used; nothing comes back."""
    rates = AgedFlows(*map(Decimal, ("100", "130", "-5", "150"))).rates()
    assert rates == (1, 0, Decimal("1.5"))


def world(seed: int) -> tuple[VintageFlows, np.ndarray]:
    """Vintages that are used and sold at rates which months share; what is open goes on in truth.

    They end after six months, on the first day of the seventh.
    """
    dice = np.random.default_rng(seed)
    shocks = np.exp(dice.normal(0, 0.2, PAST + LIFE))
    came = np.zeros((LIFE, 3))  # by month to come: used, lapsed, sold
    seen: dict[tuple[int, int], AgedFlows] = {}
    held: dict[AlikeLots, HeldLots] = {}
    for vintage in range(PAST):
        left = dice.uniform(800, 1200)
        for age, noise in enumerate(np.exp(dice.normal(0, 0.1, LIFE))):
            month = vintage + age
            used, sold = left * min(0.9, 0.2 * shocks[month] * noise), left * 0.1 * shocks[month]
            if month < PAST:
                numbers = (Decimal(repr(float(each))) for each in (left, used, 0, sold))
                seen[month - PAST + 1, age] = AgedFlows(*numbers)
            else:
                came[month - PAST] += used, 0, sold
            left -= used
            if month == PAST - 1:
                amount = Decimal(f"{left:.2f}")
                held[AlikeLots(age, LIFE - age, False)] = HeldLots(amount, amount)
        if vintage + LIFE >= PAST:
            came[vintage + LIFE - PAST, 1] += left
    return VintageFlows(seen, held), came


def test_intervals_hold_what_comes() -> None:
    """Of 100 seeds, in 90 to 99: what is used, lapses and is sold in a month, in three, in all."""
    asked = [
        (slice(0, 1), 0, 0),
        (slice(0, 3), 0, 0),
        (slice(0, 3), 1, 1),
        (slice(0, 3), 3, 2),
        (slice(None), 0, 0),
    ]
    held = [0] * len(asked)
    for seed in range(100):
        flows, came = world(seed)
        found = released({PRO: flows}, 1 - PAST, 200)["CU", "USD"]
        for at, (months, what, column) in enumerate(asked):
            ends = found.interval(months, [what])
            assert ends is not None
            held[at] += bool(ends[0] - 0.01 <= came[months, column].sum() <= ends[1] + 0.01)
    assert all(90 <= each <= 99 for each in held), held


@pytest.fixture(scope="module")
def found() -> Released:
    return released({PRO: world(1)[0]}, 1 - PAST)["CU", "USD"]


def test_all_that_is_held_goes_to_the_last_cent(found: Released) -> None:
    leaves = [row[what] for row in found.expected for what in range(3)]
    assert sum(leaves) + found.rest == found.held and found.rest == 0
    assert all(each == round(each, 2) for each in leaves)


def test_the_same_books_give_the_same_interval(found: Released) -> None:
    """Of whatever machine: these are the draws of the seed that the program has."""
    again = released({PRO: world(1)[0]}, 1 - PAST)["CU", "USD"]
    ends = found.interval(slice(0, 1), [0])
    assert ends == again.interval(slice(0, 1), [0])
    assert ends is not None
    assert [round(each, 2) for each in ends] == [387.73, 710.71]
