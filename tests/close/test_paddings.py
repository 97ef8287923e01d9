"""Paddings: what a closed month holds must not depend on a balance behind it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from beancount import loader

from beancount_compute.close.closing import open_paddings
from tests.close.sealing import close, load_errors, run, write
from tests.close.test_closing import ROWS, TERMS

BANK = """\
2026-01-01 open Assets:Bank
2026-01-01 open Equity:Opening
"""
APRIL, MAY = date(2026, 4, 30), date(2026, 5, 31)


def found(*lines: str) -> list[str]:
    """The days of the balances on which paddings of May depend."""
    entries, errors, _ = loader.load_string(BANK + "\n".join(lines))
    assert not errors
    return [str(balance.date) for _, balance in open_paddings(entries, APRIL, MAY)]


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (["2026-05-20 pad Assets:Bank Equity:Opening"], ["2026-06-02"]),
        (["2026-04-30 pad Assets:Bank Equity:Opening"], []),  # of April
        (["2026-06-01 pad Assets:Bank Equity:Opening"], []),  # of June
        (
            [
                "2026-05-20 pad Assets:Bank Equity:Opening",
                "2026-06-01 balance Assets:Bank 400.00 USD",  # the beginning of June is May's end
                "2026-06-01 pad Assets:Bank Equity:Opening",
            ],
            [],
        ),
        (
            [
                "2026-05-20 pad Assets:Bank Equity:Opening",
                "2026-05-31 balance Assets:Bank 500.00 USD",  # this one decides
            ],
            [],
        ),
        (
            [
                "2026-05-20 pad Assets:Bank Equity:Opening",
                "2026-05-31 balance Assets:Bank 7.00 EUR",  # of another currency
            ],
            ["2026-06-02"],
        ),
    ],
)
def test_the_first_balance_of_a_currency_decides(lines: list[str], days: list[str]) -> None:
    """It may be dated the day after the month, which begins as the month ends."""
    assert found(*lines, "2026-06-02 balance Assets:Bank 500.00 USD") == days


def test_the_balance_of_an_account_below_decides_too() -> None:
    """Beancount pads an account up to the balances of those below it, where those fail."""
    below = "2026-01-01 open Assets:Bank:Euro"
    pad = "2026-05-20 pad Assets:Bank Equity:Opening"
    own = "2026-05-31 balance Assets:Bank 500.00 USD"
    assert found(below, pad, own, "2026-06-02 balance Assets:Bank:Euro 0 EUR") == ["2026-06-02"]


def test_a_month_with_such_a_padding_is_not_closed(tmp_path: Path) -> None:
    """The message names the line of the pad; with the balance a day earlier the month closes."""
    padding = "2026-05-20 pad Assets:Bank Equity:Opening\n"
    late = BANK + padding + "2026-06-05 balance Assets:Bank 500.00 USD\n"
    ledger = write(tmp_path, TERMS + late, *ROWS)
    result = run("close", "2026-05", ledger)
    assert result.exit_code == 1
    line = ledger.read_text().splitlines().index(padding.strip()) + 1
    assert f"{ledger}:{line}: how much is padded here depends on the balance of 2026-06-05" in (
        result.stderr
    )
    assert not (tmp_path / "closed" / "2026-05.beancount").exists()
    ledger.write_text(ledger.read_text().replace("2026-06-05 balance", "2026-06-01 balance"))
    assert run("close", "2026-05", ledger).exit_code == 0
    assert load_errors(ledger) == []


def test_a_transaction_with_the_flag_of_a_padding_is_none(tmp_path: Path) -> None:
    """A person wrote it, beside a pad of the same account: the month stays as it was closed."""
    own = (
        '2026-05-03 P "by hand"\n  Assets:Bank  5.00 USD\n  Equity:Opening\n'
        "2026-05-04 pad Assets:Bank Equity:Opening\n2026-05-05 balance Assets:Bank 9.00 USD\n"
    )
    ledger = write(tmp_path, BANK + own + TERMS, *ROWS)
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    changed = ledger.read_text().replace("9.00 USD", "8.00 USD")
    ledger.write_text(changed)
    assert [error.split(" now,")[0] for error in load_errors(ledger)][-1:] == [
        "main.beancount:9: this pad gives 3.00 USD"
    ]
