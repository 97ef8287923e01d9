"""Market: price, volume, fees and take rate over time, and the largest trades."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount.core.data import Price

from beancount_compute.economy import WIDE, ZERO
from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, controls, linked, page_of, words
from beancount_compute.fava_extension.page import (
    Page,
    last_shown,
    of_the_market,
    to_statements,
    transaction,
)
from beancount_compute.ledger import BULK_JOURNAL
from beancount_compute.reports import (
    CURRENCY,
    DATE,
    TOTAL,
    UNIT,
    Books,
    Cell,
    Column,
    DatedPrice,
    Interval,
    Measure,
    Selection,
    Table,
    Trade,
    first_named,
    last_of,
    until,
    written,
)
from beancount_compute.reports.charts import Chart, Drawing, fees_and_take_rate
from beancount_compute.reports.charts import market as price_and_volume
from beancount_compute.reports.market import market_by

FEW = 5  # days or months that a picture has room for at least
A_DAY = 86_400_000  # milliseconds
TRADES_A_PAGE = 20
# Filters of Fava's: trades, their reversals, and what months in bulk have of both
_TRADES = '#compute-trade, undoes:"trade"'
_WITH_BULK = f'{_TRADES}, (#compute-bulk "trade")'


def market(page: Page) -> list[Block]:
    """The view."""
    page.conversion(AT_COST, because="prices and fees are in the currency of the trades")
    interval = page.interval(Interval.MONTH)
    selection = page.asked.selection
    books = of_the_market(page)
    table = _dated(market_by(interval).tables(books, selection)[0])
    chosen = controls(page.intervals(Interval.MONTH), page.plans())
    if not table.rows:
        return [chosen, words("Nothing was traded in these days.")]
    return [
        chosen,
        *[
            page.numbers.chart(chart, page.numbers.paged(shown, page.asked.page, newest_first=True))
            for chart, shown in _charts(page, table, interval)
        ],
        _by_interval(page, table, interval),
        *_trades(page, books),
    ]


def _by_interval(page: Page, table: Table, interval: Interval) -> Block:
    """The table, newest first; each row leads to its trades and their reversals in the journal."""
    block = page.numbers.paged(table, page.asked.page, newest_first=True)
    title = "The trades of these days in the journal"
    names = [str(row[0]) for row in block["rows"]]
    trades = _TRADES if page.loaded.first_bulk_day is None else _WITH_BULK
    hrefs = [page.links.journal(trades, _time(page, interval, name)) for name in names]
    return linked(block, "date", [{"href": href, "title": title} for href in hrefs])


def _time(page: Page, interval: Interval, name: str) -> str:
    """Fava's time filter for the days of a row: of an interval, as far as they are asked for."""
    first = first_named(interval, name)
    last = last_of(interval, first)
    asked = page.asked.selection
    start, end = max(first, asked.start or first), min(last, asked.end or last)
    return name if (start, end) == (first, last) else f"{start} - {end}"


def _trades(page: Page, books: Books) -> list[Block]:
    """The trades in pages; each leads to its transaction in the journal, and to both statements."""
    bulk = page.loaded.books.bulk
    if bulk is not None and (page.asked.selection.end or bulk.first) >= bulk.first:
        return [words(f"{bulk.names} was booked in bulk, without single trades to list.")]
    at, asked = page.asked.page, page.asked.selection
    by_size = not page.hides_numbers
    trades = largest_trades(books, asked, TRADES_A_PAGE, at, by_size=by_size)
    block = page.numbers.table(trades.table, **trades.of_pages)
    links = [transaction(page, place) for place in trades.places]
    undone = sum(each.times < 0 for each in asked.trades(books))
    many = f"{undone:,} reversals of trades are" if undone > 1 else "1 reversal of a trade is"
    note = f"{many} counted in the tables above, and no trade of this list."
    block = linked(block, "event", links)
    for key in ("seller", "buyer"):
        block = to_statements(page, block, key)
    return [block, *([words(note)] if undone else [])]


def _dated(table: Table) -> Table:
    """The table with the first column under the name that the pictures know."""
    first = table.columns[0]._replace(key="date")
    return table._replace(columns=(first, *table.columns[1:]))


def _charts(page: Page, table: Table, interval: Interval) -> list[tuple[Chart, Table]]:
    """The pictures, each with its own columns of the table.

    Days lie on a line of time, other intervals side by side.
    """
    found: list[tuple[Chart, tuple[str, ...]]] = [
        (chart._replace(caption=f"{chart.caption}{_valued(page, chart.table)}"), _PRICE)
        for chart in price_and_volume(table)
    ]
    found += [(chart, _FEES) for chart in fees_and_take_rate(table)]
    for chart, _ in found:
        kind = "date" if interval is Interval.DAY else "category"
        chart.figure["layout"]["xaxis"]["type"] = kind
        _with_room(chart.figure)
    return [(chart, _only(chart.table, keys)) for chart, keys in found]


