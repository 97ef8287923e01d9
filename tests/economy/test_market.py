"""The market: tokens change hands at carrying amount; only the fee is the operator's."""

from __future__ import annotations

from typing import Any

import pytest

from beancount_compute.economy.journal import LotLeg
from tests.economy.building import (
    Books,
    at,
    book,
    by_hand,
    cause,
    consumption,
    deferred,
    grant,
    income,
    lots_shown,
    messages,
    number,
    plan,
    refused_lines,
    reversal,
    shown,
    subscription,
    terms,
    text,
    top_up,
    trade,
    transfer,
)

ALICE = top_up("2026-05-01", "alice", "800 CU", "160 USD", expires="2027-06-01")
BOB = grant("2026-05-01", "bob", "1 CU")


def test_a_trade_moves_the_lot_and_keeps_the_fee() -> None:
    """500 x 0.25 = 125.00, 5 % of it 6.25: 118.75 for alice; the lot keeps cost, date and end."""
    sale = trade("2026-06-10", "alice", "bob", "500 CU", "0.25 USD", id="t", line=5)
    books = book([ALICE, BOB, sale], terms(seller_fee="0.05"))
    assert shown(books, "trade") == text("""
        2026-06-10 trade alice
          tokens alice 500 CU {0.2 USD, 2026-05-01, top-up/2027-06-01} @ 0.25 USD
          tokens bob -500 CU {0.2 USD, 2026-05-01, top-up/2027-06-01} @ 0.25 USD
          receivable bob 125 USD
          payable alice -118.75 USD
          fees alice -6.25 USD
    """)
    assert deferred(books) == "160"
    assert cause(books.journal[-1]) == ("t", at(5), "")
    assert books.journal[-1].narration == "Trade with bob"
    assert lots_shown(books)[1:] == [
        "tokens alice 300 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}",
        "tokens bob 500 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}",
    ]


def money(books: Books) -> dict[str, str]:
    """The money legs of the only trade, by role and holder."""
    (entry,) = [each for each in books.journal if each.kind == "trade"]
    return {
        f"{leg.role} {leg.holder} {leg.origin}".rstrip(): number(leg.number)
        for leg in entry.legs
        if not hasattr(leg, "lot")
    }


