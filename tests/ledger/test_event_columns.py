"""Events read column by column, beside the same events read one by one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Custom
from beancount.parser.grammar import ValueType

from beancount_compute import plugin
from beancount_compute.economy.events import Event, Place
from beancount_compute.ledger import event_files
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.event_columns import NotPlain
from beancount_compute.ledger.event_directives import events_at_once
from beancount_compute.ledger.event_files import read_file
from beancount_compute.ledger.fields import LONGEST_TEXT, Fields
from beancount_compute.ledger.rows import COLUMNS, LATER_COLUMNS
from tests.ledger.docstrings import directives

# CSV

HEAD = ",".join(name for name in COLUMNS if name not in LATER_COLUMNS)
PLAIN = [
    "s1,2026-05-01,,subscription,alice,,pro,,,,,,,2025-11-15,,",
    ",2026-05-01,,cancellation,alice,,pro,,,,,,,,,",
    "a1,2026-05-01,,allocation,alice,,,500,CU,,100.00,USD,year,,,",
    ",2026-05-01,,allocation,alice,,pro,,,,,,,,,",
    ",2026-05-01,,grant,alice,,,100,CU,,,,2027-01-01,,,",
    "u1,2026-05-01,14:05:09,consumption,alice,,,0.50,CU,,,,,,,at night",
    ",2026-05-01,,trade,alice,bob,,500,CU,0.25,,USD,,,,",
    ",2026-05-01,,transfer,alice,bob,,5,CU,,,,,,,",
    ",2026-05-01,,spend,alice,shop,,5,CU,,17,EUR,,,,",
    ",2026-05-01,,refund,alice,,,5,CU,,,,,,,",
    "an id,2026-05-01,,reversal,,,,,,,,,,,u1,",
]
ODD = [
    "",
    "only,two",
    ",2026-05-01,,consumption,alice,,,5,CU,,,,,,,,",
    # a cell too few, and the next row one too many
    ",2026-05-01,,consumption,alice,,,5,CU,,,,,,\n,2026-05-01,,consumption,alice,,,5,CU,,,,,,,,",
    ",2026-05-01,,party,alice,,,5,CU,,,,,,,",
    ",2026-05-01,,,alice,,,5,CU,,,,,,,",
    ",,,consumption,alice,,,5,CU,,,,,,,",
    ",2026-02-30,,consumption,alice,,,5,CU,,,,,,,",
    ",2026-05-01,25:00:00,consumption,alice,,,5,CU,,,,,,,",
    ",2026-05-01,,consumption,,,,5,CU,,,,,,,",
    ",2026-05-01,,consumption,alice,,,,CU,,,,,,,",
    ",2026-05-01,,consumption,alice,,,5,,,,,,,,",
    ",2026-05-01,,consumption,alice,bob,,5,CU,,,,,,,",
    ",2026-05-01,,consumption,alice,,,5,CU,,,,year,,,",
    ",2026-05-01,,consumption,alice,,,5,cu,,,,,,,",
    ",2026-05-01,,consumption,alice,,,0,CU,,,,,,,",
    ",2026-05-01,,consumption,alice,,,-5,CU,,,,,,,",
    ",2026-05-01,,consumption,alice,,,5e1,CU,,,,,,,",
    ",2026-05-01,,trade,alice,bob,,500,CU,0,,USD,,,,",
    ",2026-05-01,,trade,alice,bob,,500,CU,0.25,,CU,,,,",
    ",2026-05-01,,spend,alice,shop,,5,CU,,-17,EUR,,,,",
    ",2026-05-01,,allocation,alice,,pro,500,CU,,100.00,USD,,,,",
    ",2026-05-01,,allocation,alice,,pro,,,,,,year,,,",
    ",2026-05-01,,subscription,alice,,top-up,,,,,,,,,",
    f"{'x' * (LONGEST_TEXT + 1)},2026-05-01,,consumption,alice,,,5,CU,,,,,,,",
    f",2026-05-01,,consumption,alice,,,5,CU,,,,,,,{'x' * (LONGEST_TEXT + 1)}",
    "e\u0301,2026-05-01,,consumption,zoe\u0308,,,5,CU,,,,,,,\u00fc",
    "\u00a0,2026-05-01,,consumption,alice,,,5,CU,,,,,,,",
    "\x01,2026-05-01,,consumption,alice,,,5,CU,,,,,,,",
    ",2026-05-01,,consumption,alice,,,5,CU,,,,,,,\x02",
    " u2 ,2026-05-01, , consumption,  alice ,,,5 ,CU,,,,,,,\tnow",
    '"u,2",2026-05-01,,consumption,alice,,,5,CU,,,,,,,"a ""b"""',
    ',2026-05-01,,consumption,"  ",,,5,CU,,,,,,,',
    ',2026-05-01,,consumption,alice,,,5,CU,,,,,,,"a\nb"',
    ',2026-05-01,,consumption,"al"ice,,,5,CU,,,,,,,',
    ',2026-05-01,,consumption,"alice,,,5,CU,,,,,,,',
    ",2026-05-01,,consumption,al\x00ice,,,5,CU,,,,,,,",
    ",2026-05-01,,consumption,a\x0cb\x1ec,,,5,CU,,,,,,,",
]


