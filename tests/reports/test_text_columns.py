"""Columns as lines of text: figures stay whole, names wrap, and nothing else is laid out anew."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.reports import text_columns
from beancount_compute.reports.tables import Column, Measure, Table
from beancount_compute.reports.text_columns import across, length, lines_of, text_column, wrapped
from beancount_compute.reports.text_face import render

NAMES = Column("name", "subscriber")
UNITS = Column("units", "units", Measure.UNITS)
EVENT = Column("event", "event", whole=True)


def test_a_line_is_as_wide_as_across_says() -> None:
    """The rule reaches to one cell before the end of the widest line."""
    columns = [text_column(NAMES, ["alice", "bob"]), text_column(UNITS, [Decimal(5), Decimal(70)])]
    lines = lines_of(columns, 80)
    assert lines == [
        "  subscriber   units",
        " " + "\u2500" * 20,
        "  alice            5",
        "  bob             70",
    ]
    assert across([each.width for each in columns]) == 22 == len(lines[1]) + 1


@pytest.mark.parametrize("width", [5, 12, 20, 30])
def test_a_figure_is_never_cut(width: int) -> None:
    """Not even where the terminal is narrower than the figure: the line is longer."""
    columns = [
        text_column(NAMES, ["a name of some length", "b"]),
        text_column(UNITS, [Decimal("1234567.891"), Decimal(3)]),
    ]
    text = "\n".join(lines_of(columns, width))
    assert "1,234,567.891" in text
    assert "\u2026" not in text


def test_a_number_in_a_column_of_text_is_never_cut_either() -> None:
    """Such as the amounts of many kinds that `check` shows."""
    columns = [text_column(Column("value", "value"), ["some words here", Decimal("1234567.891")])]
    assert any("1,234,567.891" in line for line in lines_of(columns, 8))


@pytest.mark.parametrize("width", [0, 1, 2, 8])
def test_a_column_of_empty_texts_keeps_room_for_its_heading(width: int) -> None:
    """Six cells at most, however narrow the terminal; and no line is broken into nothing."""
    memos = text_column(Column("memo", "memo"), ["", ""])
    lines = lines_of([memos, text_column(UNITS, [Decimal(7)] * 2)], width)
    assert lines[0] == "  memo   units"
    assert wrapped("two words", width)[-1].endswith("s")


def test_names_wrap_where_they_must_and_headings_with_them() -> None:
    """Six cells for a name; the heading takes the lines that it needs, and ends on the last."""
    columns = [text_column(NAMES, ["acme-labs"]), text_column(UNITS, [Decimal(1000)])]
    assert lines_of(columns, 18) == [
        "  subscr        ",
        "  iber     units",
        " " + "\u2500" * 16,
        "  acme-l   1,000",
        "  abs           ",
    ]


def test_beside_an_id_names_stay_whole_and_the_line_is_longer() -> None:
    """A name is as useless in two pieces as an id or a figure."""
    columns = [text_column(EVENT, ["e-b0480e1a4b65"]), text_column(NAMES, ["acme-laboratories"])]
    assert "  e-b0480e1a4b65   acme-laboratories" in lines_of(columns, 20)


def test_wide_characters_take_two_cells() -> None:
    """What stands behind a name in Chinese is aligned with the rest."""
    columns = [text_column(NAMES, ["\u4e2d\u6587", "bob"]), text_column(UNITS, [Decimal(1)] * 2)]
    assert {length(line) for line in lines_of(columns, 80)[2:]} == {20}


def test_what_fits_is_not_wrapped_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes milliseconds for each text; tens of thousands of rows go without it."""
    monkeypatch.setattr(text_columns, "Text", None)
    values = [Decimal(number) for number in range(20_000)]
    columns = [text_column(NAMES, ["somebody"] * 20_000), text_column(UNITS, values)]
    assert lines_of(columns, 80)[-1] == "  somebody     19,999"


def test_a_text_is_broken_at_spaces_and_else_anywhere() -> None:
    """No character is lost but the spaces at which it is broken."""
    assert wrapped("left out: unit, lot", 9) == ["left out:", "unit, lot"]
    assert wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_at_eighty_columns_a_name_stays_whole_and_figures_come_closer() -> None:
    """Seven figures of eight cells beside an address of eighteen: two cells between them, or parts;
    a name that leaves no room for a figure is broken."""
    figures = [Column(f"f{at}", f"f{at}", Measure.MONEY) for at in range(6)]
    numbers = [Decimal("4321.00")] * 6

    def shown(name: str, width: int) -> str:
        return render([Table("T", (NAMES, *figures), [(name, *numbers)] * 9)], width)

    assert "\n  u_51c0@example.org  4,321.00  4,321.00" in shown("u_51c0@example.org", 80)
    for width in (40, 60, 79):
        assert shown("u_51c0@example.org", width).count("u_51c0@example.org") % 9 == 0
        assert max(map(len, shown("u_51c0@example.org", width).splitlines())) <= width
    assert shown("x" * 60, 80).count("x" * 60) == 9 * 6
    assert "x" * 60 not in shown("x" * 75, 80)
