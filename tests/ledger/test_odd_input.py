"""Odd input is booked like any other, or is one clear error; it never changes what else is booked.

2026-05-01 custom "compute-allocation" "../../etc/passwd" 800 CU 160.00 USD

Assets:Receivable:S-------etc-passwd-3754d6                       160.00 USD
Liabilities:DeferredRevenue:Tokens:S-------etc-passwd-3754d6        -800 CU {0.20 USD, ...}
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest
from beancount import loader
from beancount.core.account import is_valid
from beancount.core.data import Custom, Price, Transaction
from beancount.parser import printer

TOKENS = "Liabilities:DeferredRevenue:Tokens:"
ALICE = '2026-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD\n'
FILE = '2026-05-02 custom "compute-events" "may.csv"\n'  # line 4, behind alice's top-up
HEADER = "date,event,subscriber,units,commodity,memo\n"
USE = "2026-05-02,consumption,alice,10,CU,\n"


def left(units: object, account: str = f"{TOKENS}Alice") -> str:
    """A check of the units that an account holds at the end."""
    return f"2026-06-01 balance {account}  -{units} CU\n"


# names

NAMES = {
    "quotes": 'al"ice"',
    "line feed": "al\nice",
    "carriage return": "al\r\nice",
    "backslash": "al\\ice\\",
    "emoji": "🚀 rocket",
    "right to left": "\u202ealice\u202c",
    "right-to-left mark": "alice\u200f",
    "arabic": "أليس",
    "mathematical letter": "𝒜lice",
    "300 characters": "x" * 300,
    "path": "../../etc/passwd",
    "subscriber placeholder": "{subscriber}",
    "plan placeholder": "{plan}",
    "tag and link": "#tag ^link",
    "account": "Assets:Cash",
    "beancount": 'x" 1 USD\n2026-05-01 open Assets:Hacked\n; "',
    "comment": "; alice",
    "format": "%s %d {0}",
    "markup": "<script>alert(1)</script>",
    "zero width": "\u200b",
    "line separator": "\u2028alice",
    "byte order mark": "\ufeffalice",
    "blank before": " alice",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_changes_nothing_but_its_own_account(load, name):
    """Whatever a name holds: one valid component, the same books, and the name itself as payee.

    Blanks at its ends are no part of it, as in event files.
    """
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    loaded = load(
        f'2026-05-01 custom "compute-allocation" "{text}" 800 CU 160.00 USD\n'
        '2026-05-01 custom "compute-subscriber" "bob" "Bob"\n'
        f'2026-05-02 custom "compute-consumption" "{text}" 300 CU\n'
        f'2026-05-03 custom "compute-trade" "{text}" "bob" 100 CU 0.25 USD\n'
        f'2026-05-04 custom "compute-spend" "bob" "{text}" 100 CU 5.00 USD\n'
        "2026-06-01 balance Income:Compute  -60.00 USD\n"
        "2026-06-01 balance Income:Partners  -15.00 USD\n"
        f"2026-06-01 balance {TOKENS}Bob  0 CU\n"
    )
    assert loaded.errors == []
    name = name.strip()
    assert [entry.payee for entry in loaded.booked] == [name, name, name, "bob"]
    accounts = {posting.account for entry in loaded.booked for posting in entry.postings}
    assert len(accounts) == 8
    assert all(is_valid(account) and account.count(":") <= 3 for account in accounts)
    (pocket,) = {each for each in accounts if each.startswith(TOKENS)} - {f"{TOKENS}Bob"}
    assert pocket.endswith("-" + sha256(name.encode()).hexdigest()[:6]) or pocket in (
        f"{TOKENS}{name[0].upper()}{name[1:]}",
    )


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_books_with_an_odd_name_can_be_written_and_read(load, name):
    """What Beancount prints of them loads to the same payees, links and balances."""
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    booked = load(f'2026-05-01 custom "compute-allocation" "{text}" 800 CU 160.00 USD\n').entries
    written = "".join(printer.format_entry(entry) for entry in booked if type(entry) is not Custom)
    again, errors, _ = loader.load_string(written)
    assert errors == []
    (before,) = (entry for entry in booked if isinstance(entry, Transaction))
    (after,) = (entry for entry in again if isinstance(entry, Transaction))
    assert (before.payee, before.links) == (after.payee, after.links)
    assert [posting[:3] for posting in before.postings] == [
        posting[:3] for posting in after.postings
    ]


def test_a_name_in_two_normal_forms_is_one_subscriber(load):
    """Names are compared as NFC: é is é, however an export composes it."""
    loaded = load(
        '2026-05-01 custom "compute-allocation" "\u00e9lise" 800 CU 160.00 USD\n'
        '2026-05-02 custom "compute-consumption" "e\u0301lise" 300 CU\n'
        + left(500, f"{TOKENS}\u00c9lise")
    )
    assert loaded.errors == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a\x00b", "holds the control character U+0000: remove it"),
        ("a\x7fb", "holds the control character U+007F: remove it"),
        ("a\x85b", "holds the control character U+0085: remove it"),
        (" \t", "a name is empty: write who or what is meant"),
        ("y" * 4097, "a text of 4,097 characters; at most 4,096 are allowed"),
    ],
    ids=["NUL", "delete", "next line", "blanks", "too long"],
)
def test_a_name_that_cannot_be_written_back_is_refused(load, name, message):
    """Control characters, blanks alone and texts of many pages are errors on their line."""
    row = f'2026-05-02,grant,"{name}",1,CU,\n'
    loaded = load(
        f'{ALICE}2026-05-02 custom "compute-grant" "{name}" 1 CU\n'
        '2026-05-02 custom "compute-events" "may.csv"\n' + left(790),
        {"may.csv": HEADER + USE + row},
    )
    errors = [error for error in loaded.errors if "plugin" not in error]
    if name.strip():
        assert errors[-1].startswith("may.csv:3: ")
        assert errors[-1].endswith(message)
        assert errors[0].startswith("main.beancount:4: ")
    else:  # a cell is stripped, so that it is absent
        assert errors == [
            "main.beancount:4: a name is empty: write who or what is meant",
            'may.csv:3: grant without subscriber: fill the column "subscriber"',
        ]


def test_a_refused_event_takes_no_component(load):
    """An unknown name is no subscriber: it can't take a component that another was given."""
    loaded = load(
        '2026-01-01 custom "compute-subscriber" "u_8f3a@example.com" "Acme"\n'
        '2026-05-01 custom "compute-allocation" "u_8f3a@example.com" 800 CU 160.00 USD\n'
        '2026-05-02 custom "compute-consumption" "acme" 5 CU\n' + left(800, f"{TOKENS}Acme")
    )
    assert [error.split(":")[1] for error in loaded.errors] == ["5"]