@pytest.mark.parametrize(
    ("units", "price", "options", "expected"),
    [
        # both fees: 100.00, seller 2.50, buyer 1.00
        (
            "400 CU",
            "0.25 USD",
            {"seller_fee": "0.025", "buyer_fee": "0.01"},
            {
                "receivable bob": "101",
                "payable alice": "-97.5",
                "fees alice": "-2.5",
                "fees bob": "-1",
            },
        ),
        # no fees at all
        ("400 CU", "0.25 USD", {}, {"receivable bob": "100", "payable alice": "-100"}),
        # the gross is rounded half-even: 3 x 0.335 = 1.005 -> 1.00; 5 % -> 0.05
        (
            "3 CU",
            "0.335 USD",
            {"seller_fee": "0.05"},
            {"receivable bob": "1", "payable alice": "-0.95", "fees alice": "-0.05"},
        ),
        # each fee is rounded half-even: 0.50 x 0.01 = 0.005 -> 0.00; 0.50 x 0.03 = 0.015 -> 0.02
        (
            "2 CU",
            "0.25 USD",
            {"seller_fee": "0.01", "buyer_fee": "0.03"},
            {"receivable bob": "0.52", "payable alice": "-0.5", "fees bob": "-0.02"},
        ),
        # the minimum applies after rounding, to each side whose rate is above zero
        (
            "2 CU",
            "0.25 USD",
            {"seller_fee": "0.01", "minimum_fee": {"USD": "0.10"}},
            {"receivable bob": "0.5", "payable alice": "-0.4", "fees alice": "-0.1"},
        ),
        # of another currency it does not
        (
            "2 CU",
            "0.25 USD",
            {"seller_fee": "0.1", "minimum_fee": {"EUR": "0.10"}},
            {"receivable bob": "0.5", "payable alice": "-0.45", "fees alice": "-0.05"},
        ),
        # no fee exceeds the gross: then nothing is left to pay out
        (
            "1 CU",
            "0.05 USD",
            {"seller_fee": "0.01", "buyer_fee": "0.01", "minimum_fee": {"USD": "0.10"}},
            {"receivable bob": "0.1", "fees alice": "-0.05", "fees bob": "-0.05"},
        ),
        # a fixed fee stands beside that of the rate: 100.00, 2.50 and 0.30 of alice, 0.10 of bob
        (
            "400 CU",
            "0.25 USD",
            {
                "seller_fee": "0.025",
                "seller_fixed_fee": {"USD": "0.30", "EUR": "9"},
                "buyer_fixed_fee": {"USD": "0.10"},
            },
            {
                "receivable bob": "100.1",
                "payable alice": "-97.2",
                "fees alice": "-2.5",
                "fees alice fixed": "-0.3",
                "fees bob fixed": "-0.1",
            },
        ),
        # the minimum is of the rate's fee, and both together are never above the gross of 0.50
        (
            "2 CU",
            "0.25 USD",
            {
                "seller_fee": "0.01",
                "minimum_fee": {"USD": "0.40"},
                "seller_fixed_fee": {"USD": "0.30"},
                "buyer_fixed_fee": {"USD": "0.60"},
            },
            {
                "receivable bob": "1",
                "fees alice": "-0.4",
                "fees alice fixed": "-0.1",
                "fees bob fixed": "-0.5",
            },
        ),
        # a rate of 1 takes all
        ("4 CU", "0.25 USD", {"seller_fee": "1"}, {"receivable bob": "1", "fees alice": "-1"}),
        # yen have no decimals: 7 x 0.5 = 3.5 -> 4; 12.5 % of 4 = 0.5 -> 0
        (
            "7 CU",
            "0.5 JPY",
            {"seller_fee": "0.125"},
            {"receivable bob": "4", "payable alice": "-4"},
        ),
    ],
)
def test_gross_and_fees(
    units: str, price: str, options: dict[str, Any], expected: dict[str, str]
) -> None:
    """Money that changes hands is rounded half-even to the minor unit
    (manual/language.md, section 5)."""
    sale = trade("2026-06-10", "alice", "bob", units, price)
    assert money(book([ALICE, BOB, sale], terms(**options))) == expected


def test_fees_are_those_of_the_day() -> None:
    """5 % until 10 June, from then on 10 %."""
    agreed = terms(seller_fee={"2026-01-01": "0.05", "2026-06-10": "0.1"})
    sales = [trade(f"2026-06-{n}", "alice", "bob", "4 CU", "0.25 USD") for n in ("09", "10")]
    assert income(book([ALICE, BOB, *sales], agreed), "fees") == "0.15"


def test_a_gross_that_rounds_to_zero_is_refused() -> None:
    """1 x 0.005 = 0.005 -> 0.00 half-even; 1 x 0.0051 -> 0.01."""
    sales = [
        trade("2026-06-10", "alice", "bob", "1 CU", "0.005 USD", line=1),
        trade("2026-06-10", "alice", "bob", "1 CU", "0.0051 USD", line=2),
    ]
    books = book([ALICE, BOB, *sales])
    assert messages(books) == [
        (
            "1: 1 CU at 0.005 USD is a gross that rounds to zero: "
            "trade more units, or at a higher price"
        )
    ]
    assert money(books) == {"receivable bob": "0.01", "payable alice": "-0.01"}


