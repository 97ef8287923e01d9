"""Capacity on random lines: worked out apart, never more than it cost, and the same month by month.

capacity 1000.00, life 7 months; later 1200.00, quantity 90 CU; uses and reversals of each month
"""

from __future__ import annotations

import random
from calendar import monthrange
from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from beancount.core.data import Transaction

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import add, close, load_errors, run, write
from tests.examples import examples

HEAD = """\
2026-01-01 custom "compute-plan" "pro" 1000 USD 1000 CU
  overage: 1 USD
2026-01-01 custom "compute-meter" "own"
  units: 3 CU
  per: 10
  cost: 0.03 USD
  provider: "own"
2026-01-01 custom "compute-meter" "far"
  units: 1 CU
  cost: 0.01 USD
  provider: "far"
2026-01-01 custom "compute-subscription" "alice" "pro"
"""
MONTHS = range(1, 16)  # from January 2026
AS_OF = date(2027, 3, 31)


def month_end(month: int) -> date:
    """The last day of a month that counts from January 2026 as 1."""
    year, month = 2026 + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, monthrange(year, month)[1])


def month_of(day: date) -> int:
    return (day.year - 2026) * 12 + day.month


class Made:
    """A random ledger, and what its author knows of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.currency, self.step = self.chance.choice([("USD", "0.01"), ("JPY", "1")])
        self.lines: list[tuple[date, Decimal, Decimal, int, int]] = []
        self.served: defaultdict[int, Fraction] = defaultdict(Fraction)  # by month of the booking
        self.text = [HEAD, f'2026-01-01 custom "compute-option" "as-of" {AS_OF}\n']
        days = [self.day(1, 6)]
        while self.chance.random() < 0.6 and days[-1] < date(2026, 10, 1):
            days.append(self.day(month_of(days[-1]), 12))
        for at, day in enumerate(sorted(set(days))):
            self.line(day, Decimal(500 + 100 * at))
        for number in range(self.chance.randrange(12)):
            self.use(number)

    def day(self, first: int, last: int) -> date:
        end = month_end(self.chance.randint(first, last))
        return end.replace(day=self.chance.randint(1, end.day))

    def line(self, day: date, cost: Decimal) -> None:
        residual = Decimal(self.chance.choice([0, 0, 1, 333]))
        life, quantity = self.chance.choice([(self.chance.randint(1, 9), 0), (0, 70)])
        keys = f'\n  life: "{life} months"' if life else f"\n  quantity: {quantity} CU"
        self.lines.append((day, cost, residual, life, quantity))
        self.text.append(
            f'{day} custom "compute-capacity" "gpu" {cost} {self.currency}\n  provider: "own"{keys}'
            f"\n  residual: {residual} {self.currency}\n"
        )

    def use(self, number: int) -> None:
        day, meter = self.day(1, 14), self.chance.choice(["own", "own", "far"])
        quantity = self.chance.randint(1, 80)
        units = self.chance.choice(["", " 2 CU"])
        self.text.append(
            f'{day} custom "compute-consumption" "alice"{units}\n  id: "u{number}"\n'
            f'  meter: "{meter}"\n  quantity: {quantity}\n'
        )
        undone = day.replace(day=1) if self.chance.random() < 0.3 else None
        if undone is not None:
            later = month_end(min(month_of(day) + self.chance.randrange(3), 14))
            self.text.append(f'{later} custom "compute-reversal" "u{number}"\n')
        if meter == "own" and day >= self.lines[0][0]:
            self.served[month_of(day)] += Fraction(3 * quantity, 10)
            if undone is not None:
                self.served[month_of(later)] -= Fraction(3 * quantity, 10)

    def shares(self) -> dict[date, Decimal]:
        """By month, with fractions: of the line in force when the month ends."""
        found: dict[date, Decimal] = {}
        so_far = before = Decimal()
        in_force, units = -1, Fraction()
        for month in MONTHS:
            end = month_end(month)
            now = sum(line[0] <= end for line in self.lines) - 1
            if now < 0:
                continue
            since, cost, residual, life, quantity = self.lines[now]
            if now != in_force:
                in_force, before, units = now, so_far, Fraction()
            units += self.served[month]
            part = (
                Fraction(month - month_of(since) + 1, life)
                if life
                else max(units, Fraction()) / quantity
            )
            left = max(cost - residual - before, Decimal())
            steps = round(Fraction(left) * min(part, Fraction(1)) / Fraction(self.step))
            total = before + steps * Decimal(self.step)
            if total != so_far:
                found[end] = total - so_far
            so_far = total
        return found


def booked(ledger: Path) -> dict[date, Decimal]:
    """What is depreciated by day."""
    return {
        entry.date: entry.postings[0].units.number
        for entry in load(ledger).entries
        if isinstance(entry, Transaction)
        and "compute-depreciation" in entry.tags
        and entry.postings[0].units is not None
        and entry.postings[0].units.number is not None
    }


@pytest.mark.parametrize("seed", range(examples(150, 20_000)))
def test_each_share_is_what_the_lines_give(seed: int, tmp_path: Path) -> None:
    """And all of them together never more than what it cost less what is left of it."""
    made = Made(seed)
    ledger = write(tmp_path, "".join(made.text))
    assert load_errors(ledger) == []
    shares = made.shares()
    assert booked(ledger) == shares
    assert 0 <= sum(shares.values()) <= max(cost - left for _, cost, left, *_ in made.lines)


@pytest.mark.parametrize("seed", range(examples(8, 400)))
def test_closed_and_carried_it_goes_on_the_same(seed: int, tmp_path: Path) -> None:
    """Whatever months are closed; and the next year's books go on with what is left."""
    made = Made(seed)
    ledger = write(tmp_path / "old", "".join(made.text))
    whole = booked(ledger)
    months = [f"2026-{month:02}" for month in range(1, 13)]
    close(ledger, *months)
    assert load_errors(ledger) == []
    assert booked(ledger) == whole
    assert verify(load(ledger)) == []
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    new = tmp_path / "new" / "main.beancount"
    later = [each for each in made.text if each.startswith("2027") and "reversal" not in each]
    if any("reversal" in each and each.startswith("2027") for each in made.text):
        return  # of what the old books hold, which the new ones don't
    add(new, "".join([*later, f'2027-01-01 custom "compute-option" "as-of" {AS_OF}\n']))
    assert load_errors(new) == []
    assert booked(new) == {day: number for day, number in whole.items() if day.year == 2027}