# bytes


@pytest.mark.parametrize(
    ("before", "line"), [("\ufeff", 3), ("\n\n", 5)], ids=["byte order mark", "blank lines"]
)
def test_what_stands_before_the_header_is_no_event(load, before, line):
    """A byte order mark and blank rows change no event and no line number."""
    rows = before + HEADER + USE + USE.replace("10", "x")
    loaded = load(ALICE + FILE + left(790), {"may.csv": rows})
    (error,) = loaded.errors
    assert error.startswith(f'may.csv:{line}: "x" is not a number: ')


@pytest.mark.parametrize("line_end", ["\r\n", "\r"], ids=["CRLF", "lone CR"])
def test_any_line_end_ends_a_row(load, line_end):
    """CRLF and a lone CR end a row as a line feed does; errors count the same lines."""
    rows = HEADER + USE + USE.replace("10", "x") + USE
    loaded = load(ALICE + FILE + left(780), {"may.csv": rows.replace("\n", line_end)})
    (error,) = loaded.errors
    assert error.startswith('may.csv:3: "x" is not a number: ')


def test_a_line_break_in_a_quoted_cell_counts_as_a_line(load):
    """A memo of three lines is one cell, and the rows behind it keep their line numbers."""
    rows = HEADER + '2026-05-02,consumption,alice,10,CU,"a\r\nb\rc"\n' + USE.replace("10", "x")
    loaded = load(ALICE + FILE + left(790), {"may.csv": rows})
    (error,) = loaded.errors
    assert error.startswith("may.csv:5: ")
    assert [entry.meta.get("memo") for entry in loaded.booked] == [None, "a\r\nb\rc"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "2026-05-02,consumption,al\0ice,1,CU,",
            'the text "al\\x00ice" holds the control character',
        ),
        ("2026-05-02,consumption,alice,1\0,CU,", '"1\\x00" is not a number'),
        (
            "2026-05-02,consumption,alice,1,CU,a\0b",
            'the text "a\\x00b" holds the control character',
        ),
        ("2026-05-\0,consumption,alice,1,CU,", '"2026-05-\\x00" is not a date'),
        ("2026-05-02,\0,alice,1,CU,", 'unknown event "\\x00"'),
    ],
    ids=["name", "number", "memo", "date", "event"],
)
def test_a_nul_byte_is_an_error_of_its_row(load, row, message):
    """The message shows the byte in letters, and the other row is booked."""
    loaded = load(ALICE + FILE + left(790), {"may.csv": f"{HEADER}{row}\n{USE}"})
    (error,) = loaded.errors
    assert error.startswith(f"may.csv:2: {message}")
    assert error.isprintable()


