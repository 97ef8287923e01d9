"""Reversals on the day of their event: where they stand, and what they leave behind."""

from __future__ import annotations

import pytest

from beancount_compute.economy.events import Event
from tests.economy.building import (
    Books,
    book,
    consumption,
    deferred,
    grant,
    messages,
    plan,
    refund,
    reversal,
    shown,
    spend,
    subscription,
    terms,
    text,
    top_up,
    trade,
    transfer,
)

DAY = "2026-05-20"


def booked(*events: Event, overage: str = "1.50 USD") -> Books:
    """Ivy on a plan of 100 CU for 100.00 since 1 May, Bob with 10 tokens, and these events."""
    start = [subscription("2026-05-01", "ivy"), top_up("2026-05-01", "bob", "10 CU", "10 USD")]
    agreed = terms(plan(price="100 USD", units="100 CU", overage=overage))
    return book([*start, *events], agreed)


def kinds(books: Books) -> list[str]:
    """What was booked on the day, in order."""
    return [str(entry.kind) for entry in books.journal if entry.date.isoformat() == DAY]


def test_a_use_corrected_on_its_own_day_leaves_nothing_behind() -> None:
    """100 at ten, taken back at eleven, 80 at noon: revenue 80.00, 20 held, no overage."""
    books = booked(
        consumption(DAY, "ivy", "100 CU", id="u1", time="10:00:00"),
        reversal(DAY, "u1", time="11:00:00"),
        consumption(DAY, "ivy", "80 CU", time="12:00:00"),
    )
    assert messages(books) == []
    assert kinds(books) == ["consumption", "reversal", "consumption"]
    assert "overage" not in shown(books)
    assert deferred(books) == "30"  # 20 of ivy's and bob's 10


@pytest.mark.parametrize("time", ["", "09:00:00", "23:59:59"])
def test_the_time_of_a_correction_does_not_matter(time: str) -> None:
    """It names its event, and so it stands behind it."""
    books = booked(
        consumption(DAY, "ivy", "100 CU", id="u1", time="10:00:00"),
        consumption(DAY, "ivy", "80 CU", time="12:00:00"),
        reversal(DAY, "u1", time=time),
    )
    assert kinds(books) == ["consumption", "reversal", "consumption"]


def test_a_spend_and_a_refund_are_undone_where_they_stand() -> None:
    """Both take all of Bob's tokens; what comes back serves what stands behind."""
    books = booked(
        spend(DAY, "bob", "shop", "10 CU", "9 USD", id="s", time="10:00:00"),
        reversal(DAY, "s"),
        consumption(DAY, "bob", "4 CU"),
        refund(DAY, "bob", "6 CU", id="r", time="10:00:00"),
        refund(DAY, "bob", "1 CU", time="11:00:00"),
        reversal(DAY, "r"),
    )
    assert messages(books) == []
    assert kinds(books) == ["spend", "reversal", "consumption", "refund", "reversal", "refund"]


def test_a_trade_is_undone_at_once_where_nobody_needs_it() -> None:
    """The seller has the tokens again when the next buyer comes."""
    books = booked(
        trade(DAY, "bob", "ivy", "10 CU", "2 USD", id="t", time="10:00:00"),
        reversal(DAY, "t", time="11:00:00"),
        trade(DAY, "bob", "ivy", "8 CU", "3 USD", time="12:00:00"),
    )
    assert messages(books) == []
    assert kinds(books) == ["trade", "reversal", "trade"]


def test_a_trade_is_undone_last_where_its_buyer_uses_what_it_brought() -> None:
    """Ivy uses 105 of 100 + 10: undone at once she would be billed for 5. Then it can't be."""
    books = booked(
        trade(DAY, "bob", "ivy", "10 CU", "2 USD", id="t"),
        consumption(DAY, "ivy", "105 CU"),
        reversal(DAY, "t", line=7),
    )
    (message,) = messages(books)
    assert message.startswith("7: ")
    assert "would have to come back" in message
    assert "overage" not in shown(books)


def test_a_grant_is_undone_last_where_its_units_are_given_on() -> None:
    """The order of the books is kept for each reversal by itself."""
    books = booked(
        top_up(DAY, "ivy", "5 CU", "5 USD", id="one"),
        top_up(DAY, "ivy", "7 CU", "7 USD", id="two", time="09:00:00"),
        transfer(DAY, "ivy", "bob", "7 CU"),
        reversal(DAY, "one"),
        reversal(DAY, "two", line=9),
    )
    assert kinds(books)[:3] == ["allocation", "reversal", "allocation"]
    (message,) = messages(books)
    assert message.startswith("9: ")


