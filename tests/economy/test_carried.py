"""The engine goes on from closed months, and books what comes late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from beancount_compute.economy.carried import Carried, Running, count_earned, running_period
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import NOWHERE, Event, names_of
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import JournalEntry, LotLeg, MoneyLeg
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.lots import key_of
from beancount_compute.economy.roles import Role
from beancount_compute.economy.state import EarlierPlan, Undo
from beancount_compute.economy.terms import Terms
from tests.economy.building import (
    Books,
    assertion,
    cancellation,
    consumption,
    day,
    entry_text,
    first_letter_up,
    lot,
    lots_shown,
    messages,
    one_period,
    plan,
    reversal,
    shown,
    spend,
    subscription,
    terms,
    text,
    timeline,
    top_up,
    trade,
)

MINTING = plan(unused="mint", token_expires="12 months", overage="0.30 USD")
LAST_DAY = day("2026-05-31")
FIRST_DAY = day("2026-06-01")


def carried(*lots: str, **more: Any) -> Carried:
    """The state at the end of May."""
    found = [lot(each) for each in lots]
    known = [*dict.fromkeys([*(each.holder for each, _ in found), *more.pop("known", ())])]
    return Carried(LAST_DAY, found, known, **more)


def running(name: str, start: str, end: str, plan: str = "pro", *, ended: bool = False) -> Running:
    """A subscription to a monthly plan, of which one period has begun."""
    first, last = day(start), day(end)
    place = NOWHERE
    return Running(f"s-{name}", name, plan, first, first.day, False, last, 1, ended, place)


def book(
    events: list[Event], agreed: Terms, state: Carried | None = None, **facts: Any
) -> tuple[Books, Bookkeeper]:
    keeper = Bookkeeper(Facts(events, **facts), agreed, first_letter_up, state)
    journal = list(keeper.entries())
    return Books(journal, keeper.prices(), keeper.refusals, keeper.lots(), keeper.as_of), keeper


def test_a_run_of_uses_ends_with_a_single_period_of_a_closed_month() -> None:
    """Alice's ends on 10 June: what she uses before and after it is not merged; bob's uses are."""
    tokens = ("tokens alice 9 CU {0.20 USD, 2026-05-01, top-up}",)
    tokens += ("tokens bob 9 CU {0.20 USD, 2026-05-01, top-up}",)
    state = carried(*tokens, period_ends=[("alice", day("2026-06-10"))])
    events = [
        consumption(on, name, "1 CU")
        for name in ("alice", "bob")
        for on in ("2026-06-09", "2026-06-10", "2026-06-11")
    ]
    books, _ = book(events, terms(grain="month"), state)
    found = [f"{each.date} {each.subscriber} {each.uses}" for each in books.journal]
    assert found == ["2026-06-09 alice 1", "2026-06-11 alice 2", "2026-06-11 bob 3"]


def test_lots_and_subscriptions_of_closed_months_go_on() -> None:
    """What alice left of May mints on the first of June, and her next period starts; bob, who
    cancelled in May, keeps his period until it ends; carol's ended long ago."""
    state = carried(
        "allocations alice 800 CU {0.2 USD, 2026-05-01, pro/2026-06-01}",
        "allocations bob 1000 CU {0.2 USD, 2026-05-15, pro/2026-06-15}",
        subscriptions=[
            running("carol", "2026-03-01", "2026-04-01", ended=True),
            running("alice", "2026-05-01", "2026-06-01"),
            running("bob", "2026-05-15", "2026-06-15", ended=True),
            running("dave", "2026-05-01", "9999-12-31", "ages", ended=True),
        ],
    )
    agreed = terms(MINTING, plan("ages", every="99999 months"), as_of="2026-06-15")
    books, keeper = book([], agreed, state)
    assert shown(books) == text("""
        2026-06-01 mint alice
          allocations alice 800 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice -800 CU {0.2 USD, 2026-05-01, pro/2027-06-01}
        2026-06-01 allocation alice
          receivable alice pro 200 USD
          allocations alice -1000 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
        2026-06-15 mint bob
          allocations bob 1000 CU {0.2 USD, 2026-05-15, pro/2026-06-15}
          tokens bob -1000 CU {0.2 USD, 2026-05-15, pro/2027-06-15}
    """)
    assert [entry.id for entry in books.journal][1] == "s-alice/2026-06-01"
    assert keeper.has_plan("ages") and not keeper.has_plan("other")


