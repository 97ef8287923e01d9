"""Trades between related parties, and units that come back to their seller."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.looking import findings, lines

HELD = "".join(
    f'2026-01-01 custom "compute-allocation" "{name}" 10000 CU 1000.00 USD\n'
    for name in ("ann", "bob", "cy")
)  # lines 3 to 5


def trade(day: str, seller: str, buyer: str, units: int = 500, extra: str = "") -> str:
    names = f'"{seller}" "{buyer}"'
    return f'2026-05-{day} custom "compute-trade" {names} {units} CU 0.10 USD\n{extra}'


def test_trades_between_related_subscribers_are_told_by_pair(tmp_path: Path) -> None:
    """Two of ann and bob, both of one group; cy is of another."""
    groups = "".join(
        f'2026-01-01 custom "compute-subscriber" "{name}"\n  related: "{group}"\n'
        for name, group in (("ann", "one"), ("bob", "one"), ("cy", "two"))
    )  # lines 6 to 11
    text = HELD + groups + trade("10", "ann", "bob") + trade("25", "bob", "ann", 20)
    (found,) = findings(tmp_path, text + trade("12", "ann", "cy"), "2026-05")
    assert (found.kind, found.place.line) == ("related", 12)
    assert found.text == (
        '"ann" and "bob" trade with each other and are both of "one": '
        "2026-05-10 ann to bob 500 CU; 2026-05-25 bob to ann 20 CU"
    )
    assert [(each.name, str(each.number)) for each in found.figures] == [
        ("trades", "2"),
        ("units", "520"),
    ]


def test_a_group_holds_from_its_day_until_another_line_ends_it(tmp_path: Path) -> None:
    """Related from 1 May, and not any more from 15 May."""
    text = HELD + '2026-01-01 custom "compute-subscriber" "ann"\n  related: "one"\n'
    text += '2026-05-01 custom "compute-subscriber" "bob" "Bob"\n  related: "one"\n'
    text += '2026-05-15 custom "compute-subscriber" "bob"\n  related: ""\n'
    text += trade("14", "ann", "bob") + trade("15", "ann", "bob")
    (found,) = findings(tmp_path, text, "2026-05")
    assert found.text.endswith(": 2026-05-14 ann to bob 500 CU")


@pytest.mark.parametrize(
    ("back", "told"), [("10", True), ("17", True), ("18", False)], ids=["day", "week", "more"]
)
def test_units_that_come_back_within_a_week_are_told(tmp_path: Path, back: str, told: bool) -> None:
    """500 CU from ann to bob, 480 CU back."""
    text = HELD + trade("10", "ann", "bob") + trade(back, "bob", "ann", 480)
    found = findings(tmp_path, text, "2026-05")
    assert lines(found) == [("circle", 7)] * told or lines(found) == [("circle", 6)] * told
    assert [each.text for each in found] == [
        (
            'units come back to who sold them, among "ann", "bob": 2026-05-10 ann to bob 500 CU; '
            f"2026-05-{back} bob to ann 480 CU"
        )
    ] * told


def test_the_option_says_how_long_it_may_take(tmp_path: Path) -> None:
    """With 0 only the same day counts."""
    option = '2026-01-01 custom "compute-option" "wash-days" 0\n'
    text = HELD + option + trade("10", "ann", "bob") + trade("11", "bob", "ann")
    assert findings(tmp_path, text, "2026-05") == []


@pytest.mark.parametrize(
    "text",
    [
        trade("10", "ann", "bob") + trade("12", "ann", "bob"),
        trade("10", "ann", "bob", extra='  id: "t"\n')
        + trade("12", "bob", "ann")
        + '2026-05-13 custom "compute-reversal" "t"\n',
        trade("10", "ann", "bob") + trade("11", "bob", "cy") + trade("12", "cy", "ann", 499),
        trade("12", "ann", "bob") + trade("11", "bob", "cy") + trade("10", "cy", "ann"),
        trade("10", "ann", "bob") + trade("11", "bob", "cy") + trade("18", "cy", "ann"),
        trade("10", "ann", "bob", 400) + trade("11", "bob", "cy") + trade("12", "cy", "ann"),
    ],
    ids=["one way", "reversed", "fewer", "the wrong way round", "too long", "more passed on"],
)
def test_what_is_no_circle_is_not_told(tmp_path: Path, text: str) -> None:
    """Sales one way, undone ones, and chains that pass on other units or end too late."""
    assert findings(tmp_path, HELD + text, "2026-05") == []


def test_the_same_units_round_three_are_told_once(tmp_path: Path) -> None:
    """Where the last one stands; in the month in which the circle closes."""
    text = HELD + trade("27", "ann", "bob") + trade("28", "bob", "cy")
    text += '2026-06-01 custom "compute-trade" "cy" "ann" 500 CU 0.10 USD\n'
    assert findings(tmp_path, text, "2026-05") == []
    assert ("circle", 8) in lines(findings(tmp_path, text, "2026-06"))


def test_the_id_changes_with_the_trades_of_a_circle_and_with_nothing_else(tmp_path: Path) -> None:
    """A third trade of the two asks for another answer; one of others does not."""
    two = trade("10", "ann", "bob") + trade("12", "bob", "ann")
    (one,) = findings(tmp_path, HELD + two, "2026-05")
    (same,) = findings(tmp_path, HELD + trade("11", "ann", "cy", 7) + two, "2026-05")
    (other,) = findings(tmp_path, HELD + two + trade("13", "ann", "bob", 7), "2026-05")
    assert one.id == same.id != other.id


def test_many_trades_of_a_circle_are_counted(tmp_path: Path) -> None:
    """Four are named."""
    text = "".join(trade(f"{day}", "ann", "bob") + trade(f"{day}", "bob", "ann") for day in "1234")
    text = text.replace("2026-05-", "2026-05-0")
    (found,) = findings(tmp_path, HELD + text, "2026-05")
    assert found.text.endswith("; and 4 more")
