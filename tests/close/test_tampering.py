"""Edits of closed months: every one that changes what they say is found, none that does not.

What a file says is told here by Beancount's own parser and Python's csv, as values without order.
"""

from __future__ import annotations

import csv
import random
import shutil
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Transaction
from beancount.parser import parser

from beancount_compute.close.loading import load
from tests.close.sealing import (
    COLUMNS,
    add,
    close,
    load_errors,
    printed,
    run,
    write,
    write_events,
)
from tests.examples import examples

SEEDS = range(examples(60, 10_000))
TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "2 months"
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-07-01 custom "compute-option" "seller-fee" 0.06
2026-01-01 custom "compute-option" "minimum-fee" 0.10 USD
2026-01-01 custom "compute-subscriber" "u@example.com" "Acme"
2026-06-01 custom "compute-assert" "revenue" "alice" 40.00 USD
2026-01-01 open Assets:Bank
2026-05-25 ! "a payment" #bank ^inv-1
  note: "by wire \\"fast\\""
  Assets:Bank               100.00 USD
    seen: TRUE
  Assets:Receivable:Alice  -100.00 USD
2026-06-11 price CU 0.26 USD
2026-08-01 custom "compute-option" "as-of" 2026-08-31
"""
ROWS = (
    "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
    "s-b,2026-05-01,,subscription,u@example.com,,pro,,,,,,,,,",
    "u-1,2026-05-20,14:05:09,consumption,alice,,,200,CU,,,,,,,",
    ",2026-05-20,,consumption,u@example.com,,,1000.5,CU,,,,,,,",
    "g-1,2026-05-21,,grant,alice,,,5,CU,,,,1 months,,,",
    't-1,2026-06-10,,trade,alice,u@example.com,,500,CU,0.25,,USD,,,,"of ""June"", in\ntwo lines"',
    "p-1,2026-06-12,,spend,alice,shop,,10,CU,,1.50,USD,,,,",
    "u-3,2026-06-20,,consumption,u@example.com,,,1400,CU,,,,,,,",
    "r-1,2026-07-02,,reversal,,,,,,,,,,,p-1,",
    "t-2,2026-07-10,,trade,u@example.com,alice,,5,CU,0.30,,USD,,,,",
    "u-4,2026-08-01,,consumption,alice,,,1,CU,,,,,,,",
)
LATE = "l-1,2026-05-25,,consumption,alice,,,50,CU,,,,,,,"


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three closed months, one of them opened again and closed with a late event in the next."""
    ledger = write(tmp_path_factory.mktemp("sealed") / "l", TERMS, *ROWS)
    close(ledger, "2026-05", "2026-06")
    assert run("reopen", "2026-06", ledger, "--reason", 'an "invoice"').exit_code == 0
    write_events(ledger, *ROWS, LATE)
    close(ledger, "2026-06", "2026-07")
    assert load_errors(ledger) == []
    return ledger


# what a file says


def value_of(value: Any) -> Any:
    match value:
        case Decimal():
            return ("number", value.normalize() if value else Decimal())
        case Amount():
            return (value_of(value.number), value.currency)
        case tuple() if hasattr(value, "_fields"):
            return tuple(value_of(each) for each in value)
        case dict():
            return frozenset(
                (key, value_of(each))
                for key, each in value.items()
                if key not in ("filename", "lineno") and not key.startswith("__")
            )
        case list() | set() | frozenset():
            return frozenset(Counter(map(value_of, value)).items())
        case _:
            return value


def said(path: Path) -> object:
    """What a file says, by value and without order; None where it is not there or unreadable."""
    if not path.exists():
        return None
    text = path.read_text(encoding="utf-8")
    if path.name.endswith(".state.csv"):
        return Counter(tuple(row) for row in csv.reader(StringIO(text, newline="")) if row)
    if path.suffix == ".csv":
        return rows_of(text)
    entries, errors, _ = parser.parse_string(text)
    if errors:
        return None
    return Counter((type(each).__name__, directive(each)) for each in entries)


