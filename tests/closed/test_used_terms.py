"""Terms that a closed month used may not change; any other may be added, also back-dated."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import HEAD, INCLUDE, close, load_errors, write

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "minimum-fee" 0.01 USD
2026-01-01 custom "compute-option" "draw-down" "fifo"
2026-01-01 custom "compute-option" "cost-step" 0.000001
2026-01-01 custom "compute-option" "posting-grain" "event"
2026-01-01 custom "compute-account" "revenue" Income:Use
2026-01-01 custom "compute-subscriber" "u@example.com" "Acme"
2026-01-01 custom "compute-meter" "chat"
  units: 2 CU
  source: "a \\"list\\""
2026-01-01 custom "compute-meter" "never used"
2026-05-21 custom "compute-consumption" "u@example.com"
  id: "u-3"
  meter: "chat"
  quantity: 3
"""  # lines 4 to 21
ROWS = (
    "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
    "t-1,2026-05-05,,allocation,u@example.com,,,100,CU,,10.00,USD,,,,",
    "u-1,2026-05-20,,consumption,alice,,,1001,CU,,,,,,,",
    "m-1,2026-05-21,,trade,u@example.com,alice,,5,CU,0.30,,USD,,,,",
    "u-2,2026-06-20,,consumption,alice,,,1,CU,,,,,,,",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed; it used a plan, its overage, both fees, draw-down, step, grain, accounts."""
    path = write(tmp_path, TERMS, *ROWS)
    close(path, "2026-05")
    return path


def errors_with(ledger: Path, terms: str) -> list[str]:
    ledger.write_text(HEAD + INCLUDE + terms + '2026-01-01 custom "compute-events" "events.csv"\n')
    return load_errors(ledger)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (
            "200.00 USD",
            "210.00 USD",
            4,
            'plan "pro" says 210.00 USD 1000 CU unused: mint',
        ),
        ("1000 CU", "1001 CU", 4, 'plan "pro" says 200.00 USD 1001 CU'),
        ('"mint"', '"expire"', 4, 'plan "pro" says 200.00 USD 1000 CU unused: expire'),
        ("0.30 USD", "0.31 USD", 4, "unused: mint overage: 0.31 USD on 2026-05-20"),
        ('fee" 0.05', 'fee" 0.04', 7, 'option "seller-fee" says 0.04 on 2026-05-21'),
        ("0.01 USD", "0.02 USD", 8, 'option "minimum-fee" says 0.02 USD'),
        ('"fifo"', '"lifo"', 9, 'option "draw-down" says lifo on 2026-05-20'),
        ("0.000001", "0.0000001", 10, 'option "cost-step" says 0.0000001'),
        ('"event"', '"day"', 11, 'option "posting-grain" says day'),
        ("Income:Use", "Income:Used", 12, 'account "revenue" says Income:Used'),
        ("2 CU", "3 CU", 14, 'meter "chat" says units: 3 CU source: a "list" on 2026-05-21'),
        ('"Acme"', '"Acme2"', 13, 'subscriber "u@example.com" says Acme2'),
    ],
)
def test_a_changed_term_is_named_with_its_line_and_what_it_was(
    ledger: Path, old: str, new: str, line: int, message: str
) -> None:
    """And the closed month, and the first day on which new terms may begin, of those that have
    days; what holds for the whole ledger (lines 10 to 13) can only be restored."""
    (error,) = errors_with(ledger, TERMS.replace(old, new))
    assert error.startswith(f"main.beancount:{line}: "), error
    assert message in error
    assert "and the closed month 2026-05 was booked with " in error
    dated = "restore it, and date the new terms 2026-06-01 or later"
    undated = "restore it: whatever its date, it holds for the whole ledger"
    assert error.endswith(f": {undated if line in range(10, 14) else dated}")
    loaded = load(ledger)
    revenue = "Income:Use"
    assert any(p.account == revenue for e in loaded.entries for p in getattr(e, "postings", ()))


def test_a_term_that_is_gone_is_an_error_too(ledger: Path) -> None:
    """At the month's seal, as no line says it; what rests on it is refused beside."""
    lines = TERMS.splitlines(keepends=True)
    errors = errors_with(ledger, "".join(line for line in lines if "seller-fee" not in line))
    assert errors == [
        (
            'closed/index.beancount:3: option "seller-fee" says 0 on 2026-05-21, and the '
            "closed month 2026-05 was booked with 0.05: restore it, and date the new terms "
            "2026-06-01 or later"
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        '2026-06-01 custom "compute-plan" "pro" 300.00 USD 1000 CU\n',
        '2026-05-02 custom "compute-plan" "new" 300.00 USD 1000 CU\n',
        '2026-05-02 custom "compute-plan" "gpu" 300.00 USD 1000 GPU\n',
        '2026-02-02 custom "compute-option" "minimum-fee" 5.00 EUR\n',
        '2026-05-22 custom "compute-option" "seller-fee" 0.50\n',
        '2026-05-22 custom "compute-option" "seller-fixed-fee" 0.10 USD\n',
        '2026-05-01 custom "compute-option" "buyer-fixed-fee" 0.10 EUR\n',
        '2026-01-01 custom "compute-option" "seller-fee" 0.05\n',
        '2026-05-10 custom "compute-option" "seller-fee" 0.05\n',
        '2026-05-01 custom "compute-option" "unit-cost" 0.04 USD\n',
        '2026-05-01 custom "compute-option" "top-ups-refundable" FALSE\n',
        '2026-05-06 custom "compute-option" "top-ups-refundable" TRUE\n',
        '2026-05-01 custom "compute-option" "as-of" 2026-09-30\n',
        '2026-05-01 custom "compute-account" "partner" "Liabilities:P:{partner}"\n',
        '2026-05-01 custom "compute-account" "breakage" Income:Lapsed\n',
        '2026-05-01 custom "compute-subscriber" "carol" "Carol-1"\n',
        '2026-05-01 custom "compute-meter" "never used"\n  units: 5 CU\n',
        '2026-05-22 custom "compute-meter" "chat"\n  units: 5 CU\n',
        (
            '2026-05-01 custom "compute-option" "meter" "never"\n'
            '2026-05-01 custom "compute-meter" "never"\n  units: 5 GPU\n'
        ),
    ],
)
def test_what_nobody_used_yet_may_be_added(ledger: Path, text: str) -> None:
    """Also with a day in the closed month; nor does a line that says the same matter."""
    assert errors_with(ledger, TERMS + text) == []
    assert verify(load(ledger)) == []


@pytest.mark.parametrize(
    "text",
    [
        '2026-04-30 custom "compute-plan" "pro" 300.00 USD 1000 CU\n',
        '2026-05-20 custom "compute-plan" "pro" 200.00 USD 1000 CU\n  overage: 0.50 USD\n',
        '2026-05-21 custom "compute-option" "seller-fee" 0.50\n',
        '2026-05-21 custom "compute-option" "buyer-fee" 0.50\n',
        '2026-05-21 custom "compute-option" "seller-fixed-fee" 0.10 USD\n',
        '2026-05-20 custom "compute-option" "draw-down" "lifo"\n',
        '2026-05-05 custom "compute-option" "top-ups-refundable" TRUE\n',
        (
            '2026-05-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
            '  unused: "mint"\n  overage: 0.30 USD\n  refundable: TRUE\n'
        ),
        '2026-05-01 custom "compute-account" "overage" Income:Over\n',
        '2026-05-01 custom "compute-subscriber" "alice" "Alice-1"\n',
        '2026-05-21 custom "compute-meter" "chat"\n  units: 3 CU\n',
    ],
)
def test_what_was_used_may_not_be_added_back_dated(ledger: Path, text: str) -> None:
    """Defaults are used as well: no fee of the buyer, an account."""
    (error, *_) = errors_with(ledger, TERMS + text)
    assert error.startswith("main.beancount:22: ")


def test_terms_that_change_and_change_back_within_the_month_are_found(tmp_path: Path) -> None:
    """Three trades at 5 %; 50 % from 12 to 18 May, added later, would have changed the second."""
    rows = (
        ROWS[1],
        *(
            f"m-{day},2026-05-{day},,trade,u@example.com,alice,,5,CU,0.30,,USD,,,,"
            for day in (10, 15, 21)
        ),
    )
    alice = "t-2,2026-05-05,,allocation,alice,,,100,CU,,10.00,USD,,,,"
    ledger = write(tmp_path, TERMS, alice, *rows)
    close(ledger, "2026-05")
    fees = (
        '2026-05-12 custom "compute-option" "seller-fee" 0.50\n'
        '2026-05-18 custom "compute-option" "seller-fee" 0.05\n'
    )
    errors = errors_with(ledger, TERMS + fees)
    assert len(errors) == 1 and "0.5 on 2026-05-12" in errors[0]


def test_terms_that_changed_within_the_month_before_it_was_closed_are_no_error(
    tmp_path: Path,
) -> None:
    """5 %, 50 % for a week, 5 % again: each with the days on which it was used."""
    fees = (
        '2026-05-12 custom "compute-option" "seller-fee" 0.50\n'
        '2026-05-18 custom "compute-option" "seller-fee" 0.05\n'
    )
    alice = "t-2,2026-05-05,,allocation,alice,,,100,CU,,10.00,USD,,,,"
    rows = [
        f"m-{day},2026-05-{day},,trade,u@example.com,alice,,5,CU,0.30,,USD,,,,"
        for day in (10, 15, 21)
    ]
    ledger = write(tmp_path, TERMS + fees, alice, ROWS[1], *rows)
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    assert verify(load(ledger)) == []


USD, EUR = (f'option "operating_currency" "{currency}"\n' for currency in ("USD", "EUR"))
GRANT = "g-1,2026-06-05,,grant,alice,,,100,CU,,,,,,,"


def with_currencies(ledger: Path, lines: str) -> list[str]:
    ledger.write_text(ledger.read_text().replace(USD, lines))
    return load_errors(ledger)


@pytest.mark.parametrize(
    ("lines", "now"), [(EUR, 'is "EUR"'), (EUR + USD, 'is "EUR"'), ("", "is gone")]
)
def test_the_first_operating_currency_is_held_to_that_of_closed_grants(
    tmp_path: Path, lines: str, now: str
) -> None:
    """The grant is of June: at June's seal, once, though July is closed with another."""
    ledger = write(tmp_path, TERMS, *ROWS, GRANT, GRANT.replace("g-1,2026-06", "g-2,2026-07"))
    close(ledger, "2026-05", "2026-06", "2026-07")
    (error,) = with_currencies(ledger, lines)
    assert error == (
        f'closed/index.beancount:10: the first option "operating_currency" {now}, and grants of '
        'the closed month 2026-06 were booked at 0 USD: restore "USD" as the first; others may '
        "stand behind it"
    )


def test_nothing_but_closed_grants_rests_on_the_first_operating_currency(tmp_path: Path) -> None:
    """May has none: it may change, and an open grant follows it. With one, others may be added."""
    ledger = write(tmp_path / "open", TERMS, *ROWS, GRANT)
    close(ledger, "2026-05")
    assert with_currencies(ledger, EUR) == []
    assert verify(load(ledger)) == []
    ledger = write(tmp_path / "closed", TERMS, *ROWS, GRANT)
    close(ledger, "2026-05", "2026-06")
    assert with_currencies(ledger, USD + EUR) == []
    assert verify(load(ledger)) == []


def test_a_plan_s_own_meter_went_before_the_default_one(tmp_path: Path) -> None:
    """The use of GPU had no meter, as that of its plan counts CU; the option was always there."""
    terms = """\
2026-01-01 custom "compute-plan" "render" 20.00 USD 10 GPU
  meter: "pictures"
2026-01-01 custom "compute-meter" "pictures"
  units: 5 CU
2026-01-01 custom "compute-meter" "hours"
  units: 1 GPU
2026-01-01 custom "compute-option" "meter" "hours"
"""
    rows = (
        "s-a,2026-05-01,,subscription,alice,,render,,,,,,,,,",
        "u-1,2026-05-20,,consumption,alice,,,2,GPU,,,,,,,",
    )
    path = write(tmp_path, terms, *rows)
    close(path, "2026-05")
    assert load_errors(path) == []


@pytest.mark.parametrize(
    ("since", "used"),
    [("2026-05-01", "2026-05-05"), ("2026-05-05", "2026-05-05"), ("2026-05-10", "2026-05-20")],
)
def test_top_ups_that_are_refundable_from_a_day_on_are_told_from_a_later_edit(
    tmp_path: Path, since: str, used: str
) -> None:
    """May has a top-up on the 5th, June none; prepaid credits are bought in both behind the line.
    It was there when they were closed, so that only to take it away changes them."""
    rows = (
        "t-1,2026-05-05,,allocation,alice,,,100,CU,,10.00,USD,,,,",
        "p-1,2026-05-20,,purchase,,openai,,200,OAI,,180.00,USD,,,,",
        "p-2,2026-06-20,,purchase,,openai,,200,OAI,,180.00,USD,,,,",
    )
    provider = '2026-01-01 custom "compute-provider" "openai"\n'
    option = f'{since} custom "compute-option" "top-ups-refundable" TRUE\n'
    ledger = write(tmp_path, provider + option, *rows)
    for month in ("2026-05", "2026-06"):
        close(ledger, month)
        assert load_errors(ledger) == []
    text = ledger.read_text(encoding="utf-8")
    ledger.write_text(text.replace(option, ""), encoding="utf-8")
    assert [error.partition(" says ")[2].partition(":")[0] for error in load_errors(ledger)] == [
        f"FALSE on {used}, and the closed month 2026-05 was booked with TRUE",
        "FALSE on 2026-06-20, and the closed month 2026-06 was booked with TRUE",
    ]
