"""A small ledger, and months of rows for it, as short words.

month(folder, "2026-05", use("20", "alice", 200))
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.month_run import BulkOutcome, MonthAsked, run_month
from beancount_compute.economy import Month

LEDGER = """\
option "title" "Small"
option "operating_currency" "USD"
plugin "beancount_compute"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
  overage: 0.30 USD
include "bulk/*/journal.beancount"
"""
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("date", pa.date32()),
        ("event", pa.string()),
        ("subscriber", pa.string()),
        ("counterparty", pa.string()),
        ("plan", pa.string()),
        ("units", pa.decimal128(38, 6)),
        ("commodity", pa.string()),
        ("price", pa.decimal128(38, 6)),
        ("paid", pa.decimal128(38, 6)),
        ("currency", pa.string()),
        ("reverses", pa.string()),
        ("discount", pa.decimal128(38, 6)),
        ("of", pa.string()),
        ("from_plan", pa.string()),
        ("now", pa.string()),
    ]
)
Row = dict[str, Any]


def use(day: str, name: str, units: object, **more: Any) -> Row:
    return _row("consumption", day, name, units=units, commodity="CU", **more)


def subscription(day: str, name: str, plan: str = "pro", **more: Any) -> Row:
    return _row("subscription", day, name, plan=plan, **more)


def one_period(day: str, name: str, plan: str = "pro", **more: Any) -> Row:
    return _row("allocation", day, name, plan=plan, **more)


def change(day: str, name: str, old: str, new: str) -> Row:
    return _row("change", day, name, from_plan=old, plan=new)


def top_up(day: str, name: str, units: object, paid: str, **more: Any) -> Row:
    money = {"paid": paid, "currency": "USD"}
    return _row("allocation", day, name, units=units, commodity="CU", **money, **more)


def trade(day: str, seller: str, buyer: str, units: object, price: str) -> Row:
    money = {"price": price, "currency": "USD"}
    return _row("trade", day, seller, counterparty=buyer, units=units, commodity="CU", **money)


def reversal(day: str, of: str) -> Row:
    return {"event": "reversal", "date": day, "reverses": of}


def money_back(kind: str, day: str, of: str, paid: str = "", **more: Any) -> Row:
    """A refund of money (of a subscriber), a chargeback, a write-off or a recovery."""
    money = {"paid": paid, "currency": "USD"} if paid else {}
    return {"event": kind, "date": day, "of": of, **money, **more}


def _row(kind: str, day: str, name: str, **more: Any) -> Row:
    return {"event": kind, "date": day, "subscriber": name, **more}


def begin(folder: Path, text: str = LEDGER) -> Path:
    """The ledger in a folder."""
    ledger = folder / "main.beancount"
    (folder / "bulk").mkdir(parents=True, exist_ok=True)
    ledger.write_text(text.replace('include "bulk/*/journal.beancount"\n', ""))
    return ledger


def events(folder: Path, month: str, *rows: Row, name: str = "") -> Path:
    """A file of rows, each with an id; days are of the month where they say no other."""
    path = folder / f"{name or month}.parquet"
    full = []
    for at, row in enumerate(rows):
        day = row["date"] if "-" in row["date"] else f"{month}-{row['date']}"
        written = [n for n in ("units", "price", "paid", "discount") if n in row]
        numbers = {n: Decimal(str(row[n])) for n in written}
        full.append({"id": f"e-{at}{name}", **row, **numbers, "date": date.fromisoformat(day)})
    parquet.write_table(pa.Table.from_pylist(full, SCHEMA), path)
    return path


def book(folder: Path, month: str, *paths: Path | str, **how: Any) -> BulkOutcome:
    """Book a month of files."""
    given = [str(path) for path in paths]
    asked = MonthAsked(folder / "main.beancount", Month.parse(month), given, processes=1, **how)
    return run_month(asked)


def month(folder: Path, name: str, *rows: Row, **how: Any) -> BulkOutcome:
    """Book a month of rows."""
    if not (folder / "main.beancount").exists():
        begin(folder)
    return book(folder, name, events(folder, name, *rows), **how)


def table(outcome: BulkOutcome, name: str) -> list[Row]:
    """The rows of a month's file."""
    rows: list[Row] = parquet.read_table(outcome.folder / f"{name}.parquet").to_pylist()
    return rows


def held(outcome: BulkOutcome) -> list[tuple[Any, ...]]:
    """Who holds what at a month's end."""
    return [
        (row["subscriber"], row["pocket"], row["units"], row["cost"], str(row["end"]))
        for row in table(outcome, "lots")
    ]


def files_of(folder: Path) -> dict[str, bytes]:
    """The bytes of all files in a folder."""
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir()) if each.is_file()}