def test_subscriptions_to_a_plan_that_is_gone_end_and_the_others_run_on() -> None:
    """Alice's and bob's plan has no terms any more; bob had cancelled it. Carol's goes on."""
    state = carried(
        subscriptions=[
            running("alice", "2026-05-01", "2026-06-01", "gone"),
            running("bob", "2026-05-02", "2026-06-02", "gone", ended=True),
            running("carol", "2026-05-10", "2026-06-10"),
        ],
    )
    books, _ = book([], terms(MINTING, as_of="2026-06-10"), state)
    assert [entry.id for entry in books.journal] == ["s-carol/2026-06-10"]
    assert messages(books) == [
        f'0: unknown plan "gone": no compute-plan of that name on or before 2026-05-0{at}: write '
        "one, or check the name"
        for at in (1, 2)
    ]


def test_the_state_that_is_left_is_the_one_that_was_taken_over() -> None:
    """Lots, subscriptions, single periods, days of terms: nothing happened since."""
    late = lot("tokens bob 10 CU {0.3 USD, 2026-05-01, pro/2026-07-15}")[0]
    state = carried(
        "tokens alice 5 CU {0.2 USD, 2026-05-01, pro}",
        "allocations bob 7.5 CU {0.1 USD, 2026-05-02, pro/2026-07-01}",
        known=["carol"],
        subscriptions=[running("alice", "2026-05-01", "2026-07-01")],
        period_ends=[("bob", day("2026-07-15"))],
        terms_days={("bob", key_of(late)): day("2026-04-28")},
    )
    facts, agreed = Facts(()), terms(MINTING, as_of="2026-06-15")
    ends = [day("2026-06-15")]
    keeper = Bookkeeper(facts, agreed, first_letter_up, state, ends)
    assert list(keeper.entries()) == []
    left = keeper.states[ends[0]]
    lots = [[(*lot_held, units) for lot_held, units in each.lots] for each in (left, state)]
    assert sorted(lots[0], key=str) == sorted(lots[1], key=str)
    assert sorted(left.known) == sorted(state.known)
    assert left[3:6] == state[3:6]


def test_books_reach_at_least_the_last_closed_day() -> None:
    """Derived entries are made up to it, though no event lies there."""
    books, _ = book([], terms(MINTING), carried())
    assert books.as_of == LAST_DAY


def test_a_reversal_undoes_a_closed_event_on_its_own_lots() -> None:
    """100 CU used in May come back on 2 June; their end is past, so they mint at once."""
    used, _ = lot("allocations alice 100 CU {0.2 USD, 2026-05-01, pro/2026-06-01}")
    entry = JournalEntry(
        day("2026-05-20"),
        Kind.CONSUMPTION,
        "alice",
        "Consumption",
        [
            LotLeg(used, Decimal(100)),
            MoneyLeg(Role.REVENUE, "alice", "pro", Decimal(-20), "USD"),
        ],
        "u-1",
        None,
    )
    state = carried(known=["alice"], undo={"u-1": Undo(entry)})
    events = [reversal("2026-06-02", "u-1", id="v-1")]
    books, _ = book(events, terms(MINTING), state)
    assert lots_shown(books) == ["tokens alice 100 CU {0.2 USD, 2026-05-01, pro/2027-06-01}"]
    merged = carried(known=["alice"], undo={"u-1": Undo(entry._replace(uses=3))})
    books, _ = book(events, terms(MINTING), merged)
    assert "was merged with 2 other uses in a closed month" in messages(books)[0]
    assert not state.undo["u-1"].done


def test_assertions_count_on_from_the_closed_months() -> None:
    """160.00 are deferred when May ends, and still at the beginning of 2 June."""
    earned = {(Role.FEES, "bob", "USD"): Decimal("1.25")}
    state = carried("tokens alice 800 CU {0.2 USD, 2026-05-01, pro}", earned=earned)
    asserted = [
        assertion("2026-06-02", "deferred-revenue", "160 USD", line=1),
        assertion("2026-06-03", "deferred-revenue", "160 USD", line=2),
        assertion("2026-06-03", "fees", "1.25 USD", line=3),
    ]
    events = [consumption("2026-06-02", "alice", "10 CU")]
    for _ in range(2):  # the state is not used up
        books, _ = book(events, terms(MINTING), state, assertions=asserted)
        assert [refusal.place.line for refusal in books.refusals] == [2]


