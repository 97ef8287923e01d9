"""The operator's own books in bulk: costs of uses, credits, bills and capacity, by hand.

A CU costs one OAI; 100 OAI were bought for 100.00 USD, and others cost 1.50 USD each.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.month_asked import BulkOutcome
from tests.bulk import small_months
from tests.bulk.small_months import LEDGER, begin, book, events, month, subscription, table, use

D = Decimal
METER = """\
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-01-01 custom "compute-provider" "openai"
  beyond: 1.50 USD
"""
WITHOUT_BEYOND = METER.replace("  beyond: 1.50 USD\n", "")
GPU = """\
2026-05-01 custom "compute-capacity" "gpu" 60.00 USD
  provider: "openai"
  quantity: 600 CU
"""
Row = dict[str, Any]


def purchase(day: str, units: object, paid: str) -> Row:
    return _of_provider("purchase", day, units=units, commodity="OAI", paid=paid, currency="USD")


def bill(day: str, paid: str) -> Row:
    return _of_provider("bill", day, paid=paid, currency="USD")


def _of_provider(kind: str, day: str, **more: Any) -> Row:
    return {"event": kind, "date": day, "subscriber": "", "counterparty": "openai", **more}


def served(folder: Path, text: str, *more: Row, plain: bool = True) -> BulkOutcome:
    """May of a ledger: alice uses 80 CU and bob 50, on one day."""
    begin(folder, LEDGER + text)
    rows = [subscription("01", name) for name in ("alice", "bob")]
    rows += [use("20", "alice", 80, id="u-1"), use("20", "bob", 50), *more]
    return month(folder, "2026-05", *rows, plain=plain)


def of_day(found: BulkOutcome, day: str, narration: str) -> list[str]:
    """The postings of a transaction in a month's journal."""
    text = (found.folder / "journal.beancount").read_text(encoding="utf-8")
    (entry,) = [each for each in text.split("\n\n") if each.startswith(f'{day} * "{narration}"')]
    return [" ".join(line.split()) for line in entry.splitlines()[1:]]


def reversal(folder: Path, name: str, day: str, *rows: Row) -> Path:
    """A file of rows, and the reversal of alice's use."""
    back = {"id": "r-1", "event": "reversal", "date": day, "subscriber": "", "reverses": "u-1"}
    return events(folder, name, *rows, back)


@pytest.mark.parametrize("plain", [True, False], ids=["kernel", "engine"])
def test_a_day_s_uses_draw_credits_and_then_cost_the_price_beyond(
    plain: bool, tmp_path: Path
) -> None:
    """Of 130 OAI 100 are drawn at 1.00, and 30 cost 1.50: 145.00 in all, 45.00 of it accrued."""
    found = served(tmp_path, METER, purchase("01", 100, "100.00"), plain=plain)
    assert found.counts.get("by the kernel", 0) == (4 if plain else 0)
    assert of_day(found, "2026-05-20", "Cost") == [
        "Assets:Prepaid:Openai -100.00 USD",
        'cohort: "openai 2026-05"',
        "units-out: 100 OAI",
        "Liabilities:Accrued:Openai -45.00 USD",
        "Expenses:Compute:Openai 145.00 USD",
    ]
    rows = table(found, "operator")
    assert [(row["what"], row["name"], row["amount"]) for row in rows] == [
        ("credits", "openai", None),
        ("accrued", "openai", D(45)),
    ]


def test_a_bill_clears_what_the_month_before_accrued(tmp_path: Path) -> None:
    """Of 45.00 the provider bills 44.00 in June: the rest is variance."""
    served(tmp_path, METER, purchase("01", 100, "100.00"))
    found = month(tmp_path, "2026-06", bill("02", "44.00"))
    assert of_day(found, "2026-06-02", "Bill") == [
        "Liabilities:Accrued:Openai 45.00 USD",
        "Liabilities:Providers:Openai -44.00 USD",
        "Expenses:Compute:Variance -1.00 USD",
    ]
    assert [row["what"] for row in table(found, "operator")] == ["credits", "billed"]


@pytest.mark.parametrize("plain", [True, False], ids=["kernel", "engine"])
def test_credits_that_lack_are_an_error_counted_with_its_uses(plain: bool, tmp_path: Path) -> None:
    """130 OAI are used of 100: bob's use, the second of the day, takes more than is held."""
    found = served(tmp_path, WITHOUT_BEYOND, purchase("01", 100, "100.00"), plain=plain)
    (refused,) = table(found, "refused")
    assert refused["row"] == 4
    assert refused["message"].startswith(
        '1 use of "chat" on 2026-05-20 took 30 OAI more than are held of "openai": '
    )