def directive(entry: Any) -> object:
    if isinstance(entry, Transaction):  # the order of postings has no meaning
        return (value_of(entry.meta), *map(value_of, entry[1:-1]), value_of(entry.postings))
    values = [list(enumerate(each)) if isinstance(each, list) else each for each in entry]
    return tuple(map(value_of, values))


def rows_of(text: str) -> object:
    header, *rows = (row for row in csv.reader(StringIO(text, newline="")) if row)
    header = [name.strip() for name in header]
    numbers = {"units", "price", "paid"}
    try:
        return Counter(
            frozenset(
                (name, Decimal(cell).normalize() if name in numbers and cell else cell.strip())
                for name, cell in zip(header, row, strict=True)
            )
            for row in rows
        )
    except (ValueError, ArithmeticError):
        return None


# edits


def edited(text: str, kind: str, chance: random.Random) -> str:
    """A text with one edit of a kind."""
    lines = text.split("\n")
    at = chance.randrange(len(lines) - 1)
    match kind:
        case "digit":
            places = [
                (n, m) for n, line in enumerate(lines) for m, c in enumerate(line) if c.isdigit()
            ]
            at, where = chance.choice(places)
            digit = str((int(lines[at][where]) + chance.randint(1, 9)) % 10)
            lines[at] = lines[at][:where] + digit + lines[at][where + 1 :]
        case "letter":
            places = [
                (n, m) for n, line in enumerate(lines) for m, c in enumerate(line) if c.isalpha()
            ]
            at, where = chance.choice(places)
            lines[at] = lines[at][:where] + chance.choice("abcXYZ") + lines[at][where + 1 :]
        case "gone":
            del lines[at]
        case "double":
            lines.insert(at, lines[at])
        case "order":
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        case "zero":  # an idle one, where there is a decimal point
            places = [n for n, line in enumerate(lines) if " USD" in line and "." in line]
            if places:
                at = chance.choice(places)
                head, found, behind = lines[at].partition(" USD")
                lines[at] = f"{head}0{found}{behind}"
        case "space" if not lines[at].endswith('"'):
            lines[at] += "  "
        case "comment":
            lines.insert(at, "; a note" if "," not in lines[0] else "")
    return "\n".join(lines)


KINDS = ("digit", "letter", "gone", "double", "order", "zero", "space", "comment", "delete")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_edit_is_found_where_it_changes_what_is_said(
    sealed: Path, seed: int, tmp_path: Path
) -> None:
    """Named with the month and the file; close and export refuse, and the plugin never raises."""
    chance = random.Random(seed)
    ledger = Path(shutil.copytree(sealed.parent, tmp_path / "l")) / sealed.name
    folder = ledger.parent / "closed"
    path = chance.choice([*sorted(folder.glob("2026-*")), folder / "index.beancount"])
    kind = KINDS[seed % len(KINDS)]
    before = said(path)
    text = path.read_text(encoding="utf-8")
    if kind == "delete":
        path.unlink()
    else:
        path.write_text(edited(text, kind, chance), encoding="utf-8")
    changed = said(path) is None or said(path) != before
    loaded = load(ledger)
    assert not any("Traceback" in error.message for error in loaded.errors)
    name = "the index" if path.name.startswith("index") else f"the file of {path.name[:7]}"
    assert bool(loaded.errors) == changed, (name, kind)
    if changed:
        assert_named(path, kind, loaded.errors)
    if changed and seed < 100:
        assert run("close", "2026-08", ledger).exit_code == 1
        assert run("export", "2026-05", ledger, "--format", "csv").exit_code == 1
        assert not (folder / "2026-08.beancount").exists()


def assert_named(path: Path, kind: str, errors: Iterable[Any]) -> None:
    """An error names the month, and the file that was edited or, if it is gone, its seal."""
    month = path.name[:7]
    files = {error.source["filename"] for error in errors}
    if path.name.startswith("index"):
        assert kind == "delete" or files & {str(path), *map(str, path.parent.glob("2026-*"))}
        return
    where = str(path.parent / "index.beancount") if kind == "delete" else str(path)
    assert any(
        error.source["filename"] == where
        and error.source["lineno"] > 0
        and f"closed month {month}" in error.message
        for error in errors
    ), [(error.source, error.message) for error in errors]