def read(path: Path) -> tuple[list[Event], list[Any]]:
    errors = Errors()
    return read_file(str(path), Place("main.beancount", 7), Fields(), errors), errors.found


def read_by_row(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Event], list[Any]]:
    """The same file, where no column is read at once."""

    def not_plain(*_: object) -> list[Event]:
        raise NotPlain

    with monkeypatch.context() as patch:
        patch.setattr(event_files._Rows, "_by_column", not_plain)
        return read(path)


@pytest.mark.parametrize("block", [2, 5, 400])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("odd", [None, *ODD])
def test_columns_and_rows_give_the_same_events_and_errors(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    odd: str | None,
    line_end: str,
    block: int,
) -> None:
    """Whatever stands between plain rows, in whichever block of lines."""
    monkeypatch.setattr(event_files, "BLOCK", block)
    path = tmp_path / "e.csv"
    lines = [HEAD, *PLAIN, *([] if odd is None else [odd]), *PLAIN]
    path.write_bytes(line_end.join(lines).encode())
    expected = read_by_row(path, monkeypatch)
    assert read(path) == expected
    assert len(expected[0]) >= 2 * len(PLAIN)


@pytest.mark.parametrize("comma", [",", " , "])
@pytest.mark.parametrize(
    "head",
    ["date,event,subscriber,units,commodity", "units,x_a,date,commodity,x_b,subscriber,event"],
)
def test_any_columns_give_the_same_events_and_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, comma: str
) -> None:
    """In another order, fewer of them, and with those of one's own."""
    path = tmp_path / "e.csv"
    cells = {"date": "2026-05-01", "event": "consumption", "subscriber": "alice", "units": "5"}
    cells |= {"commodity": "CU", "x_a": "red"}
    row = comma.join(cells.get(name, "") for name in head.split(","))
    path.write_text("\n".join([head, row, row]))
    expected = read_by_row(path, monkeypatch)
    assert read(path) == expected
    assert len(expected[0]) == 2


@pytest.mark.parametrize(
    "odd", ["30,", ",USD", "0,USD", "-5,USD", "30,usd", "x,USD", "123456789012345,USD"]
)
def test_discounts_by_column_and_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    """With their currency, or without any; what is wrong takes nothing with it."""
    monkeypatch.setattr(event_files, "BLOCK", 4)
    path = tmp_path / "e.csv"
    cells = ["30.00,USD", ",", "0.50,EUR", ",", odd, ",", ","]
    rows = [f"2026-05-0{at},subscription,alice,pro,{each}" for at, each in enumerate(cells, 1)]
    path.write_text("\n".join(["date,event,subscriber,plan,discount,currency", *rows]))
    expected = read_by_row(path, monkeypatch)
    assert read(path) == expected
    read_well = [each for each in expected[0] if not each.flaw]
    assert [str(each.discount) for each in read_well] == ["30", "0", "0.5", "0", "0", "0"]
    assert [each.currency for each in read_well[:3]] == ["USD", "", "EUR"]