@pytest.mark.parametrize(("broken", "rows_behind"), [(1000, 1), (1001, 0), (2000, 0)])
def test_a_file_of_broken_rows_ends_with_an_error_and_not_in_hours(load, broken, rows_behind):
    """Up to 1,000 rows that are not CSV are errors of theirs; behind more, the rest is not read.

    Each broken row begins the reading anew. The rows before, and between, are booked.
    """
    bad = USE.replace("alice", '"alice"x')
    rows = [HEADER, USE, USE, *[bad] * 500, USE, *[bad] * (broken - 500), USE]
    loaded = load(ALICE + FILE + left(770 - 10 * rows_behind), {"may.csv": "".join(rows)})
    places = [error.split(": ")[0] for error in loaded.errors]
    lines = [*range(4, 504), *range(505, 505 + broken - 500)][:1001]
    limit = [error for error in loaded.errors if "more than 1,000 rows are not CSV" in error]
    assert len(limit) == (broken > 1000)
    ends = [lines[-1] + 1] if broken > 1000 else []
    assert [error.split(": ")[0] for error in limit] == [f"may.csv:{line}" for line in ends]
    assert set(places) == {f"may.csv:{line}" for line in lines + ends}
    assert len(places) == len(lines) + len(limit)
    assert all("the row is not CSV: " in error for error in loaded.errors if error not in limit)


HUGE = 5_000_000


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("memo", "x" * HUGE, "a text of 5,000,000 characters; at most 4,096 are allowed"),
        ("subscriber", "x" * HUGE, "a text of 5,000,000 characters; at most 4,096 are allowed"),
        ("units", "x" * HUGE, "is not a number"),
        ("date", "1" * HUGE, "is not a date"),
        ("event", "x" * HUGE, "unknown event"),
        ("commodity", "C" * HUGE, "is not a commodity"),
        ("units", "1" * HUGE, "... has more than 14 significant digits: write at most 14"),
    ],
    ids=["memo", "subscriber", "units", "date", "event", "commodity", "digits"],
)
def test_a_cell_of_five_megabytes_is_an_error_of_its_row(load, column, cell, message):
    """The message doesn't repeat the cell, and the other row is booked."""
    names = HEADER.strip().split(",")
    row = dict(zip(names, USE.strip().split(","), strict=True)) | {column: cell}
    loaded = load(ALICE + FILE + left(790), {"may.csv": f"{HEADER}{','.join(row.values())}\n{USE}"})
    (error,) = loaded.errors
    assert error.startswith("may.csv:2: ")
    assert message in error
    assert len(error) < 300


