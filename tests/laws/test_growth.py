"""Twice as much takes at most a little more than twice the work, counted in instructions.

Instructions of the interpreter are counted, not time: the same on every machine. What a growth of
n^1.15 allows for twice as much is 2.22 times the work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from beancount.parser import booking, parser

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.event_files import read_csv
from beancount_compute.ledger.fields import Fields
from beancount_compute.plugin import work_out
from tests.close.sealing import HEAD, close, write

MOST = 2**1.15
HERE = "beancount_compute"


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the instructions of the package's own functions, and of what is made in them."""
    count = [0]

    def within(frame: Any, event: str, arg: object) -> Any:
        if event == "opcode":
            count[0] += 1
        return within

    def entered(frame: Any, event: str, arg: object) -> Any:
        if HERE not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        return within

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield count
    finally:
        sys.settrace(before)


def growth(work: Callable[[int], Callable[[], object]], number: int) -> float:
    """How much more work twice as much is; what is needed for it is made before."""
    found = []
    for many in (number, 2 * number):
        call = work(many)
        with counted() as count:
            call()
        found.append(count[0])
    return found[1] / found[0]


# loads


def loading(text: str) -> Callable[[], object]:
    """The plugin's own work on a ledger of that text."""
    entries, _, options = parser.parse_string(HEAD + text)
    entries, _ = booking.book(entries, options)
    return lambda: work_out(entries, options)


def lines(many: int, line: str) -> str:
    return "".join(
        line.format(at=at, day=f"2026-{at % 9 + 1:02}-{at % 28 + 1:02}") for at in range(many)
    )


