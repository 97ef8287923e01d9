"""`--detail`: each leg of the journal with its event and row; together they are the movements."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from beancount_compute.bulk import shard_run
from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.by_engine import leg_details
from beancount_compute.bulk.folder.ties import ties_of_detail
from beancount_compute.bulk.month_run import BulkOutcome
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.month_files import find_event_files
from beancount_compute.bulk.rows.parts import shards_of
from beancount_compute.economy import STOCK, LotLeg
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    change,
    events,
    files_of,
    month,
    subscription,
    table,
    top_up,
    trade,
    use,
)
from tests.bulk.test_operator import METER, purchase
from tests.bulk.test_same_books import MARKET_YEAR, both_ways
from tests.economy.building import Books
from tests.examples import examples
from tests.laws.captured import capture
from tests.laws.random_ledgers import PROFILES, write_ledger

D = Decimal
SEEDS = [seed for seed in range(examples(2, 360)) if PROFILES[seed % len(PROFILES)] != "far"]
MONTH = [
    subscription("01", "alice", id="s-alice"),
    subscription("02", "bob", id="s-bob"),
    top_up("03", "alice", 100, "5.00", id="t-1"),
    {**trade("10", "alice", "bob", 60, "0.25"), "id": "trade-1"},
    use("20", "alice", 1050, id="u-1"),
    {**trade("21", "bob", "alice", 900, "0.25"), "id": "trade-2"},
]


def told(outcome: BulkOutcome) -> list[tuple[Any, ...]]:
    return [
        (
            f"{row['day']:%d}",
            row["id"],
            row["subscriber"],
            row["role"],
            (row["units_in"] or D(0)) - (row["units_out"] or D(0)),
            row["amount"],
            row["row"],
        )
        for row in table(outcome, "detail")
    ]


def test_each_leg_stands_with_its_event_and_row(tmp_path: Path) -> None:
    """1000 CU at 0.20; 60 of 100 tokens at 0.05 go to bob for 15.00; 1050 used: 10 beyond."""
    found = month(tmp_path, "2026-05", *MONTH, detail=True)
    assert found.counts["by the kernel"] == 0
    assert told(found) == [
        ("01", "s-alice/2026-05-01", "alice", "receivable", D(0), D(200), 1),
        ("01", "s-alice/2026-05-01", "alice", "allocations", D(1000), D(-200), 1),
        ("03", "t-1", "alice", "receivable", D(0), D(5), 3),
        ("03", "t-1", "alice", "tokens", D(100), D(-5), 3),
        ("10", "trade-1", "alice", "tokens", D(-60), D(3), 4),
        ("10", "trade-1", "alice", "payable", D(0), D(-15), 4),
        ("20", "u-1", "alice", "allocations", D(-1000), D(200), 5),
        ("20", "u-1", "alice", "tokens", D(-40), D(2), 5),
        ("20", "u-1", "alice", "revenue", D(0), D(-200), 5),
        ("20", "u-1", "alice", "revenue", D(0), D(-2), 5),
        ("20", "u-1", "alice", "receivable", D(0), D(3), 5),
        ("20", "u-1", "alice", "overage", D(0), D(-3), 5),
        ("02", "s-bob/2026-05-02", "bob", "receivable", D(0), D(200), 2),
        ("02", "s-bob/2026-05-02", "bob", "allocations", D(1000), D(-200), 2),
        ("10", "trade-1", "bob", "tokens", D(60), D(-3), 4),
        ("10", "trade-1", "bob", "receivable", D(0), D(15), 4),
    ]
    assert {row["file"] for row in table(found, "detail")} == {"2026-05.parquet"}
    assert [row["row"] for row in table(found, "refused")] == [6]
    control = (found.folder / "control.csv").read_text()
    rows = len(table(found, "movements"))
    assert f'rows,movements,,{rows},{rows},0\nrows,"movements, from detail",,{rows},' in control


def test_what_follows_by_itself_has_no_row(tmp_path: Path) -> None:
    """A mint is of the lot, and of no line."""
    month(tmp_path, "2026-05", *MONTH[1:2])
    found = month(tmp_path, "2026-06", use("20", "bob", 1), detail=True)
    minted = [row for row in table(found, "detail") if row["kind"] == "mint"]
    assert [(row["role"], row["day"], row["file"], row["row"]) for row in minted] == [
        ("allocations", date(2026, 6, 2), None, None),
        ("tokens", date(2026, 6, 2), None, None),
    ]


def test_what_the_operator_owes_is_told_too(tmp_path: Path) -> None:
    """Alice's 80 CU cost 80 OAI, of which 50 were bought for 50.00; 30 more cost 1.50 each."""
    begin(tmp_path, LEDGER + METER)
    rows = [*MONTH[:1], purchase("02", 50, "50.00"), use("20", "alice", 80, id="u-1")]
    found = month(tmp_path, "2026-05", *rows, detail=True)
    legs = [
        (row["kind"], row["role"], row["units_in"], row["units_out"], row["amount"], row["row"])
        for row in table(found, "detail")
        if row["kind"] in ("purchase", "cost")
    ]
    assert Counter(legs) == Counter(
        [
            ("purchase", "prepaid", D(50), D(0), D(50), 2),
            ("purchase", "provider", None, None, D(-50), 2),
            ("cost", "prepaid", D(0), D(50), D(-50), None),
            ("cost", "accrued", None, None, D(-45), None),
            ("cost", "cost", None, None, D(95), None),
        ]
    )


