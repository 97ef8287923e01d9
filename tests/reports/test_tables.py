"""How columns of numbers are written, whatever the currencies of their rows."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.reports.tables import Cell, Measure, Pen


def texts(cells: list[Cell]) -> list[str]:
    return [str(cell) for cell in cells]


def test_money_is_written_with_the_decimals_of_the_currency_of_its_row() -> None:
    """1000.00 USD, 1000 JPY, 1000.000 KWD; more decimals where they are needed."""
    numbers = [Decimal("1E+3"), Decimal("1000.00"), Decimal(1000), Decimal("0.00250")]
    written = Pen().cells(Measure.MONEY, numbers, ["USD", "JPY", "KWD", "USD"], none_is_zero=True)
    assert texts(written) == ["1000.00", "1000", "1000.000", "0.0025"]


def test_equal_numbers_are_written_alike_whatever_their_form() -> None:
    """800 and 800.000, in one way of writing and in another one."""
    pen = Pen()
    numbers = [Decimal(800), Decimal("800.000"), Decimal("-0.5")]
    units = pen.cells(Measure.UNITS, numbers, ["", "", ""], none_is_zero=True)
    assert texts(units) == ["800", "800", "-0.5"]
    money = pen.cells(Measure.MONEY, numbers, ["USD"] * 3, none_is_zero=True)
    assert texts(money) == ["800.00", "800.00", "-0.50"]


def test_none_is_zero_in_a_sum_and_no_figure_elsewhere() -> None:
    """As is a whole column that nothing was added to, in rows of one currency or more."""
    pen = Pen()
    for numbers in ([None, None], None):
        for currencies, zeros in (
            (["USD", "USD"], ["0.00", "0.00"]),
            (["USD", "JPY"], ["0.00", "0"]),
        ):
            assert texts(pen.cells(Measure.MONEY, numbers, currencies, none_is_zero=True)) == zeros
            known = pen.cells(Measure.MONEY, numbers, currencies, none_is_zero=False)
            assert known == [None, None]


def test_zero_has_no_sign_whichever_comes_first() -> None:
    """A rate that rounds to nothing from below reads 0, and so does the next one."""
    rates = [Decimal("-0.000000"), Decimal("0.050000"), Decimal(), None]
    for each in (rates, rates[::-1]):
        written = texts(Pen().cells(Measure.RATE, each, [""] * 4, none_is_zero=False))
        assert sorted(written) == ["0", "0", "0.05", "None"]


def test_counts_and_days_are_whole_numbers() -> None:
    """And no rows have no cells."""
    assert Pen().cells(Measure.DAYS, [Decimal(30)], [""], none_is_zero=False) == [30]
    assert Pen().cells(Measure.COUNT, [], [], none_is_zero=True) == []
