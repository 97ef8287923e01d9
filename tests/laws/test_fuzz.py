"""Whatever is written, no exception leaves the plugin: there are books, and there are errors.

    2026-05-02 custom "compute-events" "fuzz.csv"            ; any bytes at all
    2026-05-02 custom "compute-trade" "alice" TRUE -0.5 CU   ; any values, any metadata

An exception in a plugin makes Beancount drop everything that the plugin would have booked, and show
`Error applying plugin` with a traceback.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.account import TYPE as ACCOUNT
from beancount.core.amount import Amount
from beancount.core.data import Custom, Directive, Posting, Transaction
from beancount.core.position import Cost
from beancount.parser import printer
from beancount.parser.grammar import ValueType
from beancount.parser.options import OPTIONS_DEFAULTS
from hypothesis import example, given
from hypothesis import strategies as st

from beancount_compute.ledger.rows import COLUMNS
from beancount_compute.plugin import compute

Check = Callable[[Iterable[Directive], Iterable[Any]], None]

TERMS = """\
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 20.00 USD 3000 CU
  unused: "mint"
  mint-rate: 0.5
  token-expires: "2 months"
  overage: 0.015 USD
2026-01-01 custom "compute-plan" "daily" 0.01 USD 3 CU
  every: "1 days"
2026-01-01 custom "compute-plan" "roll" 19.99 JPY 7777 CU
  unused: "rollover"
  expires: "3 months"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "minimum-fee" 0.10 USD
2026-04-01 custom "compute-subscription" "alice" "pro"
2026-04-01 custom "compute-allocation" "alice" 5000 CU 0.07 USD
2026-04-01 custom "compute-allocation" "bob" 500 CU 99.99 USD
"""
EVENT_TYPES = [
    "subscription",
    "cancellation",
    "allocation",
    "grant",
    "consumption",
    "trade",
    "transfer",
    "spend",
    "refund",
    "reversal",
]
OTHER_TYPES = ["plan", "option", "account", "subscriber", "assert", "events", "typo"]

# what people write

NAMES = ["alice", "bob"] * 8 + [
    "Alice",
    "u_8f3a@example.com",
    "{subscriber}",
    'al"ice',
    "e\u0301va",
]
PLANS = ["pro", "daily", "roll"] * 4 + ["Pro", "top-up", "basic 2"]
IDS = ["a", "b", "c", "d", "e"]
NUMBERS = ["0.01", "1", "3", "0.5", "77", "123.456", "0.25"] * 4 + [
    "7777",
    "99999999999999",
    "0.0000000000001",
    "0",
    "-1",
]
CURRENCIES = ["CU"] * 12 + ["USD", "GPU"]
MONEY = ["USD"] * 12 + ["JPY", "CU", "EUR"]
DAYS = ["2026-04-01", "2026-04-30", "2026-05-01", "2026-06-01", "2026-05-15", "2027-01-31"]
ODD_DAYS = ["0001-01-01", "9999-12-31", "1900-02-28", "2024-02-29"]
OPTIONS = [
    "seller-fee",
    "buyer-fee",
    "minimum-fee",
    "draw-down",
    "unit-cost",
    "cost-step",
    "posting-grain",
    "as-of",
]
ROLES = ["receivable", "partner", "allocations", "tokens", "revenue", "breakage", "overage"]
DRAW_DOWN = ["expiry", "fifo", "lifo", "hifo", "lofo"]
SPANS = ["month", "quarter", "1 days", "10 days", "3 months", "99999 months", "0 months"]
FIGURES = ["deferred-revenue", "allocations", "tokens", "revenue", "fees", "overage"]
TEMPLATES = [
    "Liabilities:Units:{subscriber}",
    "Liabilities:{plan}:{subscriber}",
    "Income:{plan}",
    "Income:Compute",
    "Assets:{subscriber}:Owed",
]
KEYS = [
    "id",
    "time",
    "expires",
    "started",
    "discount",
    "charged",
    "unbilled",
    "bill",
    "minimum",
    "every",
    "unused",
    "mint-rate",
    "token-expires",
    "overage",
]

# what nobody writes on purpose

junk_text = st.text(max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "\u202e",
        "\ufeff",
        '"',
        "\\",
        "a\nb",
        "{",
        "}",
        ":",
        "/",
        "..",
        "*",
    ]
)
junk_cell = st.one_of(
    st.sampled_from(
        ["NaN", "-Infinity", "1e5", "1,000", "٣", "--1", "+1", "1.", "0x1", "²", "1_0"]
    ),
    st.sampled_from(
        ["2026-02-30", "2026-5-1", "00:00:60", "24:00:00", "0 months", "٣ days", "10000-01-01"]
    ),
    st.integers(0, 400).map(lambda zeros: "1" + "0" * zeros),
    st.integers(0, 400).map(lambda zeros: f"0.{'0' * zeros}1"),
    st.integers(0, 400).map(lambda zeros: f"1.{'0' * zeros}1"),
    st.text(max_size=12),
)
numbers = st.sampled_from(NUMBERS).map(Decimal)
odd_numbers = st.one_of(
    numbers,
    st.decimals(),
    st.sampled_from(["NaN", "sNaN", "Infinity", "-Infinity", "1E+500", "1E-500", "-0"]).map(
        Decimal
    ),
    st.builds(
        lambda digits, exponent: Decimal((0, tuple(digits), exponent)),
        st.lists(st.integers(0, 9), min_size=1, max_size=40),
        st.integers(-300, 300),
    ),
)
days = st.sampled_from(DAYS).map(date.fromisoformat)
odd_days = days | st.sampled_from(ODD_DAYS).map(date.fromisoformat) | st.dates()
words = st.sampled_from(
    [*NAMES, *PLANS, *IDS, *OPTIONS, *ROLES, *SPANS, *FIGURES, *TEMPLATES, "12:00:00"]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the ledgers, in which relative paths end up."""
    before = Path.cwd()
    path = tmp_path_factory.mktemp("fuzz")
    os.chdir(path)
    yield path
    os.chdir(before)


