"""Growth: does trade grow with those who take part, and how fast?

    month    participants  trades   units  gross    fees
    2026-05            12      20    5000  1250.00  62.50

    fitted on    exponent   95 %            1 inside   2 inside
    levels           1.31   0.96 to 1.66         yes         no

Volume in proportion to participants is an exponent of 1; were every pair of them to trade, 2. Both
series grow with time, so the exponent is fitted on their levels and on their changes from month to
month: where the two disagree, time explains more than participants do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from beancount_compute.economy import ZERO
from beancount_compute.insight.estimates import FEWEST_MONTHS, TOO_FEW, Estimate, rate
from beancount_compute.insight.exponent import Exponent, line_of_levels, of_changes, of_levels
from beancount_compute.reports import Books, Column, Measure, Selection, Table, money
from beancount_compute.reports.facts import Trade
from beancount_compute.reports.tables import CURRENCY, MONTH, UNIT, Cell, Row

_COUNT = Measure.COUNT
_MONTHS = (
    MONTH,
    UNIT,
    CURRENCY,
    Column("participants", "participants", _COUNT),
    Column("sellers", "sellers", _COUNT),
    Column("buyers", "buyers", _COUNT),
    Column("trades", "trades", _COUNT),
    Column("units", "units", Measure.UNITS),
    Column("gross", "gross", Measure.MONEY),
    Column("fees", "fees", Measure.MONEY),
)
_EXPONENT = (
    UNIT,
    CURRENCY,
    Column("of", "of"),
    Column("fitted_on", "fitted on"),
    Column("points", "points", _COUNT),
    Column("k", "exponent", Measure.NUMBER),
    Column("low", "low\n95 %", Measure.NUMBER),
    Column("high", "high\n95 %", Measure.NUMBER),
    Column("one", "1\ninside"),
    Column("two", "2\ninside"),
)
_LINE = (
    MONTH,
    UNIT,
    CURRENCY,
    Column("participants", "participants", _COUNT),
    Column("units", "units", Measure.UNITS),
    Column("fitted", "by the\nexponent", Measure.UNITS),
    Column("low", "low\n95 %", Measure.UNITS),
    Column("high", "high\n95 %", Measure.UNITS),
)


def _tables(books: Books, selection: Selection) -> Iterator[Table]:
    by_market: defaultdict[tuple[str, str], defaultdict[str, list[Trade]]]
    by_market = defaultdict(lambda: defaultdict(list))
    for trade in selection.trades(books):
        by_market[trade.commodity, trade.currency][trade.month].append(trade)
    rows: list[Row] = []
    fits: list[Row] = []
    lines: list[Row] = []
    for market, months in sorted(by_market.items()):
        of_months = [_month(name, market, months[name]) for name in sorted(months)]
        rows += of_months
        fits += list(_fits(market, of_months))
        lines += list(_line(of_months))
    yield Table("Trade by month", _MONTHS, rows, "months")
    yield Table("Exponent of volume by participants", _EXPONENT, fits, "exponent")
    yield Table("Units by participants, and by the exponent of levels", _LINE, lines, "line")


def _month(name: str, market: tuple[str, str], trades: Sequence[Trade]) -> Row:
    commodity, currency = market
    stand = [each for each in trades if each.times > 0]
    sellers, buyers = {each.seller for each in stand}, {each.buyer for each in stand}
    fees = sum([each.seller_fee + each.buyer_fee for each in trades], ZERO)
    return (
        name,
        commodity,
        currency,
        len(sellers | buyers),
        len(sellers),
        len(buyers),
        sum(each.times for each in trades),
        sum([each.units for each in trades], ZERO),
        money(sum([each.gross for each in trades], ZERO), currency),
        money(fees, currency),
    )


def _fits(market: tuple[str, str], months: Sequence[Row]) -> Iterator[Row]:
    people = [_float(row[3]) for row in months]
    for what, place in (("units", 7), ("gross", 8), ("fees", 9)):
        volume = [_float(row[place]) for row in months]
        for on, fit in (("levels", of_levels), ("changes", of_changes)):
            yield (*market, what, on, *_shown(fit(people, volume)))


def _line(months: Sequence[Row]) -> Iterator[Row]:
    """Each month beside what the exponent makes of its participants."""
    people, units = ([_float(row[place]) for row in months] for place in (3, 7))
    traded = sum(volume > 0 for volume in units)
    for row, fitted in zip(months, line_of_levels(people, units), strict=True):
        known = 0 if fitted is None else 1 if traded < FEWEST_MONTHS else 3
        figures = [_significant(each) for each in (fitted or ())[:known]]
        yield *row[:4], row[7], *figures, *[None] * (3 - known)


def _significant(number: float) -> Decimal:
    """Four digits: more are not known."""
    return Decimal(f"{Decimal(f'{number:.4g}'):f}")


def _float(cell: Cell) -> float:
    assert isinstance(cell, int | Decimal)
    return float(cell)


def _shown(found: Exponent | None) -> Row:
    if found is None:
        return 0, None, None, None, TOO_FEW, TOO_FEW
    if found.points < FEWEST_MONTHS:
        return found.points, rate(found.k, 2), None, None, TOO_FEW, TOO_FEW
    inside = ["yes" if found.allows(k) else "no" for k in (1, 2)]
    return found.points, *[rate(each, 2) for each in (found.k, found.low, found.high)], *inside


GROWTH = Estimate("growth", ("months", "exponent", "line"), _tables)
