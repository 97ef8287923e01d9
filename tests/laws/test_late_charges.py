"""Late uses beyond the holdings come out as if they had come in time, in total: whatever the bill,
and with a minimum the charge of each period is the greater of it and of its uses.

A random ledger of four months, of which two are closed while some uses and reversals are held back.
Beside it stand the same events in a ledger in which nothing is closed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.verifying import verify
from tests.close.sealing import close, errors_of, printed, write, write_events
from tests.examples import examples
from tests.laws.test_late_laws import MONTHS, Sums, totals, without_refused

BEGIN, CLOSED, AS_OF = date(2026, 5, 1), date(2026, 6, 30), date(2026, 9, 30)
SEEDS = range(examples(12, 2000))


class ArrearsWorld:
    """A ledger's terms and rows, some of them held back until the months are closed."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        every = chance.choice(["month", "month", "quarter", "2 months"])
        sold = chance.choice(["0.00 USD 0 CU", "0.00 USD 0 CU", "30.00 USD 40 CU"])
        self.text = f'2026-01-01 custom "compute-plan" "payg" {sold}\n  every: "{every}"\n'
        self.text += f"  overage: {chance.choice(['0.10', '0.50'])} USD\n"
        self.text += f'  bill: "{chance.choice(["use", "period", "month"])}"\n'
        if chance.random() < 0.7:
            self.text += f"  minimum: {chance.choice([3, 10, 40])}.00 USD\n"
        self.text += f'2026-01-01 custom "compute-option" "as-of" {AS_OF}\n'
        self.sealed: list[str] = []
        self.late: list[str] = []
        self.add("grant", BEGIN, "zoe", "1")  # so that the books begin
        for name in ("ann", "bob"):
            began = self.day(0, 20)
            self.add("subscription", began, name, plan="payg")
            if chance.random() < 0.5:
                self.add("cancellation", self.day(25, 130), name, plan="payg")
        for _ in range(chance.randint(3, 9)):
            day = self.day(20, 110)
            late = day <= CLOSED and chance.random() < 0.5
            units = str(chance.choice([1, 7, 20, 60]))
            use = self.add("consumption", day, chance.choice(["ann", "bob"]), units, late=late)
            if chance.random() < 0.4:
                undone = day if chance.random() < 0.5 else day + timedelta(chance.randint(1, 60))
                undone_late = undone <= CLOSED and (late or chance.random() < 0.5)
                self.add("reversal", undone, "", target=use, late=undone_late)

    def day(self, first: int, last: int) -> date:
        return BEGIN + timedelta(self.chance.randint(first, last))

    def add(
        self,
        kind: str,
        day: date,
        name: str,
        units: str = "",
        *,
        plan: str = "",
        target: str = "",
        late: bool = False,
    ) -> str:
        number = f"e-{len(self.sealed) + len(self.late) + 1}"
        unit = "CU" if units else ""
        (self.late if late else self.sealed).append(
            f"{number},{day},,{kind},{name},,{plan},{units},{unit},,,,,,{target},"
        )
        return number


def charged(loaded: Loaded) -> Sums:
    """What all accounts hold; what is owed is owed, invoiced or not."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (account, currency), number in totals(loaded).items():
        found[account.replace(":Unbilled:", ":Receivable:"), currency] += number
    return {key: number for key, number in found.items() if number}


@pytest.mark.parametrize("seed", SEEDS)
def test_late_charges_are_those_in_time(seed: int, tmp_path: Path) -> None:
    world = ArrearsWorld(seed)
    open_ledger = write(tmp_path / "open", world.text, *world.sealed, *world.late)
    without_refused(open_ledger)
    rows = (open_ledger.parent / "events.csv").read_text().splitlines()[1:]
    own = [row for row in rows if row not in world.late]
    ledger = without_refused(write(tmp_path / "late", world.text, *own))
    close(ledger, *MONTHS)
    write_events(ledger, *rows)
    late = load(ledger)
    assert errors_of(late, ledger) == []
    assert charged(late) == charged(load(open_ledger))
    before = printed(late)
    close(ledger, "2026-07", "2026-08")
    again = load(ledger)
    assert printed(again) == before
    assert verify(again) == []
