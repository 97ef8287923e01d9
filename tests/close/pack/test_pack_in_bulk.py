"""The pack of a month booked in bulk: its figures out of the days, and no tables by subscriber."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from beancount_compute.close.sealing import close_month
from beancount_compute.close.storage import CloseError
from tests.close.bulk_months import MAY, booked


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def test_the_pack_of_a_month_in_bulk_has_the_month_s_figures(tmp_path: Path) -> None:
    """Of 400.00 paid 200.5 CU at 0.20 are earned, 40.10; June's uses stay out of May's pack."""
    ledger = booked(tmp_path, ("2026-05", MAY))
    pack = tmp_path / "pack"
    close_month("2026-05", ledger, pack=pack)
    (folder,) = [each for each in pack.rglob("*") if (each / "index.html").is_file()] or [pack]
    (earned,) = rows_of(folder / "revenue-by-month.csv")
    assert (earned["month"], earned["compute"], earned["total"]) == ("2026-05", "40.10", "40.10")
    (plan,) = rows_of(folder / "rollforward-money-by-plan.csv")
    assert (plan["allocated"], plan["closing"]) == ("400.00", "359.90")
    (lot,) = rows_of(folder / "lots-lots.csv")
    assert (lot["units"], lot["unit_cost"], lot["carrying_amount"]) == ("1799.5", "0.20", "359.90")
    names = {each.name for each in folder.iterdir()}
    assert "revenue-by-subscriber.csv" not in names
    assert not [name for name in names if name.startswith(("aging", "statement", "economics"))]


def test_a_pack_without_days_is_refused(tmp_path: Path) -> None:
    ledger = booked(tmp_path, ("2026-05", MAY))
    (tmp_path / "bulk" / "2026-05" / "trades.parquet").write_bytes(b"none")
    with pytest.raises(CloseError, match=r"trades\.parquet"):
        close_month("2026-05", ledger, pack=tmp_path / "pack")