def test_late_events_come_before_all_else_on_the_terms_of_their_day() -> None:
    """The late trade of 20 May pays May's fee of 5 %, the one of 1 June June's of 10 %; the late
    use is booked before the mint of the day; the top-up's 12 months count from 25 May."""
    state = carried(
        "allocations alice 300 CU {0.2 USD, 2026-05-01, pro/2026-06-01}",
        "tokens alice 500 CU {0.2 USD, 2026-04-01, pro}",
        known=["bob"],
    )
    agreed = terms(MINTING, seller_fee={"2026-01-01": "0.05", "2026-06-01": "0.10"})
    late = {
        FIRST_DAY: [
            top_up("2026-05-25", "alice", "10 CU", "3 USD", id="l-3", expires="12 months"),
            consumption("2026-05-20", "alice", "50 CU", id="l-2"),
            trade("2026-05-20", "alice", "bob", "100 CU", "0.25 USD", id="l-1"),
        ]
    }
    events = [trade("2026-06-01", "alice", "bob", "100 CU", "0.25 USD", id="t-1")]
    books, _ = book(events, agreed, state, late=late)
    found = [(entry.id, str(entry.occurred or "")) for entry in books.journal]
    assert found == [
        ("l-1", "2026-05-20"),
        ("l-2", "2026-05-20"),
        ("l-3", "2026-05-25"),
        ("mint/alice/pro/2026-06-01/2026-05-01", ""),
        ("t-1", ""),
    ]
    assert {str(entry.date) for entry in books.journal} == {"2026-06-01"}
    fees = [
        leg.number
        for entry in books.journal
        for leg in entry.legs
        if isinstance(leg, MoneyLeg) and leg.role is Role.FEES
    ]
    assert [str(-fee) for fee in fees] == ["1.25", "2.50"]
    # it ends first of alice's tokens, so the trade of the day takes it first
    assert "tokens bob 10 CU {0.3 USD, 2026-06-01, top-up/2027-05-25}" in lots_shown(books)


def test_a_late_period_ends_under_the_terms_of_its_own_day() -> None:
    """A period of 20 May, booked on 1 June, ends on 20 June and mints, as May's terms say; those
    of June would let it lapse. Of two late ones neither takes the other's terms."""
    agreed = terms(MINTING, plan(since="2026-06-01", unused="expire"), as_of="2026-06-20")
    late = {FIRST_DAY: [one_period("2026-05-20", "alice", id="l-1")]}
    books, keeper = book([], agreed, carried(), late=late)
    assert lots_shown(books) == ["tokens alice 1000 CU {0.2 USD, 2026-06-01, pro/2027-06-20}"]
    came, _ = lot("allocations alice 1 CU {0.2 USD, 2026-06-01, pro/2026-06-20}")
    other, _ = lot("allocations alice 1 CU {0.2 USD, 2026-06-01, pro/2026-07-01}")
    assert keeper.terms_day_of(came) == day("2026-05-20")
    assert keeper.terms_day_of(other) == day("2026-06-01")


def test_a_late_reversal_mints_what_would_have_minted() -> None:
    """What it restores meets its end at once; that entry is derived, and no late event."""
    late = {
        FIRST_DAY: [
            consumption("2026-05-28", "alice", "100 CU", id="l-1"),
            reversal("2026-05-29", "l-1", id="l-2"),
        ]
    }
    state = carried("allocations alice 100 CU {0.2 USD, 2026-05-01, pro/2026-06-01}")
    books, _ = book([], terms(MINTING), state, late=late)
    assert [(entry.kind.value, entry.occurred is not None) for entry in books.journal] == [
        ("consumption", True),
        ("reversal", True),
        ("mint", False),
    ]


def test_a_term_says_since_when_it_holds() -> None:
    """The day of the value in force; the first of all days before any."""
    values = timeline({"2026-01-01": "a", "2026-06-01": "b"})
    assert values.since(day("2026-05-31")) == day("2026-01-01")
    assert values.since(day("2026-06-01")) == day("2026-06-01")
    assert values.since(day("2025-12-31")) == day("0001-01-01")


def test_an_event_names_subscribers_and_no_partner() -> None:
    """Both sides of a trade; of a spend only who spends."""
    both = trade("2026-06-01", "alice", "bob", "1 CU", "1 USD")
    assert names_of(both) == ["alice", "bob"]
    assert names_of(spend("2026-06-01", "alice", "shop", "1 CU", "1 USD")) == ["alice"]


