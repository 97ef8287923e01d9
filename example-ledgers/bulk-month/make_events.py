"""The events of March (a pilot of twenty) and April 2026 (twenty thousand), from a seed.

python make_events.py    ->    events/2026-03/*.parquet, events/2026-04/*.parquet

The same rows on any machine: whole numbers from PCG64's raw stream, which NumPy never changes.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from pyarrow import parquet

FOLDER = Path(__file__).parent / "events"
SUBSCRIBERS, PILOT, TRADERS = 20_000, 20, 2_000
USES, TRADES = 24, 3  # of each of them
REPEATED = 500  # rows exported twice
ROWS_OF_A_FILE = 130_000
BASIC = 4  # each fourth subscriber; the others are on pro

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("date", pa.date32()),
        ("event", pa.string()),
        ("subscriber", pa.string()),
        ("counterparty", pa.string()),
        ("plan", pa.string()),
        ("units", pa.int64()),
        ("commodity", pa.string()),
        ("price", pa.decimal128(9, 2)),
        ("paid", pa.decimal128(9, 2)),
        ("currency", pa.string()),
    ]
)


class Dice:
    """Whole numbers from a seed."""

    def __init__(self, seed: int) -> None:
        self._source = np.random.PCG64(seed)

    def below(self, end: Any, count: int) -> Any:
        """So many numbers from 0 on, each below an end."""
        return (self._source.random_raw(count) >> np.uint64(32)).astype(np.int64) % end


def table(month: str, kind: str, who: Any, day: Any, **more: Any) -> pa.Table:
    """Events of a kind; `day` is of the month."""
    count = len(who)
    columns = {
        "id": pa.array([f"{kind[0]}-{month}-{at:06}" for at in range(count)]),
        "date": pa.array(np.datetime64(f"{month}-01") + (day - 1), pa.date32()),
        "event": pa.array([kind] * count),
        "subscriber": names(who),
        **{name: pa.array(column) for name, column in more.items()},
    }
    absent = pa.nulls(count)
    return pa.table([columns.get(f.name, absent).cast(f.type) for f in SCHEMA], SCHEMA)


def names(who: Any) -> pa.Array:
    """The names of subscribers, by number."""
    return pa.array([f"u-{number:05}" for number in who])


def cents(numbers: Any) -> list[Decimal]:
    """Whole cents as decimals."""
    return [Decimal(int(number)).scaleb(-2) for number in numbers]


def first_days(who: Any) -> Any:
    """On which day of the month a subscription begins: the 1st to the 10th."""
    return 1 + who * 7 % 10


def subscriptions(month: str, who: Any) -> pa.Table:
    """One of each subscriber."""
    plans = np.where(who % BASIC, "pro", "basic")
    return table(month, "subscription", who, first_days(who), plan=plans)


def uses(month: str, last: int, who: Any, dice: Dice) -> pa.Table:
    """Uses from the day on which the period begins; hardly anybody uses more than it gives."""
    who = np.repeat(who, USES)
    day = first_days(who)
    day += dice.below(last + 1 - day, len(who))
    of_trader = who < TRADERS  # who never needs tokens for it
    most = np.where(who % BASIC, np.where(of_trader, 31, 62), np.where(of_trader, 4, 6))
    units = 1 + dice.below(most, len(who))
    return table(month, "consumption", who, day, units=units, commodity=["CU"] * len(who))


def market(month: str, who: Any, dice: Dice) -> list[pa.Table]:
    """Each tops up on the 11th, and sells some of that to others."""
    count = len(who)
    paid = cents(10_000 + dice.below(9_000, count))
    units = np.full(count, 1_000)
    money = {"commodity": ["CU"] * count, "currency": ["USD"] * count}
    top_ups = table(month, "allocation", who, np.full(count, 11), units=units, paid=paid, **money)
    seller = np.repeat(who, TRADES)
    count = len(seller)
    buyer = who[(seller + 1 + dice.below(len(who) - 1, count)) % len(who)]
    trades = table(
        month,
        "trade",
        seller,
        12 + dice.below(18, count),
        counterparty=names(buyer),
        units=1 + dice.below(300, count),
        commodity=["CU"] * count,
        price=cents(12 + dice.below(20, count)),
        currency=["USD"] * count,
    )
    return [top_ups, trades]


def write(month: str, events: list[pa.Table]) -> None:
    """The events of a month in the order of their days, in files of some size."""
    rows = pa.concat_tables(events)
    rows = rows.take(pa.compute.sort_indices(rows, [("date", "ascending"), ("id", "ascending")]))
    folder = FOLDER / month
    folder.mkdir(parents=True, exist_ok=True)
    for at, begin in enumerate(range(0, len(rows), ROWS_OF_A_FILE)):
        begin -= REPEATED * (at > 0)  # the second file begins too early
        part = rows.slice(begin, ROWS_OF_A_FILE)
        parquet.write_table(part, folder / f"{at:02}.parquet", compression="zstd")
        print(f"events/{month}/{at:02}.parquet: {len(part):,} rows")


def main() -> None:
    """Write both months."""
    everybody, pilot = np.arange(SUBSCRIBERS), np.arange(PILOT)
    dice = Dice(2026)
    write("2026-03", [subscriptions("2026-03", pilot), uses("2026-03", 31, pilot, dice)])
    april = [subscriptions("2026-04", everybody[PILOT:]), uses("2026-04", 30, everybody, dice)]
    write("2026-04", [*april, *market("2026-04", everybody[:TRADERS], dice)])


if __name__ == "__main__":
    main()