def test_an_id_that_was_derived_is_found_as_well() -> None:
    """An event without an id has one from its content."""
    use = consumption(DAY, "ivy", "100 CU")
    found = booked(use).journal[-1].id
    books = booked(use, reversal(DAY, found), consumption(DAY, "ivy", "80 CU", time="12:00:00"))
    assert kinds(books) == ["consumption", "reversal", "consumption"]


def test_what_only_gives_nothing_is_as_it_was() -> None:
    """A grant that nobody used, taken back on its day: nothing is held of it."""
    books = booked(grant(DAY, "ivy", "5 CU", id="g"), reversal(DAY, "g"))
    assert shown(books, "reversal") == text("""
        2026-05-20 reversal ivy
          allocations ivy 5 CU {0 USD, 2026-05-20, grant}
    """)


def test_a_reversal_of_an_earlier_day_counts_among_what_is_tried_out() -> None:
    """Bob's trade of the day before comes back the day that his grant is taken back."""
    books = booked(
        trade("2026-05-19", "bob", "ivy", "10 CU", "2 USD", id="t"),
        grant(DAY, "bob", "5 CU", id="g"),
        consumption(DAY, "bob", "5 CU"),
        reversal(DAY, "g", line=5),
        reversal(DAY, "t"),
    )
    (message,) = messages(books)  # the grant is used: undone at once it would not be there
    assert message.startswith("5: ")
    assert "would have to come back" in message
    assert kinds(books) == ["grant", "consumption", "reversal"]


def chain(*times: str) -> Books:
    """20 CU from bob to cy, all of it to dan, who uses 5; each undone on 5 June at those times."""
    return book(
        [
            top_up("2026-05-01", "bob", "20 CU", "20 USD", id="a"),
            top_up("2026-05-01", "cy", "1 CU", "1 USD"),
            top_up("2026-05-01", "dan", "1 CU", "1 USD"),
            transfer("2026-05-02", "bob", "cy", "20 CU", id="b"),
            transfer("2026-05-03", "cy", "dan", "21 CU", id="d"),
            consumption("2026-05-04", "dan", "22 CU", id="c"),
            *(
                reversal("2026-06-05", event, time=time)
                for event, time in zip("abcd", times, strict=True)
            ),
        ],
        terms(),
    )


def test_a_chain_is_undone_on_one_day_latest_first() -> None:
    """Whatever the ids: c, d, b, a. What is left are the two top-ups of 1.00."""
    books = chain("", "", "", "")
    assert messages(books) == []
    assert [entry.event.reverses for entry in books.journal if entry.undoes] == [*"cdba"]
    assert deferred(books) == "2"


def test_a_time_orders_reversals_before_what_they_undo_does() -> None:
    """The one of the top-up comes first, and finds nothing with bob, nor that of the first
    transfer with cy."""
    books = chain("09:00:00", "09:00:00", "10:00:00", "10:00:00")
    assert [each.split(" of the lot")[0] for each in messages(books)] == ["0: 20 CU", "0: 20 CU"]
    assert [entry.event.reverses for entry in books.journal if entry.undoes] == [*"cd"]


def test_of_events_of_the_day_too_the_later_is_undone_first() -> None:
    """A transfer of 1 May and one back of today, both undone today: the later one stands behind
    the other on the day, and the first finds its units again."""
    books = book(
        [
            top_up("2026-05-01", "bob", "20 CU", "20 USD"),
            top_up("2026-05-01", "cy", "1 CU", "1 USD"),
            transfer("2026-05-01", "bob", "cy", "20 CU", id="a"),
            transfer(DAY, "cy", "bob", "21 CU", id="b"),
            consumption(DAY, "bob", "21 CU", id="c"),
            reversal(DAY, "a"),
            reversal(DAY, "b"),
            reversal(DAY, "c"),
            reversal(DAY, "nothing"),
        ],
        terms(),
    )
    assert [each.split(":")[1] for each in messages(books)] == [" nothing to reverse"]
    assert [entry.event.reverses for entry in books.journal if entry.undoes] == [*"cba"]