PLAN = '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n  overage: 0.30 USD\n'
ALICE = '2026-01-01 custom "compute-allocation" "alice" 1000000 CU 1000.00 USD\n'
BOB = '2026-01-01 custom "compute-grant" "bob" 1 CU\n'
LEDGERS: dict[str, Callable[[int], str]] = {
    "events": lambda n: ALICE + lines(n, '{day} custom "compute-consumption" "alice" 2 CU\n'),
    "subscribers": lambda n: (
        PLAN + lines(n, '2026-01-01 custom "compute-subscription" "s{at}" "pro"\n')
    ),
    "plans": lambda n: lines(
        n,
        '2026-01-01 custom "compute-plan" "p{at}" 2.00 USD 10 CU\n'
        '2026-01-01 custom "compute-subscription" "s{at}" "p{at}"\n',
    ),
    "lots of one subscriber": lambda n: lines(
        n,
        '{day} custom "compute-allocation" "alice" 1{at} CU 1.00 USD\n'
        '2026-10-01 custom "compute-consumption" "alice" 1{at} CU\n',
    ),
    "lots of one subscriber, merged by the month": lambda n: (
        '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
        + LEDGERS["lots of one subscriber"](n)
    ),
    "one use of many lots": lambda n: (
        lines(n, '{day} custom "compute-allocation" "alice" 1{at} CU 1.00 USD\n')
        + lines(20, '2026-10-01 custom "compute-consumption" "alice" 1{at} CU\n')
        + '2026-10-02 custom "compute-transfer" "alice" "alicia" 5 CU\n'
    ),
    "trades of one pair": lambda n: (
        ALICE + BOB + lines(n, '{day} custom "compute-trade" "alice" "bob" 2 CU 0.{at} USD\n')
    ),
    "trades there and back": lambda n: (
        ALICE
        + BOB
        + lines(
            n,
            '{day} custom "compute-trade" "alice" "bob" 1 CU 0.5 USD\n'
            '2026-10-01 custom "compute-trade" "bob" "alice" 1 CU 0.5 USD\n',
        )
    ),
    "assertions": lambda n: (
        ALICE + lines(n, '{day} custom "compute-assert" "tokens" "alice" 1000000 CU\n')
    ),
    "assertions that fail": lambda n: (
        ALICE + lines(n, '{day} custom "compute-assert" "tokens" "alice" 1 CU\n')
    ),
    "hand-written postings": lambda n: (
        ALICE
        + "2026-01-01 open Income:Gone\n"
        + lines(
            n,
            '{day} * "gone"\n  Liabilities:DeferredRevenue:Tokens:Alice  1 CU '
            '{{0.001 USD, 2026-01-01, "top-up"}}\n  Income:Gone  -0.001 USD\n',
        )
    ),
    "hand-written postings that name no lot": lambda n: (
        lines(n, '2026-01-01 custom "compute-allocation" "alice" 1{at} CU 1.00 USD\n')
        + "2026-01-01 open Income:Gone\n"
        + lines(
            n,
            '2026-05-01 * "gone"\n  Liabilities:DeferredRevenue:Tokens:Alice  1 CU '
            '{{0.9 USD, 2026-01-02, "top-up"}}\n  Income:Gone  -0.9 USD\n',
        )
    ),
    "opening lots": lambda n: (
        "2026-01-01 open Equity:Opening\n"
        + lines(
            n,
            '2026-01-01 * "o" #compute-opening\n  Liabilities:DeferredRevenue:Tokens:Alice  -1 CU '
            '{{0.0{at} USD, 2025-01-01, "top-up"}}\n  Equity:Opening\n',
        )
    ),
    "prices": lambda n: ALICE + lines(n, "{day} price CU  0.{at} USD\n"),
    "options": lambda n: ALICE + lines(n, '{day} custom "compute-option" "unit-cost" 0.{at} USD\n'),
    "named subscribers": lambda n: (
        lines(n, '2026-01-01 custom "compute-subscriber" "s{at}" "C{at}"\n') + ALICE
    ),
    "cancellations and new subscriptions": lambda n: (
        PLAN
        + lines(n, '2026-01-01 custom "compute-subscription" "s{at}" "pro"\n')
        + lines(n, '2026-03-10 custom "compute-cancellation" "s{at}" "pro"\n')
        + lines(n, '2026-04-01 custom "compute-subscription" "s{at}" "pro"\n')
    ),
    "reversals": lambda n: (
        ALICE
        + lines(
            n,
            '{day} custom "compute-consumption" "alice" 2 CU\n  id: "u{at}"\n'
            '2026-10-01 custom "compute-reversal" "u{at}"\n',
        )
    ),
    "reversals on the day of their uses": lambda n: (
        ALICE
        + lines(
            n,
            '2026-05-01 custom "compute-consumption" "alice" 2 CU\n  id: "u{at}"\n'
            '2026-05-01 custom "compute-reversal" "u{at}"\n',
        )
    ),
    "reversals on the day of their top-ups": lambda n: (
        ALICE
        + lines(
            n,
            '2026-05-01 custom "compute-allocation" "s{at}" 2 CU 1.00 USD\n  id: "u{at}"\n'
            '2026-05-01 custom "compute-reversal" "u{at}"\n',
        )
    ),
    "overage": lambda n: (
        PLAN
        + '2026-01-01 custom "compute-subscription" "alice" "pro"\n'
        + lines(n, '{day} custom "compute-consumption" "alice" 900 CU\n')
    ),
    "unknown subscribers": lambda n: lines(
        n,
        '2026-01-01 custom "compute-grant" "subscriber-{at}" 2 CU\n'
        '{day} custom "compute-consumption" "subscribe-{at}" 2 CU\n',
    ),
    "unknown events": lambda n: (
        ALICE
        + lines(
            n,
            '{day} custom "compute-consumption" "alice" 2 CU\n  id: "use-{at}"\n'
            '{day} custom "compute-reversal" "uses-{at}"\n',
        )
    ),
    "what follows from a refused line": lambda n: lines(
        n,
        '2026-01-01 custom "compute-subscription" "s{at}"\n'
        '{day} custom "compute-consumption" "s{at}" 2 CU\n',
    ),
    "lines that can't be read of one subscriber": lambda n: lines(
        n,
        '{day} custom "compute-subscription" "alice"\n'
        '{day} custom "compute-consumption" "alice" 2 CU\n',
    ),
    "events that are said twice": lambda n: (
        ALICE + 2 * lines(n, '{day} custom "compute-consumption" "alice" 2 CU\n  id: "u{at}"\n')
    ),
    "years apart": lambda n: (
        ALICE + lines(n, '1{at:03}-01-01 custom "compute-consumption" "alice" 2 CU\n')
    ),
}


@pytest.mark.parametrize("what", LEDGERS)
def test_a_load_grows_with_its_ledger(what: str) -> None:
    """Of each thing twice as many."""
    assert growth(lambda many: loading(LEDGERS[what](many)), 100) < MOST


# event files

