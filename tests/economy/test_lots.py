"""Who holds which lots, and which one goes first."""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext

import pytest

from beancount_compute.economy.lots import Draw, DrawDown, Holding, Lot, cost_of, key_of
from beancount_compute.economy.rounding import EXACT
from tests.economy.building import lot, number

D = Decimal


def a_lot(cost: str, on: str, label: str) -> Lot:
    return lot(f"tokens alice 1 CU {{{cost}, {on}, {label}}}")[0]


def holding(order: DrawDown, *lots: tuple[Lot, str]) -> Holding:
    made = Holding(order)
    for each, units in lots:
        made.add(each, D(units))
    return made


def labels(draws: list[Draw]) -> list[str]:
    """What is drawn, as units and the lot's date and label."""
    return [
        f"{number(units)} {open_lot.lot.date} {open_lot.lot.label}" for open_lot, units in draws
    ]


def all_of(made: Holding, order: DrawDown) -> list[str]:
    return labels(made.plan(D(10**9), order)[0])


def test_a_label_names_origin_and_end() -> None:
    """`pro/2027-06-01`, or `pro` alone where there is no end."""
    assert a_lot("0.2 USD", "2026-05-01", "pro/2027-06-01").label == "pro/2027-06-01"
    assert a_lot("0.2 USD", "2026-05-01", "pro").label == "pro"


# One lot for every turn of the keys: A ends soonest, B is oldest, C is the newest, D is the dearest
# and E costs least; F and G differ in the origin alone, and have no end.
LOTS = {
    "A": ("1 USD", "2026-02-01", "pro/2026-06-01"),
    "B": ("1 USD", "2026-01-01", "pro/2026-07-01"),
    "C": ("1 USD", "2026-03-01", "pro/2026-07-01"),
    "D": ("3 USD", "2026-02-01", "pro/2026-07-01"),
    "E": ("0.5 USD", "2026-02-01", "pro/2026-07-01"),
    "F": ("1 USD", "2026-02-01", "a"),
    "G": ("1 USD", "2026-02-01", "b"),
    "H": ("9 EUR", "2026-02-01", "pro/2026-07-01"),
    "I": ("0.1 EUR", "2026-02-01", "pro/2026-07-01"),
}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # soonest end (A); then of July the oldest (B), of 1 February by currency and cost
        # (I, H, E, D), then C; no end comes last, by origin
        (DrawDown.EXPIRY, "ABIHEDCFG"),
        # the oldest (B); of 1 February the soonest end (A), July by cost (I, H, E, D), F, G
        (DrawDown.FIFO, "BAIHEDFGC"),
        # the newest (C); 1 February as before; the oldest (B)
        (DrawDown.LIFO, "CAIHEDFGB"),
        # EUR before USD; the dearest (D); of 1 USD the soonest end (A), July by age (B, C), none
        (DrawDown.HIFO, "HIDABCFGE"),
        # EUR before USD; the cheapest (E); 1 USD as before; the dearest
        (DrawDown.LOFO, "IHEABCFGD"),
    ],
)
@pytest.mark.parametrize("written", ["ABCDEFGHI", "IHGFEDCBA", "CFAHIBEGD"])
@pytest.mark.parametrize("begun_as", list(DrawDown))
def test_the_five_draw_down_orders(
    order: DrawDown, expected: str, written: str, begun_as: DrawDown
) -> None:
    """Its keys in turn; neither arrival nor an earlier order matters
    (manual/language.md, section 4)."""
    lots = {name: a_lot(*values) for name, values in LOTS.items()}
    made = holding(begun_as, *[(lots[name], "1") for name in written])
    names = {id(each): name for name, each in lots.items()}
    draws, missing = made.plan(D(9), order)
    assert "".join(names[id(open_lot.lot)] for open_lot, _ in draws) == expected
    assert missing == 0


def test_no_end_is_later_than_the_last_day_of_the_calendar() -> None:
    """No end counts as the latest, and 9999-12-31 is an end (manual/language.md, section 4)."""
    ending = a_lot("2 USD", "2026-01-01", "pro/9999-12-31")
    endless = a_lot("1 USD", "2026-01-01", "pro")
    for order in (DrawDown.EXPIRY, DrawDown.FIFO, DrawDown.LIFO):
        made = holding(order, (endless, "1"), (ending, "1"))
        assert labels(made.plan(D(1), order)[0]) == ["1 2026-01-01 pro/9999-12-31"]


