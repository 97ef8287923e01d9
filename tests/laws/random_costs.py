"""Meters, providers and capacity for any ledger: what its uses cost, at random.

The ledger stays as it is; terms and events are added behind it. Half of the days one provider
serves, for money; then another, for credits and at a price beyond them.
"""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from beancount import loader

from beancount_compute.economy.months import Month
from beancount_compute.reports.books import read_books

DAY = timedelta(1)


def add_costs(seed: int, ledger: Path) -> None:
    """Add what the uses of a ledger cost; a ledger without any stays as it is."""
    chance = random.Random(seed)
    entries, _, options = loader.load_file(str(ledger))
    books = read_books(entries, options)
    used = [each for each in books.movements if each.flow == "used"]
    if not used:
        return
    days = sorted({each.date for each in used})
    first, middle = days[0], chance.choice(days)
    unit = chance.choice(sorted({each.commodity for each in used}))
    money = sorted({each.currency for each in used if each.currency})
    currency, other = chance.choice(money), chance.choice(money)
    month = Month.of(first).first
    units, per = chance.choice(["1", "7", "0.5"]), chance.choice(["1", "1000"])
    cost, can_serve = chance.choice(["0.0037", "1", "12.34567"]), chance.choice([1, 700, 1000000])
    text = f"""
{first} custom "compute-meter" "m"
  units: {units} {unit}
  per: {per}
  cost: {cost} {currency}
  provider: "one"
{first} custom "compute-option" "meter" "m"
{middle + DAY} custom "compute-meter" "m"
  units: 3 {unit}
  cost: 1 TWO
  provider: "two"
{first} custom "compute-provider" "two"
  beyond: 0.0123 {other}
{first} custom "compute-purchase" "two" 500 TWO 90.00 {currency}
  expires: {first + DAY * chance.randint(20, 200)}
{middle} custom "compute-purchase" "two" 333 TWO 77.00 {other}
{month} custom "compute-capacity" "c1" 5000.00 {currency}
  provider: "one"
  life: "7 months"
  can-serve: {can_serve} {unit}
{month} custom "compute-capacity" "c2" 999.00 {other}
  provider: "two"
  quantity: 3000 {unit}
{month} custom "compute-capacity" "c3" 100.00 {other}
  provider: "two"
  life: "3 months"
{Month.of(days[-1]).next.first} custom "compute-bill" "one" 99.00 {currency}
"""
    for day in chance.sample(days, min(3, len(days))):
        provider = "one" if day <= middle else "two"
        text += f"""\
{day} custom "compute-cost" "{provider}" 5.00 {currency}
  meter: "m"
  id: "stated-{day}"
"""
    with ledger.open("a", encoding="utf-8") as file:
        file.write(text)