@pytest.mark.parametrize("blanks", [" ", "\t", "\n", "\r\n", "\u00a0", "\u2003"])
def test_every_cell_is_stripped(load, blanks):
    """White space around a cell is no part of it, whatever else the file holds."""
    cells = USE.strip().split(",")
    row = ",".join(f'"{blanks}{cell}{blanks}"' for cell in cells)
    loaded = load(ALICE + FILE + left(780), {"may.csv": f"{HEADER}{row}\n{USE}"})
    assert loaded.errors == []


@pytest.mark.parametrize("name", ["bob\n", "\nbob", "\r\nbob", "bob\r"])
def test_a_line_break_at_the_edge_of_a_name_is_stripped(load, name):
    """A name in a CSV file never begins or ends with white space."""
    rows = f'2026-05-02,grant,"{name}",1,CU,\n2026-05-02,grant,bob,2,CU,\n'
    loaded = load(
        f"{ALICE}{FILE}2026-06-01 balance Liabilities:DeferredRevenue:Allocations:Bob  -3 CU\n",
        {"may.csv": HEADER + rows},
    )
    assert loaded.errors == []


def test_five_megabytes_of_blanks_are_stripped(load):
    """Cells are stripped, whatever their length."""
    rows = HEADER + USE.replace("10", " " * HUGE + "10")
    assert load(ALICE + FILE + left(790), {"may.csv": rows}).errors == []


# days

PLAN = """\
0001-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
"""


def test_the_first_day_of_the_calendar(load):
    """A ledger may begin in the year 1: periods, mints and assertions are those of any year."""
    loaded = load(
        PLAN + '0001-01-01 custom "compute-subscription" "alice" "pro"\n'
        '0001-01-01 custom "compute-consumption" "alice" 200 CU\n'
        '0001-01-01 custom "compute-assert" "revenue" 0.00 USD\n'
        '0001-02-01 custom "compute-assert" "tokens" "alice" 0 CU\n'
        "0001-02-02 balance Liabilities:DeferredRevenue:Tokens:Alice  -800 CU\n"
        "0001-02-02 balance Liabilities:DeferredRevenue:Allocations:Alice  -1000 CU\n"
    )
    assert loaded.errors == []


def test_the_last_day_of_the_calendar(load):
    """A subscription on 9999-12-31 has one period, whose units can be used on that day."""
    loaded = load(
        PLAN + '9999-12-31 custom "compute-subscription" "alice" "pro"\n'
        '9999-12-31 custom "compute-consumption" "alice" 200 CU\n'
        '9999-12-31 custom "compute-allocation" "bob" 10 CU 1.00 USD\n'
    )
    assert loaded.errors == []
    assert [entry.narration for entry in loaded.booked] == [
        "Top-up",
        "Allocation pro 9999-12-31/9999-12-31",
        "Consumption",
    ]


def test_periods_stop_where_the_calendar_stops(load):
    """A period or life that would end behind the year 9999 ends with its last day."""
    loaded = load(
        PLAN + '9999-11-15 custom "compute-subscription" "alice" "pro"\n'
        '9999-12-20 custom "compute-consumption" "alice" 200 CU\n'
        '9999-12-21 custom "compute-assert" "tokens" "alice" 1000 CU\n'
        '9999-12-21 custom "compute-assert" "allocations" "alice" 800 CU\n'
    )
    assert loaded.errors == []
    labels = {
        posting.cost.label
        for entry in loaded.booked
        for posting in entry.postings[1:2]
        if posting.cost
    }
    assert labels == {"pro/9999-12-15", "pro/9999-12-31"}


@pytest.mark.parametrize("life", ["99999 months", "99999 days", "year"])
def test_a_life_of_any_length_has_a_last_day(load, life):
    """Spans that reach over the end of the calendar are no error."""
    loaded = load(
        f'9990-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD\n  expires: "{life}"\n'
        "9990-06-01 balance Liabilities:DeferredRevenue:Tokens:Alice  -800 CU\n"
    )
    assert loaded.errors == []
    (entry,) = loaded.booked
    end = "9991-05-01" if life == "year" else "9999-12-31"
    assert entry.postings[1].cost.label == f"top-up/{end}"