SEATS = """\
2026-01-01 custom "compute-plan" "seat" 93.00 USD
2026-01-01 custom "compute-plan" "desk" 124.00 USD
"""


def test_access_that_a_change_found_earned_stands_with_its_lot(tmp_path: Path) -> None:
    """Of 93.00 for May 10 of 31 days are earned by the 11th; the other 21 of a desk are 84.00."""
    begin(tmp_path, LEDGER + SEATS)
    rows = [subscription("01", "alice", "seat"), change("11", "alice", "seat", "desk")]
    found = month(tmp_path, "2026-05", *rows, detail=True)
    legs = [
        (row["role"], str(row["date"]), row["origin"], row["units_out"], row["amount"])
        for row in table(found, "detail")
        if row["kind"] == "change"
    ]
    assert legs == [
        ("access", "2026-05-01", "seat", D(93), D(93)),
        ("access-revenue", "2026-05-01", "seat", None, D(-30)),
        ("access", "2026-05-11", "desk", D(0), D(-84)),
        ("unbilled", "None", "desk", None, D(21)),
    ]
    moved = [row for row in table(found, "movements") if row["role"] == "access-revenue"]
    assert [(str(row["date"]), row["amount"]) for row in moved if row["kind"] == "change"] == [
        ("2026-05-01", D(-30))
    ]


def test_all_else_is_as_without_it(tmp_path: Path) -> None:
    """The other tables hold the same rows; and the next run without it has no such file."""
    one = month(tmp_path, "2026-05", *MONTH)
    plain = {name: parquet.read_table(one.folder / name) for name in _tables(one.folder)}
    file = tmp_path / "2026-05.parquet"
    two = book(tmp_path, "2026-05", file, detail=True)
    assert {*_tables(two.folder)} == {*plain, "detail.parquet"}
    for name, rows in plain.items():
        assert _multiset(parquet.read_table(two.folder / name)) == _multiset(rows)
    assert {*_tables(book(tmp_path, "2026-05", file).folder)} == {*plain}


def _tables(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.glob("*.parquet"))]


def _multiset(rows: pa.Table) -> Counter[str]:
    return Counter(map(str, rows.to_pylist()))


