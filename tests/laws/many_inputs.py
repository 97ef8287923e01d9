"""A million inputs, counted: whatever any reader is given, it reads or says what is wrong.

python -m tests.laws.many_inputs 1000000

Random inputs of each kind, made fast: files and directives that were damaged, cells, headers, maps,
and all that lies in the folder of closed months. `test_many_inputs.py` tries some of each.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom, Directive
from beancount.parser import parser
from beancount.parser.grammar import ValueType

from beancount_compute.close.general_ledger.account_map import MapError, read_map
from beancount_compute.close.loading import load
from beancount_compute.close.storage import COMMIT, NEXT, CloseError, unfinished_change
from beancount_compute.closed.chain import read_chain
from beancount_compute.closed.frozen_rows import read_rows
from beancount_compute.closed.frozen_state import (
    read_rows_of_state,
)
from beancount_compute.closed.frozen_text import as_found
from beancount_compute.closed.reading_state import UnreadableState, read_state
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.event_files import read_csv
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.header import ColumnMap, Columns
from beancount_compute.ledger.rows import COLUMNS
from beancount_compute.ledger.term_directives import TERM_TYPES
from beancount_compute.plugin import compute
from beancount_compute.scenarios.merging import terms_under
from beancount_compute.scenarios.scenario_file import SCENARIO_TYPES, read_scenario
from tests.close.sealing import close, write
from tests.closed.test_fuzz import ROWS, TERMS
from tests.laws import test_fuzz as written

Chance = random.Random
PIECES = [
    *[b'"', b",", b"\n", b"\r", b"\r\n", b'""', b"\x00", b"-", b".", b"9999", b"alice", b"use-1"],
    *[b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", "\u202e".encode(), b"1e9", b"NaN", b"{", b"}"],
    *[b";", b"\\", b"\t", b"=1", b"2026-05-20", b"T23:30Z", b"+05:30", b"consumption", b"CU"],
    *[b"sha256:", b"none", b"#compute-late", b"0" * 210],
]
TEXTS = [piece.decode("utf-8", "replace") for piece in PIECES]
DIGITS = "0123456789-+.:eETZ/, "


def text(chance: Chance) -> str:
    """A few characters of any kind, or what people write with one of them."""
    match chance.randrange(4):
        case 0:
            return "".join(chance.choices(DIGITS, k=chance.randrange(24)))
        case 1:
            return "".join(map(chr, chance.choices(range(0x3000), k=chance.randrange(12))))
        case 2:
            return "".join(chance.choices(TEXTS, k=chance.randrange(5)))
        case _:
            word = chance.choice([*written.NAMES, *written.DAYS, *written.NUMBERS, *written.SPANS])
            at = chance.randrange(len(word) + 1)
            return word[:at] + chr(chance.randrange(1, 0x11_0000)) + word[at:]


def damaged(data: bytes, chance: Chance) -> bytes:
    """Bytes with some cut, put in, repeated or replaced."""
    for _ in range(chance.randrange(1, 6)):
        at, length = chance.randrange(len(data) + 1), chance.randrange(1, 80)
        new = chance.choice(PIECES) if chance.random() < 0.8 else chance.randbytes(3)
        match chance.randrange(4):
            case 0:
                data = data[:at] + data[at + length :]
            case 1:
                data = data[:at] + new + data[at:]
            case 2:
                data = data[: at + length] + data[at:]
            case _:
                data = data[:at] + new + data[at + len(new) :]
    return data


def told(errors: Errors) -> None:
    """What holds for every error."""
    for error in errors.found:
        assert error.message.strip() and error.message.isprintable()


# event files


def event_file(chance: Chance, _: Sealed) -> None:
    """A file of all events that was damaged."""
    errors = Errors()
    read_csv("fuzz.csv", damaged(written.GOOD_FILE, chance), Fields(), errors)
    told(errors)


def raw_file(chance: Chance, _: Sealed) -> None:
    """Any bytes behind a header, or before one."""
    errors = Errors()
    header = chance.choice([b"", b"date,event\n", ",".join(COLUMNS).encode() + b"\n"])
    data = chance.randbytes(chance.randrange(200)) if chance.random() < 0.5 else b""
    data += b"".join(chance.choices(PIECES, k=chance.randrange(30)))
    read_csv("fuzz.csv", header + data, Fields(), errors)
    told(errors)


def cell(chance: Chance, _: Sealed) -> None:
    """One cell, as each field reads it."""
    fields = Fields()
    reads: list[Callable[[str], object]] = [read.__getitem__ for read in fields.of.values()]
    reads.append(lambda each: fields.moment(each, text(chance)))
    with suppress(FieldError):
        chance.choice(reads)(text(chance))


def header(chance: Chance, _: Sealed) -> None:
    """The names of columns, with a map of some."""
    names = chance.choices([*COLUMNS, "x_note", "", "ID", text(chance)], k=chance.randrange(1, 12))
    renamed = {text(chance): chance.choice(COLUMNS), chance.choice(names): "date"}
    ignored = frozenset(["*"] if chance.random() < 0.3 else [text(chance)])
    with suppress(FieldError):
        Columns(names, ColumnMap(renamed, ignored))


# ledgers


def value(chance: Chance) -> ValueType:
    """A value of a directive, as Beancount's parser gives it."""
    number = Decimal(chance.choice([*written.NUMBERS, "NaN", "1E+500", "1E-500", "-0"]))
    match chance.randrange(5):
        case 0:
            return ValueType(Amount(number, chance.choice(written.CURRENCIES)), Amount)
        case 1:
            return ValueType(number, Decimal)
        case 2:
            return ValueType(date.fromisoformat(chance.choice(written.DAYS)), date)
        case 3:
            return ValueType(chance.random() < 0.5, bool)
        case _:
            return ValueType(text(chance), str)