def test_the_whole_calendar_between_two_events(load):
    """An event at the other end of time is behind a gap: refused, and no period is made for it."""
    loaded = load(
        PLAN + '2026-05-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-05-02 custom "compute-consumption" "alice" 1 CU\n'
        '2026-05-03 custom "compute-reversal" "e-0123456789ab"\n'
        '9999-12-31 custom "compute-consumption" "alice" 1 CU\n'
        '9999-12-31 custom "compute-assert" "tokens" "alice" 0 CU\n'
        '2026-01-01 custom "compute-subscriber" "bob" "Bob"\n'
        "9999-12-31 balance Liabilities:DeferredRevenue:Allocations:Alice  -999 CU\n"
    )
    assert [error.split(" ", 2)[:2] for error in loaded.errors] == [
        ["main.beancount:8:", "nothing"],  # that id stands for nothing
        ["main.beancount:9:", "9999-12-31"],
        ["main.beancount:10:", "9999-12-31"],
    ]


def test_an_as_of_day_at_the_end_of_time_makes_no_more_than_1200_periods(load):
    """The as-of option reaches over any gap, but a subscription never has more periods."""
    loaded = load(
        PLAN + '2026-05-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-01-01 custom "compute-option" "as-of" 9999-12-31\n'
        "9999-12-31 balance Assets:Receivable:Alice  240000.00 USD\n"
    )
    (error,) = loaded.errors
    assert error.startswith("main.beancount:6: more than 1,200 periods of one subscription: ")


# numbers

FORTY = "1234567890" * 4


@pytest.mark.parametrize("number", [FORTY, f"0.{FORTY}", f"1.{'0' * 38}1"])
def test_a_number_of_forty_digits_is_refused(load, number):
    """In directives, terms and files alike: it could not be kept exact."""
    loaded = load(
        f'{ALICE}{FILE}2026-05-02 custom "compute-consumption" "alice" {number} CU\n'
        f'2026-01-01 custom "compute-plan" "pro" {number} USD 1000 CU\n'
        f'2026-05-02 custom "compute-assert" "tokens" {number} CU\n' + left(790),
        {"may.csv": HEADER + USE.replace("10", number) + USE},
    )
    message = f"{number} has more than 14 significant digits: write at most 14"
    places = ["main.beancount:5", "main.beancount:6", "main.beancount:7", "may.csv:2"]
    assert loaded.errors == [f"{place}: {message}" for place in places]


@pytest.mark.parametrize("zeros", [201, 1000])
def test_a_number_of_hundreds_of_digits_is_an_error_of_its_row(load, zeros):
    """No number is so large that it ends the plugin."""
    rows = HEADER + USE.replace("10", "1" + "0" * zeros) + USE
    loaded = load(ALICE + FILE + left(790), {"may.csv": rows})
    (error,) = loaded.errors
    assert error.startswith("may.csv:2: ")


@pytest.mark.parametrize(
    "line",
    [
        'custom "compute-consumption" "alice" {} CU',
        'custom "compute-plan" "pro" {} USD 1000 CU',
        'custom "compute-option" "seller-fee" {}',
        'custom "compute-assert" "tokens" {} CU',
    ],
)
def test_a_directive_of_hundreds_of_digits_is_an_error_of_its_line(load, line):
    """Beancount's own limit is 256 characters a number: more than 200 digits reach the plugin."""
    loaded = load(f"{ALICE}2026-05-02 {line.format('1' + '0' * 210)}\n{left(800)}")
    (error,) = loaded.errors
    assert error.startswith("main.beancount:4: ")
    assert "at most 14" in error


