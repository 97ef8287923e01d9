"""Books that are written once more, under other terms: postings by hand, nothing asserted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Again, Facts
from beancount_compute.economy.meters import Provider
from tests.economy.building import (
    START,
    assertion,
    at,
    by_hand,
    consumption,
    day,
    first_letter_up,
    plan,
    purchase,
    subscription,
    terms,
    timeline,
    top_up,
)

ALICE = subscription("2026-05-01", "alice")
LOT = "allocations alice 300 CU {0.20 USD, 2026-05-01, pro/2026-06-01}"  # as the books have it
HALF = plan(price="100 USD")


def again(
    *events: Any, agreed: Any, stands: Again | None = None, exact: bool = False, **others: Any
) -> Bookkeeper:
    """Books written again: all postings may take lots by their label, or none."""
    places = frozenset([] if exact else [each.place for each in others.get("removals", ())])
    facts = Facts(events, again=stands or Again(by_label=places), **others)
    keeper = Bookkeeper(facts, agreed, first_letter_up)
    for _ in keeper.records():
        pass
    return keeper


def taken(keeper: Bookkeeper) -> list[tuple[str, Decimal]]:
    return [(f"{units:f}", lot.cost) for _, lot, units in keeper.taken]


def held(keeper: Bookkeeper) -> list[tuple[Decimal, Decimal]]:
    return [(units, lot.cost) for lot, units in keeper.lots()]


def test_a_posting_takes_the_very_lot_where_it_is_there() -> None:
    keeper = again(ALICE, agreed=terms(plan()), removals=[by_hand("2026-05-10", LOT)])
    assert (taken(keeper), held(keeper)) == ([("300", Decimal("0.20"))], [(700, Decimal("0.20"))])


def test_a_posting_takes_the_lot_of_its_date_and_label_at_another_cost() -> None:
    """300 CU that cost 0.20 in the books and 0.10 here."""
    keeper = again(ALICE, agreed=terms(HALF), removals=[by_hand("2026-05-10", LOT)])
    assert (taken(keeper), held(keeper)) == ([("300", Decimal("0.10"))], [(700, Decimal("0.10"))])
    assert not keeper.refusals


def test_a_posting_takes_several_lots_of_its_label_the_cheapest_first() -> None:
    """3 CU for 1.00: two at 0.333333, one at 0.333334."""
    agreed = terms(plan(price="1 USD", units="3 CU"))
    text = "allocations alice 2 CU {0.20 USD, 2026-05-01, pro/2026-06-01}"
    keeper = again(ALICE, agreed=agreed, removals=[by_hand("2026-05-10", text)])
    cheap = Decimal("0.333333")
    assert taken(keeper) == [("2", cheap)]
    text = text.replace("2 CU", "3 CU")
    keeper = again(ALICE, agreed=agreed, removals=[by_hand("2026-05-10", text)])
    assert taken(keeper) == [("2", cheap), ("1", Decimal("0.333334"))]
    assert held(keeper) == []


def test_the_very_lot_goes_before_others_of_its_label() -> None:
    """Two CU at 0.333334 are asked for, of which there is one: the other costs 0.333333."""
    agreed = terms(plan(price="1 USD", units="3 CU"))
    text = "allocations alice 2 CU {0.333334 USD, 2026-05-01, pro/2026-06-01}"
    keeper = again(ALICE, agreed=agreed, removals=[by_hand("2026-05-10", text)])
    assert taken(keeper) == [("1", Decimal("0.333334")), ("1", Decimal("0.333333"))]


def test_more_than_is_held_of_that_label_is_refused() -> None:
    """Nothing is taken then."""
    text = LOT.replace("300", "1001")
    keeper = again(ALICE, agreed=terms(HALF), removals=[by_hand("2026-05-10", text, 7)])
    assert [each.place for each in keeper.refusals] == [at(7)]
    assert (taken(keeper), held(keeper)) == ([], [(1000, Decimal("0.10"))])


def test_another_label_or_subscriber_is_no_lot() -> None:
    """Nor is that of a date on which nothing came."""
    wrong = [
        LOT.replace("alice", "bob"),
        LOT.replace("2026-05-01", "2026-05-02"),
        LOT.replace("pro/", "team/"),
        LOT.replace(" CU", " XU"),
    ]
    removals = [by_hand("2026-05-10", each, at) for at, each in enumerate(wrong)]
    keeper = again(ALICE, agreed=terms(HALF), removals=removals)
    assert len(keeper.refusals) == 4
    assert taken(keeper) == []


def test_a_posting_that_names_no_lot_of_the_books_names_none_here() -> None:
    """So that an empty scenario refuses what the books refuse; and a flaw stays one."""
    for exact, flaw in ((True, ""), (False, "a flaw")):
        removal = by_hand("2026-05-10", LOT, 7, flaw)
        keeper = again(ALICE, agreed=terms(HALF), exact=exact, removals=[removal])
        assert [each.place for each in keeper.refusals] == [at(7)]


def test_credits_are_taken_by_label_too() -> None:
    """100 OAI bought at 1.00; the posting says 0.50."""
    text = "prepaid openai 30 OAI {0.50 USD, 2026-05-01, openai}"
    bought = purchase("2026-05-01", "openai", "100 OAI", "100 USD")
    openai = {"openai": timeline(Provider("openai", day(START)))}
    agreed = terms()._replace(providers=openai)
    keeper = again(bought, agreed=agreed, removals=[by_hand("2026-05-10", text)])
    assert taken(keeper) == [("30", Decimal("1.00"))]


def test_late_events_see_what_a_posting_took() -> None:
    """Of 1000, 300 are taken by hand; a late use of 800 finds 700."""
    late = {day("2026-05-20"): [consumption("2026-05-12", "alice", "800 CU", line=3)]}
    removals = [by_hand("2026-05-10", LOT)]
    keeper = again(ALICE, agreed=terms(HALF), removals=removals, late=late)
    assert [each.place for each in keeper.refusals] == [at(3)]


def test_nothing_is_asserted_of_books_that_are_written_again() -> None:
    """An assertion only ends a merge of uses, as it did."""
    uses = [consumption(f"2026-05-0{each}", "alice", "1 CU") for each in (2, 4)]
    wrong = [assertion("2026-05-03", "revenue", "99 USD")]
    keeper = Bookkeeper(
        Facts([ALICE, *uses], assertions=wrong, again=Again()),
        terms(plan(), grain="month"),
        first_letter_up,
    )
    used = [each for each in keeper.entries() if each.kind == "consumption"]
    assert [str(each.date) for each in used] == ["2026-05-02", "2026-05-04"]
    assert not keeper.refusals


def test_the_last_closed_day_stands() -> None:
    """Events more than two years behind it are refused, however many they are."""
    first = top_up("2026-05-01", "alice", "1 CU", "1 USD")
    later = [top_up("2029-05-01", "alice", "1 CU", "1 USD", id=f"t-{at}") for at in range(3)]
    keeper = again(first, *later, agreed=terms(), stands=Again(day("2026-05-31")))
    assert len(keeper.refusals) == 3
    assert keeper.as_of == day("2026-05-31")
    assert len(keeper.lots()) == 1
