"""What a close writes is what a load reads; what a seal says is what the month holds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal, getcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from beancount.core.amount import Amount

from beancount_compute.close import freezing
from beancount_compute.close.closing import index_text
from beancount_compute.close.loading import load
from beancount_compute.close.storage import CloseError
from beancount_compute.close.verifying import verify
from beancount_compute.closed import copies
from beancount_compute.closed.chain import Seal, with_digest
from beancount_compute.closed.frozen_months import files_digest, month_paths
from tests.close.sealing import (
    COLUMNS,
    add,
    booked,
    close,
    contents,
    load_errors,
    printed,
    run,
    write,
)

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  overage: 0.30 USD
2026-01-01 custom "compute-option" "as-of" 2026-06-30
"""
ROWS = (
    "t1,2026-05-02,,allocation,alice,,,500,CU,,100.00,USD,,,,",
    "u1,2026-05-03,,consumption,alice,,,5,CU,,,,,,,",
    "u2,2026-06-03,,consumption,alice,,,6,CU,,,,,,,",
)
BANK = "2026-01-01 open Assets:Bank USD\n2026-01-01 open Equity:Opening USD\n"


def goes_on(ledger: Path) -> None:
    """May closes; then the ledger loads as before, verifies, and June closes."""
    before = printed(load(ledger))
    close(ledger, "2026-05")
    loaded = load(ledger)
    assert loaded.errors == [] and printed(loaded) == before
    assert verify(loaded) == []
    close(ledger, "2026-06")
    assert load_errors(ledger) == []


@pytest.mark.parametrize("name", ["alice ", " alice", "alice\\u2003", "\\u00a0alice\\u3000"])
def test_blanks_at_the_ends_of_a_name_are_none_of_it(tmp_path: Path, name: str) -> None:
    """In a directive as in a row: it is alice who uses what "alice " bought."""
    name = name.encode().decode("unicode-escape") if "\\" in name else name
    text = f'2026-05-01 custom "compute-allocation" "{name}" 10 CU 2.00 USD\n'
    ledger = write(tmp_path, TERMS + text, *ROWS)
    goes_on(ledger)
    assert {each.payee for each in booked(load(ledger).entries)} == {"alice"}


def test_a_person_s_own_key_may_be_called_as_the_mark_of_copies(tmp_path: Path) -> None:
    """Its copy is a copy all the same, and keeps the key's value: an edit of it is found."""
    text = BANK + (
        '2026-05-20 * "paid"\n  frozen: "v"\n  frozen-: "w"\n'
        "  Assets:Bank  1.00 USD\n  Equity:Opening\n"
    )
    ledger = write(tmp_path, TERMS + text, *ROWS)
    goes_on(ledger)
    ledger.write_text(ledger.read_text().replace('frozen: "v"', 'frozen: "x"'))
    assert len(load_errors(ledger)) == 2  # as it stands now, and as it was


@pytest.mark.parametrize("old", ["CU", "USD"])
def test_a_commodity_or_currency_may_be_one_letter(tmp_path: Path, old: str) -> None:
    """As Beancount's own text has it: a cost in one needs a blank before the comma."""
    rows = [row.replace(f",{old},", ",V,") for row in ROWS]
    goes_on(write(tmp_path, TERMS.replace(f" {old}", " V"), *rows))
    assert "1 error" not in run("verify", tmp_path / "main.beancount").output


def test_the_ends_of_lines_are_no_content(tmp_path: Path) -> None:
    """Version control turns them in all files, also within a memo and a text of two lines."""
    memo = '"a memo\nin two lines, with a back\\slash"'
    by_hand = (
        '2026-05-21 * "Store" "a text\nof two lines"\n  Assets:Bank  1.00 USD\n  Equity:Opening\n'
    )
    rows = (*ROWS[:1], ROWS[1] + memo, *ROWS[2:])
    ledger = write(tmp_path, TERMS + BANK + by_hand, *rows)
    goes_on(ledger)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_errors(ledger) == [] and verify(load(ledger)) == []