@pytest.mark.parametrize("odd", ["x USD", "70 usd", "70", "USD", "1e400 USD"])
def test_amounts_with_a_currency_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    """What a subscription was charged before the books, in one spelling."""
    monkeypatch.setattr(event_files, "BLOCK", 4)
    path = tmp_path / "e.csv"
    cells = ["70.00 USD", "", " 0.50  EUR", odd, "1e1 USD", ""]
    rows = [f"2026-05-0{at},subscription,alice,pro,{each}" for at, each in enumerate(cells, 1)]
    path.write_text("\n".join(["date,event,subscriber,plan,charged", *rows]))
    expected = read_by_row(path, monkeypatch)
    assert read(path) == expected
    read_well = [each for each in expected[0] if not each.flaw]
    assert [each.charged for each in read_well] == ["70 USD", "", "0.5 EUR", "10 USD", ""]


METERED = [
    "alice,5,CU,chat/output,250000",
    "alice,,,chat/output,2.5e5",
    "alice,5.00,CU,chat/output,",
    "alice,5,CU,,",
]
NOT_METERED = [
    "alice,,,chat/output,",
    "alice,,,,5",
    "alice,5,CU,,5",
    "alice,,CU,chat/output,5",
    "alice,,,chat/output,0",
    "alice,,,chat/output,-5",
    "alice,5,CU,chat/output,0",
    "alice,5,CU,chat/output,-5",
    "alice,,,a!b,5",
]


@pytest.mark.parametrize("odd", [None, *NOT_METERED])
@pytest.mark.parametrize("rows", [METERED, METERED[:2], METERED[1:2]])
def test_meters_by_column_and_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], odd: str | None
) -> None:
    """A use without units is one of zero, so that it can be compared with any other."""
    path = tmp_path / "e.csv"
    lines = [f"2026-05-01,consumption,{row}" for row in [*rows, *([odd] if odd else []), *rows]]
    path.write_text("\n".join(["date,event,subscriber,units,commodity,meter,quantity", *lines]))
    expected = read_by_row(path, monkeypatch)
    assert read(path) == expected
    events, errors = expected
    assert len(events) + len(errors) in (len(lines), len(lines) - 1)
    assert sorted(events)
    assert {event.units for event in events if event.quantity == 250000} <= {Decimal(), Decimal(5)}


BILLS = ["5.00,,", "5.00,2026-04-02,2026-04-30", "5.00,,2026-04-30", "5.00,2026-04-02,"]


@pytest.mark.parametrize("odd", [None, "-5,,", "0,,", "5,,2026-05-01", "5,2026-05-01,", "5,May,"])
@pytest.mark.parametrize("rows", [BILLS, BILLS[:1], BILLS[1:2], BILLS[2:3]])
def test_bills_by_column_and_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], odd: str | None
) -> None:
    """For days that they name, or not; what is signed may be below zero."""
    path = tmp_path / "e.csv"
    lines = [f"2026-05-01,bill,openai,USD,{row}" for row in [*rows, *([odd] if odd else []), *rows]]
    path.write_text("\n".join(["date,event,counterparty,currency,paid,from,to", *lines]))
    expected = read_by_row(path, monkeypatch)
    assert read(path) == expected
    events, errors = expected
    assert len(events) + len(errors) == len(lines)
    assert [bool(each.flaw) for each in events if each.paid == Decimal(-5)] in ([], [False])