@pytest.mark.parametrize(
    ("move", "message"),
    [
        (
            trade("2026-06-10", "alice", "bob", "801 CU", "1 USD"),
            '"alice" sells 801 CU and holds 800 CU in tokens: write at most that',
        ),
        (
            trade("2026-06-10", "bob", "alice", "1 CU", "1 USD"),
            (
                '"bob" sells 1 CU and holds 0 CU in tokens, and 1 CU in allocations, which stay '
                "with their subscriber until a mint: write a later date, or a top-up before it"
            ),
        ),
        (
            trade("2026-06-10", "alice", "bob", "1 GPU", "1 USD"),
            (
                '"alice" sells 1 GPU and holds 0 GPU in tokens: write a top-up before it, or check '
                "the name, the units and the date"
            ),
        ),
        (
            trade("2026-06-10", "alice", "alice", "1 CU", "1 USD"),
            'seller is buyer: "alice" can\'t be on both sides',
        ),
        (
            trade("2026-06-10", "alice", "carol", "1 CU", "1 USD"),
            (
                'unknown subscriber "carol": needs a subscription, allocation, grant, opening '
                "lot or compute-subscriber on or before this day"
            ),
        ),
        (
            trade("2026-06-10", "carol", "alice", "1 CU", "1 USD"),
            (
                'unknown subscriber "carol": needs a subscription, allocation, grant, opening '
                "lot or compute-subscriber on or before this day"
            ),
        ),
        (
            transfer("2026-06-10", "alice", "bob", "801 CU"),
            '"alice" gives 801 CU and holds 800 CU in tokens: write at most that',
        ),
        (
            transfer("2026-06-10", "alice", "alice", "1 CU"),
            'giver is receiver: "alice" can\'t be on both sides',
        ),
    ],
)
def test_what_can_t_be_moved_is_refused(move: Any, message: str) -> None:
    """Beyond the holdings (allocations don't count), to oneself, or with someone unknown."""
    books = book([ALICE, BOB, move])
    assert messages(books) == [f"0: {message}"]
    assert shown(books, "trade", "transfer") == ""
    assert books.prices == []


def test_allocations_can_t_be_sold() -> None:
    """Only consumption, expiry, mint and refund take from allocations
    (manual/language.md, section 1)."""
    books = book(
        [
            subscription("2026-06-01", "carol"),
            BOB,
            trade("2026-06-10", "carol", "bob", "1 CU", "1 USD"),
        ],
        terms(plan()),
    )
    (message,) = messages(books)
    assert '"carol" sells 1 CU and holds 0 CU in tokens' in message


def test_a_transfer_moves_no_money() -> None:
    """The lot moves at carrying amount."""
    books = book([ALICE, BOB, transfer("2026-06-10", "alice", "bob", "300 CU")])
    assert shown(books, "transfer") == text("""
        2026-06-10 transfer alice
          tokens alice 300 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}
          tokens bob -300 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}
    """)
    assert books.journal[-1].narration == "Transfer to bob"
    assert books.prices == []


def test_a_lot_that_was_moved_still_ends_on_its_day() -> None:
    """Whoever holds it: bob's 300 end with alice's 500."""
    events = [
        ALICE,
        BOB,
        transfer("2026-06-10", "alice", "bob", "300 CU"),
        consumption("2027-06-01", "bob", "1 CU"),
    ]
    assert shown(book(events), "expiry") == text("""
        2027-06-01 expiry alice
          tokens alice 500 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}
          breakage alice top-up -100 USD
        2027-06-01 expiry bob
          tokens bob 300 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}
          breakage bob top-up -60 USD
    """)


def test_tokens_of_a_day_can_be_sold_on_the_same_day() -> None:
    """Moves run by time: bob sells at ten what he bought at nine; not the other way round."""
    carol = grant("2026-05-01", "carol", "1 CU")
    buy = trade("2026-06-10", "alice", "bob", "5 CU", "1 USD", time="09:00:00")
    sell = trade("2026-06-10", "bob", "carol", "5 CU", "1 USD", time="10:00:00")
    assert messages(book([ALICE, BOB, carol, sell, buy])) == []
    early = sell._replace(time="08:00:00")
    assert len(messages(book([ALICE, BOB, carol, early, buy]))) == 1


def prices(books: Books) -> list[str]:
    return [f"{p.date} {p.commodity} {number(p.price)} {p.currency}" for p in books.prices]