def test_no_digit_of_a_number_is_lost(load):
    """A number of 302 significant digits is refused, also where 300 of them are zeros."""
    rows = HEADER + USE.replace("10", f"1.{'0' * 300}1") + USE
    loaded = load(ALICE + FILE + left(790), {"may.csv": rows})
    assert [error.split(" ")[0] for error in loaded.errors] == ["may.csv:2:"]


def test_an_assertion_may_be_written_with_any_number_of_zeros(load):
    """800.000... CU is 800 CU, with 250 decimals as well as with two."""
    loaded = load(f'{ALICE}2026-05-02 custom "compute-assert" "tokens" 800.{"0" * 250} CU\n')
    assert loaded.errors == []


def test_zeros_are_no_digits(load):
    """Leading zeros and zeros at the end of a fraction don't count; the number is the same."""
    rows = HEADER + USE.replace("10", "0" * 40 + "10." + "0" * 40)
    assert load(ALICE + FILE + left(790), {"may.csv": rows}).errors == []


def test_a_million_units_at_a_millionth_of_a_cent(load):
    """0.01 USD for 1,000,000 CU is one lot at 0.00000001 USD, and each part of it is exact."""
    loaded = load(
        '2026-05-01 custom "compute-allocation" "alice" 1000000 CU 0.01 USD\n'
        '2026-05-02 custom "compute-consumption" "alice" 1 CU\n'
        '2026-05-03 custom "compute-consumption" "alice" 999998 CU\n'
        '2026-05-04 custom "compute-assert" "revenue" 0.00999999 USD\n'
        '2026-05-04 custom "compute-assert" "deferred-revenue" 0.00000001 USD\n' + left(1)
    )
    assert loaded.errors == []
    lots = {posting.cost for entry in loaded.booked for posting in entry.postings if posting.cost}
    (lot,) = lots
    assert lot.number == Decimal("0.00000001")


def test_a_trade_at_a_millionth_of_a_cent(load):
    """The gross of a million units is a cent; one unit less still is; half of them are none."""
    loaded = load(
        '2026-05-01 custom "compute-allocation" "alice" 1000000 CU 20.00 USD\n'
        '2026-05-01 custom "compute-subscriber" "bob" "Bob"\n'
        '2026-05-02 custom "compute-trade" "alice" "bob" 500000 CU 0.00000001 USD\n'
        '2026-05-03 custom "compute-trade" "alice" "bob" 999999 CU 0.00000001 USD\n'
        "2026-06-01 balance Assets:Receivable:Bob  0.01 USD\n" + left(1)
    )
    assert [error.split(" is ")[0] for error in loaded.errors] == [
        "main.beancount:5: 500000 CU at 0.00000001 USD"
    ]
    (price,) = (entry for entry in loaded.entries if isinstance(entry, Price))
    assert (price.date, price.amount.number) == (date(2026, 5, 3), 0)  # to 0.000001


# directives

KINDS = {
    "text": '"x"',
    "number": "5",
    "amount": "5 CU",
    "date": "2026-05-01",
    "TRUE or FALSE": "TRUE",
    "account": "Assets:X",
}
DIRECTIVES = {
    "subscription": ("text", "text"),
    "cancellation": ("text", "text"),
    "allocation": ("text", "amount", "amount"),
    "grant": ("text", "amount"),
    "consumption": ("text", "amount"),
    "trade": ("text", "text", "amount", "amount"),
    "transfer": ("text", "text", "amount"),
    "spend": ("text", "text", "amount", "amount"),
    "refund": ("text", "amount"),
    "reversal": ("text",),
    "events": ("text",),
    "assert": ("text", "amount"),
    "accept": ("text", "text"),
    "plan": ("text", "amount", "amount"),
    "subscriber": ("text", "text"),
    "account": ("text", "account"),
}


