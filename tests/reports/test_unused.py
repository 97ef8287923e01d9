"""Which units go first, and which come back: every movement followed by itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.roles import Pocket
from beancount_compute.reports.facts import LotKey, Movement
from beancount_compute.reports.unused import Cohort, Follower, Outcome

DAY = date(2026, 6, 1)
LOT = LotKey(Decimal("0.20"), "USD", date(2026, 5, 1), "2026-05", "pro", None, None)


def moved(
    at: int,
    flow: Flow,
    who: str,
    units: int,
    day: date = DAY,
    *,
    pocket: Pocket = Pocket.TOKENS,
    lot: LotKey = LOT,
    undoes: bool = False,
) -> Movement:
    """A movement of one lot."""
    number = Decimal(units)
    month, amount = day.isoformat()[:7], number * lot.cost
    return Movement(
        day, month, flow, who, pocket, lot.origin, "CU", number, "USD", amount, lot, "", at, undoes
    )


def followed(*movements: Movement) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """What became of the units: the flow, and whose they are, how often sold, and how many."""
    return [
        (
            str(movement.flow),
            [
                (cohort.subscriber if cohort else "", sold, int(units))
                for cohort, sold, units in parts
            ],
        )
        for movement, parts, _, _ in Follower().follow(movements)
    ]


def whose(outcome: Outcome) -> list[tuple[str, int]]:
    """Whose units, and how many."""
    _, parts, _, _ = outcome
    return [(cohort.subscriber if cohort else "", int(units)) for cohort, _, units in parts]


def test_a_cohort_is_of_one_month_plan_subscriber_and_commodity() -> None:
    """Whatever the lots: June's two and July's one are used by their own cohorts."""
    other = LOT._replace(cost=Decimal("0.30"))
    movements = [
        moved(1, Flow.MINTED, "alice", 100),
        moved(2, Flow.MINTED, "alice", 100, lot=other),
        moved(4, Flow.MINTED, "alice", 100, date(2026, 7, 1)),
        moved(5, Flow.USED, "alice", -150),
        moved(5, Flow.USED, "alice", -10, lot=other),
    ]
    june, july = Cohort("2026-06", "pro", "alice", "CU"), Cohort("2026-07", "pro", "alice", "CU")
    cohorts = [[part[0] for part in parts] for _, parts, _, _ in Follower().follow(movements)]
    assert cohorts == [[june, july], [june]]


def test_what_has_no_cohort_is_passed_over() -> None:
    """Use of allocations, top-ups and grants, and postings that name no lot."""
    lots = [LOT._replace(origin=origin) for origin in ("top-up", "grant", "")]
    topped_up = [moved(2, Flow.USED, "bob", -5, lot=lot) for lot in lots]
    used = moved(1, Flow.USED, "bob", -5, pocket=Pocket.ALLOCATIONS)
    assert followed(used, *topped_up) == []


@pytest.mark.parametrize("opening", [Flow.OPENING, Flow.ENTERED])
def test_the_first_to_come_are_the_first_to_go(opening: Flow) -> None:
    """Bob's own 30 before the 20 of alice's, and opening tokens before both; 10 too many go
    nowhere."""
    assert followed(
        moved(0, opening, "bob", 5),
        moved(1, Flow.MINTED, "bob", 30),
        moved(2, Flow.MINTED, "alice", 20),
        moved(3, Flow.TRADED_OUT, "alice", -20),
        moved(3, Flow.TRADED_IN, "bob", 20),
        moved(4, Flow.USED, "bob", -40),
        moved(5, Flow.EXPIRED, "bob", -25),
    ) == [
        ("traded out", [("alice", 0, 20)]),
        ("used", [("", 0, 5), ("bob", 0, 30), ("alice", 1, 5)]),
        ("expired", [("alice", 1, 15)]),
    ]


def test_parts_that_are_alike_melt_into_one() -> None:
    """Two sales of one cohort lie together as one part of 50."""
    assert followed(
        moved(1, Flow.MINTED, "alice", 50),
        moved(2, Flow.TRADED_OUT, "alice", -20),
        moved(2, Flow.TRADED_IN, "bob", 20),
        moved(3, Flow.TRADED_OUT, "alice", -30),
        moved(3, Flow.TRADED_IN, "bob", 30),
        moved(4, Flow.SPENT, "bob", -50),
    )[-1] == ("spent", [("alice", 1, 50)])


def test_what_comes_back_is_what_went_last_with_its_day() -> None:
    """Alice uses 5 of her own, then her other 5 and 20 of bob's. 22 come back: bob's 20 and 2 of
    hers; then 6 more: 3 of that day and 3 of the first. They go again the other way round."""
    first, second = date(2026, 6, 20), date(2026, 6, 22)
    movements = [
        moved(1, Flow.MINTED, "alice", 10),
        moved(2, Flow.MINTED, "bob", 20),
        moved(3, Flow.TRANSFERRED_OUT, "bob", -20),
        moved(3, Flow.TRANSFERRED_IN, "alice", 20),
        moved(4, Flow.USED, "alice", -5, first),
        moved(5, Flow.USED, "alice", -25, second),
        moved(6, Flow.USED, "alice", 22, date(2026, 6, 25), undoes=True),
        moved(7, Flow.USED, "alice", 6, date(2026, 6, 26), undoes=True),
        moved(8, Flow.USED, "alice", -28, date(2026, 6, 27)),
    ]
    *_, undone, more, again = Follower().follow(movements)
    assert whose(undone) == [("bob", -20), ("alice", -2)]
    assert undone[3] == [second, second]
    assert whose(more) == [("alice", -3), ("alice", -3)]
    assert more[3] == [second, first]
    assert whose(again) == [("alice", 3), ("alice", 3), ("alice", 2), ("bob", 20)]


def test_an_undone_sale_gives_back_what_was_sold() -> None:
    """Carol's 10 came to bob later, in no sale: alice's 30 go back all the same, as never sold."""
    undo = {"undoes": True}
    assert followed(
        moved(1, Flow.MINTED, "alice", 30),
        moved(2, Flow.MINTED, "carol", 10),
        moved(3, Flow.TRADED_OUT, "alice", -30),
        moved(3, Flow.TRADED_IN, "bob", 30),
        moved(4, Flow.TRANSFERRED_OUT, "carol", -10),
        moved(4, Flow.TRANSFERRED_IN, "bob", 10),
        moved(5, Flow.TRADED_OUT, "alice", 30, **undo),
        moved(5, Flow.TRADED_IN, "bob", -30, **undo),
        moved(6, Flow.USED, "bob", -10),
        moved(7, Flow.USED, "alice", -30),
    ) == [
        ("traded out", [("alice", 0, 30)]),
        ("traded out", [("alice", 0, -30)]),
        ("used", [("carol", 0, 10)]),
        ("used", [("alice", 0, 30)]),
    ]