def test_many_shards_and_small_bits_tell_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each subscriber a shard, each leg a bit: the same legs, journal and prices."""
    names = [f"{letter}{at}" for at in range(4) for letter in "xy"]
    rows = [
        row
        for at in range(0, len(names), 2)
        for row in (
            *[subscription("01", name) for name in names[at : at + 2]],
            top_up("03", names[at], 100, "5.00"),
            trade("10", *names[at : at + 2], 10 * (at + 1), f"0.{at + 2}5"),
        )
    ]
    one = month(tmp_path, "2026-05", *rows, detail=True)
    whole, journal = table(one, "detail"), (one.folder / "journal.beancount").read_text()
    monkeypatch.setattr(shard_run, "shards_of", partial(shards_of, size=1))
    monkeypatch.setattr(leg_details, "LEGS_AT_ONCE", 1)
    many = book(tmp_path, "2026-05", tmp_path / "2026-05.parquet", detail=True)
    assert sorted(map(str, table(many, "detail"))) == sorted(map(str, whole))
    assert (many.folder / "journal.beancount").read_text() == journal
    # (10 x 0.25 + 30 x 0.45 + 50 x 0.65 + 70 x 0.85) / 160
    assert journal.endswith("\n2026-05-10 price CU 0.675 USD\n")


def test_a_killed_run_goes_on_with_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards that are kept are not booked again, and their legs are there; bytes are the same."""
    begin(tmp_path)
    names = ["alice", "bob", "carol"]
    rows = [row for name in names for row in (subscription("01", name), use("02", name, 1))]
    file = events(tmp_path, "2026-05", *rows)
    monkeypatch.setattr(shard_run, "shards_of", partial(shards_of, size=1))
    whole = files_of(book(tmp_path, "2026-05", file, detail=True).folder)
    booked = []

    def killed(shard: Any, bulk: Any) -> Any:
        booked.append(shard.names.to_pylist())
        if len(booked) == 2:
            raise KeyboardInterrupt
        return honest(shard, bulk)

    honest = shard_run.book_shard
    monkeypatch.setattr(shard_run, "book_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        book(tmp_path, "2026-05", file, detail=True)
    again = files_of(book(tmp_path, "2026-05", file, detail=True).folder)
    assert booked == [["alice"], ["bob"], ["bob"], ["carol"]]
    assert again == whole


def test_legs_that_do_not_add_up_stop_the_run(tmp_path: Path) -> None:
    """One is lacking, or one is there twice: an error that says so."""
    found = month(tmp_path, "2026-05", *MONTH, detail=True)
    files = find_event_files([str(tmp_path / "2026-05.parquet")])
    made = EventTable(files, "", tmp_path, 1)
    made.register("new_movements", parquet.read_table(found.folder / "movements.parquet"))
    legs = parquet.read_table(found.folder / "detail.parquet")
    for name, rows in (("lacks", legs.slice(1)), ("twice", pa.concat_tables([legs, legs[:1]]))):
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(rows, path)
        made.run("DROP TABLE IF EXISTS detail_sums")
        with pytest.raises(BulkError, match=r"movements.*differ, an error of this program"):
            ties_of_detail(made, path)


def legs_of_books(books: Books) -> Counter[tuple[Any, ...]]:
    """Day, id, kind, whose, role, units and money of each leg of the plugin's books."""
    return Counter(
        (
            entry.date,
            entry.id,
            entry.kind.value,
            leg.lot.holder if isinstance(leg, LotLeg) else leg.holder,
            str(leg.lot.pocket) if isinstance(leg, LotLeg) else leg.role.value,
            leg.lot.date if isinstance(leg, LotLeg) else None,
            _units_out(leg) if isinstance(leg, LotLeg) else D(0),
            leg.units * leg.lot.cost if isinstance(leg, LotLeg) else leg.number,
        )
        for entry in books.journal
        for leg in entry.legs
    )


def _units_out(leg: LotLeg) -> Decimal:
    return -leg.units if leg.lot.pocket is STOCK else leg.units  # an asset: a debit comes in


def legs_of_bulk(outcomes: list[BulkOutcome]) -> Counter[tuple[Any, ...]]:
    """The same of months in bulk; access that a change found earned, of all its lots."""
    found: Counter[tuple[Any, ...]] = Counter()
    earned: dict[tuple[Any, ...], Decimal] = {}
    for row in (row for outcome in outcomes for row in table(outcome, "detail")):
        of = row["day"], row["id"], row["kind"], row["subscriber"], row["role"]
        if row["kind"] == "change" and row["role"] == "access-revenue":
            assert row["date"] is not None and row["amount"] < 0
            earned[of] = earned.get(of, D(0)) + row["amount"]
            continue
        out = (row["units_out"] or D(0)) - (row["units_in"] or D(0))
        found[*of, row["date"], out, row["amount"]] += 1
    found.update((*of, None, D(0), amount) for of, amount in earned.items())
    return found


@pytest.mark.parametrize("seed", ["market-year", *SEEDS])
def test_the_legs_are_those_of_the_plugin(seed: int | str, tmp_path: Path) -> None:
    """Of a year and of random economies, mistakes too: leg by leg, with the event of each."""
    if isinstance(seed, str):
        ledger = capture(MARKET_YEAR)
    else:
        ledger = capture(write_ledger(seed, tmp_path / "ledger"))
    folder = tmp_path / "months"
    folder.mkdir()
    outcomes, books, _ = both_ways(ledger, folder, detail=True)
    assert legs_of_bulk(outcomes) == legs_of_books(books)