def test_uses_behind_a_credit_note_are_read_by_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number below zero is odd in its own block of lines alone."""
    monkeypatch.setattr(event_files, "BLOCK", 1)
    path = tmp_path / "e.csv"
    by_row: list[int] = []
    read_rows = event_files._Rows._by_row

    def noted(rows: Any, lines: Any, at_least: int) -> bool:
        by_row.append(at_least)
        return read_rows(rows, lines, at_least)

    monkeypatch.setattr(event_files._Rows, "_by_row", noted)
    uses = [f"2026-05-01,consumption,{row},,," for row in METERED]
    header = "date,event,subscriber,units,commodity,meter,quantity,counterparty,paid,currency"
    note = "2026-05-01,bill,,,,,,openai,-5,USD"
    path.write_text("\n".join([header, *uses, note, *uses]))
    assert len(read(path)[0]) == 2 * len(uses) + 1
    assert by_row == [1]


def test_a_file_without_units_is_read_by_column(tmp_path: Path) -> None:
    """Where all uses are measured, and the column of their units is not there."""
    path = tmp_path / "e.csv"
    row = "2026-05-01,consumption,alice,chat/output,250000"
    path.write_text("\n".join(["date,event,subscriber,meter,quantity", row, row]))
    events, errors = read(path)
    assert errors == []
    assert [(each.units, each.quantity) for each in events] == [(0, 250000)] * 2


def test_plain_rows_are_read_by_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form of the language qualifies: else what is compared here were one thing, not two."""

    def never(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(event_files._Rows, "_by_row", never)
    path = tmp_path / "e.csv"
    path.write_text("\n".join([HEAD, *PLAIN]))
    assert len(read(path)[0]) == len(PLAIN)


@pytest.mark.parametrize("number", ["-5", "-0.01"])
def test_a_number_that_no_event_can_have_is_seen_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    """In a later block, where it is not read but remembered."""
    monkeypatch.setattr(event_files, "BLOCK", 2)
    path = tmp_path / "e.csv"
    flawed = f",2026-05-01,,consumption,alice,,,{number},CU,,,,,,,"
    path.write_text("\n".join([HEAD, flawed, *PLAIN, flawed, *PLAIN, flawed]))
    events, _ = read(path)
    assert len([event for event in events if event.flaw]) == 3


# Directives

PLAIN_DIRECTIVES = """
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-01 custom "compute-subscription" "alice" "pro"
  started: 2025-11-15
2026-05-01 custom "compute-subscription" "alice" "pro"
  started: "2025-11-15"
2026-05-01 custom "compute-subscription" "alice" "pro"
  discount: 30.00 USD
2026-05-01 custom "compute-allocation" "alice" "pro"
  discount: 0.50 EUR
2026-05-01 custom "compute-subscription" "alice" "pro"
  started: 2025-11-15
  charged: 70.00 USD
  unbilled: 35.00 USD
2026-05-01 custom "compute-cancellation" "alice" "pro"
2026-05-01 custom "compute-allocation" "alice" 500 CU 100.00 USD
  id: " a1 "
  expires: "year"
2026-05-01 custom "compute-allocation" "alice" "pro"
2026-05-01 custom "compute-grant" "alice" 100 CU
  expires: 2027-01-01
2026-05-01 custom "compute-consumption" "alice" 0.50 CU
  id: "u1"
  time: "14:05:09"
2026-05-01 custom "compute-consumption" "zoe\u0308" 1.50 CU
  time: "14:05:09"
  id: "u e\u0301"
  x-note: "mine"
2026-05-01 custom "compute-consumption" "alice" 5 CU
  meter: "chat/output"
2026-05-01 custom "compute-consumption" "alice" 5 CU
  meter: "chat/output"
  quantity: 250000
2026-05-01 custom "compute-consumption" "alice"
  quantity: 0.50
  meter: "chat/output"
2026-05-01 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
2026-05-01 custom "compute-transfer" "alice" "bob" 5 CU
2026-05-01 custom "compute-spend" "alice" "shop" 100 CU 17.00 EUR
2026-05-01 custom "compute-refund" "alice" 5 CU
2026-05-01 custom "compute-reversal" "u1"
2026-05-01 custom "compute-bill" "openai" 12.50 USD
2026-05-01 custom "compute-bill" "openai" 12.50 USD
  from: 2026-04-02
  to: "2026-04-30"
2026-05-01 custom "compute-bill" "openai" 12.50 USD
  to: 2026-04-30
"""
ODD_DIRECTIVES = [
    'consumption" "alice"',
    'consumption" "alice"\n  meter: "chat"',
    'consumption" "alice"\n  quantity: 5',
    'consumption" "alice" 5 CU\n  quantity: 5',
    'consumption" "alice"\n  meter: "chat"\n  quantity: 0',
    'consumption" "alice"\n  meter: "chat"\n  quantity: -5',
    'consumption" "alice" 5 CU\n  meter: "chat"\n  quantity: -5',
    'consumption" "alice"\n  meter: "chat"\n  quantity: "5"',
    'consumption" "alice"\n  meter: 5\n  quantity: 5',
    'consumption" "alice"\n  meter: "a!b"\n  quantity: 5',
    'grant" "alice" 5 CU\n  meter: "chat"',
    'grant" "alice" 5 CU\n  discount: 5 USD',
    'allocation" "alice" 5 CU 9 USD\n  discount: 5 USD',
    'subscription" "alice" "pro"\n  discount: 0 USD',
    'subscription" "alice" "pro"\n  discount: -5 USD',
    'allocation" "alice" "pro"\n  discount: 5',
    'subscription" "alice" "pro"\n  charged: 5',
    'subscription" "alice" "pro"\n  unbilled: "5 USD"',
    'grant" "alice" 5 CU\n  unbilled: 5 USD',
    'allocation" "alice" "pro"\n  discount: "5 USD"',
    'allocation" "alice" "pro"\n  discount: 123456789012345 USD',
    'bill" "openai" -5 USD',
    'bill" "openai" 0 USD',
    'bill" "openai" 5 USD\n  to: 2026-05-01',
    'bill" "openai" 5 USD\n  from: 2026-05-01',
    'bill" "openai" 5 USD\n  to: "May"',
    'bill" "openai" 5 USD\n  to: 31',
    'consumption" "alice" 5',
    'consumption" "alice" "5 CU"',
    'consumption" "alice" 5 CU 1.00 USD',
    'consumption" Assets:Alice 5 CU',
    'consumption" "" 5 CU',
    'consumption" " " 5 CU',
    'consumption" "alice" 0 CU',
    'consumption" "alice" -5 CU',
    'consumption" "alice" 123456789012345 CU',
    'trade" "alice" "bob" 5 CU 0 USD',
    'trade" "alice" "bob" 5 CU 5 CU',
    'subscription" "alice" "top-up"',
    'reversal" ""',
    'reversal" 17',
    'party" "alice"',
    'assert" "deferred-revenue" 5 USD',
    'consumption" "alice" 5 CU\n  colour: "red"',
    'consumption" "alice" 5 CU\n  id: 5',
    'consumption" "alice" 5 CU\n  id: " "',
    'consumption" "alice" 5 CU\n  id: ""',
    'consumption" "alice" 5 CU\n  id:',
    'consumption" "alice" 5 CU\n  id: 2026-05-01',
    'consumption" "alice" 5 CU\n  time: "noon"',
    'consumption" "alice" 5 CU\n  time: 2026-05-01',
    'consumption" "alice" 5 CU\n  expires: "year"',
    'grant" "alice" 5 CU\n  expires: 12',
    'grant" "alice" 5 CU\n  expires: "soon"',
    'allocation" "alice" "pro"\n  expires: "year"',
    'subscription" "alice" "pro"\n  started: "1 month"',
]


def read_directives(entries: list[Custom]) -> tuple[plugin.Written, list[Any]]:
    errors = Errors()
    return plugin._read([*entries], Fields(), errors), errors.found


def compare(entries: list[Custom], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same directives, whether they may be read at once or not."""
    with monkeypatch.context() as patch:
        patch.setattr(plugin, "events_at_once", lambda *_: None)
        expected = read_directives(entries)
    assert read_directives(entries) == expected


@pytest.mark.parametrize("block", [2, 400])
@pytest.mark.parametrize("odd", ODD_DIRECTIVES)
def test_columns_and_directives_give_the_same_events_and_errors(
    monkeypatch: pytest.MonkeyPatch, odd: str, block: int
) -> None:
    """Whatever stands beside plain directives, in whichever block of them."""
    monkeypatch.setattr(plugin, "BLOCK", block)
    text = f'2026-05-01 custom "compute-{odd}\n'
    compare(directives(PLAIN_DIRECTIVES + text + PLAIN_DIRECTIVES), monkeypatch)


@pytest.mark.parametrize("number", [None, Decimal("NaN")])
def test_directives_of_another_plugin_may_be_incomplete(
    monkeypatch: pytest.MonkeyPatch, number: Decimal | None
) -> None:
    """Without values, file or line, or with an amount that lacks its number."""
    use = directives('2026-05-01 custom "compute-consumption" "alice" 5 CU')[0]
    amount = ValueType(Amount(number, "CU"), Amount)
    for odd in (
        use._replace(values=None),
        use._replace(values=[]),
        use._replace(meta={}),
        use._replace(values=[use.values[0], amount]),
    ):
        compare([use, odd, use], monkeypatch)


def test_plain_directives_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form of the language qualifies, in the order in which they stand."""
    entries = directives(PLAIN_DIRECTIVES)
    found = events_at_once(entries, Fields())
    assert found is not None and len(found) == len(entries)
    compare(entries, monkeypatch)