def test_the_state_of_a_day_books_the_same_future() -> None:
    """What is handed on at the end of May is all that June needs: lots in both pockets, running and
    cancelled subscriptions, the single period that still runs, and who is known."""
    agreed = terms(MINTING, plan("basic", "30 USD", "300 CU", every="10 days"))
    events = [
        subscription("2026-04-20", "alice", id="s-a", line=1),
        subscription("2026-05-25", "bob", plan="basic", line=2),
        subscription("2026-05-03", "carol", line=3),
        cancellation("2026-05-20", "carol", line=4),
        one_period("2026-05-15", "dave", line=5),
        top_up("2026-05-16", "dave", "10 CU", "2 USD", line=6),
        consumption("2026-05-21", "alice", "300 CU", line=7),
    ]
    later = [
        trade("2026-06-10", "alice", "dave", "5 CU", "0.25 USD", line=8),
        consumption("2026-06-11", "carol", "2 CU", line=9),
        consumption("2026-06-20", "bob", "700 CU", line=10),
        top_up("2026-06-30", "erin", "1 CU", "1 USD", line=11),
    ]
    whole, _ = book([*events, *later], agreed)
    keeper = Bookkeeper(Facts([*events, *later]), agreed, first_letter_up, ends=[LAST_DAY])
    list(keeper.entries())
    state = keeper.states[LAST_DAY]
    assert state.last_day == LAST_DAY
    assert list(state.known) == ["alice", "bob", "carol", "dave"]
    assert [(each.subscriber, each.ended) for each in state.subscriptions] == [
        ("alice", False),
        ("bob", False),
        ("carol", True),
    ]
    assert list(state.period_ends) == [("dave", day("2026-06-15"))]
    after, _ = book(later, agreed, state)
    wanted = [entry_text(each) for each in whole.journal if each.date > LAST_DAY]
    assert len(wanted) > 8
    assert [entry_text(each) for each in after.journal] == wanted
    assert lots_shown(after) == lots_shown(whole)
    assert [each.place.line for each in whole.refusals] == [
        10
    ]  # 700 of 300, and basic has no overage
    assert messages(after) == messages(whole)


def test_what_months_earned_is_counted_leg_by_leg() -> None:
    """By role, subscriber and currency; income is above zero, and what is owed is none."""
    lot_leg = LotLeg(lot("tokens alice 5 CU {0.20 USD, 2026-05-01, top-up}")[0], Decimal(5))
    earned: dict[tuple[Role, str, str], Decimal] = {}
    for number in ("-1.00", "-0.50", "0.25"):
        legs = (
            lot_leg,
            MoneyLeg(Role.REVENUE, "alice", "top-up", Decimal(number), "USD"),
            MoneyLeg(Role.RECEIVABLE, "alice", "", Decimal(9), "USD"),
        )
        count_earned(earned, legs)
    count_earned(earned, [MoneyLeg(Role.FEES, "bob", "", Decimal(-3), "EUR")])
    assert earned == {
        (Role.REVENUE, "alice", "USD"): Decimal("1.25"),
        (Role.FEES, "bob", "EUR"): Decimal(3),
    }


def test_a_cancellation_of_a_closed_month_is_reversed_while_the_period_runs() -> None:
    """Cancelled on 20 May, in the period up to 15 June: taken back on 10 June, and the periods go
    on; on 16 June it has ended, and before its day there is nothing to reverse. Late, of 25 May, it
    is taken back as well, unless the period ended in a closed month."""
    agreed = terms(MINTING, as_of="2026-06-20")

    def after(back: Event, end: str = "2026-06-15") -> Books:
        of_ivy = running("ivy", "2026-05-15", end, ended=True)
        of_ivy = of_ivy._replace(cancelled=("c", day("2026-05-20")))
        state = carried(known=["ivy"], subscriptions=[of_ivy])
        late = {FIRST_DAY: [back]} if back.date < FIRST_DAY else {}
        facts = Facts([] if late else [back], late=late)
        keeper = Bookkeeper(facts, agreed, first_letter_up, state)
        return Books(list(keeper.entries()), [], keeper.refusals, keeper.lots(), keeper.as_of)

    for on in ("2026-06-10", "2026-05-25"):
        books = after(reversal(on, "c"))
        assert messages(books) == []
        assert [str(each.date) for each in books.journal] == ["2026-06-15"]
    (refused,) = messages(after(reversal("2026-06-16", "c")))
    assert refused.endswith('that "c" cancelled ended on 2026-06-15: write a new one')
    (refused,) = messages(after(reversal("2026-05-25", "c"), "2026-05-28"))
    assert refused.endswith('that "c" cancelled ended on 2026-05-28: write a new one')
    (refused,) = messages(after(reversal("2026-05-19", "c")))
    assert 'no event "c" was booked on or before 2026-05-19' in refused


def test_the_period_of_a_changed_subscription_began_with_the_change() -> None:
    """From basic to pro on 21 May: until 1 June. Unchanged it is May."""
    began = day("2026-05-01")
    of = Running("s", "alice", "pro", began, 1, False, day("2026-06-01"), 1, False, NOWHERE)
    agreed, on = terms(plan()), day("2026-05-25")
    assert running_period(agreed, of, on) == (began, day("2026-06-01"))
    changed = of._replace(earlier=(EarlierPlan("basic", day("2026-05-21")),), whole_since=began)
    assert running_period(agreed, changed, on) == (day("2026-05-21"), day("2026-06-01"))