def right(kind: str, chance: Chance) -> list[ValueType]:
    """The values of an event as it should be."""
    name, plan = chance.choice(written.NAMES), chance.choice(written.PLANS)
    units = Amount(Decimal(chance.choice(written.NUMBERS)), chance.choice(written.CURRENCIES))
    money = Amount(Decimal(chance.choice(written.NUMBERS)), chance.choice(written.MONEY))
    values: list[Any] = [name]
    match kind:
        case "subscription" | "cancellation":
            values.append(plan)
        case "reversal":
            values = [chance.choice(written.IDS)]
        case "trade" | "transfer" | "spend":
            values += [chance.choice(written.NAMES), units]
        case _:
            values.append(units)
    if kind in ("allocation", "trade", "spend"):
        values.append(money)
    return [ValueType(each, type(each)) for each in values]


def directive(chance: Chance) -> Custom:
    """A directive as it should be, or with anything in it."""
    kind = chance.choice([*written.EVENT_TYPES * 3, *written.OTHER_TYPES])
    values = right(kind, chance) if kind in written.EVENT_TYPES else []
    if not values or chance.random() < 0.2:
        values = [value(chance) for _ in range(chance.randrange(5))]
    meta: dict[str, Any] = {"filename": "fuzz.beancount", "lineno": chance.randrange(99)}
    for _ in range(chance.randrange(3)):
        meta[chance.choice([*written.KEYS, "x-note", "typo"])] = (
            chance.choice(written.IDS) if chance.random() < 0.6 else value(chance).value
        )
    day = date.fromisoformat(chance.choice([*written.DAYS * 6, *written.ODD_DAYS]))
    return Custom(meta, day, f"compute-{kind}", values)


def ledger(chance: Chance, sealed: Sealed) -> None:
    """A small ledger, booked: the last of it sums to zero, and each error can be read."""
    entries: list[Directive] = [directive(chance) for _ in range(chance.randrange(1, 5))]
    booked, errors = written.booked(entries)
    for error in errors:
        assert error.message.strip() and error.message.isprintable()
    for entry in booked[-3:]:
        sealed.check(entry)


SCENARIO = b"""2026-06-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
  unused: "mint"
2026-06-01 custom "compute-option" "minimum-fee" 0.10 USD
2026-06-01 custom "compute-meter" "chat"
  units: 12 CU
  cost: 10.00 USD
  provider: "openai"
2026-06-01 custom "compute-scale" "plan-price" "pro" 0.50
2026-06-01 custom "compute-scale" "use" 2
"""


def scenario(chance: Chance, sealed: Sealed) -> None:
    """The file of a scenario, and any lines beside those of the ledger."""
    path = Path("scenario.beancount")
    path.write_bytes(damaged(SCENARIO, chance))
    errors = Errors()
    found = read_scenario("fuzz", str(path), errors)
    lines = [directive(chance) for _ in range(chance.randrange(3))]
    lines = [line for line in lines if line.type in SCENARIO_TYPES]
    of_ledger = [each for each in sealed.entries if isinstance(each, Custom)]
    of_ledger = [each for each in of_ledger if each.type in TERM_TYPES]
    found.lines.extend(lines)
    terms_under(found, of_ledger, sealed.options, errors)
    told(errors)