@pytest.fixture(scope="session")
def check(imbalance: Callable[[Transaction], object]) -> Check:
    """What holds for the outcome of any load."""

    def check(entries: Iterable[Directive], errors: Iterable[Any]) -> None:
        for error in errors:
            assert error.message.isprintable(), error.message
            assert error.message.strip()
            assert isinstance(error.source["filename"], str)
            assert isinstance(error.source["lineno"], int)
        for entry in entries:
            if isinstance(entry, Transaction) and "__order" in entry.meta:
                assert imbalance(entry) == {}, printer.format_entry(entry)
                assert printer.format_entry(entry)

    return check


def base_entries() -> tuple[list[Directive], dict[str, Any]]:
    """The terms and a few good events, and the options of a ledger, both new."""
    options = copy.deepcopy(OPTIONS_DEFAULTS)
    options.update(operating_currency=["USD"], filename=os.path.join(os.getcwd(), "main.beancount"))
    return list(BASE), options


BASE, _, _ = loader.load_string(TERMS)


def booked(extra: Iterable[Directive]) -> tuple[list[Directive], list[Any]]:
    """What the plugin makes of the base and some entries more; raises what it raises."""
    entries, options = base_entries()
    return compute(entries + list(extra), options)


# event files

GOOD_ROWS = [
    {"event": "subscription", "subscriber": "carol", "plan": "pro", "started": "2026-03-15"},
    {
        "event": "allocation",
        "subscriber": "carol",
        "plan": "pro",
        "discount": "5",
        "currency": "USD",
    },
    {
        "event": "allocation",
        "subscriber": "alice",
        "units": "3",
        "commodity": "CU",
        "paid": "0.01",
        "currency": "USD",
        "expires": "2 months",
    },
    {"event": "allocation", "subscriber": "bob", "plan": "roll"},
    {
        "event": "grant",
        "subscriber": "bob",
        "units": "10",
        "commodity": "CU",
        "expires": "2026-05-15",
    },
    {
        "event": "consumption",
        "subscriber": "alice",
        "units": "2999.5",
        "commodity": "CU",
        "memo": "a, b",
    },
    {
        "event": "trade",
        "subscriber": "bob",
        "counterparty": "alice",
        "units": "100",
        "commodity": "CU",
        "price": "0.25",
        "currency": "USD",
    },
    {
        "event": "transfer",
        "subscriber": "bob",
        "counterparty": "alice",
        "units": "7",
        "commodity": "CU",
    },
    {
        "event": "spend",
        "subscriber": "bob",
        "counterparty": "shop",
        "units": "9",
        "commodity": "CU",
        "paid": "1.23",
        "currency": "USD",
    },
    {"event": "refund", "subscriber": "bob", "units": "11", "commodity": "CU"},
    {"event": "reversal", "reverses": "use-4"},
    {"event": "cancellation", "subscriber": "alice", "plan": "pro"},
]
GOOD_FILE = "\n".join(
    [",".join(COLUMNS)]
    + [
        ",".join(
            f'"{cell}"'
            if ","
            in (cell := {"id": f"use-{at}", "date": f"2026-04-{at + 10}", **row}.get(name, ""))
            else cell
            for name in COLUMNS
        )
        for at, row in enumerate(GOOD_ROWS)
    ]
).encode()


