"""Opening lots that come after the books began, in months that are closed."""

from __future__ import annotations

import csv
from pathlib import Path

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import close, load_errors, run, write

OPENING = """\
2026-01-01 open Equity:Opening
2026-02-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -500 CU {0.20 USD, 2025-12-01, "top-up"}
  Equity:Opening  100.00 USD
"""
BOB = """\
  Liabilities:DeferredRevenue:Tokens:Bob  -250 CU {0.20 USD, 2025-11-01, "top-up"}
  Equity:Opening  50.00 USD
"""
ACQUIRED = f'2026-04-15 * "Acme" #compute-opening\n  why: "acquired"\n{BOB}'
ROWS = (
    "a-1,2026-03-05,,allocation,alice,,,600,CU,,150.00,USD,,,,",
    "u-1,2026-04-20,,consumption,bob,,,50,CU,,,,,,,",
    "u-2,2026-05-20,,consumption,bob,,,25,CU,,,,,,,",
)


def pack(ledger: Path, month: str, name: str) -> list[dict[str, str]]:
    text = (ledger.parent / "closed" / f"{month}-pack" / f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_a_sealed_pack_opens_with_what_the_one_before_closed_with(tmp_path: Path) -> None:
    """March closes at 250.00, April opens at it and shows 50.00 acquired; of the revenue of April
    none was in the opening balance, of May 5.00."""
    ledger = write(tmp_path, OPENING + ACQUIRED, *ROWS)
    for month in ("2026-03", "2026-04", "2026-05"):
        result = run("close", month, ledger)
        assert result.exit_code == 0, result.stderr
    found = [pack(ledger, f"2026-{at:02}", "rollforward-money-by-pocket")[-1] for at in (3, 4, 5)]
    assert [(row["opening"], row.get("acquired"), row["closing"]) for row in found] == [
        ("100.00", None, "250.00"),
        ("250.00", "50.00", "290.00"),
        ("290.00", None, "285.00"),
    ]
    for month, name, amount in (
        ("2026-04", "revenue from this month", "10.00"),
        ("2026-05", "revenue from opening balance", "5.00"),
    ):
        ties = pack(ledger, month, "tie-outs")
        assert {row["left"] for row in ties if row["tie-out"].startswith(name)} == {amount}
    assert load_errors(ledger) == [] and verify(load(ledger)) == []


def test_the_why_is_frozen_with_its_month(tmp_path: Path) -> None:
    """Another word changes what the sealed pack says."""
    ledger = write(tmp_path, OPENING + ACQUIRED, *ROWS)
    close(ledger, "2026-03", "2026-04")
    ledger.write_text(ledger.read_text().replace('why: "acquired"', 'why: "found"'))
    gone, other = load_errors(ledger)
    assert "gone from the ledger, or changed, after 2026-04 was closed" in gone
    assert "this transaction of 2026-04-15 is not in the closed month as it stands here" in other


def test_after_the_first_closed_month_opening_lots_say_why(tmp_path: Path) -> None:
    """January holds nothing but an opening; one of 1 February is ahead of the first bookings, and
    still after what was sealed."""
    more = OPENING.replace("2026-02-01", "2026-01-31")
    later = f'2026-02-01 * "Opening" #compute-opening\n{BOB}'
    ledger = write(tmp_path, more + later, *ROWS)
    assert load_errors(ledger) == []
    close(ledger, "2026-01")
    (error,) = load_errors(ledger)
    assert "comes after the first closed month, which ended on 2026-01-31: say why" in error
    ledger.write_text(
        ledger.read_text().replace(later, f"{later}".replace(BOB, f'  why: "moved"\n{BOB}'))
    )
    assert load_errors(ledger) == []


def test_what_was_entered_later_is_carried_as_it_is_held(tmp_path: Path) -> None:
    """The next year opens with all lots on its first day, and needs no why."""
    ledger = write(tmp_path, OPENING + ACQUIRED, *ROWS)
    close(ledger, *[f"2026-{at:02}" for at in range(3, 13)])
    folder = tmp_path / "2027"
    result = run("carry", ledger, "--to", "2027", folder)
    assert result.exit_code == 0, result.stderr
    (text,) = [each.read_text() for each in folder.glob("*.beancount")]
    assert text.count("#compute-opening") == 1 and "why:" not in text
    assert load_errors(next(folder.glob("*.beancount"))) == []