# closed months


class Sealed(NamedTuple):
    """A closed month, file by file, and what looks at a transaction."""

    folder: Path
    text: bytes
    rows: bytes
    state: bytes
    index: bytes
    check: Callable[[Directive], None]
    entries: list[Directive]
    options: dict[str, Any]


def ledger_of_a_closed_month(chance: Chance, sealed: Sealed) -> None:
    """The ledger of a closed month, with directives that were not there when it was closed."""
    entries: list[Directive] = [directive(chance) for _ in range(chance.randrange(1, 4))]
    options = {**sealed.options, "include": [*sealed.options["include"]]}
    _, errors = compute([*sealed.entries, *entries], options)
    for error in errors:
        assert error.message.strip() and error.message.isprintable()


def frozen_rows(chance: Chance, sealed: Sealed) -> None:
    """The events of a closed month, damaged."""
    errors = Errors()
    read_rows("2026-05.events.csv", damaged(sealed.rows, chance), Fields(), errors)
    told(errors)


def frozen_state(chance: Chance, sealed: Sealed) -> None:
    """Its state, damaged."""
    found = read_rows_of_state(damaged(sealed.state, chance).decode("utf-8", "replace"))
    with suppress(UnreadableState):
        read_state("2026-05.state.csv", found, date(2026, 5, 31))


def frozen_text(chance: Chance, sealed: Sealed) -> None:
    """Its story, damaged."""
    text = damaged(sealed.text, chance).decode("utf-8", "replace")
    as_found("2026-05.beancount", text, lambda: "0").items()


def index(chance: Chance, sealed: Sealed) -> None:
    """The chain of seals, damaged."""
    entries, _, _ = parser.parse_string(damaged(sealed.index, chance).decode("utf-8", "replace"))
    errors = Errors()
    read_chain([entry for entry in entries if isinstance(entry, Custom)], errors)
    told(errors)


PLAN = b'{"write": ["2026-06.beancount", "index.beancount"], "move": {"2026-05.beancount": "x"}}'


def plan_of_a_change(chance: Chance, sealed: Sealed) -> None:
    """What an unfinished change wants to write and move, damaged."""
    (sealed.folder / NEXT / COMMIT).write_bytes(damaged(PLAN, chance))
    with suppress(CloseError):
        unfinished_change(sealed.folder)


def account_map(chance: Chance, _: Sealed) -> None:
    """The map of accounts of an export."""
    data = damaged(b"account,code,name\nAssets:Receivable,1200,Trade debtors\nUSD,US\n", chance)
    with suppress(MapError):
        read_map(data.decode("utf-8", "replace"), "accounts.csv")


# how many of a thousand are of each kind
KINDS: dict[Callable[[Chance, Sealed], None], int] = {
    event_file: 350,
    raw_file: 100,
    cell: 130,
    header: 40,
    ledger: 80,
    scenario: 60,
    ledger_of_a_closed_month: 10,
    frozen_rows: 100,
    frozen_state: 70,
    frozen_text: 30,
    index: 40,
    plan_of_a_change: 20,
    account_map: 30,
}


def tried(number: int, sealed: Sealed, seed: int = 0) -> Iterator[str]:
    """Try so many inputs; the kind of each, behind it."""
    chance = Chance(seed)
    kinds, shares = [*KINDS], [*KINDS.values()]
    for _ in range(number):
        (kind,) = chance.choices(kinds, shares)
        kind(chance, sealed)
        yield kind.__name__


def sealed_month(folder: Path, check: Callable[[Directive], None]) -> Sealed:
    """A month that was closed in a folder."""
    main = write(folder / "l", TERMS, *ROWS)
    close(main, "2026-05")
    closed = main.parent / "closed"
    (closed / NEXT).mkdir()
    files = ("2026-05.beancount", "2026-05.events.csv", "2026-05.state.csv", "index.beancount")
    data = [(closed / name).read_bytes() for name in files]
    booking = load(main).booking
    assert booking is not None
    return Sealed(closed, *data, check, booking.entries, booking.options)


def main(number: int) -> None:
    """Try them, and print how many of each kind there were."""
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        sealed = sealed_month(Path(name), lambda entry: None)
        counts: Counter[str] = Counter()
        for kind in tried(number, sealed):
            counts[kind] += 1
            if not counts.total() % 50_000:
                print(counts.total(), flush=True)
    for kind, count in counts.most_common():
        print(f"{kind:20} {count:9,}")
    print(f"{'all':20} {counts.total():9,}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