def test_a_use_of_an_earlier_month_gives_back_what_it_drew_last(tmp_path: Path) -> None:
    """Of alice's 80 OAI the 30 beyond come back first, 45.00, then 50 to the lot."""
    served(tmp_path, METER, purchase("01", 100, "100.00"))
    file = reversal(tmp_path, "2026-06", "03", use("02", "bob", 10))
    found = book(tmp_path, "2026-06", file)
    assert of_day(found, "2026-06-03", "Cost") == [
        "Assets:Prepaid:Openai 50.00 USD",
        'cohort: "openai 2026-05"',
        "units-in: 50 OAI",
        "Liabilities:Accrued:Openai 45.00 USD",
        "Expenses:Compute:Openai -95.00 USD",
    ]
    stock = [row for row in table(found, "operator") if row["what"] == "stock"]
    assert [(row["units"], row["cost"], str(row["date"])) for row in stock] == [
        (D(50), D(1), "2026-05-01")
    ]


def test_a_use_reversed_on_its_day_never_cost_anything(tmp_path: Path) -> None:
    """Bob's 50 alone are drawn."""
    begin(tmp_path, LEDGER + METER)
    rows = [subscription("01", name) for name in ("alice", "bob")]
    rows += [use("20", "alice", 80, id="u-1"), use("20", "bob", 50), purchase("01", 100, "100.00")]
    found = book(tmp_path, "2026-05", reversal(tmp_path, "2026-05", "20", *rows))
    assert of_day(found, "2026-05-20", "Cost")[-1] == "Expenses:Compute:Openai 50.00 USD"


def test_capacity_goes_to_months_by_what_all_subscribers_used(tmp_path: Path) -> None:
    """60.00 for 600 CU: 13.00 for May's 130 CU, and 1.00 for 10 CU of June."""
    found = served(tmp_path, METER + GPU, purchase("01", 200, "200.00"))
    assert of_day(found, "2026-05-31", "Depreciation") == [
        "Assets:Capacity:Gpu -13.00 USD",
        "Expenses:Capacity:Gpu 13.00 USD",
    ]
    found = month(tmp_path, "2026-06", use("02", "bob", 10))
    assert of_day(found, "2026-06-30", "Depreciation")[0] == "Assets:Capacity:Gpu -1.00 USD"
    (capacity,) = [row for row in table(found, "operator") if row["what"] == "capacity"]
    assert (capacity["amount"], capacity["units"]) == (D(14), D(140))


def test_an_earlier_purchase_can_be_reversed_as_long_as_it_is_held(tmp_path: Path) -> None:
    """Nothing was used of it: 100.00 are not owed any more; a second time it is refused."""
    begin(tmp_path, LEDGER + METER)
    month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        purchase("01", 100, "100.00") | {"id": "u-1"},
    )
    found = book(tmp_path, "2026-06", reversal(tmp_path, "2026-06", "03", use("04", "alice", 1)))
    postings = of_day(found, "2026-06-03", "Reversal of purchase")
    assert "Liabilities:Providers:Openai 100.00 USD" in postings
    again = book(tmp_path, "2026-07", reversal(tmp_path, "2026-07", "03", use("04", "alice", 1)))
    (refused,) = table(again, "refused")
    assert "is reversed already" in refused["message"]


def test_sums_that_differ_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's sums of a sample are compared with the engine's, as all its figures."""
    from beancount_compute.bulk import shard_run

    right = shard_run.plain_served

    def wrong(*given: Any) -> pa.Table:
        found = right(*given).to_pylist()
        return pa.Table.from_pylist(
            [{**row, "units": row["units"] + 1} for row in found], right(*given).schema
        )

    monkeypatch.setattr(shard_run, "plain_served", wrong)
    with pytest.raises(BulkError, match='"chat" has other served by the kernel'):
        served(tmp_path, METER, purchase("01", 200, "200.00"))


def test_the_operator_s_legs_are_told_one_by_one(tmp_path: Path) -> None:
    """Their sums are its movements, in and out of its credits: else the run would stop."""
    begin(tmp_path, LEDGER + METER)
    rows = [subscription("01", "alice"), use("20", "alice", 80), purchase("01", 100, "100.00")]
    found = month(tmp_path, "2026-05", *rows, detail=True)
    legs = [row for row in table(found, "detail") if row["role"] == "prepaid"]
    assert [(row["kind"], row["units_in"], row["units_out"], row["amount"]) for row in legs] == [
        ("purchase", D(100), D(0), D(100)),
        ("cost", D(0), D(80), D(-80)),
    ]


def test_the_small_ledger_has_no_operator(tmp_path: Path) -> None:
    """Its files are there, and empty."""
    found = month(tmp_path, "2026-05", subscription("01", "alice"))
    assert not table(found, "operator") and not table(found, "costs")
    assert small_months.LEDGER.count("provider") == 0
