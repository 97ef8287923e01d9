"""Pictures of money: deferred revenue and its release, income, what is owed, breakage or market.

month    opening   added  released  closing
2026-05     0.00  400.00   -240.00   160.00     ->  three bars and a point on a line
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy import Pocket
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
    last,
    layout_of,
    line,
    numbers,
    parts,
    texts,
)
from beancount_compute.reports.intervals import Interval, first_named, names_between
from beancount_compute.reports.tables import TOTAL, Table, money, shown

_INCOME = {
    "compute": BLUE,
    "breakage": ORANGE,
    "fees": GREEN,
    "partner_income": PURPLE,
    "overage": RED,
    "access": TEAL,
    "refunds": GREY,
    "disputes": BROWN,
}
_POCKETS = {Pocket.ALLOCATIONS: BLUE, Pocket.TOKENS: PURPLE, Pocket.ACCESS: TEAL}
_MOVED = {"opening": GREY, "added": GREEN, "released": RED, "otherwise": ORANGE}
_OWED = {
    "receivables": BLUE,
    "unbilled": TEAL,
    "payables": ORANGE,
    "partners": PURPLE,
    "providers": RED,
}
_FIRST, _LAST = 2, -1  # the ages stand between the labels and the total
_COMPARED = (  # name, column, colour, and which of the two bars of a month it is part of
    ("lapsed, had there been no market", "lapsed", ORANGE, "breakage"),
    ("market, so far", "market", BLUE, "market"),
    ("still held", "held_amount", GREY, "market"),
)


def deferred_revenue(table: Table, at: str = "", *, in_units: bool = False) -> list[Chart]:
    """Opening, added, released and what else went of each month as bars, closing as a line.

    `at` names the end in words where the last month is not over; a table may be of open units.
    """
    what = "Open units are" if in_units else "Deferred revenue is"
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        months = texts(part, "month")
        data = [
            bar(key, months, floats(part, key), colour, currency)
            for key, colour in _MOVED.items()
            if key != "otherwise" or any(column(part, key))
        ]
        data.append(line("closing", months, floats(part, "closing"), BLUE, currency))
        if not in_units:
            data = in_money(data, currency)
        figure = figure_of(data, layout_of(currency, barmode="relative"))
        closing = f"{last(part, 'closing')} {currency}"
        caption = f"{what} {closing} at the end of {at or months[-1]}."
        title = f"Deferred revenue by month ({currency})"
        found.append(Chart(f"deferred-revenue-{currency}", title, part, figure, caption))
    return found


def income(table: Table) -> list[Chart]:
    """Income by kind and month, as stacked bars."""
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        months = texts(part, "month")
        data = [
            bar(key.replace("_", " "), months, floats(part, key), colour, currency)
            for key, colour in _INCOME.items()
            if _has(part, key)
        ]
        figure = figure_of(in_money(data, currency), layout_of(currency, barmode="relative"))
        caption = f"Income is {last(part, 'total')} {currency} in {months[-1]}."
        title = f"Income by kind and month ({currency})"
        found.append(Chart(f"income-{currency}", title, part, figure, caption))
    return found


def forward_release(table: Table) -> list[Chart]:
    """The month in which what is deferred is released at the latest, stacked by pocket."""
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        rows = {str(row[0]): numbers(part, row) for row in part.rows}
        months = [name for name in rows if name[0].isdecimal()]
        days = [first_named(Interval.MONTH, months[at]) for at in (0, -1)] if months else []
        every = names_between(Interval.MONTH, *days) if days else []
        names = [*every, *[name for name in rows if name not in months]]
        data = [
            bar(
                key,
                names,
                floats_of([rows.get(name, {}).get(key) for name in names]),
                colour,
                currency,
            )
            for key, colour in _POCKETS.items()
            if _has(part, key)
        ]
        figure = figure_of(in_money(data, currency), layout_of(currency, barmode="relative"))
        amounts = [cell for cell in column(part, "total") if isinstance(cell, Decimal)]
        total = shown(money(sum(amounts, Decimal()), currency))
        caption = (
            f"{total} {currency} are deferred; each amount stands in the month in which it lapses "
            "if it is not used before."
        )
        if _has(part, Pocket.ACCESS):
            caption += " Access is earned then."
        title = f"Deferred revenue by the month of its release at the latest ({currency})"
        found.append(Chart(f"forward-release-{currency}", title, part, figure, caption))
    return found


def _has(part: Table, key: str) -> bool:
    """Whether there is any of a figure whose column may be left out."""
    return any(each.key == key for each in part.columns) and any(column(part, key))


def breakage_or_market(table: Table) -> list[Chart]:
    """What unused units would have earned as breakage beside what the market made of them.

    Two bars a month: what is still held stands on what the market earned so far.
    """
    found: list[Chart] = []
    for (currency,), part in parts(table, "currency"):
        by_month = part._replace(rows=[row for row in part.rows if row[0] != TOTAL])
        months = texts(by_month, "month")
        data = [
            {**bar(name, months, floats(by_month, key), colour, currency), "offsetgroup": group}
            for name, key, colour, group in _COMPARED
        ]
        figure = figure_of(in_money(data, currency), layout_of(currency, barmode="relative"))
        gains = column(by_month, "gain_if_held_lapses")
        total = sum([gain for gain in gains if isinstance(gain, Decimal)], Decimal())
        caption = (
            f"If all that is still held lapses, the market will have earned "
            f"{shown(money(abs(total), currency))} {currency} "
            f"{'more' if total > 0 else 'less'} than breakage."
        )
        title = f"Breakage or market ({currency})"
        found.append(Chart(f"breakage-or-market-{currency}", title, part, figure, caption))
    return found


def by_age(totals: Table) -> list[Chart]:
    """What is owed to the operator and by it, by age; of the totals of the aging report."""
    found: list[Chart] = []
    for (currency,), part in parts(totals, "currency"):
        ages = [each.title.replace("\n", " ") for each in part.columns[_FIRST:_LAST]]
        data = [
            bar(str(row[0]), ages, floats_of(row[_FIRST:_LAST]), _OWED[str(row[0])], currency)
            for row in sorted(part.rows, key=lambda row: list(_OWED).index(str(row[0])))
        ]
        figure = figure_of(in_money(data, currency), layout_of(currency, barmode="group"))
        caption = "Days since the bill; a credit is what was paid beyond all bills."
        if any(row[0] == "unbilled" for row in part.rows):
            caption += " What is unbilled is as old as its use."
        found.append(
            Chart(f"by-age-{currency}", f"Owed, by age ({currency})", part, figure, caption)
        )
    return found