HEADER = "date,event,subscriber,units,commodity,memo,id"
FILES: dict[str, Callable[[int], str]] = {
    "rows": lambda n: f"{HEADER}\n" + n * "2026-05-01,consumption,alice,1,CU,,\n",
    "rows with quotes": lambda n: f"{HEADER}\n" + n * '2026-05-01,consumption,"a, b",1,CU,,\n',
    "rows that can't be read": lambda n: f"{HEADER}\n" + n * "2026-05-01,party,alice,1,CU,,\n",
    "rows of 0 units": lambda n: f"{HEADER}\n" + n * "2026-05-01,consumption,alice,0,CU,,\n",
    "columns": lambda n: (
        f"{HEADER},{','.join(f'x_{at}' for at in range(n))}\n"
        + 20 * f"2026-05-01,consumption,alice,1,CU,,{n * ',1'}\n"
    ),
    "columns that are unknown": lambda n: f"{HEADER},{','.join(f'y_{at}' for at in range(n))}\n",
    "columns without a name": lambda n: (
        f"{HEADER}{n * ','}\n" + 20 * f"2026-05-01,consumption,alice,1,CU,,{n * ','}\n"
    ),
    "digits": lambda n: f"{HEADER}\n2026-05-01,consumption,alice,0.{n * '0'}1,CU,,\n",
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_of_events_grows_with_what_is_in_it(what: str) -> None:
    """Rows and columns, right and wrong."""

    def reading(many: int) -> Callable[[], object]:
        data = FILES[what](many).encode()
        return lambda: read_csv("events.csv", data, Fields(), Errors())

    assert growth(reading, 500) < MOST


# closed months


def lots_in_one_account(many: int) -> str:
    return lines(many, '2026-05-01 custom "compute-allocation" "alice" 1{at} CU 1.00 USD\n')


PAID = "  Assets:Bank  {at}.01 USD\n  Assets:Receivable:Alice  -{at}.01 USD\n"
CLOSED: dict[str, Callable[[int], str]] = {
    "plans": lambda n: lines(
        n,
        '2026-01-01 custom "compute-plan" "p{at}" 2.00 USD 10 CU\n'
        '2026-05-01 custom "compute-allocation" "s{at}" "p{at}"\n',
    ),
    "lots in one account": lots_in_one_account,
    "currencies": lambda n: lines(
        n, '2026-05-01 custom "compute-allocation" "alice" 1{at} CU 1.00 C{at}\n'
    ),
    "payments": lambda n: (
        '2026-05-01 custom "compute-allocation" "alice" 2 CU 1.00 USD\n'
        "2026-01-01 open Assets:Bank\n" + lines(n, f'2026-05-01 * "p"\n{PAID}')
    ),
}


@pytest.mark.parametrize("step", ["close", "load", "verify"])
@pytest.mark.parametrize("what", CLOSED)
def test_a_closed_month_grows_with_what_is_in_it(what: str, step: str, tmp_path: Path) -> None:
    """What it takes to close it, to load it and to work it out again."""

    def doing(many: int) -> Callable[[], object]:
        ledger = write(tmp_path / str(many), CLOSED[what](many))
        loaded = load(ledger)
        assert loaded.errors == []
        if step == "close":
            return lambda: close(ledger, "2026-05", loaded=loaded)
        close(ledger, "2026-05", loaded=loaded)
        if step == "load":
            return lambda: load(ledger)
        again = load(ledger)
        return lambda: verify(again)

    assert growth(doing, 60) < MOST


def test_many_copies_of_one_file_are_as_many_errors(tmp_path: Path) -> None:
    """Each is named once, with the first; not each with each other."""
    row = f"{HEADER}\n2026-05-02,consumption,alice,1,CU,,\n"

    def loading_copies(many: int) -> Callable[[], object]:
        files = {f"{at:03}.csv": row for at in range(many)}
        text = ALICE + '2026-01-01 custom "compute-events" "*.csv"\n'
        ledger = write(tmp_path / str(many), text, files=files)
        assert len(load(ledger).errors) == many - 1
        return lambda: load(ledger)

    assert growth(loading_copies, 40) < MOST


def test_messages_name_some_lots_of_many(tmp_path: Path) -> None:
    """A hand-written posting that names no lot of a holder of 300: each message is short."""
    text = LEDGERS["hand-written postings that name no lot"](300)
    loaded = load(write(tmp_path, text))
    assert len(loaded.errors) == 300
    assert max(len(error.message) for error in loaded.errors) < 1000
