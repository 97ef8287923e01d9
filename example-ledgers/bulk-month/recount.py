"""April worked out from the event files alone, beside what `control.csv` says of it.

python recount.py    ->    a line a figure; exits with 1 where two differ

Plain SQL and a few rules by hand: nothing of beancount_compute is used here.
"""

from __future__ import annotations

import csv
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent
CENT = Decimal("0.01")
UNITS = {"pro": 1000, "basic": 100}
COST = {"pro": Decimal("0.20"), "basic": Decimal("0.19")}  # of a unit
OVERAGE, SELLER_FEE = Decimal("0.30"), Decimal("0.05")


def rows(month: str, sql: str) -> list[tuple]:
    """What a query finds in `e`: the events of a month, each once."""
    files = FOLDER / "events" / month / "*.parquet"
    return duckdb.sql(f"WITH e AS (SELECT DISTINCT * FROM '{files}') {sql}").fetchall()


def recount() -> dict[tuple[str, str, str], Decimal | int]:
    """Figures of April, by their names in control.csv."""
    plans = "SELECT subscriber, plan FROM e WHERE event = 'subscription'"
    uses = "SELECT subscriber, sum(units) FROM e WHERE event = 'consumption' GROUP BY ALL"
    pilot, march = dict(rows("2026-03", plans)), dict(rows("2026-03", uses))
    plan_of = pilot | dict(rows("2026-04", plans))  # the pilot runs on: a second period
    used = dict(rows("2026-04", uses))
    covered = {name: min(used[name], UNITS[plan]) for name, plan in plan_of.items()}
    left = {name: max(0, UNITS[plan] - march[name]) for name, plan in pilot.items()}
    minted = sum(left[name] for name, plan in pilot.items() if plan == "pro")
    lapsed = sum(left[name] for name, plan in pilot.items() if plan == "basic")
    ((paid, topped_up),) = rows(
        "2026-04", "SELECT sum(paid), sum(units) FROM e WHERE event = 'allocation'"
    )
    trades = rows("2026-04", "SELECT units, price FROM e WHERE event = 'trade'")
    gross = [(units * price).quantize(CENT, ROUND_HALF_EVEN) for units, price in trades]
    fees = sum((each * SELLER_FEE).quantize(CENT, ROUND_HALF_EVEN) for each in gross)
    ((read,),) = duckdb.sql(f"SELECT count(*) FROM '{FOLDER}/events/2026-04/*.parquet'").fetchall()
    ((once,),) = rows("2026-04", "SELECT count(*) FROM e")
    billed = sum(UNITS[plan] * COST[plan] for plan in plan_of.values())
    revenue = sum(covered[name] * COST[plan] for name, plan in plan_of.items())
    units_open = sum(UNITS[plan] - covered[name] for name, plan in plan_of.items())
    return {
        ("rows", "read", ""): read,
        ("rows", "repeated", ""): read - once,
        ("rows", "refused", ""): 0,
        ("amount of allocation", "receivable", "USD"): billed + paid,
        ("amount of consumption", "revenue", "USD"): -revenue,
        ("amount of consumption", "overage", "USD"): -OVERAGE
        * sum(used[name] - covered[name] for name in plan_of),
        ("units out of consumption", "allocations", "CU"): sum(covered.values()),
        ("units in of mint", "tokens", "CU"): minted,
        ("amount of expiry", "breakage", "USD"): -lapsed * COST["basic"],
        ("units in of trade", "tokens", "CU"): sum(units for units, _ in trades),
        ("amount of trade", "receivable", "USD"): sum(gross),
        ("amount of trade", "fees", "USD"): -fees,
        ("units", "allocations", "CU"): units_open,
        ("units", "tokens", "CU"): topped_up + minted,
        ("deferred revenue", "allocations", "USD"): billed - revenue,
        ("deferred revenue", "tokens", "USD"): paid + minted * COST["pro"],
    }


def main() -> int:
    """Print each figure beside that of control.csv."""
    with open(FOLDER / "bulk" / "2026-04" / "control.csv", encoding="utf-8", newline="") as file:
        told = {(row["what"], row["of"], row["currency"]): row for row in csv.DictReader(file)}
    differ = 0
    for key, figure in recount().items():
        there = Decimal(told[key]["figure"])
        differ += there != figure
        mark = "" if there == figure else f"  control.csv: {there:,}"
        print(f"{' '.join(filter(None, key)):42}{figure:>16,}{mark}")
    print("All agree with control.csv" if not differ else f"{differ} figures differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