@pytest.mark.parametrize("kind", DIRECTIVES)
def test_every_wrong_type_is_an_error_of_its_line(load, kind):
    """Each value of each type but the right one is refused with the types that were found."""
    right = DIRECTIVES[kind]
    wrong = [
        (*right[:at], other, *right[at + 1 :])
        for at in range(len(right))
        for other in KINDS
        if other != right[at] and (kind, at, other) != ("account", 1, "text")
    ]
    wrong += [right[:-1] if kind not in ("subscriber", "plan") else (), (*right, "date")]
    if kind == "assert":
        wrong.remove(("amount", "amount"))
        wrong.append(("text", "text"))
    lines = [
        f'2026-05-02 custom "compute-{kind}" {" ".join(KINDS[each] for each in types)}'
        for types in wrong
    ]
    loaded = load(ALICE + "\n".join(lines) + "\n" + left(800))
    assert sorted(loaded.errors) == sorted(
        f'main.beancount:{line}: custom "compute-{kind}" holds {", ".join(types) or "nothing"}: '
        f"write {example_of(loaded.errors)}"
        for line, types in enumerate(wrong, start=4)
    )


def example_of(errors: list[str]) -> str:
    """What all messages say to write."""
    (example,) = {error.split(": write ", 1)[1] for error in errors}
    return example


@pytest.mark.parametrize("kind", [*DIRECTIVES, "option", "typo", ""])
def test_a_directive_without_any_value_is_an_error_and_no_crash(load, kind):
    """Beancount gives such a directive no list of values, and its own `pad` can't bear it."""
    loaded = load(
        f'{ALICE}2026-05-02 custom "compute-{kind}"\n2026-05-02 custom "other"\n' + left(800)
    )
    (error,) = loaded.errors
    assert error.startswith("main.beancount:4: ")
    assert f'"compute-{kind}"' in error


def test_a_posting_of_no_units_to_a_pocket(load):
    """Beancount itself says that the amount is zero; the rest of the books stands."""
    loaded = load(
        f'{ALICE}2026-01-01 open Equity:Other\n2026-05-02 * "Nothing"\n'
        f'  {TOKENS}Alice  0 CU {{0.20 USD, 2026-05-01, "top-up"}}\n  Equity:Other  0 USD\n'
        + left(800)
    )
    assert not any("Error applying plugin" in error for error in loaded.errors)
    assert len(loaded.booked) == 1


@pytest.mark.parametrize("value", ["", '""'])
def test_an_unknown_key_without_value_is_an_error(load, value):
    """A misspelt key is an error, also while it is empty."""
    loaded = load(
        f'{ALICE}2026-05-02 custom "compute-consumption" "alice" 1 CU\n  memmo: {value}\n'
    )
    assert [error.split(" of ")[0] for error in loaded.errors] == [
        'main.beancount:4: unknown metadata "memmo"'
    ]


def test_an_opening_lot_of_too_many_digits_is_an_error_of_its_own_line(load):
    """What could not be carried exactly is refused where it was written, not where it ends."""
    loaded = load(
        "2026-01-01 open Equity:Opening\n"
        '2026-05-01 * "Opening" #compute-opening\n'
        f"  {TOKENS}Alice  -1.2345678901234567 CU "
        '{1.2345678901234567 USD, 2026-01-01, "pro/2026-06-01"}\n'
        "  Equity:Opening\n"
        '2026-06-03 custom "compute-assert" "tokens" 0 CU\n'
    )
    assert {error.split(":")[0] for error in loaded.errors} <= {"main.beancount"}


@pytest.mark.parametrize(
    "line", ["filename: 5 CU", "lineno: 2.5", "filename: TRUE", "lineno: TRUE"]
)
def test_metadata_that_beancount_keeps_places_in_may_hold_anything(line: str) -> None:
    """Each wrong line is still one error, and what is right is booked."""
    wrong = '2026-05-0{} custom "compute-allocation" "a{}" 100 CU 0 USD\n  {}\n'
    text = wrong.format(1, 1, line) + wrong.format(2, 2, "x-note: 1") + ALICE
    entries, errors, _ = loader.load_string('plugin "beancount_compute"\n' + text)
    messages = [error.message for error in errors]
    assert len(messages) == 2 and all("0 USD is not above zero" in each for each in messages)
    assert [entry.payee for entry in entries if isinstance(entry, Transaction)] == ["alice"]
