"""What uses cost, in closed months: frozen, verified, given back, late, and changed afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import (
    add,
    as_text,
    booked,
    close,
    load_errors,
    printed,
    write,
)

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  overage: 0.30 USD
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-06-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "llama"
2026-01-01 custom "compute-meter" "tokens"
  units: 2 CU
  per: 1000
  cost: 0.30 USD
  provider: "llama"
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 custom "compute-provider" "openai"
  beyond: 1.10 USD
2026-05-02 custom "compute-purchase" "openai" 300 OAI 240.00 USD
  expires: 2026-07-01
  id: "p-1"
2026-01-01 custom "compute-option" "as-of" 2026-07-31
2026-05-22 custom "compute-consumption" "alice"
  id: "m-1"
  meter: "tokens"
  quantity: 2500
2026-05-22 custom "compute-cost" "llama" 0.80 USD
  id: "c-1"
  meter: "tokens"
2026-06-22 custom "compute-consumption" "alice"
  id: "m-2"
  meter: "tokens"
  quantity: 5000
"""
ROWS = (
    "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
    "u-1,2026-05-20,,consumption,alice,,,250,CU,,,,,,,",
    "u-2,2026-05-20,,consumption,alice,,,100,CU,,,,,,,",
    "u-3,2026-05-30,,consumption,alice,,,1000,CU,,,,,,,",
    "r-2,2026-06-15,,reversal,,,,,,,,,,,u-2,",
    "u-4,2026-06-20,,consumption,alice,,,10,CU,,,,,,,",
    "r-3,2026-07-05,,reversal,,,,,,,,,,,u-3,",
)
LAPSE = "2026-07-01 lapse/openai/2026-07-01/2026-05-02"
MONTHS = ("2026-05", "2026-06", "2026-07")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "books", TERMS, *ROWS)


def costs(path: Path) -> list[str]:
    """What is booked of cost and lapse, as text."""
    entries = booked(load(path).entries)
    return [as_text(each) for each in entries if {"compute-cost", "compute-lapse"} & each.tags]


def test_closed_months_cost_the_same(ledger: Path) -> None:
    """20 May takes all 300 OAI and 50 beyond (55.00); 30 May 1000 beyond (1,100.00).

    The reversed 100 give back the 50 beyond and 50 OAI, which end on 1 July; the reversed 1000 are
    beyond alone. 2.5 x 0.30 are 0.75, and 0.80 as stated; 5 x 0.30 are 1.50, 10 x 0.40 are 4.00.
    """
    lot = "Prepaid/Openai {} OAI {{0.80, 2026-05-02, openai/2026-07-01}}"
    assert costs(ledger) == [
        (
            "2026-05-20 cost/openai/2026-05-20 #cost: "
            f"{lot.format('-300')}; Openai 295.00 USD; Openai -55.00 USD"
        ),
        "2026-05-22 cost/llama/2026-05-22 #cost: Llama 0.80 USD; Llama -0.80 USD",
        "2026-05-30 cost/openai/2026-05-30 #cost: Openai 1100.00 USD; Openai -1100.00 USD",
        (
            "2026-06-15 cost/u-2/2026-06-15 #cost: "
            f"{lot.format('50')}; Openai -95.00 USD; Openai 55.00 USD"
        ),
        "2026-06-20 cost/llama/2026-06-20 #cost: Llama 4.00 USD; Llama -4.00 USD",
        "2026-06-22 cost/llama/2026-06-22 #cost: Llama 1.50 USD; Llama -1.50 USD",
        f"{LAPSE} #lapse: {lot.format('-50')}; Lapsed 40.00 USD",
        "2026-07-05 cost/u-3/2026-07-05 #cost: Openai -1100.00 USD; Openai 1100.00 USD",
    ]
    before = printed(load(ledger))
    for month in MONTHS:
        close(ledger, month)
        assert load_errors(ledger) == []
        assert printed(load(ledger)) == before
        assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-05.state.csv").read_text()
    assert "accrued,llama,tokens,2026-05-22,0.80,USD\n" in state
    assert "accrued,openai,chat,2026-05-20,55.00,USD\n" in state


def test_a_month_in_which_a_cost_is_nothing_closes(tmp_path: Path) -> None:
    free = """\
2026-01-01 custom "compute-meter" "tokens"
  units: 2 CU
  cost: 0.30 USD
  provider: "llama"
2026-05-22 custom "compute-consumption" "alice"
  meter: "tokens"
  quantity: 5
2026-05-22 custom "compute-cost" "llama" 0.00 USD
  meter: "tokens"
2026-01-01 custom "compute-option" "as-of" 2026-05-31
"""
    ledger = write(tmp_path, free, "top,2026-05-01,,allocation,alice,,,100,CU,,10,USD,,,,")
    before = printed(load(ledger))
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    assert printed(load(ledger)) == before
    assert verify(load(ledger)) == []


