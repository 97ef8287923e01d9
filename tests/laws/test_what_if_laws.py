"""An empty scenario equals the books to the digit, whatever they hold and what of it is closed."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from beancount.core.data import Transaction

from beancount_compute.close.loading import Loaded, load
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.ledger import Writer
from beancount_compute.ledger.errors import Errors
from beancount_compute.scenarios import read_scenarios, what_if
from beancount_compute.scenarios.replaying import facts_of_all_days
from tests.close.sealing import close, write, write_events
from tests.close.test_costs import MONTHS as CLOSED
from tests.close.test_costs import ROWS, TERMS
from tests.examples import examples
from tests.laws.random_ledgers import PROFILES, VALID, write_ledger
from tests.laws.test_late_laws import PLANS
from tests.laws.test_late_laws import World as LateWorld
from tests.laws.test_sealed_laws import (
    months_of,
    random_ledger,
    with_index,
    without_refused_postings,
)

ROOT = Path(__file__).parents[2]
LEDGERS = sorted(
    [*ROOT.glob("example-ledgers/*/main.beancount"), *ROOT.glob("tests/golden/**/l*t")]
)
SEALED = [seed for seed in range(examples(12, 400)) if PROFILES[seed % len(PROFILES)] in VALID]


def lots(entries: list[Transaction]) -> Counter[tuple[object, ...]]:
    """Each posting of each transaction, with its day, units and lot."""
    return Counter(
        (entry.date, posting.account, posting.units, posting.cost)
        for entry in entries
        for posting in entry.postings
    )


def equal(loaded: Loaded, folder: Path) -> None:
    """Under an empty scenario every posting is that of the books, and so is every figure."""
    booking = loaded.booked
    facts = facts_of_all_days(booking)
    keeper = Bookkeeper(facts, booking.terms.terms, booking.accounts.component)
    writer = Writer(booking.accounts)
    again = [each for records in keeper.records() for each in writer.transactions(records)]
    stand = [each for each in booking.generated if isinstance(each, Transaction)]
    assert lots([each for each in again if isinstance(each, Transaction)]) == lots(stand)

    empty = folder / "empty.beancount"
    empty.write_text("")
    errors = Errors()
    scenarios = read_scenarios(booking, [("empty", str(empty))], errors)
    assert not errors.found
    found = what_if(booking, loaded.entries, scenarios)
    ((_, run),) = found.scenarios
    assert run == found.books
    assert not run.by_hand
    figures, accounts, refused = found.tables()
    for table in (figures, accounts, refused):
        assert not any(row[table.place("difference")] for row in table.rows)


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.parent.name)
def test_an_example_ledger_is_booked_again_to_the_digit(ledger: Path, tmp_path: Path) -> None:
    """Open ones, and one whose months are closed."""
    equal(load(ledger), tmp_path)


@pytest.mark.parametrize("seed", range(examples(40, 2000)))
def test_a_random_ledger_is_booked_again_to_the_digit(seed: int, tmp_path: Path) -> None:
    """With all that is refused in it, and postings by hand."""
    equal(load(write_ledger(seed, tmp_path / "l")), tmp_path)


@pytest.mark.parametrize("seed", SEALED)
def test_a_closed_ledger_is_booked_again_to_the_digit(seed: int, tmp_path: Path) -> None:
    """Some of its months are closed, or all: the events of those come from frozen copies."""
    ledger = without_refused_postings(with_index(random_ledger(seed, tmp_path / "l")))
    months = months_of(load(ledger))[:8]
    if months:
        close(ledger, *months[: random.Random(seed).randint(1, len(months))], ties=False)
        equal(load(ledger), tmp_path)


@pytest.mark.parametrize("seed", range(examples(20, 1000)))
def test_late_events_stay_on_their_booking_day(seed: int, tmp_path: Path) -> None:
    """Open ones, and those that a closed month has booked late."""
    plans = random.Random(seed).sample(sorted(PLANS), 2)
    kinds = ["consumption"] * 4 + ["transfer", "spend", "reversal"]
    world = LateWorld(seed, plans=plans, kinds=kinds)
    in_time = world.in_time(tmp_path / "open")
    ledger, late = world.with_late(tmp_path / "late", in_time)
    equal(late, tmp_path)
    if not late.errors:
        close(ledger, "2026-07")
        equal(load(ledger), tmp_path)


BILLS = """2026-06-02 custom "compute-bill" "openai" 40.00 USD
  id: "b-1"
2026-06-03 custom "compute-bill" "llama" 1.00 USD
  id: "b-2"
2026-07-03 custom "compute-bill" "llama" 9.00 USD
  from: 2026-05-01
  to: 2026-06-30
  id: "b-3"
2026-05-15 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "llama"
  life: "7 months"
2026-01-01 open Equity:Opening-Balances
2026-04-30 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -800 CU {0.15 USD, 2026-02-01, "pro/2026-09-01"}
  Equity:Opening-Balances  120.00 USD
"""
LATE = "u-9,2026-05-25,,consumption,alice,,,30,CU,,,,,,,"


@pytest.mark.parametrize("many", range(4))
def test_costs_bills_and_capacity_are_booked_again_to_the_digit(many: int, tmp_path: Path) -> None:
    """With as many months closed, and a use of the first that comes late where any is."""
    ledger = write(tmp_path / "books", TERMS + BILLS, *ROWS)
    close(ledger, *CLOSED[:many])
    equal(load(ledger), tmp_path)
    write_events(ledger, *ROWS, LATE)
    found = load(ledger)
    assert found.errors == []
    equal(found, tmp_path)
    if many < len(CLOSED):
        close(ledger, CLOSED[many])
        equal(load(ledger), tmp_path)
