"""What a server of Spark Connect books is what DuckDB books here: the same tables to the byte, the
same journal, the same control."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet
from pyspark.errors import PySparkException

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.folder.month_folder import MonthFolder
from beancount_compute.bulk.folder.month_state import PARTS_OF_STATE
from beancount_compute.bulk.month_run import BulkOutcome
from beancount_compute.bulk.spark import spark_link, spark_run
from beancount_compute.bulk.spark.blobs import blobs_of
from beancount_compute.bulk.spark.spark_link import linked_to
from beancount_compute.cli import main
from beancount_compute.economy import Month
from tests.bulk.months_of_a_ledger import book_in_months, within_a_month
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    events,
    month,
    reversal,
    subscription,
    top_up,
    trade,
    use,
)
from tests.bulk.test_operator import METER, WITHOUT_BEYOND, bill, purchase
from tests.examples import examples
from tests.laws.captured import Captured, capture
from tests.laws.random_ledgers import PROFILES, write_ledger

MARKET_YEAR = Path(__file__).parents[2] / "example-ledgers" / "market-year" / "main.beancount"
SEEDS = [seed for seed in range(examples(3, 300)) if PROFILES[seed % len(PROFILES)] != "far"]
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "Zoë")
Contents = dict[str, Any]


def contents(outcome: BulkOutcome) -> Contents:
    """All that a month's folder holds; tables sorted, but for those that later months read."""
    found: Contents = {}
    for path in sorted(outcome.folder.iterdir()):
        if path.suffix == ".parquet":
            rows = parquet.read_table(path)
            in_order = rows.to_pylist()
            if path.stem not in PARTS_OF_STATE:
                in_order.sort(key=repr)
            found[path.name] = rows.schema, in_order
        else:
            found[path.name] = path.read_text(encoding="utf-8")
    return found


def in_months(ledger: Captured, folder: Path, last: int, **how: Any) -> list[Contents]:
    """The first months of a ledger, so many."""
    shutil.rmtree(folder, ignore_errors=True)  # places name files by their whole paths here
    folder.mkdir()
    events = within_a_month([each for each in ledger.facts.events if not each.flaw])
    facts = ledger.facts._replace(assertions=[])  # those that fail would stop both
    ledger = ledger._replace(facts=facts)
    days = [each.date for each in (*events, *facts.openings, *facts.removals, *facts.accruals)]
    days += [each.since for line in ledger.terms.capacities.values() for each in line]
    months = list(Month.of(min(days)).to(Month.of(max(days))))[:last]
    return [contents(each) for each in book_in_months(ledger, events, folder, months, **how)]


def all_sorts(folder: Path, **how: Any) -> Iterator[Contents]:
    """Three months: trades, ids of two subscribers, repeats, reversals, odd names, strangers."""
    begin(folder, LEDGER + '2026-01-01 custom "compute-subscriber" "frank" "Frankie"\n')
    may = [subscription("01", f" {name}") for name in NAMES]
    may += [use("02", name, 1, id=f"u-{name}") for name in NAMES]
    may += [trade("10", "alice", "bob", 5, "0.25"), trade("11", "carol", "bob", 5, "0.30")]
    may += [use("20", "Zoe\u0308", 3, id="same"), use("20", "dave", 4, id="same")]
    may += [use("21", "erin", 3, id="again"), use("21", "erin", 3, id="again")]
    may += [use("22", "Frankie", 2), top_up("22", "nobody", 10, "1.00"), use("23", "ghost", 1)]
    yield contents(book(folder, "2026-05", *in_two(folder, "2026-05", may), **how))
    june = [use("02", name, 1100) for name in NAMES]
    june += [use("03", name, 2) for name in NAMES]
    june += [trade("10", "dave", "alice", 2, "0.20")]
    yield contents(book(folder, "2026-06", *in_two(folder, "2026-06", june), **how))
    back = [reversal("03", "u-alice"), reversal("04", "u-bob"), reversal("05", "u-bob")]
    july = events(folder, "2026-07", use("02", "bob", 1), use("03", "carol", 1), *back)
    yield contents(book(folder, "2026-07", july, **how))


def in_two(folder: Path, name: str, rows: list[Any]) -> list[Path]:
    half = len(rows) // 2
    return [
        events(folder, name, *rows[:half], name=f"{name}-a"),
        events(folder, name, *rows[half:], name=f"{name}-b"),
    ]