def booked_from(folder: Path, data: bytes) -> tuple[list[Directive], list[Any]]:
    """What the plugin makes of the base and one event file."""
    (folder / "fuzz.csv").write_bytes(data)
    meta = {"filename": str(folder / "main.beancount"), "lineno": 99}
    line = Custom(meta, date(2026, 5, 2), "compute-events", [ValueType("fuzz.csv", str)])
    return booked([line])


def test_the_file_that_is_mutated_is_a_good_one(folder, check):
    """Mutations start from a file of all events, each of which is booked."""
    entries, errors = booked_from(folder, GOOD_FILE)
    check(entries, errors)
    assert errors == []
    kinds = {tag for entry in entries if isinstance(entry, Transaction) for tag in entry.tags}
    assert kinds >= {f"compute-{kind}" for kind in EVENT_TYPES} - {
        "compute-subscription",
        "compute-cancellation",
    }


@given(
    header=st.sampled_from(
        [b"", b"date,event\n", ",".join(COLUMNS).encode() + b"\n", b"\xef\xbb\xbf"]
    ),
    data=st.binary(max_size=300),
)
@example(
    header=b"date,event,subscriber,units,commodity\n",
    data=b"2026-05-02,consumption,bob,1" + b"0" * 300 + b",CU",
)
def test_any_bytes_are_an_event_file_or_an_error(folder, check, header, data):
    """Raw bytes, with and without a header before them."""
    check(*booked_from(folder, header + data))


def mutated(steps: list[tuple[str, int, int, bytes]]) -> bytes:
    """The good file after some cuts, insertions, repetitions and replacements."""
    data = GOOD_FILE
    for step, at, length, new in steps:
        at %= len(data) + 1
        match step:
            case "cut":
                data = data[:at] + data[at + length :]
            case "insert":
                data = data[:at] + new + data[at:]
            case "repeat":
                data = data[: at + length] + data[at:]
            case _:
                data = data[:at] + new + data[at + len(new) :]
    return data


pieces = st.binary(min_size=1, max_size=3) | st.sampled_from(
    [
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b'""',
        b"\x00",
        b"-",
        b"0" * 210,
        b".",
        b"9999",
        b"alice",
        b"use-1",
    ]
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cut", "insert", "repeat", "replace"]),
            st.integers(0, 2000),
            st.integers(1, 80),
            pieces,
        ),
        min_size=1,
        max_size=6,
    ).map(mutated)
)
def test_a_good_file_that_was_damaged_is_no_crash(folder, check, data):
    """A valid file of all events with bytes cut, inserted, repeated and replaced."""
    check(*booked_from(folder, data))


LIKELY = {
    "id": [*IDS, *[""] * 20],
    "date": DAYS * 8 + ODD_DAYS,
    "time": ["", "12:00:00"],
    "subscriber": NAMES,
    "counterparty": NAMES,
    "plan": PLANS,
    "units": NUMBERS,
    "commodity": CURRENCIES,
    "price": NUMBERS,
    "paid": NUMBERS,
    "currency": MONEY,
    "expires": ["", "", *DAYS, "2 months", "99999 days"],
    "started": ["", "", *DAYS, "1900-01-01"],
    "discount": ["", "", "30", "0", "-1", "0.001"],
    "charged": ["", "", "", "5 USD", "-5 EUR", "5"],
    "reverses": IDS,
    "memo": ["", "memo"],
}


@st.composite
def rows(draw: st.DrawFn) -> bytes:
    """A file with the right columns, most cells likely ones for their event, and some junk."""
    lines = [",".join([*COLUMNS, "x_note"])]
    for _ in range(draw(st.integers(1, 10))):
        row = draw(st.sampled_from(GOOD_ROWS))
        cells = dict.fromkeys(COLUMNS, "")
        for name in ("id", "date", "time", *row):
            if name in LIKELY:
                cells[name] = draw(st.sampled_from(LIKELY[name]))
        cells["event"] = row["event"]
        if draw(st.integers(0, 9)) == 0:
            cells[draw(st.sampled_from(COLUMNS))] = draw(junk_cell)
        quoted = ['"' + cell.replace('"', '""') + '"' if cell else "" for cell in cells.values()]
        lines.append(",".join([*quoted, draw(st.sampled_from(["", "note"]))]))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@given(rows())
def test_rows_with_junk_in_their_cells_are_booked_or_refused(folder, check, data):
    """Well-formed files whose cells are likely, odd or nonsense."""
    check(*booked_from(folder, data))


