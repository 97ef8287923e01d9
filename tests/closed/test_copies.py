"""What people wrote in closed months: it stays in the ledger, and may not change there."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import (
    HEAD,
    INCLUDE,
    add,
    booked,
    close,
    load_errors,
    printed,
    write,
)

PAID = """\
2026-05-25 ! "alice" "by wire" #bank ^inv-1
  note: "fast"
  Assets:Bank               100.00 USD
    seen: TRUE
  Assets:Receivable:Alice  -100.00 USD
"""
PRICE = "2026-05-11 price CU 0.26 USD\n"
LEDGER = (
    '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    "2026-01-01 open Assets:Bank\n2026-01-01 open Expenses:Fees\n"
    '2026-05-01 custom "compute-subscription" "alice" "pro"\n  id: "s-a"\n'
    '2026-05-28 custom "compute-assert" "revenue" "alice" 0.00 USD\n'
)  # lines 4 to 9
OPEN = '2026-06-02 * "rent"\n  Assets:Bank  -1.00 USD\n  Expenses:Fees  1.00 USD\n'
GONE = "gone from the ledger, or changed, after 2026-05 was closed: "
STRANGE = (
    "is not in the closed month as it stands here: it was added or changed afterwards; restore "
    "it, and write what is new on 2026-06-01 or later"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed, with a payment (line 10) and a price (line 15) of the ledger's own."""
    path = write(tmp_path, LEDGER + PAID + PRICE + OPEN)
    close(path, "2026-05")
    assert load_errors(path) == []
    return path


def errors_with(ledger: Path, text: str) -> list[str]:
    ledger.write_text(HEAD + INCLUDE + LEDGER + text)
    return load_errors(ledger)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("100.00 USD", "100.01 USD"),
        ("by wire", "by cheque"),
        ("2026-05-25", "2026-05-26"),
        ("#bank", "#cash"),
        ("^inv-1", "^inv-2"),
        ("fast", "slow"),
        ("TRUE", "FALSE"),
        ("!", "*"),
        ("Assets:Bank  ", "Expenses:Fees"),
    ],
)
def test_a_changed_transaction_is_an_error_where_it_stands(
    ledger: Path, old: str, new: str
) -> None:
    """And where its copy is frozen: the flag, a tag, a link, metadata are content too."""
    errors = errors_with(ledger, PAID.replace(old, new) + PRICE + OPEN)
    assert errors[0].startswith("closed/2026-05.beancount:")
    assert GONE in errors[0]
    assert errors[1].startswith("main.beancount:10: this transaction of 2026-05-2")
    assert errors[1].endswith(STRANGE)
    assert len(errors) == 2


def test_a_changed_price_of_units_is_an_error(ledger: Path) -> None:
    """Market values of the closed month rest on it."""
    errors = errors_with(ledger, PAID + PRICE.replace("0.26", "0.27") + OPEN)
    assert [GONE in errors[0], errors[1]] == [
        True,
        f"main.beancount:15: this price of 2026-05-11 {STRANGE}",
    ]


def test_what_is_gone_is_an_error_at_its_copy(ledger: Path) -> None:
    """Named by its first line, without the mark of a copy."""
    (error,) = errors_with(ledger, PRICE + OPEN)
    assert error.startswith("closed/2026-05.beancount:")
    assert error.endswith(
        f'{GONE}2026-05-25 ! "alice" "by wire" #bank ^inv-1: restore it, and correct it with an '
        "entry of 2026-06-01 or later"
    )


def test_what_is_added_is_an_error_where_it_stands(ledger: Path) -> None:
    """The same payment once more, too; what lies in the open month is free."""
    errors = errors_with(ledger, PAID + PRICE + OPEN + OPEN + PAID)
    assert errors == [f"main.beancount:22: this transaction of 2026-05-25 {STRANGE}"]


def test_spacing_comments_idle_zeros_and_places_are_no_change(ledger: Path) -> None:
    """Nor is another file, or prices of what is no unit."""
    moved = PAID.replace("  Assets:Bank               100.00", "  Assets:Bank 100.000")
    (ledger.parent / "bank.beancount").write_text(f"; from the bank\n\n{moved}")
    text = f'{PRICE}include "bank.beancount"\n2026-05-11 price EUR 1.10 USD\n{OPEN}'
    assert errors_with(ledger, text) == []


def test_prices_of_units_that_get_a_plan_later_are_no_news(ledger: Path, tmp_path: Path) -> None:
    """GPU was none of this economy's units when May was closed, and had a price all the same."""
    price = "2026-05-12 price GPU 3.00 USD\n"
    assert errors_with(ledger, PAID + PRICE + price) == []
    plan = '2026-06-01 custom "compute-plan" "gpu" 300.00 USD 10 GPU\n'
    assert errors_with(ledger, PAID + PRICE + price + plan) == []
    close(ledger, "2026-06")
    assert load_errors(ledger) == []


