"""Whatever is found in the folder of closed months: errors perhaps, an exception never."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beancount_compute.close.loading import load
from beancount_compute.close.storage import CloseError
from beancount_compute.close.verifying import verify
from beancount_compute.closed.chain import Seal, link_text, with_digest
from beancount_compute.closed.content import content_digest, item_of_event
from beancount_compute.closed.frozen_months import files_digest, month_paths
from beancount_compute.closed.frozen_rows import read_rows
from beancount_compute.closed.frozen_state import items_of_rows, read_rows_of_state
from beancount_compute.closed.frozen_text import as_found
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.fields import Fields
from tests.close.sealing import close, write
from tests.examples import examples

ROWS = (
    "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
    "u-1,2026-05-20,,consumption,alice,,,1001,CU,,,,,,,",
    "t-0,2026-05-20,,allocation,bob,,,10,CU,,1.00,USD,,,,",
    "t-1,2026-05-21,,trade,bob,alice,,5,CU,0.30,,USD,,,,a memo",
    "r-1,2026-06-02,,reversal,,,,,,,,,,,t-1,",
    "r-2,2026-06-02,,reversal,,,,,,,,,,,u-1,",
)
TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  overage: 0.30 USD
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "minimum-fee" 0.01 USD
2026-01-01 custom "compute-account" "tokens" "Liabilities:Tok:{plan}:{subscriber}"
2026-01-01 custom "compute-subscriber" "alice" "Acme"
2026-05-20 custom "compute-assert" "revenue" "alice" 0.00 USD
2026-06-20 custom "compute-assert" "revenue" "alice" 0.00 USD
2026-05-22 * "paid"
  Assets:Bank              1.00 USD
  Assets:Receivable:Acme  -1.00 USD
2026-01-01 open Assets:Bank
"""


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """May is closed; June reverses some of it."""
    ledger = write(tmp_path_factory.mktemp("sealed") / "l", TERMS, *ROWS)
    close(ledger, "2026-05")
    return ledger


PIECES = st.sampled_from(
    [
        '2026-05-31 custom "compute-close" "2026-05" "sha256:00"\n',
        '2026-05-31 custom "compute-close"\n',
        '2026-05-31 custom "compute-close" 5 TRUE\n',
        '2026-05-31 custom "compute-close" "2026-13" "sha256:00"\n  previous: 5\n',
        '2026-05-31 custom "compute-reopen" "2026-05" 5 USD\n  seals: "a b, c"\n',
        (
            '2026-05-31 custom "compute-reopen" "2026-05" "x"\n  previous: "none"\n  seals: "a b"\n'
            '  seal: "c"\n'
        ),
        '2026-05-31 custom "compute-reopen" "2026-05" "x"\n',
        '2026-05-01 custom "compute-account"\n  first-used: 2026-05-01\n',
        '2026-05-01 custom "compute-account" "tokens"\n  first-used: 2026-05-01\n',
        '2026-05-01 custom "compute-account" "tokens" "Income"\n',
        '2026-05-01 custom "compute-account" 5 6\n',
        '2026-05-01 custom "compute-plan" "pro" "none"\n  first-used: "x"\n  last-used: 5\n',
        '2026-05-01 custom "compute-option" "minimum-fee"\n  first-used: 2026-05-01\n',
        '2026-05-01 custom "compute-subscriber" "bob"\n',
        '2026-05-01 custom "compute-assert" "joy" 5\n',
        '2026-05-01 custom "compute-party"\n',
        '2026-05-01 * "x" #compute-allocation #compute-late\n  event: 5\n  occurred: "never"\n',
        (
            '2026-05-01 * "x" #compute-trade\n  event: "t-1"\n  reverses: 5\n  undoes: TRUE\n'
            "  Income:Fees  1 USD\n"
        ),
        (
            '2026-05-01 * "x" #compute-consumption\n  event: "u-1"\n  events: "many"\n'
            "  Income:Fees  1 USD\n  Income:Compute\n"
        ),
        '2026-05-01 * "x"\n  Liabilities:Tok:Pro:Acme  1 CU {0.20 USD, 2026-05-01, "pro/never"}\n',
        '2026-05-01 * "x"\n  Liabilities:Tok:Pro:Acme  1 CU {}\n',
        '2026-05-01 * "x"\n  Liabilities:Tok:Pro:Acme  1 CU {{5 USD}}\n',
        '2026-05-01 * "x"\n  Liabilities:Tok:Pro:Acme  -1 CU\n',
        "2026-05-01 price CU\n",
        "2026-05-01 price CU 5 CU\n",
        "2026-05-01 open Assets:Bank\n",
        "2026-05-01 balance Assets:Bank  5 USD\n",
        'include "nothing.beancount"\n',
        'plugin "beancount_compute"\n',
        'option "title" "x"\n',
        "pushtag #x\n",
        "u-1,2026-05-20,,consumption,alice\n",
        ",,,,,,,,,,,,,,,,\n",
        'u-2,2026-05-20,,party,"\n',
        ",2026-06-20,,consumption,alice,,,1,CU,,,,,,,\n",
        "r-9,2026-05-20,,reversal,,,,,,,,,,,u-1,\n",
        "booked,booked\n",
        "\x00",
        "\ufeff",
        "\udce9",
    ]
)
WHERE = st.sampled_from(["index.beancount", "2026-05.beancount", "2026-05.events.csv"])
EDITS = st.lists(
    st.tuples(WHERE, PIECES | st.text(max_size=20), st.integers(0, 10**4), st.integers(0, 40)),
    min_size=1,
    max_size=3,
)