# directives


def typed(value: Any, dtype: Any = None) -> ValueType:
    """A value as Beancount's parser gives it."""
    return ValueType(value, dtype or type(value))


amounts = st.builds(Amount, numbers, st.sampled_from(CURRENCIES))
money = st.builds(Amount, numbers, st.sampled_from(MONEY))
odd_amounts = st.builds(Amount, odd_numbers, st.sampled_from([*CURRENCIES, "/ESH26", "A'.B_C-1"]))
texts = st.sampled_from(NAMES).map(typed)
plans = st.sampled_from(PLANS).map(typed)
units = amounts.map(typed)
sums = money.map(typed)
RIGHT = {
    "subscription": st.tuples(texts, plans),
    "cancellation": st.tuples(texts, plans),
    "allocation": st.tuples(texts, units, sums) | st.tuples(texts, plans),
    "grant": st.tuples(texts, units),
    "consumption": st.tuples(texts, units),
    "trade": st.tuples(texts, texts, units, sums),
    "transfer": st.tuples(texts, texts, units),
    "spend": st.tuples(texts, texts, units, sums),
    "refund": st.tuples(texts, units),
    "reversal": st.tuples(st.sampled_from(IDS).map(typed)),
    "plan": st.tuples(plans, sums, units),
    "option": st.one_of(
        st.tuples(st.sampled_from(["seller-fee", "cost-step"]).map(typed), numbers.map(typed)),
        st.tuples(st.sampled_from(["minimum-fee", "unit-cost"]).map(typed), sums),
        st.tuples(st.just(typed("draw-down")), st.sampled_from(DRAW_DOWN).map(typed)),
        st.tuples(st.just(typed("posting-grain")), st.sampled_from(["day", "month"]).map(typed)),
        st.tuples(st.just(typed("as-of")), days.map(typed)),
    ),
    "account": st.tuples(
        st.sampled_from(ROLES).map(typed),
        st.sampled_from(TEMPLATES).map(lambda name: typed(name, ACCOUNT)),
    ),
    "subscriber": st.tuples(texts, st.sampled_from(["Alice", "Bob", "Acme", "acme"]).map(typed)),
    "assert": st.tuples(st.sampled_from(FIGURES).map(typed), sums)
    | st.tuples(st.sampled_from(FIGURES).map(typed), texts, units),
    "events": st.tuples(st.sampled_from(["fuzz.csv", "*.csv", "", ".."]).map(typed)),
    "typo": st.just(()),
}
any_value = st.one_of(
    (words | junk_text).map(typed),
    (odd_numbers | odd_days | st.booleans()).map(typed),
    odd_amounts.map(typed),
    (st.sampled_from(TEMPLATES) | junk_text).map(lambda name: typed(name, ACCOUNT)),
    st.just(ValueType(None, None)),
)
RIGHT_META: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "plan": {
        "every": st.sampled_from(SPANS),
        "unused": st.sampled_from(["expire", "rollover", "mint"]),
        "mint-rate": numbers,
        "expires": st.sampled_from(SPANS),
        "token-expires": st.sampled_from(SPANS),
        "overage": money,
        "bill": st.sampled_from(["use", "period", "month"]),
        "minimum": money,
    },
    "subscription": {"started": days, "discount": amounts, "charged": amounts, "unbilled": amounts},
    "allocation": {"expires": days | st.sampled_from(SPANS)},
    "grant": {"expires": days | st.sampled_from(SPANS)},
}
EVENT_META = {"id": st.sampled_from(IDS), "time": st.sampled_from(["12:00:00", "00:00:00"])}
any_meta = st.dictionaries(
    st.sampled_from([*KEYS, "x-note", "__hidden", "typo"]),
    st.one_of(st.none(), words, junk_text, odd_numbers, odd_amounts, odd_days, st.booleans()),
    max_size=2,
)


@st.composite
def directives(draw: st.DrawFn) -> Custom:
    """A `compute-` directive: most have the right types, some have anything."""
    kind = draw(st.sampled_from(EVENT_TYPES * 3 + OTHER_TYPES))
    values: list[ValueType] | None = list(draw(RIGHT[kind]))
    meta: dict[str, Any] = {"filename": "fuzz.beancount", "lineno": draw(st.integers(0, 99))}
    known = (EVENT_META if kind in EVENT_TYPES else {}) | RIGHT_META.get(kind, {})
    for key in draw(st.lists(st.sampled_from([*known]), max_size=2, unique=True)) if known else ():
        meta[key] = draw(known[key])
    junk = draw(st.integers(0, 30))
    if junk == 0:
        values = draw(st.none() | st.lists(any_value, max_size=5))
    elif junk == 1 and values:
        values[draw(st.integers(0, len(values) - 1))] = draw(any_value)
    elif junk == 2:
        meta |= draw(any_meta)
    day = draw(odd_days if junk == 3 else days)
    return Custom(meta, day, f"compute-{kind}", values)