def test_a_late_assertion_names_the_first_open_day(ledger: Path) -> None:
    """One that was there when the month was closed is no error; nor is it checked again."""
    add(ledger, '2026-05-29 custom "compute-assert" "revenue" "alice" 0.00 USD\n')
    assert load_errors(ledger) == [
        (
            "main.beancount:19: an assertion can't come late: 2026-05-29 lies in a closed month; "
            "date it 2026-06-01, the first open day, or later"
        )
    ]


def test_texts_of_people_come_through_as_they_are(tmp_path: Path) -> None:
    """Line breaks, quotes and backslashes in narration, payee, metadata and names; every kind of
    metadata; a name with two line breaks in an assertion and as a component."""
    text = (
        '2026-05-01 custom "compute-subscriber" "a\n\nb" "Odd"\n'
        '2026-05-01 custom "compute-allocation" "a\n\nb" 10 CU 1.00 USD\n'
        '2026-05-02 custom "compute-assert" "tokens" "a\n\nb" 10 CU\n'
        '2026-05-03 * "say \\"x\\"" "one\n\ntwo \\\\ three"\n'
        '  ka: "x\n\ny"\n  kb: 2026-01-01\n  kc: 5\n  kd: 5.50 USD\n  ke: TRUE\n'
        "  kf: #tag\n  kg: USD\n"
        "  kh: Assets:Bank\n  ki:\n"
        "  ! Assets:Bank      1.00 USD @@ 2.00 EUR\n"
        "  Assets:Receivable:Odd\n"
    )
    ledger = write(tmp_path, LEDGER + text)
    before = printed(load(ledger))
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert load_errors(ledger) == []
    assert printed(loaded) == before
    assert verify(loaded) == []


def test_what_was_written_before_the_first_closed_month_is_frozen_with_it(ledger: Path) -> None:
    """Nothing stands before it, so a new entry of April is an addition to May."""
    (error,) = errors_with(ledger, PAID + PRICE + OPEN + OPEN.replace("2026-06-02", "2026-04-02"))
    assert error == f"main.beancount:19: this transaction of 2026-04-02 {STRANGE}"


TOP_UP = '2026-05-02 custom "compute-allocation" "alice" 10 CU 1.00 USD\n  id: "t-1"\n'
UNDONE = '2026-06-05 custom "compute-reversal" "t-1"\n'


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('"alice" "Alice"', ""),  # it says what is so
        (
            '"alice" "Ally"',
            (
                'subscriber "alice" is in the books of 2026-05 or before under another '
                "component: remove this line, or reopen those months"
            ),
        ),
        (
            '"bob" "Alice"',
            'subscriber "alice" has the component Alice already: give "bob" another',
        ),
    ],
)
def test_nobody_of_a_closed_month_gets_another_component(
    tmp_path: Path, line: str, error: str
) -> None:
    """Alice was booked on ...:Tokens:Alice. A line that names her otherwise, or bob so, does not
    hold: her closed top-up is still hers, and a reversal in June takes it from there."""
    ledger = write(tmp_path, LEDGER + TOP_UP)
    close(ledger, "2026-05")
    add(ledger, UNDONE + f'2026-06-01 custom "compute-subscriber" {line}\n')
    assert load_errors(ledger) == [f"main.beancount:13: {error}"] * bool(error)
    lots = [
        (posting.account, posting.units.number)
        for entry in booked(load(ledger).entries)
        for posting in entry.postings
        if "t-1" in (entry.meta["event"], entry.meta.get("reverses")) and posting.cost
    ]
    tokens = "Liabilities:DeferredRevenue:Tokens:Alice"
    assert lots == [(tokens, -10), (tokens, 10)]


def test_a_component_that_a_closed_month_used_stays_taken(tmp_path: Path) -> None:
    """Also where the line that gave it is gone, which is an error of its own."""
    named = '2026-01-01 custom "compute-subscriber" "alice" "Ally"\n'
    ledger = write(tmp_path, LEDGER + named)
    close(ledger, "2026-05")
    ledger.write_text(HEAD + INCLUDE + LEDGER + named.replace('"alice"', '"bob"'))
    errors = load_errors(ledger)
    assert [each for each in errors if each.startswith("main")] == [
        'main.beancount:10: subscriber "alice" has the component Ally already: give "bob" another'
    ]
    assert any('subscriber "alice" says nothing' in each for each in errors)