def test_a_server_books_what_duckdb_books(server: str, tmp_path: Path) -> None:
    """Five groups of a few subscribers each: those who are tied lie in one."""
    expected = list(all_sorts(tmp_path / "here"))
    assert list(all_sorts(tmp_path / "there", engine=server, groups=5)) == expected
    refused = [len(each["refused.parquet"][1]) for each in expected]
    assert refused[0] >= 3 and refused[2] == 1  # u-bob is reversed twice


def test_a_market_s_months_are_the_same_on_a_server(sail: str, tmp_path: Path) -> None:
    """A quarter in the gate, the year where the whole is asked for."""
    ledger, last = capture(MARKET_YEAR), examples(3, 12)
    expected = in_months(ledger, tmp_path / "months", last)
    assert in_months(ledger, tmp_path / "months", last, engine=sail, groups=3) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_random_economies_are_the_same_on_a_server(sail: str, seed: int, tmp_path: Path) -> None:
    """All kinds, mistakes too; in the gate some months of few economies."""
    ledger = capture(write_ledger(seed, tmp_path / "ledger"))
    last = examples(3, 1000)
    expected = in_months(ledger, tmp_path / "months", last)
    assert in_months(ledger, tmp_path / "months", last, engine=sail, groups=4) == expected


@pytest.mark.parametrize("text", [METER, WITHOUT_BEYOND], ids=["beyond", "lacking"])
def test_the_operator_s_part_is_booked_behind_all_groups(
    sail: str, text: str, tmp_path: Path
) -> None:
    """Costs of what all groups used; where credits lack, the error counts the uses of all."""

    def months(folder: Path, **how: Any) -> list[Contents]:
        begin(folder, LEDGER + text)
        rows = [subscription("01", name) for name in NAMES]
        rows += [use("20", name, 20, id=f"u-{name}") for name in NAMES]
        rows += [purchase("02", 100, "100.00"), bill("31", "0.00")]
        june = [purchase("02", 50, "50.00"), reversal("03", "u-alice"), use("04", "bob", 7)]
        return [
            contents(month(folder, "2026-05", *rows, **how)),
            contents(month(folder, "2026-06", *june, **how)),
        ]

    expected = months(tmp_path / "here")
    assert months(tmp_path / "there", engine=sail, groups=4) == expected
    lacking = [each["message"] for each in expected[0]["refused.parquet"][1]]
    assert any("uses" in each for each in lacking) == (text == WITHOUT_BEYOND)


def test_a_server_tells_the_legs(sail: str, tmp_path: Path) -> None:
    """`--detail` writes each of them, from all groups."""
    expected = list(all_sorts(tmp_path / "here", detail=True))
    found = list(all_sorts(tmp_path / "there", engine=sail, groups=2, detail=True))
    assert found == expected and expected[0]["detail.parquet"][1]


