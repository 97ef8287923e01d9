"""Pictures of the two bills: price and cost of a unit, the margin by month, what providers hold.

month    price  first  second     ->  a bar of both bills, and the price as a line over it
2026-06   1.20   0.40    2.00
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from beancount_compute.reports.charts.traces import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    TEAL,
    Chart,
    bar,
    column,
    figure_of,
    floats,
    floats_of,
    in_money,
    layout_of,
    line,
    lying,
    lying_layout,
    parts,
    texts,
)
from beancount_compute.reports.served_facts import ShareOf
from beancount_compute.reports.tables import Table, money, shown

_FAINT = 0.6  # so that the line over bars is seen
# What the bars of a month are made of: their name and colour, and the bills that count there.
_EARNED = (("revenue of use", "use", BLUE), ("overage", "overage", TEAL))
_SPENT: tuple[tuple[str, str, frozenset[ShareOf], str], ...] = (
    ("first bill", "first", frozenset([ShareOf.USE]), ORANGE),
    (
        "variance and other",
        "first",
        frozenset([ShareOf.VARIANCE, ShareOf.NO_USE, ShareOf.ROUNDING]),
        BROWN,
    ),
    ("lapsed credits", "first", frozenset([ShareOf.LAPSED]), RED),
    ("second bill", "second", frozenset(ShareOf) - {ShareOf.IDLE}, PURPLE),
    ("idle capacity", "second", frozenset([ShareOf.IDLE]), GREY),
)
_IF_IT_ASKS = (
    ("margin", "margin", BLUE),
    ("at +10 %", "margin_at_10_percent", TEAL),
    ("at +50 %", "margin_at_50_percent", ORANGE),
    ("at +100 %", "margin_at_100_percent", RED),
)


def price_and_bills(table: Table) -> list[Chart]:
    """What a unit earns as a line, over what it costs: both bills as one bar."""
    found: list[Chart] = []
    for (commodity, currency), part in parts(table, "commodity", "currency"):
        months, unit = texts(part, "month"), f"{currency} per {commodity}"
        data = [
            bar("first bill", months, floats(part, "first"), ORANGE, unit),
            bar("second bill", months, floats(part, "second"), PURPLE, unit),
            line("price", months, floats(part, "price"), BLUE, unit),
        ]
        layout = layout_of(unit, barmode="relative")
        layout["yaxis"]["rangemode"] = "tozero"
        title = f"Price and both bills a unit of {commodity} ({currency})"
        caption = _above_or_below(part, unit)
        name = f"price-and-bills-{commodity}-{currency}"
        found.append(Chart(name, title, part, figure_of(data, layout), caption))
    return found


def _above_or_below(table: Table, unit: str) -> str:
    """Where the price of the last month lies."""
    compared = [row for row in table.by_key() if isinstance(row["above_both"], Decimal)]
    if not compared:
        return "Units earn in one currency and cost in another: nothing is compared."
    row = compared[-1]
    above = row["above_both"]
    assert isinstance(above, Decimal)
    where = f"{shown(abs(above))} {unit} {'above' if above >= 0 else 'below'} both bills"
    return (
        f"The price of {row['month']} is {shown(row['price'])} {unit}, {where}; variance of bills "
        "and lapsed credits are of no unit."
    )


def margin_by_month(table: Table) -> list[Chart]:
    """What was earned above the axis, what was paid for it below, and what is left as a line."""
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        months = sorted(set(texts(part, "month")))
        data = [
            bar(name, months, _of_months(months, _summed(part, key)), colour, currency)
            for name, key, colour in _EARNED
            if any(column(part, key))
        ]
        for name, key, lines, colour in _SPENT:
            spent = _summed(part, key, lines, sign=-1)
            if any(spent.values()):
                data.append(bar(name, months, _of_months(months, spent), colour, currency))
        for each in data:
            each["marker"]["opacity"] = _FAINT
        left = _summed(part, "after_both")
        data.append(line("margin after both", months, _of_months(months, left), GREEN, currency))
        earned = [each for _, key, _ in _EARNED for each in _summed(part, key).values()]
        amounts = [shown(money(sum(each, Decimal()), currency)) for each in (left.values(), earned)]
        caption = (
            f"After both bills {amounts[0]} {currency} are left of {amounts[1]} {currency} that "
            "use and overage earned."
        )
        figure = figure_of(in_money(data, currency), layout_of(currency, barmode="relative"))
        title = f"Margin by month ({currency})"
        found.append(Chart(f"margin-{currency}", title, part, figure, caption))
    return found


def _summed(
    table: Table, key: str, lines: frozenset[ShareOf] = frozenset(ShareOf), sign: int = 1
) -> dict[str, Decimal]:
    """A column of some lines, by month."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in table.by_key():
        number = row[key]
        if isinstance(number, Decimal) and row["line"] in lines:
            found[str(row["month"])] += sign * number
    return found


def _of_months(months: list[str], numbers: Mapping[str, Decimal]) -> list[float | None]:
    return floats_of([numbers.get(month, Decimal()) for month in months])


def exposed_to(table: Table) -> list[Chart]:
    """The margin that hangs on each provider, as it is and if that one asks more."""
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        names = texts(part, "provider")
        data = [
            lying(bar(name, names, floats(part, key), colour, currency))
            for name, key, colour in _IF_IT_ASKS
        ]
        layout = lying_layout(currency, len(names) * (len(data) + 1))
        title = f"Exposure to providers ({currency})"
        caption = "The margin of what each serves, and what it would be if that one asks more."
        figure = figure_of(in_money(data, currency), layout)
        found.append(Chart(f"exposure-{currency}", title, part, figure, caption))
    return found