def test_the_price_of_a_day_is_the_volume_weighted_average() -> None:
    """(100 x 0.25 + 200 x 0.31) / 300 = 87 / 300 = 0.29; the written prices, not the gross.

    1 x 0.335 has a gross of 0.34 (half-even of 0.335), and a price of 0.335. Euros stand apart.
    """
    sales = [
        trade("2026-06-10", "alice", "bob", "100 CU", "0.25 USD"),
        trade("2026-06-10", "alice", "bob", "200 CU", "0.31 USD"),
        trade("2026-06-10", "alice", "bob", "1 CU", "5 EUR"),
        trade("2026-06-11", "alice", "bob", "1 CU", "0.335 USD"),
    ]
    assert sorted(prices(book([ALICE, BOB, *sales]))) == [
        "2026-06-10 CU 0.29 USD",
        "2026-06-10 CU 5 EUR",
        "2026-06-11 CU 0.335 USD",
    ]


def test_the_average_is_rounded_half_even_to_a_millionth() -> None:
    """(2 x 0.50 + 1 x 1.00) / 3 = 2 / 3 = 0.666667."""
    sales = [
        trade("2026-06-10", "alice", "bob", "2 CU", "0.5 USD"),
        trade("2026-06-10", "alice", "bob", "1 CU", "1 USD"),
    ]
    assert prices(book([ALICE, BOB, *sales])) == ["2026-06-10 CU 0.666667 USD"]


def test_the_price_of_a_trade_that_was_reversed_stays() -> None:
    """It was paid on that day (manual/language.md, section 5)."""
    sale = trade("2026-06-10", "alice", "bob", "100 CU", "0.25 USD", id="t")
    books = book([ALICE, BOB, sale, reversal("2026-06-11", "t")], terms(seller_fee="0.05"))
    assert messages(books) == []
    assert prices(books) == ["2026-06-10 CU 0.25 USD"]
    assert income(books, "fees") == "0"
    assert lots_shown(books)[1:] == ["tokens alice 800 CU {0.2 USD, 2026-05-01, top-up/2027-06-01}"]


def test_a_sale_out_of_several_lots_moves_each() -> None:
    """2 of 0.20 and 3 of 0.30, in the draw-down order of the day."""
    events = [
        top_up("2026-05-01", "alice", "2 CU", "0.40 USD"),
        top_up("2026-05-02", "alice", "9 CU", "2.70 USD"),
        BOB,
        trade("2026-06-10", "alice", "bob", "5 CU", "1 USD"),
    ]
    books = book(events)
    assert lots_shown(books)[1:] == [
        "tokens alice 6 CU {0.3 USD, 2026-05-02, top-up}",
        "tokens bob 2 CU {0.2 USD, 2026-05-01, top-up}",
        "tokens bob 3 CU {0.3 USD, 2026-05-02, top-up}",
    ]
    assert deferred(books) == "3.1"


def test_a_move_that_leaves_a_lot_of_too_many_digits_is_refused() -> None:
    """99999999999998.9999999999999 CU at 0.37 would stay: more than 28 digits."""
    events = [
        top_up("2026-05-01", "alice", "99999999999999 CU", "36999999999999.63 USD"),
        BOB,
        transfer("2026-06-10", "alice", "bob", "0.0000000000001 CU", line=2),
    ]
    (message,) = messages(book(events))
    assert message.startswith("2: the lots that this touches would need more than the 28 digits")


def test_a_move_that_would_melt_into_too_many_digits_is_refused() -> None:
    """1.0000000000001 CU, all that alice has, would lie with bob's 99999999999999 at 0.37."""
    held = {"alice": "1.0000000000001", "bob": "99999999999999"}
    openings = [
        by_hand("2026-05-01", f"tokens {name} {units} CU {{0.37 USD, 2026-04-01, top-up}}")
        for name, units in held.items()
    ]
    moves = [
        transfer("2026-06-10", "alice", "bob", "1.0000000000001 CU", line=1),
        trade("2026-06-11", "alice", "bob", "1.0000000000001 CU", "1 USD", line=2),
    ]
    books = book(moves, openings=openings)
    assert [message[:2] for message in messages(books)] == ["1:", "2:"]
    assert all("28 digits" in message for message in messages(books))
    assert books.journal == []
    assert books.prices == []


# Sales of part of a lot, of all of it, and of more than one; what is refused leaves nothing behind

