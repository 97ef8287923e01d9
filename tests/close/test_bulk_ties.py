"""What a close ties out of a month in bulk, and what `verify` works out again: each broken once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from beancount_compute.close.closing import prepare
from beancount_compute.close.loading import load
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs import TieOut
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    events,
    month,
    one_period,
    subscription,
    use,
)
from tests.bulk.test_operator import GPU, METER, purchase
from tests.close.bulk_months import MAY
from tests.close.sealing import INCLUDE, close, load_errors, run
from tests.close.sealing import begin as begin_to_close

Row = dict[str, Any]
BOUGHT = """\
2026-05-01 open Equity:Machines
2026-05-01 * "A machine"
  Assets:Capacity:Gpu  55.00 USD
  Equity:Machines
"""


def month_of(ledger: Path) -> Path:
    return ledger.parent / "bulk" / "2026-05"


def rewrite(ledger: Path, name: str, change: Callable[[list[Row]], object]) -> None:
    """Change rows of a Parquet file of the month."""
    path = month_of(ledger) / f"{name}.parquet"
    table = parquet.read_table(path)
    rows = table.to_pylist()
    change(rows)
    parquet.write_table(pa.Table.from_pylist(rows, table.schema), path)


def set_cell(**wanted: Any) -> Callable[[list[Row]], None]:
    """Change a cell of the one row that has these; `to` is (column, value)."""
    column, value = wanted.pop("to")

    def change(rows: list[Row]) -> None:
        (row,) = [each for each in rows if all(each[k] == v for k, v in wanted.items())]
        row[column] = value

    return change


def broken(ledger: Path) -> dict[str, TieOut]:
    """The tie-outs that do not hold, by name and unit."""
    ties = prepare("2026-05", load(ledger)).ties
    return {f"{tie.name}, {tie.about}": tie for tie in ties if not tie.holds}


def test_the_figures_of_may_tie_out(in_bulk: Path) -> None:
    """2000 CU allocated, 200.5 used: 1799.5 CU and 359.90 USD are held, in two lots."""
    ties = {tie.name: tie for tie in prepare("2026-05", load(in_bulk)).ties if tie.holds}
    figures = {
        "journal in bulk, amounts": (4, 4),
        "journal in bulk, units": (2, 2),
        "days in bulk = movements": (4, 4),
        "units in allocations, in bulk": (Decimal("1799.5"), Decimal("1799.5")),
        "deferred revenue, roll-forward in bulk": (Decimal("359.9"), Decimal("359.9")),
        "lots in bulk, each rolled forward": (2, 2),
        "deferred revenue = lots.parquet": (Decimal("359.9"), Decimal("359.9")),
        "deferred revenue under the seal": (Decimal("359.9"), Decimal("359.9")),
        "rows refused": (0, 0),
    }
    assert {name: (ties[name].left, ties[name].right) for name in figures} == figures


def test_a_lot_holds_too_much(in_bulk: Path) -> None:
    """100 CU more of alice are 20.00 of deferred revenue that nobody booked."""
    rewrite(in_bulk, "lots", set_cell(subscriber="alice", to=("units", Decimal(900))))
    found = broken(in_bulk)
    assert {name: tie.difference for name, tie in found.items()} == {
        "units in allocations, in bulk, CU": Decimal(-100),
        "deferred revenue, roll-forward in bulk, USD": Decimal(-20),
        "lots in bulk, each rolled forward, lots": 1,
        "deferred revenue = lots.parquet, USD": Decimal(-20),
        "deferred revenue under the seal, USD": Decimal(-20),
    }
    (line,) = found["lots in bulk, each rolled forward, lots"].lines
    lot = "alice allocations CU 0.2 USD 2026-05-01 pro 2026-06-01"
    assert line == f"{lot}: opening and movements have -100 more"


def test_two_lots_hold_what_is_the_other_s(in_bulk: Path) -> None:
    """In sum nothing differs: lot by lot it does."""

    def swap(rows: list[Row]) -> None:
        rows[0]["units"], rows[1]["units"] = rows[1]["units"], rows[0]["units"]

    rewrite(in_bulk, "lots", swap)
    (tie,) = broken(in_bulk).values()
    assert (tie.name, tie.difference, len(tie.lines)) == (
        "lots in bulk, each rolled forward",
        2,
        2,
    )


def test_a_movement_is_another(in_bulk: Path) -> None:
    cell = set_cell(subscriber="alice", role="revenue", to=("amount", Decimal("-41")))
    rewrite(in_bulk, "movements", cell)
    (tie,) = broken(in_bulk).values()
    assert tie.lines == (
        "consumption revenue USD: days.parquet 0 0 -40.1, movements.parquet 0 0 -41.1",
    )


def test_a_day_is_another(in_bulk: Path) -> None:
    """The line of the journal is named that says something else."""
    rewrite(in_bulk, "days", set_cell(role="revenue", to=("amount", Decimal("-41.1"))))
    found = broken(in_bulk)
    assert set(found) == {
        "journal in bulk, amounts, days and accounts",
        "days in bulk = movements, kinds and roles",
    }
    (line,) = found["journal in bulk, amounts, days and accounts"].lines
    assert line.endswith("Income:Compute -40.1 USD, days.parquet -41.1")
    place = f"{month_of(in_bulk)}/journal.beancount:13: "
    assert line.startswith(place)


def test_a_line_of_the_journal_is_another(in_bulk: Path) -> None:
    """Money that balances, and units that no money tells of."""
    path = month_of(in_bulk) / "journal.beancount"
    text = path.read_text()
    path.write_text(text.replace("40.10", "50.10"))
    found = broken(in_bulk)
    assert found["journal in bulk, amounts, days and accounts"].difference == 2
    assert found["deferred revenue = lots.parquet, USD"].difference == Decimal("-10")
    path.write_text(text.replace("200.5 CU", "201.5 CU"))
    assert set(broken(in_bulk)) == {"journal in bulk, units, days and accounts"}


def test_a_figure_of_control_csv_is_another(in_bulk: Path) -> None:
    """It is what the seal says of deferred revenue."""
    path = month_of(in_bulk) / "control.csv"
    path.write_text(path.read_text().replace("359.9,0", "360.9,0"))
    assert set(broken(in_bulk)) == {"deferred revenue under the seal, USD"}


def test_a_refused_row_is_counted_nowhere(in_bulk: Path) -> None:
    rewrite(in_bulk, "refused", lambda rows: rows.append({"file": "x", "row": 1, "message": "no"}))
    assert set(broken(in_bulk)) == {"rows refused, rows"}


def test_a_file_is_no_parquet(in_bulk: Path) -> None:
    (month_of(in_bulk) / "days.parquet").write_bytes(b"PAR1")
    with pytest.raises(CloseError, match=r"days\.parquet: can't be read as bean-compute"):
        prepare("2026-05", load(in_bulk))


def test_a_close_names_the_extra_that_it_needs(
    in_bulk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = run("close", "2026-05", in_bulk)
    assert done.exit_code == 1 and not (in_bulk.parent / "closed" / "2026-05.state.csv").exists()
    assert 'duckdb is not installed: pip install "beancount_compute[bulk]"' in done.stderr


# The terms that a month used


def test_terms_of_a_closed_month_may_not_change(sealed: Path) -> None:
    """The plan was allocated by, its overage was not used."""
    text = sealed.read_text()
    sealed.write_text(text.replace("200.00 USD 1000 CU", "210.00 USD 1000 CU"))
    (found,) = load_errors(sealed)
    assert 'plan "pro" says 210.00 USD 1000 CU' in found and "was booked with 200.00 USD" in found
    sealed.write_text(text.replace("overage: 0.30 USD", "overage: 0.40 USD"))
    assert not load_errors(sealed)
    sealed.write_text(text + '2026-01-01 custom "compute-account" "revenue" Income:Other\n')
    (found,) = load_errors(sealed)
    assert "account" in found and "it holds for the whole ledger" in found


def test_an_operator_s_month_is_closed(tmp_path: Path) -> None:
    """Of 130 OAI 100 are prepaid. Meter, price beyond and capacity were used: none may change."""
    text = LEDGER + METER + GPU
    ledger = begin(tmp_path, text)
    begin_to_close(ledger)
    rows = [subscription("01", name) for name in ("alice", "bob")]
    rows += [use("20", "alice", 80), use("20", "bob", 50), purchase("01", 100, "100.00")]
    month(tmp_path, "2026-05", *rows)
    ledger.write_text(text + INCLUDE)
    close(ledger, "2026-05")
    assert run("verify", ledger).exit_code == 0
    for one, other in (("cost: 1 OAI", "cost: 2 OAI"), ("1.50", "1.60"), ("60.00", "61.00")):
        ledger.write_text((text + INCLUDE).replace(one, other))
        assert "the closed month 2026-05 was booked with" in "".join(load_errors(ledger)), one


def test_capacity_goes_by_its_life_in_months_in_bulk(tmp_path: Path) -> None:
    """5.00 of 60.00 a month. Of what the machine cost 50.00 was bought; 55.00 are left of May."""
    text = LEDGER + METER + GPU.replace("quantity: 600 CU", 'life: "12 months"')
    ledger = begin(tmp_path, text)
    begin_to_close(ledger)
    month(tmp_path, "2026-05", *MAY)
    text += INCLUDE + BOUGHT
    ledger.write_text(text)
    (tie,) = [each for each in prepare("2026-05", load(ledger)).ties if "depreciation" in each.name]
    assert (tie.left, tie.right) == (Decimal(5), Decimal(5))
    said = run("check", ledger).stdout
    assert 'holds 50.00 USD and 55.00 USD of capacity "gpu" are still to be' in " ".join(
        said.split()
    )
    close(ledger, "2026-05")
    journal = month_of(ledger) / "journal.beancount"
    journal.write_text(journal.read_text().replace("5.00 USD", "6.00 USD"))
    assert load_errors(ledger)


def test_units_of_more_decimals_than_those_of_the_next_month_tie_out(tmp_path: Path) -> None:
    """Of 1 CU a third is minted in June, 0.3333333 CU; that expires in July."""
    plan = '2026-01-01 custom "compute-plan" "part" 3.00 USD 1 CU\n  unused: "mint"\n'
    text = LEDGER + plan + '  mint-rate: 0.3333333\n  token-expires: "1 month"\n' + INCLUDE
    ledger = begin(tmp_path, text)
    begin_to_close(ledger)
    months = {
        "2026-05": [one_period("20", "alice", "part"), subscription("01", "bob")],
        "2026-06": [use("02", "bob", 1)],
        "2026-07": [use("02", "bob", 1)],
    }
    for name, rows in months.items():
        book(tmp_path, name, events(tmp_path, name, *rows))
        ledger.write_text(text)
        close(ledger, name)
    found = parquet.read_table(tmp_path / "bulk" / "2026-07" / "movements.parquet").to_pylist()
    (lapsed,) = [row for row in found if row["kind"] == "expiry" and row["units_out"]]
    assert lapsed["units_out"] == Decimal("0.3333333")


# Worked out again


def test_a_month_is_booked_again(sealed: Path) -> None:
    """From its event files, to the same contents; and of the months behind it too."""
    rows = events(sealed.parent, "2026-06", use("02", "alice", 1100))
    book(sealed.parent, "2026-06", rows)
    close(sealed, "2026-06")
    done = run("verify", sealed)
    assert done.exit_code == 0 and done.stdout.startswith("2026-05 to 2026-06: 2 closed months")
    rows.unlink()
    done = run("verify", sealed)
    assert done.exit_code == 0, "what can't be compared is no difference"
    assert f"2026-06 was not booked again: {rows} is gone\n" in done.stdout
    said = json.loads(run("verify", sealed, "--format", "json").stdout)
    assert said["agrees"] and said["sentence"].endswith("is gone")


def test_event_files_say_something_else_now(sealed: Path) -> None:
    """Each file of the month that would be another is named."""
    events(sealed.parent, "2026-05", *MAY[:3], use("20", "bob", 5))
    done = run("verify", sealed)
    assert done.exit_code == 1
    for name in ("lots.parquet", "movements.parquet", "days.parquet", "journal.beancount"):
        assert f"2026-05/{name}: 2026-05: its events, booked again, give something" in done.stderr
    assert "subscribers.parquet" not in done.stderr
    events(sealed.parent, "2026-05", use("2026-06-01", "bob", 5))
    done = run("verify", sealed)
    assert "2026-05: can't be booked again: 2026-05.parquet:1 is of 2026-06-01" in done.stderr


def test_verify_without_the_extra_tells_what_it_could_not_do(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes need no library."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = run("verify", sealed)
    assert done.exit_code == 1
    assert "can't be tied out again: duckdb is not installed: pip install" in done.stderr


def test_a_month_that_was_sealed_wrongly_is_found(sealed: Path) -> None:
    """Its bytes are those of the seal; its lots are not what was booked."""
    assert run("reopen", "2026-05", sealed, "--reason", "x").exit_code == 0
    rewrite(sealed, "lots", set_cell(subscriber="alice", to=("units", Decimal(900))))
    close(sealed, "2026-05", ties=False)
    done = run("verify", sealed)
    assert done.exit_code == 1
    said = "2026-05: deferred revenue = lots.parquet: balance of the accounts 359.90 USD, cost of"
    assert said in done.stderr
