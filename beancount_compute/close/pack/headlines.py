"""The figures at the top of the page, read from the tables below it.

Deferred revenue   9,438.89 USD   7,419.24 + 7,252.99 added - 5,233.34 released
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from beancount_compute.close.pack.pack_page import Headline
from beancount_compute.reports.charts import Chart
from beancount_compute.reports.tables import Cell, Table, shown

Cells = dict[str, Cell]
_KINDS = ("compute", "breakage", "fees", "partner_income", "overage")


def headlines(
    reports: Mapping[str, Sequence[Table]], charts: Sequence[Chart]
) -> Iterator[Headline]:
    """Deferred revenue, income, units held and the market of the month."""
    for chart in charts:
        if chart.name.startswith("deferred-revenue-"):
            yield _deferred(_cells(chart.table)[-1])
    for row in _of(reports, "revenue", "by-month"):
        parts = [f"{key.replace('_', ' ')} {shown(row[key])}" for key in _KINDS if row[key]]
        yield Headline("Income of the month", _amount(row, "total", "currency"), ", ".join(parts))
    held = _of(reports, "rollforward", "units-by-pocket")
    for row in held:
        if row["pocket"] == "total":
            pockets = [
                f"{each['pocket']} {shown(each['closing'])}"
                for each in held
                if each["commodity"] == row["commodity"] and each is not row
            ]
            yield Headline("Units held", _amount(row, "closing", "commodity"), ", ".join(pockets))
    for row in _of(reports, "market", "by-month"):
        price = f"{shown(row['price'])} {row['currency']}"
        traded = f"{shown(row['units'])} {row['commodity']} in {shown(row['trades'])} trades"
        yield Headline("Average price of the month", price, traded)


def _deferred(row: Cells) -> Headline:
    released = row["released"]
    taken = abs(released) if isinstance(released, Decimal) else released
    note = f"{shown(row['opening'])} + {shown(row['added'])} added - {shown(taken)} released"
    return Headline("Deferred revenue", _amount(row, "closing", "currency"), note)


def _amount(row: Cells, key: str, unit: str) -> str:
    return f"{shown(row[key])} {row[unit]}"


def _of(reports: Mapping[str, Sequence[Table]], report: str, name: str) -> list[Cells]:
    return [cells for table in reports[report] if table.name == name for cells in _cells(table)]


def _cells(table: Table) -> list[Cells]:
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]