LOTS = [  # the open lots of the base on 2026-04-01, and some that are none
    ("Tokens:Bob", Cost(Decimal("0.19998"), "USD", date(2026, 4, 1), "top-up")),
    ("Tokens:Alice", Cost(Decimal("0.000014"), "USD", date(2026, 4, 1), "top-up")),
    ("Allocations:Alice", Cost(Decimal("0.006666"), "USD", date(2026, 4, 1), "pro/2026-05-01")),
    ("Tokens:Zoe", Cost(Decimal("0.20"), "USD", date(2025, 11, 1), "pro/2026-05-15")),
    ("Allocations:Zoe", Cost(Decimal("0.20"), "USD", date(2025, 11, 1), "roll")),
]
LABELS = [None, "pro", "pro/2026-06-01", "top-up", "pro/", "/", "x/9999-12-31"]
odd_costs = st.builds(
    Cost, odd_numbers, st.sampled_from(MONEY), odd_days, st.sampled_from(LABELS) | junk_text
)
finite = odd_numbers.filter(Decimal.is_finite)


@st.composite
def hand_written(draw: st.DrawFn) -> Transaction:
    """A transaction on the pockets: an opening lot, units taken out, or nonsense."""
    postings: list[Posting] = []
    for _ in range(draw(st.integers(1, 2))):
        pocket, cost = draw(st.sampled_from(LOTS))
        units = Amount(draw(numbers | numbers.map(Decimal.copy_negate)), "CU")
        junk = draw(st.integers(0, 5))
        if junk == 0:
            units = draw(st.none() | st.builds(Amount, finite, st.sampled_from(CURRENCIES)))
        elif junk == 1:
            cost = draw(st.none() | odd_costs)
        place = draw(st.none() | st.just({"filename": "fuzz.beancount", "lineno": 7}))
        account = f"Liabilities:DeferredRevenue:{pocket}"
        postings.append(Posting(account, units, cost, None, None, place))
    tags = frozenset(draw(st.sampled_from([(), ("compute-opening",)])))
    meta = {"filename": "fuzz.beancount", "lineno": 6}
    day = draw(odd_days if draw(st.integers(0, 9)) == 0 else days)
    return Transaction(meta, day, "*", None, "By hand", tags, frozenset(), postings)


@given(st.lists(directives(), min_size=1, max_size=12))
def test_any_directives_are_booked_or_refused(folder, check, entries):
    """Constructed entries, as another plugin may hand them over: any types, values and metadata."""
    check(*booked(entries))


@given(st.lists(directives() | hand_written(), min_size=1, max_size=10))
def test_any_postings_on_the_pockets_are_lots_or_errors(folder, check, entries):
    """Hand-written postings without units, without cost, with odd numbers and labels."""
    check(*booked(entries))


def as_text(value: ValueType) -> str:
    """A value as a ledger writes it."""
    match value.value:
        case str() if value.dtype == ACCOUNT:
            return value.value
        case str():
            return '"' + value.value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bool():
            return str(value.value).upper()
        case Amount():
            return f"{value.value.number:f} {value.value.currency}"
        case Decimal():
            return f"{value.value:f}"
        case date():
            return value.value.isoformat()
        case _:
            return ""


def as_line(entry: Custom) -> str:
    """A directive as a ledger writes it; what can't be written makes a broken ledger."""
    values = " ".join(map(as_text, entry.values or []))
    meta = "".join(
        f"  {key}: {as_text(typed(value))}\n"
        for key, value in entry.meta.items()
        if key not in ("filename", "lineno")
    )
    return f'{entry.date.isoformat()} custom "{entry.type}" {values}\n{meta}'


@given(st.lists(directives().map(as_line), min_size=1, max_size=10).map("".join))
def test_any_text_of_directives_is_a_ledger_with_errors(folder, check, text):
    """Through Beancount's own loader: never `Error applying plugin`."""
    ledger = f'plugin "beancount_compute"\n{TERMS}{text}'
    entries, errors, _ = loader.load_string(ledger.encode("utf-8", "replace").decode())
    crashes = [
        error.message for error in errors if error.message.startswith("Error applying plugin")
    ]
    assert crashes == []
    check(entries, [error for error in errors if type(error).__name__ == "ComputeError"])
