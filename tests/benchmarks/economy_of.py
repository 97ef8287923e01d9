"""A seeded economy of any size, as CSV, as directives: what the benchmark loads.

Two thousand subscribers per 100,000 events live through three months of a minting plan; most events
are uses, every seventh is a trade, some are top-ups. Everybody keeps within the holdings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

FIRST = date(2026, 1, 1)
DAYS = 90
TWO_YEARS = (date(2024, 1, 1), 761)  # 25 months: to close 24 of them
HEADER = (
    "id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,"
    "expires,started,reverses,memo"
)
TERMS = """\
option "title" "Benchmark"
option "operating_currency" "USD"
{plugin}
{first} custom "compute-plan" "pro" 200.00 USD 100000 CU
  unused: "mint"
  token-expires: "12 months"
{first} custom "compute-option" "seller-fee" 0.05
{first} custom "compute-option" "buyer-fee" 0.01
"""


class Row(NamedTuple):
    """One event, as text."""

    id: str
    date: str
    event: str
    subscriber: str
    counterparty: str = ""
    plan: str = ""
    units: str = ""
    price: str = ""
    paid: str = ""


def rows(events: int, first: date = FIRST, days: int = DAYS, people: int = 0) -> Iterator[Row]:
    """That many events, the same for the same number; trades begin when tokens are minted.

    `people` in place of one for 50 events.
    """
    dice = random.Random(2026)
    people = people or max(2, events // 50)
    market_opens = (first + timedelta(32)).isoformat()
    names = [f"user-{number:05}" for number in range(people)]
    for name in names:
        yield Row(f"s-{name}", first.isoformat(), "subscription", name, plan="pro")
    for number in range(events - people):
        day = (first + timedelta(dice.randrange(1, days))).isoformat()
        name = names[number % people]
        kind = dice.random()
        if kind < 0.82:
            yield Row(f"u-{number}", day, "consumption", name, units=str(dice.randrange(1, 2000)))
        elif kind < 0.97 and day >= market_opens:
            other = names[(number + dice.randrange(1, people)) % people]
            price = f"0.{dice.randrange(1400, 2600):04}"
            units = str(dice.randrange(1, 200))
            yield Row(f"t-{number}", day, "trade", name, other, units=units, price=price)
        else:
            units = str(dice.randrange(100, 1000))
            paid = f"{dice.randrange(1000, 9999) / 100:.2f}"
            yield Row(f"b-{number}", day, "allocation", name, units=units, paid=paid)


def write_csv(
    folder: Path,
    events: int,
    first: date = FIRST,
    days: int = DAYS,
    people: int = 0,
    more: str = "",
) -> Path:
    """A ledger whose events stand in one CSV file, with `more` lines in the ledger."""
    ledger = folder / f"csv-{events}.beancount"
    source = 'plugin "beancount_compute"\n2026-01-01 custom "compute-events" "%s.csv"'
    ledger.write_text(TERMS.format(plugin=source % ledger.stem, first=first) + more)
    with open(folder / f"{ledger.stem}.csv", "w", newline="") as file:
        file.write(HEADER + "\n")
        for row in rows(events, first, days, people):
            commodity = "CU" if row.units else ""
            currency = "USD" if row.price or row.paid else ""
            file.write(
                f"{row.id},{row.date},,{row.event},{row.subscriber},{row.counterparty},{row.plan},"
                f"{row.units},{commodity},{row.price},{row.paid},{currency},,,,\n"
            )
    return ledger


def write_directives(folder: Path, events: int) -> Path:
    """A ledger whose events are `custom` directives."""
    ledger = folder / f"directives-{events}.beancount"
    with open(ledger, "w") as file:
        file.write(TERMS.format(plugin='plugin "beancount_compute"', first=FIRST))
        for row in rows(events):
            values = [f'"{row.subscriber}"']
            values += [f'"{text}"' for text in (row.counterparty, row.plan) if text]
            values += [f"{row.units} CU"] if row.units else []
            values += [f"{number} USD" for number in (row.price, row.paid) if number]
            file.write(f'{row.date} custom "compute-{row.event}" {" ".join(values)}\n')
            file.write(f'  id: "{row.id}"\n')
    return ledger
