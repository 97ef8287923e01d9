"""`bean-compute accounts`: which account a customer's payment goes against."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_ledgers import run

LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-subscriber" "u_8f3a@example.com" "Acme"
2026-01-01 custom "compute-account" "payable" "Liabilities:Payable"
2026-01-01 custom "compute-account" "tokens" "Liabilities:Tokens:{subscriber}:{plan}"
2026-05-01 custom "compute-allocation" "alice" 1000 CU 200.00 USD
2026-05-01 custom "compute-allocation" "müller, gmbh" 10 CU 2.00 USD
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two customers with a top-up each, and one that is only named."""
    path = tmp_path / "main.beancount"
    path.write_text(LEDGER)
    return path


def test_each_subscriber_with_component_and_accounts_as_csv(ledger: Path) -> None:
    """Sorted by name; a pooled account is everybody's, and a plan's stays a placeholder."""
    result = run("accounts", ledger, "--format", "csv")
    assert result.exit_code == 0
    deferred = "Liabilities:DeferredRevenue:Allocations"
    assert result.stdout.splitlines() == [
        "subscriber,component,receivable,payable,allocations,tokens",
        (
            f"alice,Alice,Assets:Receivable:Alice,Liabilities:Payable,{deferred}:Alice,"
            "Liabilities:Tokens:Alice:{plan}"
        ),
        (
            '"müller, gmbh",Müller--gmbh-d438e4,Assets:Receivable:Müller--gmbh-d438e4,'
            f"Liabilities:Payable,{deferred}:Müller--gmbh-d438e4,"
            "Liabilities:Tokens:Müller--gmbh-d438e4:{plan}"
        ),
        (
            f"u_8f3a@example.com,Acme,Assets:Receivable:Acme,Liabilities:Payable,{deferred}:Acme,"
            "Liabilities:Tokens:Acme:{plan}"
        ),
    ]


def test_one_subscriber_as_text(ledger: Path) -> None:
    """No account is broken: a narrow terminal leaves out the last ones, and says so."""
    result = run("accounts", ledger, "--subscriber", "u_8f3a@example.com")
    assert result.exit_code == 0
    assert "Assets:Receivable:Acme" in result.stdout
    assert "Left out: tokens, allocations" in result.stdout
    assert "alice" not in result.stdout


def test_a_name_that_nobody_has_is_asked_about(ledger: Path) -> None:
    """Nothing is listed."""
    result = run("accounts", ledger, "--subscriber", "Alcie")
    assert result.exit_code == 2
    assert 'the ledger has no subscriber "Alcie"; did you mean "alice"?' in result.stderr
    assert result.stdout == ""


def test_errors_of_the_ledger_are_told_beside_the_list(ledger: Path) -> None:
    """The list is whole, and the exit code 1."""
    ledger.write_text(f'{LEDGER}2026-05-02 custom "compute-consumption" "bob" 1 CU\n')
    result = run("accounts", ledger, "--format", "csv")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 4
    assert 'unknown subscriber "bob"' in result.stderr


def test_a_payment_against_the_listed_account_settles_what_is_owed(ledger: Path) -> None:
    """alice owes 200.00, pays 150.00 on her receivable: 50.00 are left."""
    listed = run("accounts", ledger, "--subscriber", "alice", "--format", "csv").stdout
    receivable = listed.splitlines()[1].split(",")[2]
    ledger.write_text(
        f"{LEDGER}2026-01-01 open Assets:Bank\n"
        f'2026-06-01 * "alice" "Paid"\n  {receivable}  -150.00 USD\n  Assets:Bank\n'
    )
    aging = run("report", "aging", ledger, "--format", "csv", "--subscriber", "alice").stdout
    assert "receivables,USD,0.00,0.00,50.00,0.00,0.00,0.00,50.00" in aging  # 31 days old