def edit(ledger: Path, edits: list[tuple[str, str, int, int]]) -> None:
    """Put pieces in place of parts of the files."""
    for name, piece, at, length in edits:
        path = ledger.parent / "closed" / name
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        at %= len(text) + 1
        text = text[:at] + piece + text[at + length :]
        path.write_bytes(text.encode("utf-8", "surrogatepass"))


def check(ledger: Path) -> None:
    """Loading and verifying say what they find, and nothing raises."""
    loaded = load(ledger)
    assert not [each for each in loaded.errors if "Traceback" in each.message], loaded.errors
    assert all(error.source["lineno"] >= 0 for error in loaded.errors)
    with suppress(CloseError):  # no month is closed, say
        verify(loaded)


SLOW = settings(
    max_examples=examples(60, 1000),
    suppress_health_check=[HealthCheck.too_slow],
)


@given(EDITS)
@SLOW
def test_nothing_that_is_found_raises(
    sealed: Path, tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, str, int, int]]
) -> None:
    """Pieces of Beancount, CSV and any text, in place of any part of the three files."""
    folder = tmp_path_factory.mktemp("fuzz")
    ledger = Path(shutil.copytree(sealed.parent, folder / "l")) / sealed.name
    edit(ledger, edits)
    check(ledger)
    shutil.rmtree(folder)


def seal_again(ledger: Path, in_bytes: bool) -> None:
    """Seal what now stands there, by value, or byte by byte as well."""
    folder = ledger.parent / "closed"
    paths = month_paths(str(folder), "2026-05")
    text, rows, state = (Path(path).read_bytes() for path in paths)
    items = as_found(paths[0], text.decode("utf-8", "replace"), lambda: "0").items()
    items.update(items_of_rows(read_rows_of_state(state.decode("utf-8", "replace"))))
    found = read_rows(paths[1], rows, Fields(), Errors())
    items.update(item_of_event(event, booked) for event, booked in found)
    files = files_digest(text, rows, state) if in_bytes else "sha256:" + "0" * 64
    content = content_digest(items.elements())
    seal = with_digest(Seal("2026-05", "none", content, files, (), len(found)))
    (folder / "index.beancount").write_text(link_text(seal))


@given(EDITS, st.booleans())
@SLOW
def test_nothing_that_was_sealed_raises(
    sealed: Path,
    tmp_path_factory: pytest.TempPathFactory,
    edits: list[tuple[str, str, int, int]],
    in_bytes: bool,
) -> None:
    """Whoever forges the files may forge the seal too: it is read as it stands, or is an error."""
    folder = tmp_path_factory.mktemp("fuzz")
    ledger = Path(shutil.copytree(sealed.parent, folder / "l")) / sealed.name
    text = (ledger.parent / "closed" / "2026-05.beancount").read_text()
    starts = [at + 2 for at in range(len(text)) if text.startswith("\n\n", at)]
    edit(
        ledger,
        [
            (name, piece, starts[at % len(starts)] if "csv" not in name else at, length)
            for name, piece, at, length in edits
        ],
    )
    seal_again(ledger, in_bytes)
    check(ledger)
    shutil.rmtree(folder)