def test_a_plugin_before_ours_may_leave_few_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 less 5 are 495, and not 5.0E+2; the digits are given back behind the load."""

    def few(entries: Any, options: Any) -> Any:
        getcontext().prec = 2
        return entries, []

    module = ModuleType("a_plugin_of_few_digits")
    module.__dict__["__plugins__"] = (few,)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    ledger = write(tmp_path, TERMS, *ROWS)
    ledger.write_text('plugin "a_plugin_of_few_digits"\n' + ledger.read_text())
    close(ledger, "2026-05")
    assert getcontext().prec == 28
    state = (tmp_path / "closed" / "2026-05.state.csv").read_text()
    assert "\nlot,alice,tokens,495,CU,0.20,USD," in state
    assert load_errors(ledger) == []


def test_what_no_closed_booking_used_may_change(tmp_path: Path) -> None:
    """Alice's period is of the plan; its price of overage was nobody's."""
    rows = ("s,2026-05-01,,subscription,alice,,pro,,,,,,,,,", *ROWS)
    ledger = write(tmp_path, TERMS, *rows)
    close(ledger, "2026-05")
    ledger.write_text(ledger.read_text().replace("overage: 0.30", "overage: 0.90"))
    assert load_errors(ledger) == [] and verify(load(ledger)) == []
    ledger.write_text(ledger.read_text().replace("200.00 USD 1000", "210.00 USD 1000"))
    (error,) = load_errors(ledger)
    assert "was booked with 200.00 USD 1000 CU" in error


def test_a_balance_behind_a_closed_pad_can_not_change_what_was_padded(tmp_path: Path) -> None:
    """900.00 in place of 100.00: `check` and `export` say so."""
    text = BANK + (
        "2026-05-10 pad Assets:Bank Equity:Opening\n2026-05-20 balance Assets:Bank  100.00 USD\n"
    )
    ledger = write(tmp_path, TERMS + text, *ROWS)
    close(ledger, "2026-05")
    assert load_errors(ledger) == []
    ledger.write_text(ledger.read_text().replace("  100.00 USD", "  900.00 USD"))
    errors = load_errors(ledger)
    assert any("this pad gives 900.00 USD now" in error for error in errors)
    assert run("check", ledger).exit_code == 1
    assert run("export", "2026-05", ledger, "--format", "csv").exit_code == 1


def seal_of(ledger: Path) -> Seal:
    booking = load(ledger).booking
    assert booking is not None
    (seal,) = booking.chain.closed
    return seal


def seal_again(ledger: Path, **said: Any) -> None:
    """Seal what now lies there, with other figures perhaps, as a forger would."""
    old = seal_of(ledger)
    paths = month_paths(str(ledger.parent / "closed"), old.month)
    files = files_digest(*(Path(path).read_bytes() for path in paths))
    seal = with_digest(old._replace(files=files, **said))
    (ledger.parent / "closed" / "index.beancount").write_text(index_text([seal]))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"events": 999}, "the seal of 2026-05 says 999 events, its file holds 2"),
        (
            {"deferred": (Amount(Decimal(1_000_000), "USD"),)},
            "the seal of 2026-05 says deferred-revenue 1000000 USD, its state says 99.00 USD",
        ),
        ({"deferred": ()}, "the seal of 2026-05 says deferred-revenue nothing, its state says"),
    ],
    ids=["events", "deferred revenue", "none deferred"],
)
def test_a_seal_is_believed_in_nothing(tmp_path: Path, said: dict[str, Any], message: str) -> None:
    """A forged figure whose digest is right: named on load, and by verify."""
    ledger = write(tmp_path, TERMS, *ROWS)
    close(ledger, "2026-05")
    seal_again(ledger, **said)
    (error,) = load_errors(ledger)
    assert message in error
    result = run("verify", ledger)
    assert result.exit_code == 1
    assert result.stderr.count("the seal says") + result.stderr.count("the seal of") >= 2


def test_a_sealed_row_that_can_not_be_read_makes_no_late_event(tmp_path: Path) -> None:
    """It is an error; what May booked is not booked once more in June."""
    ledger = write(tmp_path, TERMS, *ROWS)
    close(ledger, "2026-05")
    before = len(booked(load(ledger).entries))
    rows = tmp_path / "closed" / "2026-05.events.csv"
    rows.write_text(rows.read_text().replace(",5,CU,", ",five,CU,"))
    seal_again(ledger)
    loaded = load(ledger)
    assert len(booked(loaded.entries)) == before
    assert any(
        error.startswith("closed/2026-05.events.csv:3: closed month 2026-05: ")
        for error in load_errors(ledger)
    )


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(("rows_text", lambda text: text.replace("alice", "bob")), id="rows"),
        pytest.param(("rows_text", lambda text: text + "x\n"), id="a row too many"),
        pytest.param(("month_text", lambda text: text.replace("5 CU", "6 CU")), id="text"),
        pytest.param(("month_text", lambda text: text + "\nnonsense\n"), id="no text"),
        pytest.param(("state_text", lambda text: text.replace("495", "496")), id="state"),
    ],
)
def test_what_would_be_read_back_otherwise_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: tuple[str, Callable[[str], str]]
) -> None:
    """Whatever a writer got wrong: the close stops, and nothing is there."""
    ledger = write(tmp_path, TERMS, *ROWS)
    before = contents(tmp_path)
    name, spoil = broken
    writer = getattr(freezing, name)
    monkeypatch.setattr(freezing, name, lambda *args: spoil(writer(*args)))
    with pytest.raises(CloseError, match=r"can't be frozen|would be read back"):
        close(ledger, "2026-05")
    assert contents(tmp_path) == before


def counted(patched: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[None]:
    """One None for each call of a function, from now on."""
    function, seen = getattr(module, name), []

    def called(*args: Any) -> Any:
        seen.append(None)
        return function(*args)

    patched.setattr(module, name, called)
    return seen


@pytest.mark.parametrize("edit", ["edited", "in another order"])
def test_many_edits_of_closed_entries_cost_as_many_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    """Twice as many take twice as many: no entry is compared with each other one."""
    looks = {}
    for many in (40, 80):
        ledger = write(tmp_path / str(many), TERMS + BANK, *ROWS)
        entries = [
            f'2026-05-20 * "paid {at}"\n  Assets:Bank  {at}.50 USD\n  Equity:Opening\n'
            for at in range(1, many + 1)
        ]
        add(ledger, "".join(entries))
        close(ledger, "2026-05")
        text = ledger.read_text()
        if edit == "edited":
            ledger.write_text(text.replace("Assets:Bank  ", "Assets:Safe  "))
            add(ledger, "2026-01-01 open Assets:Safe USD\n")
        else:
            head = text[: text.index(entries[0])]
            ledger.write_text(head + "".join(reversed(entries)).replace(".50 USD", ".500 USD"))
        with monkeypatch.context() as patched:
            seen = counted(patched, copies, "item_of")
            errors = load_errors(ledger)
        assert len(errors) == (2 * many if edit == "edited" else 0)
        looks[many] = len(seen)
    assert looks[80] <= 2.2 * looks[40]


def test_months_of_an_earlier_release_are_one_error_that_says_what_to_do(tmp_path: Path) -> None:
    """Two months without a state: reopened and closed anew, they hold."""
    ledger = write(tmp_path, TERMS, *ROWS)
    close(ledger, "2026-05", "2026-06")
    books = printed(load(ledger))
    booking = load(ledger).booking
    assert booking is not None
    links: list[Seal] = []
    for seal in booking.chain.closed:
        text, rows, state = month_paths(str(tmp_path / "closed"), seal.month)
        files = files_digest(Path(text).read_bytes(), Path(rows).read_bytes())
        before = links[-1].digest if links else "none"
        links.append(with_digest(seal._replace(files=files, previous=before)))
        Path(state).unlink()
    (tmp_path / "closed" / "index.beancount").write_text(index_text(links))
    (error,) = load_errors(ledger)
    assert error.startswith("closed/index.beancount:3: 2026-05 was closed by an earlier release")
    assert "bean-compute reopen 2026-05" in error
    assert printed(load(ledger)) == books
    assert run("reopen", "2026-05", ledger, "--reason", "an earlier release").exit_code == 0
    close(ledger, "2026-05", "2026-06")
    assert load_errors(ledger) == [] and printed(load(ledger)) == books
    assert verify(load(ledger)) == []


def test_the_first_index_tells_version_control_to_leave_files_alone(tmp_path: Path) -> None:
    """`* -text` in the folder of closed months."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\n')
    assert run("close", "--init", ledger).exit_code == 0
    assert "* -text\n" in (tmp_path / "closed" / ".gitattributes").read_text()


def test_the_columns_are_those_of_event_files() -> None:
    """The rows above have as many cells."""
    assert {row.count(",") for row in ROWS} == {COLUMNS.count(",")}