def test_the_columns_are_those_of_event_files() -> None:
    """The oracle knows the numbers among them."""
    assert {"units", "price", "paid"} <= set(COLUMNS.split(","))


def test_a_whole_row_added_to_a_frozen_month_is_found(sealed: Path, tmp_path: Path) -> None:
    """An event, a transaction and a price that nobody sealed."""
    ledger = Path(shutil.copytree(sealed.parent, tmp_path / "l")) / sealed.name
    folder = ledger.parent / "closed"
    with open(folder / "2026-06.events.csv", "a", encoding="utf-8") as file:
        file.write("u-9,2026-06-21,,consumption,alice,,,1,CU,,,,,,,,\n")
    with open(folder / "2026-05.beancount", "a", encoding="utf-8") as file:
        file.write(
            '\n2026-05-31 * "more"\n  Income:Compute  1.00 USD\n  Assets:Receivable  -1.00 USD\n'
            "\n2026-05-31 price CU  9 USD\n"
        )
    errors = load_errors(ledger)
    assert any(
        error.startswith(
            "closed/2026-06.events.csv:6: closed month 2026-06 was changed: "
            'row "u-9" was not sealed'
        )
        for error in errors
    ), errors
    assert any("the transaction of 2026-05-31 was not sealed" in error for error in errors)
    assert any("the price of 2026-05-31 was not sealed" in error for error in errors)


@pytest.mark.parametrize("part", ["events.csv", "state.csv"])
def test_the_order_of_rows_is_no_content(sealed: Path, tmp_path: Path, part: str) -> None:
    """Behind the header they may stand in any: what was deferred last, say."""
    ledger = Path(shutil.copytree(sealed.parent, tmp_path / "l")) / sealed.name
    path = ledger.parent / "closed" / f"2026-05.{part}"
    head, *rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([head, *reversed(rows)]))
    assert load_errors(ledger) == []


def test_a_seal_of_another_type_is_named(sealed: Path, tmp_path: Path) -> None:
    """The newest one, which no later seal names: a letter of its type was touched."""
    ledger = Path(shutil.copytree(sealed.parent, tmp_path / "l")) / sealed.name
    path = ledger.parent / "closed" / "index.beancount"
    head, _, last = path.read_text().rpartition("compute-close")
    path.write_text(f"{head}coXpute-close{last}")
    line = head.count("\n") + 1
    (error,) = load_errors(ledger)
    assert error == (
        f"closed/index.beancount:{line}: no line of the index that bean-compute wrote: "
        'restore "index.beancount"'
    )


def test_each_file_that_differs_is_named(sealed: Path, tmp_path: Path) -> None:
    """A row with the id of another event: what it does to the terms' use does not crowd it out."""
    ledger = Path(shutil.copytree(sealed.parent, tmp_path / "l")) / sealed.name
    path = ledger.parent / "closed" / "2026-06.events.csv"
    path.write_text(path.read_text().replace("u-3,", "u-4,", 1))
    errors = load_errors(ledger)
    assert any(error.startswith("closed/2026-06.events.csv:5: ") for error in errors), errors


def test_a_changed_month_is_named_and_the_books_go_on_from_the_last_state_that_holds(
    sealed: Path, tmp_path: Path
) -> None:
    """201 CU in place of 200: nothing holds up to May, so that all months are booked anew from the
    ledger's own events: May shows 200, what came late in June comes late again, August goes on."""
    ledger = Path(shutil.copytree(sealed.parent, tmp_path / "l")) / sealed.name
    add(ledger, '2026-08-20 custom "compute-assert" "revenue" "alice" 50.20 USD\n')
    assert load_errors(ledger) == []  # 40.00 in May, 10.00 late, 0.20 in August
    before = printed(load(ledger))
    path = ledger.parent / "closed" / "2026-05.beancount"
    text = path.read_text()
    path.write_text(text.replace("   200 CU {", "   201 CU {", 1))
    loaded = load(ledger)
    (message,) = (error.message for error in loaded.errors)
    assert message.startswith('closed month 2026-05 was changed: event "u-1": found ')
    assert "201 CU" in message and "200 CU" in message
    assert printed(loaded) == before
