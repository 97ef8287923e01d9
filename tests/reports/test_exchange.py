"""CSV and JSON: exact, in a stable order, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from io import StringIO

import pytest

from beancount_compute.reports.books import Selection
from beancount_compute.reports.exchange import csv_of, json_of
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.tables import Column, Measure, Table
from tests.reports.story import STORY, books_of

TABLE = Table(
    "A title",
    (
        Column("who", "who"),
        Column("used", "used\nup", Measure.UNITS),
        Column("price", "price", Measure.PRICE),
        Column("trades", "trades", Measure.COUNT),
    ),
    [('A, "B"', Decimal("-1234567.000000001"), None, 3)],
    "name",
)


def test_csv_keeps_all_digits_and_no_separators() -> None:
    """Keys in the header; a figure that there isn't is empty; negative numbers stay numbers."""
    assert csv_of([TABLE]) == 'who,used,price,trades\n"A, ""B""",-1234567.000000001,,3\n'


def test_several_tables_are_parted_by_an_empty_line() -> None:
    """Each with its own header."""
    assert csv_of([TABLE, TABLE]).split("\n\n")[1].startswith("who,used")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_a_text_that_a_spreadsheet_would_run_is_defused(start: str) -> None:
    """An apostrophe stands before it; the rest of the text is as it was."""
    text = f"{start}cmd|' /C calc'!A1"
    found = csv_of([Table("T", (Column("a", "a"),), [(text,)])])
    assert next(iter(list(csv.reader(StringIO(found, newline="")))[1:])) == [f"'{text}"]


@pytest.mark.parametrize(
    ("text", "defused"),
    [
        ("x;=cmd|'/C calc'!A1", "x;'=cmd|'/C calc'!A1"),  # where semicolons part cells
        ("x\t=1", "x\t'=1"),
        ("x\r=1", "x\r'=1"),
        ("x\n+1", "x\n'+1"),
        ('"=1', "'\"=1"),
        ("\u200b=1", "'\u200b=1"),
        ("\ufeff@x", "'\ufeff@x"),
        (" =1", "' =1"),
        ("=1;=2", "'=1;'=2"),
        ("\tx", "'\tx"),
        ("\r=1", "'\r'=1"),
    ],
)
def test_a_formula_is_found_where_spreadsheets_find_one(text: str, defused: str) -> None:
    """Behind other separators, quotes and marks of no width, each time that it stands there."""
    found = csv_of([Table("T", (Column("a", "a"),), [(text,)])])
    assert next(iter(list(csv.reader(StringIO(found, newline="")))[1:])) == [defused]


@pytest.mark.parametrize("text", ["a-b", "a = b", "a;b", "a; b-c", "'=1", "e@mail", "", "x,=y"])
def test_a_sign_within_a_text_is_left_alone(text: str) -> None:
    """No name or memo is changed without need."""
    found = csv_of([Table("T", (Column("a", "a"), Column("b", "b")), [(text, "")])])
    assert next(iter(list(csv.reader(StringIO(found, newline="")))[1:])) == [text, ""]


def test_a_month_as_a_column_of_figures_is_no_formula() -> None:
    """Only what begins with a sign is defused."""
    text = csv_of(REPORTS["vintages"].tables(books_of(STORY), Selection(), "revenue"))
    assert text.splitlines() == [
        "vintage,currency,earlier,2026-05,2026-06,total",
        "2026-05,USD,0.00,240.00,80.00,320.00",
        "2026-06,USD,0.00,0.00,200.00,200.00",
    ]


def test_json_holds_amounts_as_text_and_counts_as_numbers() -> None:
    """A reader that makes binary fractions of numbers loses nothing."""
    document = json.loads(json_of("market", {"plan": "pro"}, [TABLE]))
    assert document["report"] == "market"
    assert document["selection"] == {"plan": "pro"}
    (table,) = document["tables"]
    assert table["rows"] == [
        {"who": 'A, "B"', "used": "-1234567.000000001", "price": None, "trades": 3}
    ]
    assert [column["key"] for column in table["columns"]] == ["who", "used", "price", "trades"]