def test_closed_months_know_what_their_costs_rest_on(ledger: Path) -> None:
    """The meters, the default meter, and the price beyond the credits."""
    close(ledger, "2026-05")
    text = ledger.read_text()
    for old, new, said in (
        ("beyond: 1.10", "beyond: 1.20", 'provider "openai" says beyond: 1.20 USD on 2026-05-20'),
        ('"meter" "chat"', '"meter" "tokens"', 'option "meter" says tokens on 2026-05-20'),
        ("cost: 1 OAI", "cost: 2 OAI", 'meter "chat" says units: 1 CU cost: 2.00 OAI'),
        ("cost: 0.30", "cost: 0.40", 'meter "tokens" says units: 2 CU per: 1000 cost: 0.40 USD'),
    ):
        ledger.write_text(text.replace(old, new))
        (error,) = load_errors(ledger)
        assert said in error, error
    gone = '2026-01-01 custom "compute-provider" "openai"\n  beyond: 1.10 USD\n'
    ledger.write_text(text.replace(gone, ""))
    (error,) = load_errors(ledger)
    assert 'provider "openai" says nothing on 2026-05-20' in error


def test_a_default_meter_that_comes_afterwards_is_refused(tmp_path: Path) -> None:
    """Of uses in its unit alone; in an open month it may begin."""
    terms = '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    ledger = write(tmp_path, terms, *ROWS[:2])
    close(ledger, "2026-05")
    text = ledger.read_text()
    meters = (
        '2026-01-01 custom "compute-meter" "chat"\n  units: 1 CU\n'
        '2026-01-01 custom "compute-meter" "gpu"\n  units: 1 GPU\n'
        '2026-01-01 custom "compute-meter" "any"\n'
    )
    ledger.write_text(text + meters + '2026-05-10 custom "compute-option" "meter" "chat"\n')
    (error,) = load_errors(ledger)
    assert error.startswith("main.beancount:11: ")
    assert 'option "meter" says "chat" on 2026-05-20, and uses of the closed month 2026-05' in error
    for fine in (
        '2026-06-01 custom "compute-option" "meter" "chat"\n',
        '2026-05-10 custom "compute-option" "meter" "gpu"\n',
        '2026-05-10 custom "compute-option" "meter" "any"\n',
    ):
        ledger.write_text(text + meters + fine)
        assert load_errors(ledger) == []
        assert verify(load(ledger)) == []


def test_late_events_change_what_closed_days_cost(ledger: Path) -> None:
    """A late use of 20 May at its terms; what is stated late of 30 May, 5.00 less than booked."""
    close(ledger, "2026-05", "2026-06")
    add(
        ledger,
        '2026-05-20 custom "compute-consumption" "alice" 20 CU\n  id: "l-1"\n'
        '2026-05-22 custom "compute-consumption" "alice"\n  id: "l-2"\n'
        '  meter: "tokens"\n  quantity: 1000\n'
        '2026-05-30 custom "compute-cost" "openai" 1095.00 USD\n  id: "l-3"\n  meter: "chat"\n'
        '2026-05-20 custom "compute-reversal" "u-1"\n  id: "l-4"\n',
    )
    assert load_errors(ledger) == []
    lot = "Prepaid/Openai {} OAI {{0.80, 2026-05-02, openai/2026-07-01}}"
    assert costs(ledger)[6:] == [
        f"{LAPSE} #lapse: {lot.format('-50')}; Lapsed 40.00 USD",
        # u-1 drew 250 of the 300; the 50 that came back in June were the last
        f"2026-07-01 cost/u-1/2026-07-01 #cost: {lot.format('250')}; Openai -200.00 USD",
        f"{LAPSE} #lapse: {lot.format('-250')}; Lapsed 200.00 USD",
        "2026-07-01 cost/openai/2026-05-20/2026-07-01 #cost: Openai 22.00 USD; Openai -22.00 USD",
        "2026-07-01 cost/openai/2026-05-30/2026-07-01 #cost: Openai -5.00 USD; Openai 5.00 USD",
    ]
    before = printed(load(ledger))
    close(ledger, "2026-07")
    assert load_errors(ledger) == []
    assert printed(load(ledger)) == before
    assert verify(load(ledger)) == []


def test_a_late_use_of_what_had_lapsed_ties_out(tmp_path: Path) -> None:
    """No posting takes such units: 70 x 0.40 are worked out all the same."""
    terms = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "llama"
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 custom "compute-option" "as-of" 2026-06-30
"""
    ledger = write(tmp_path, terms, ROWS[0], "u,2026-05-20,,consumption,alice,,,1,CU,,,,,,,")
    close(ledger, "2026-05")
    add(ledger, '2026-05-30 custom "compute-consumption" "alice" 70 CU\n  id: "late"\n')
    add(ledger, '2026-06-05 custom "compute-reversal" "u"\n')
    assert load_errors(ledger) == []
    assert any(" 28.00 USD" in each for each in costs(ledger))
    close(ledger, "2026-06")