SALES = [
    top_up("2026-05-01", "a", "100 CU", "20 USD", id="older", expires="2026-08-01"),
    top_up("2026-05-01", "a", "100 CU", "3.33 USD", id="younger"),
    grant("2026-05-01", "b", "1 CU", id="grant"),
    grant("2026-05-01", "c", "1 CU", id="other"),
    # of part of the first lot: the buyer's first of it, and what melts into that
    trade("2026-05-02", "a", "b", "10.5 CU", "0.25 USD", id="t1", line=1),
    trade("2026-05-02", "a", "b", "0.5 CU", "100 USD", id="t2", line=2, memo="by phone"),
    trade("2026-05-03", "b", "c", "1 CU", "0.0333 EUR", id="t3", line=3),
    trade("2026-05-03", "b", "a", "1 CU", "30 JPY", id="t4", line=4, extra=(("x_desk", "2"),)),
    # all of the first lot; all of one and part of the next; into a holding without that lot
    trade("2026-05-04", "b", "c", "9 CU", "0.25 USD", id="t5", line=5),
    trade("2026-05-05", "a", "b", "100 CU", "0.25 USD", id="t6", line=6),
    trade("2026-05-06", "a", "c", "1 CU", "0.25 USD", id="t7", line=7),
    # refused: too much, nobody's, one's own, and a gross of nothing
    trade("2026-05-07", "a", "c", "999 CU", "0.25 USD", id="t8", line=8),
    trade("2026-05-07", "a", "nobody", "1 CU", "0.25 USD", id="t9", line=9),
    trade("2026-05-07", "a", "a", "1 CU", "0.25 USD", id="t10", line=10),
    trade("2026-05-07", "a", "c", "0.01 CU", "0.25 USD", id="t11", line=11),
    trade("2026-05-07", "a", "c", "1 EUR", "0.25 USD", id="t12", line=12),
    # and more digits than Beancount's of what would stay, or come together
    top_up("2026-05-08", "d", "80000000000000 CU", "808000000000 USD", id="much"),
    trade("2026-05-09", "d", "a", "0.00000000000001 CU", "1000000000000 USD", id="t13", line=13),
    trade("2026-05-10", "d", "a", "79999999999990 CU", "1 USD", id="t15", line=15),
    trade("2026-05-11", "d", "a", "0.00000000000001 CU", "1000000000000 USD", id="t16", line=16),
    transfer("2026-05-08", "a", "c", "1 CU", id="gift", line=14),
]


@pytest.mark.parametrize(
    "fees",
    [
        {},
        {"seller_fee": "0.05"},
        {"buyer_fee": "0.01", "minimum_fee": {"USD": "0.30"}},
        {"seller_fee": "0.05", "buyer_fee": "0.01", "minimum_fee": {"USD": "99"}},
    ],
)
def test_sales_are_booked_or_refused_whatever_the_fees(fees: dict[str, Any]) -> None:
    """Lines 8 to 13 and 16 are refused, as said above; no units come or go but with top-ups."""
    books = book(SALES, terms(plan(), **fees)._replace(money=frozenset({"EUR"})))
    assert refused_lines(books) == [8, 9, 10, 11, 12, 13, 16]
    assert sum(units for _, units in books.lots) == 100 + 100 + 1 + 1 + 80_000_000_000_000


def test_sales_follow_the_draw_down_order_of_their_day() -> None:
    """First the older lot, which came first; when the order turns, the younger one."""
    agreed = terms(plan(), draw_down={"2026-01-01": "fifo", "2026-05-03": "lifo"})
    events = [
        top_up("2026-05-01", "a", "100 CU", "20 USD", id="older"),
        top_up("2026-05-02", "a", "100 CU", "30 USD", id="younger"),
        grant("2026-05-01", "b", "1 CU", id="grant"),
        trade("2026-05-02", "a", "b", "1 CU", "0.25 USD", id="t1", line=1),
        trade("2026-05-03", "a", "b", "1 CU", "0.25 USD", id="t2", line=2),
    ]
    sold = [each.legs[0] for each in book(events, agreed).journal if each.kind == "trade"]
    assert [str(leg.lot.cost) for leg in sold if isinstance(leg, LotLeg)] == ["0.20", "0.30"]