def _with_room(figure: Drawing) -> None:
    """Axes of some days at least, bars of a day, and a single price above nought."""
    data, layout = figure["data"], figure["layout"]
    axis = layout["xaxis"]
    names = sorted({name for trace in data for name in trace["x"]})
    if axis["type"] == "category":
        if len(names) == 1:
            axis["range"] = [-FEW / 2, FEW / 2]
    else:
        first, last = date.fromisoformat(names[0]), date.fromisoformat(names[-1])
        few = FEW - (last - first).days
        if few > 0:
            aside = (few + 1) // 2
            days = [_moved(first, -aside), _moved(last, aside)]
            axis.update(range=[str(day) for day in days], dtick=A_DAY, tickformat="%b %-d\n%Y")
        for trace in data:
            if trace["type"] == "bar":
                trace["width"] = A_DAY * 0.8
    if len({y for trace in data if "yaxis" not in trace for y in trace["y"]}) == 1:
        layout["yaxis"]["rangemode"] = "tozero"


def _moved(day: date, days: int) -> date:
    """So many days later, as far as there are days."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _valued(page: Page, table: Table) -> str:
    """The price at which the other views value what is held, where that is another one."""
    row = table.by_key()[-1]
    prices = until(page.loaded.books.prices, last_shown(page))
    pair = (row["commodity"], row["currency"])
    found = next((each for each in prices[::-1] if (each.commodity, each.currency) == pair), None)
    if found is None or found.number == row["price"]:
        return ""
    own = found.own and not _of_bulk(page, found)
    what = "the ledger's own price" if own else "the average"
    price = f"{found.number:,f} {found.currency} per {found.commodity}"
    return f" Tokens that are held are valued at {price}, {what} of {found.date}."


def _of_bulk(page: Page, price: DatedPrice) -> bool:
    """Whether the journal of a month in bulk gives a price: the average of its day."""
    return any(
        isinstance(each, Price)
        and (each.date, each.currency, each.amount.currency)
        == (price.date, price.commodity, price.currency)
        and os.path.basename(each.meta["filename"]) == BULK_JOURNAL
        for each in page.loaded.entries
    )


def _only(table: Table, keys: tuple[str, ...]) -> Table:
    return table.only([at for at, column in enumerate(table.columns) if column.key in keys])


_LABELS = ("date", "commodity", "currency")
_PRICE = (*_LABELS, "price", "low", "high", "units")
_FEES = (*_LABELS, "gross", "fees", "take_rate")


COLUMNS = (
    DATE,
    Column("event", "event"),
    Column("seller", "seller"),
    Column("buyer", "buyer"),
    UNIT,
    CURRENCY,
    Column("units", "units", Measure.UNITS),
    Column("price", "price", Measure.PRICE),
    Column("gross", "gross", Measure.MONEY),
    Column("fees", "fees", Measure.MONEY),
)


class Trades(NamedTuple):
    """Some of the trades, the places of their transactions, and which page of how many it is."""

    table: Table
    places: list[int]
    of_pages: dict[str, int]


def largest_trades(
    books: Books, selection: Selection, most: int, page: int = 1, *, by_size: bool = True
) -> Trades:
    """A page of the trades by gross, the earliest first among equals; without reversals.

    Where amounts are hidden no order may tell of them.
    """
    trades = [each for each in selection.trades(books) if each.times > 0]
    if by_size:
        trades.sort(key=lambda each: (-each.gross, each.at))
    kept, of_pages = page_of(trades, page, most)
    rows = [_row(books, each) for each in kept]
    title = "Trades, the largest first" if by_size else "Trades"
    table = Table(title, COLUMNS, rows, "largest", _totals(trades))
    return Trades(table, [each.at for each in kept], of_pages)


def _totals(trades: list[Trade]) -> tuple[tuple[Cell, ...], ...]:
    """Units, gross and fees of all trades, by unit and currency."""
    sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    with localcontext(WIDE):
        for each in trades:
            numbers = (each.units, each.gross, each.seller_fee + each.buyer_fee)
            pair = (each.commodity, each.currency)
            sums[pair] = [one + other for one, other in zip(sums[pair], numbers, strict=True)]
    found: list[tuple[Cell, ...]] = []
    for (commodity, currency), (units, gross, fees) in sorted(sums.items()):
        cells = _figures(currency, units, None, gross, fees)
        found.append((TOTAL, "", "", "", commodity, currency, *cells))
    return tuple(found) if len(trades) > 1 else ()


def _row(books: Books, trade: Trade) -> tuple[Cell, ...]:
    fees = trade.seller_fee + trade.buyer_fee
    return (
        str(trade.date),
        str(books.transactions[trade.at].meta.get("event", "")),
        trade.seller,
        trade.buyer,
        trade.commodity,
        trade.currency,
        *_figures(trade.currency, trade.units, trade.price, trade.gross, fees),
    )


def _figures(currency: str, *numbers: Decimal | None) -> list[Cell]:
    kinds = [column.kind for column in COLUMNS if column.is_figure]
    return [written(kind, each, currency) for kind, each in zip(kinds, numbers, strict=True)]