def test_a_killed_run_goes_on_by_group(
    sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups that were booked before the kill are not booked again; the month is the same."""
    begin(tmp_path)
    rows = [subscription("01", f"user-{at}") for at in range(40)]
    file = events(tmp_path, "2026-05", *rows, *[use("20", f"user-{at}", at) for at in range(1, 40)])
    how: dict[str, Any] = {"engine": sail, "groups": 4}
    expected = contents(book(tmp_path, "2026-05", file, into=tmp_path / "whole", **how))
    kept: list[str] = []
    right = MonthFolder.keep

    def keep(place: MonthFolder, name: str, *given: Any) -> None:
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(name)
        right(place, name, *given)

    with monkeypatch.context() as patch:
        patch.setattr(MonthFolder, "keep", keep)
        with pytest.raises(KeyboardInterrupt):
            book(tmp_path, "2026-05", file, **how)
    assert not (tmp_path / "bulk" / "2026-05").exists() and len(kept) == 2
    again: list[str] = []
    monkeypatch.setattr(
        MonthFolder, "keep", lambda place, *given: (again.append(given[0]), right(place, *given))
    )
    assert contents(book(tmp_path, "2026-05", file, **how)) == expected
    assert len(again) == 2 and not {*again} & {*kept}


def test_what_a_run_here_left_is_not_a_server_s(
    sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards of one way are none of the other: the month is booked anew."""
    begin(tmp_path)
    file = events(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MonthFolder, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            book(tmp_path, "2026-05", file, plain=False)
    found = book(tmp_path, "2026-05", file, plain=False, engine=sail)
    assert found.counts["by the engine"] == 2


def stopped(folder: Path, engine: str, *rows: Any) -> str:
    """Why a server books nothing; no month is there."""
    with pytest.raises(BulkError) as error:
        month(folder, "2026-05", *rows, engine=engine)
    assert not (folder / "bulk" / "2026-05").exists()
    return str(error.value)


def test_nobody_answers(tmp_path: Path) -> None:
    """At once, by an attempt of our own: the client would go on for minutes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    message = stopped(tmp_path, f"sc://127.0.0.1:{port}", subscription("01", "alice"))
    assert message.startswith(f"sc://127.0.0.1:{port} does not answer (")


def test_something_else_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that accepts and then says nothing is waited for as long as we choose."""
    monkeypatch.setattr(spark_link, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        message = stopped(tmp_path, f"sc://127.0.0.1:{port}", subscription("01", "alice"))
    assert "does not answer as Spark Connect does" in message


def test_the_client_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    for name in [name for name in sys.modules if name.startswith("beancount_compute.bulk.spark")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    message = stopped(tmp_path, "sc://127.0.0.1:1", subscription("01", "alice"))
    assert message == 'pyspark is not installed: pip install "beancount_compute[spark]"'


def test_an_event_of_another_month_stops_a_server(sail: str, tmp_path: Path) -> None:
    """What a worker refuses is the one error that is said."""
    rows = [subscription("01", "alice"), use("2026-06-01", "alice", 1)]
    message = stopped(tmp_path, sail, *rows)
    assert message.startswith("2026-05.parquet:2 is of 2026-06-01, outside of 2026-05")


def test_workers_have_another_database(
    sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hashes might differ: both versions are named."""
    monkeypatch.setattr(spark_run, "DATABASE", "0.0.1")
    message = stopped(tmp_path, sail, subscription("01", "alice"))
    assert "the server's Python has DuckDB" in message and "0.0.1 is here" in message


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (
            "No module named 'beancount_compute'",
            r"have no beancount_compute: install .* PYSPARK_PYTHON names there$",
        ),
        (
            "cannot import name 'Kept' from 'beancount_compute.bulk.rows.kept_rows' (/usr/lib/...)",
            r"have another release of beancount_compute: install there what is here$",
        ),
        (
            "Can't get attribute 'Kept' on <module 'beancount_compute.bulk.rows.kept_rows' ...",
            r"have another release of beancount_compute: install there what is here$",
        ),
    ],
)
def test_workers_lack_the_package(lacking: str, said: str, sail: str) -> None:
    """It is named, and what to install."""

    def without(batches: Any) -> Any:
        raise ImportError(lacking)
        yield

    with linked_to(sail) as link:
        given = link.blobs(blobs_of(0, "rows", pa.table({"a": [1]})))
        with pytest.raises(BulkError, match=said):
            list(link.found(link.mapped(given, without)))


@pytest.mark.parametrize(
    ("by_client", "said"),
    [
        ("failed to connect to all addresses; last error: UNKNOWN", "does not answer any more: st"),
        ("Received http2 header with status: 404", "does not answer as Spark Connect does: is it"),
    ],
)
def test_the_server_is_none_any_more(by_client: str, said: str, sail: str) -> None:
    """What the client says of it is no help."""

    class OfNobody:
        def toLocalIterator(self) -> Any:  # noqa: N802  # PySpark's own name
            raise PySparkException(by_client)

    with linked_to(sail) as link, pytest.raises(BulkError) as error:
        list(link.found(OfNobody()))  # type: ignore[arg-type]  # a frame that fails
    assert str(error.value).startswith(f"{sail} {said}")


def test_a_worker_fails_for_another_reason(sail: str) -> None:
    """The end of what it says is in the one error."""

    def broken(batches: Any) -> Any:
        raise ZeroDivisionError("of this test")
        yield

    with linked_to(sail) as link:
        given = link.blobs(blobs_of(0, "rows", pa.table({"a": [1]})))
        with pytest.raises(BulkError, match=r"^sc://.*ZeroDivisionError: of this test"):
            list(link.found(link.mapped(given, broken)))


def test_an_engine_is_a_database_or_a_server(tmp_path: Path) -> None:
    """Anything else is said to be none, and an address that does not answer exits with 1."""
    file = events(tmp_path, "2026-05", subscription("01", "alice"))
    ledger = str(begin(tmp_path))
    given = ["bulk", "2026-05", ledger, "--events", str(file), "--engine"]
    wrong = CliRunner().invoke(main, [*given, "spark"])
    assert wrong.exit_code == 2 and "write duckdb, or sc://host:15002" in wrong.stderr
    failed = CliRunner().invoke(main, [*given, "sc://127.0.0.1:1"])
    assert failed.exit_code == 1 and "does not answer" in failed.stderr