def test_a_draw_takes_whole_lots_and_part_of_the_last() -> None:
    """5 of 3 + 4: 3 and 2; nothing is taken until it is."""
    old, new = a_lot("1 USD", "2026-01-01", "pro"), a_lot("1 USD", "2026-02-01", "pro")
    made = holding(DrawDown.EXPIRY, (new, "4"), (old, "3"))
    draws, missing = made.plan(D(5), DrawDown.EXPIRY)
    assert labels(draws) == ["3 2026-01-01 pro", "2 2026-02-01 pro"]
    assert missing == 0
    assert [each.units for each in made] == [3, 4]


def test_a_draw_says_what_is_missing() -> None:
    """8 of 7: all 7, and 1 is missing; 7 of 7: nothing is."""
    made = holding(DrawDown.EXPIRY, (a_lot("1 USD", "2026-01-01", "pro"), "7"))
    assert made.plan(D(8), DrawDown.EXPIRY)[1] == 1
    assert made.plan(D(7), DrawDown.EXPIRY)[1] == 0


def test_only_paid_lots_can_be_asked_for() -> None:
    """A refund passes over lots that cost nothing, whether they are larger or smaller."""
    free = a_lot("0 USD", "2026-01-01", "grant")
    paid = a_lot("1 USD", "2026-02-01", "pro")
    for units_free in ("1", "100"):
        made = holding(DrawDown.EXPIRY, (free, units_free), (paid, "10"))
        draws, missing = made.plan(D(4), DrawDown.EXPIRY, paid_only=True)
        assert labels(draws) == ["4 2026-02-01 pro"]
        assert missing == 0
        draws, missing = made.plan(D(15), DrawDown.EXPIRY, paid_only=True)
        assert labels(draws) == ["10 2026-02-01 pro"]
        assert missing == 5


def test_the_same_lot_melts_and_any_other_does_not() -> None:
    """One lot is one cost, currency, date, origin and end; 0.20 and 0.2 are one cost."""
    assert str(cost_of(D("0.2"), "USD")) == str(cost_of(D("0.2000"), "USD")) == "0.20"
    one = a_lot("0.2 USD", "2026-01-01", "pro/2026-02-01")
    made = holding(DrawDown.EXPIRY, (one, "3"))
    assert made.add(a_lot("0.20 USD", "2026-01-01", "pro/2026-02-01"), D(4)) is None
    others = [
        a_lot("0.3 USD", "2026-01-01", "pro/2026-02-01"),
        a_lot("0.2 EUR", "2026-01-01", "pro/2026-02-01"),
        a_lot("0.2 USD", "2026-01-02", "pro/2026-02-01"),
        a_lot("0.2 USD", "2026-01-01", "top-up/2026-02-01"),
        a_lot("0.2 USD", "2026-01-01", "pro"),
    ]
    for other in others:
        assert made.add(other, D(1)) is not None
    found = made.find(key_of(one))
    assert found is not None
    assert found.units == 7
    assert len(list(made)) == 6


def test_a_lot_that_is_empty_is_gone() -> None:
    """From the front, the middle and the end; what remains keeps its order."""
    lots = [a_lot("1 USD", f"2026-01-0{n}", "pro") for n in range(1, 6)]
    made = holding(DrawDown.FIFO, *[(each, "2") for each in lots])
    for at in (2, 0, 4):
        open_lot = made.find(key_of(lots[at]))
        assert open_lot is not None
        made.take(open_lot, D(2))
        assert made.find(key_of(lots[at])) is None
        assert open_lot.units == 0
    left = made.find(key_of(lots[1]))
    assert left is not None
    made.take(left, D("0.5"))
    assert all_of(made, DrawDown.FIFO) == ["1.5 2026-01-02 pro", "2 2026-01-04 pro"]


def test_a_carrying_amount_of_more_than_28_digits_is_refused_before_anything_is_taken() -> None:
    """99999999999999 - 0.00000000000001 has 28 digits, times 0.37 it has 30: Beancount would round.

    99999999999998.5 x 0.37 is exact. The plan raises where what stays in the lot is not.
    """
    made = holding(DrawDown.FIFO, (a_lot("0.37 USD", "2026-01-01", "pro"), "99999999999999"))
    with localcontext(EXACT):
        made.plan(D("0.5"), DrawDown.FIFO)
        with pytest.raises(Inexact):
            made.plan(D("0.00000000000001"), DrawDown.FIFO)
    assert [each.units for each in made] == [D(99999999999999)]
