"""Tables on a terminal: every digit, aligned, whatever the width."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rich.cells import cell_len

from beancount_compute.reports.books import Selection
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.tables import Column, Measure, Table, counted
from beancount_compute.reports.text_face import render
from tests.reports.story import STORY, books_of

NAMED = (Column("name", "name"), Column("currency", "currency"))


def wide(rows: int, figures: int = 9) -> Table:
    """A table of that many rows, with figures of seven digits; the last column is zero."""
    columns = [Column(f"f{at}", f"figure {at}", Measure.MONEY) for at in range(figures)]
    numbers = [Decimal("12345.67")] * (figures - 1)
    return Table(
        "Wide",
        (*NAMED, *columns),
        [(f"row {at}", "USD", *numbers, Decimal("0.00")) for at in range(rows)],
        "wide",
    )


def test_decimal_points_stand_below_each_other() -> None:
    """Numbers keep their own digits; shorter ones leave room behind them."""
    table = Table(
        "T",
        (Column("a", "a"), Column("b", "b", Measure.PRICE)),
        [("x", Decimal("0.25")), ("y", Decimal("1234.123456")), ("z", Decimal(7))],
    )
    lines = render([table], 80).splitlines()[-3:]
    assert [line.split() for line in lines] == [["x", "0.25"], ["y", "1,234.123456"], ["z", "7"]]
    assert lines[0].index(".") == lines[1].index(".")
    assert lines[2].index("7") + 1 == lines[1].index(".")


def test_few_rows_are_turned_on_their_side() -> None:
    """Figures become rows, labels stand on top; nothing is left out."""
    text = render([wide(2)], 80)
    assert "figure 8" in text
    assert text.count("12,345.67") == 16
    assert "Left out" not in text


def test_many_rows_name_their_currency_once_and_come_in_parts() -> None:
    """Zeros are left out and said to be; each part repeats the names."""
    text = render([wide(20)], 80)
    assert text.count("Wide, in USD") == 2
    assert text.count("row 19") == 2
    assert text.count("12,345.67") == 160
    assert "Left out: figure 8." in text


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_no_line_is_longer_than_the_terminal(name: str, width: int) -> None:
    """All reports of the story, at three widths."""
    selection = Selection(subscriber="bob")
    text = render(REPORTS[name].tables(books_of(STORY), selection), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert width < 80 or "…" not in text


def test_a_long_name_wraps_and_a_figure_never_does() -> None:
    """Names of any length and script, and no markup in them."""
    name = "[bold]" + "長い名前" * 20
    table = Table(
        "T",
        (Column("a", "a"), Column("b", "b", Measure.MONEY)),
        [(name, Decimal("1234567890.123456789"))],
    )
    text = render([table], 40)
    assert "1,234,567,890.123456789" in text
    assert text.count("長い") > 0 and "[bold]" in text


def test_a_list_of_single_things_is_never_turned() -> None:
    """Alice's statement has five lines: still one below the other, the least telling column out."""
    tables = REPORTS["statement"].tables(books_of(STORY), Selection(subscriber="alice"), "lines")
    text = render(tables, 80)
    assert "line   date         flow" in text
    assert "Left out: what, event, lot, pocket." in text


def test_long_names_wrap_before_anything_is_left_out() -> None:
    """The longest one may take less room than it would like."""
    table = wide(7, figures=5)
    table = table._replace(rows=[("a long name " * 8, *row[1:]) for row in table.rows])
    text = render([table], 100)
    assert "figure 4" in text and "Left out" not in text


def test_control_characters_of_a_name_are_shown_as_escapes() -> None:
    """Nothing that a name holds moves the cursor."""
    table = Table("T", (Column("a", "a"),), [("x\x1b[2Jy\nz",)])
    assert "x\\x1b[2Jy\\nz" in render([table], 80)


def test_a_table_without_rows_says_so() -> None:
    """One line instead of an empty frame."""
    assert render([Table("Late events", (Column("a", "a"),), [], "late")], 80) == (
        "Late events: none"
    )


def test_ids_and_places_are_never_broken() -> None:
    """What tells less is left out first; then the line is longer than the terminal."""
    table = Table(
        "T",
        (
            Column("event", "event", whole=True),
            Column("place", "place", whole=True),
            Column("narration", "narration", aside=1),
            Column("adds", "adds", Measure.UNITS),
        ),
        [("e-b0480e1a4b65", "events/2026-05.csv:19", "Consumption of a day", Decimal(-1))],
    )
    assert "Consumption" in render([table], 80)
    narrow = render([table], 48)
    assert "e-b0480e1a4b65   events/2026-05.csv:19     -1" in narrow
    assert narrow.endswith("\n  Left out: narration.")
    assert "e-b0480e1a4b65   events/2026-05.csv:19     -1" in render([table], 20)


def test_a_rate_does_not_push_amounts_from_under_their_heading() -> None:
    """Turned on its side, the amounts end where the heading ends."""
    rate = Column("rate", "rate", Measure.RATE)
    figures = (Column("a", "amount", Measure.MONEY), Column("b", "more", Measure.MONEY), rate)
    rows = [("2026-05", Decimal("140.00"), Decimal("-5.00"), Decimal("0.166667"))]
    table = Table("T", (Column("month", "month"), *figures), rows)
    lines = render([table], 30).splitlines()
    (head,) = [line for line in lines if "month" in line]
    assert next(line for line in lines if "amount" in line).endswith("140.00")
    assert {len(line) for line in lines[3:] if line.strip(" ─")} | {len(head)} == {len(head)}


def test_what_is_left_out_keeps_its_indent_when_it_wraps() -> None:
    """Every line of the note begins two columns in."""
    text = render([wide(20, figures=30)._replace(rows=[
        (f"row {at}", "USD", *[Decimal(0)] * 29, Decimal(1)) for at in range(20)
    ])], 60)  # fmt: skip
    note = text[text.index("  Left out: ") :].splitlines()
    assert len(note) > 1 and all(line.startswith("  ") for line in note)


def test_one_of_something_is_no_plural() -> None:
    """Errors, months and subscribers are counted in words."""
    assert [counted(number, "error") for number in (0, 1, 2, 1000)] == [
        *("0 errors", "1 error", "2 errors", "1,000 errors"),
    ]
