"""Margin, bills and exposure of months in bulk: those of the same economy booked by the plugin."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.bulk_books import read_all_books
from beancount_compute.cli import main
from beancount_compute.close.loading import load
from beancount_compute.close.pack import pack_files
from beancount_compute.close.sealing import close_month
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import JournalEntry, Kind, LotLeg, Money, trim
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.registry import REPORTS
from tests.bulk.both_ledgers import both_ledgers
from tests.bulk.small_months import LEDGER, begin, month, subscription, use
from tests.bulk.test_operator import GPU, METER, bill, purchase
from tests.bulk.test_reports_of_months import assert_same_tables
from tests.close.sealing import INCLUDE
from tests.close.sealing import begin as begin_to_close
from tests.reports.showing import figures
from tests.two_bills_year import YEAR

OF_COSTS = [REPORTS[name] for name in ("margin", "bills", "bill-match", "exposure")]
MORE = """\
2026-01-01 custom "compute-plan" "pro" 300.00 USD 200 CU
  overage: 2.00 USD
2026-01-01 custom "compute-plan" "lite" 7.00 USD 30 CU
  overage: 0.0004 USD
  unused: "mint"
  token-expires: "2 months"
2026-05-01 custom "compute-meter" "pictures"
  units: 3 CU
  per: 10
  cost: 0.013 USD
  provider: "llama"
2026-05-01 custom "compute-meter" "own"
  units: 1 CU
2026-05-01 custom "compute-provider" "openai"
  beyond: 1.50 USD
2026-05-01 custom "compute-quote" "chat" "acme" 0.333 USD
2026-05-01 custom "compute-quote" "pictures" "acme" 0.017 USD
2026-05-01 custom "compute-capacity" "rack" 500.00 USD
  provider: "llama"
  quantity: 5000 CU
2026-05-01 custom "compute-capacity" "hall" 1000.00 USD
  provider: "openai"
  life: "7 months"
  can-serve: 400 CU
2026-05-01 custom "compute-subscription" "dave" "lite"
2026-05-01 custom "compute-subscription" "erin" "pro"
2026-05-01 custom "compute-subscription" "frank" "lite"
2026-05-01 custom "compute-subscription" "gina" "pro"
2026-05-03 custom "compute-subscription" "bob" "pro"
2026-05-04 custom "compute-subscription" "carol" "lite"
"""
DAYS = """\
05-05 bob 33 CU
05-05 erin 7.5 CU
05-05 carol 17 CU
05-05 dave 3 CU
05-05 frank 12.5 CU
05-05 gina 2 CU
05-05 gina 3.25 CU
05-06 dave 28 CU; id: "undone on a day of its own"
05-07 dave 28 CU
05-07 frank 22 CU
05-08 bob; meter: "pictures"; quantity: 41
05-08 carol; meter: "pictures"; quantity: 37; id: "undone in June"
05-08 bob 5 CU; meter: "own"
05-09 bob 190 CU; id: "beyond, undone in June"
05-10 erin 11 CU; id: "undone at once"
05-13 carol 4 CU; id: "undone in July"
06-04 carol; meter: "pictures"; quantity: 100
06-07 bob 61 CU
06-07 erin 61 CU
06-07 dave 1 CU
06-09 carol 55 CU
06-09 gina 8 CU
06-09 frank 28 CU
06-10 frank 4.5 CU
07-03 bob 61 CU
07-03 carol 2 CU
"""
OTHERS = """\
2026-05-10 custom "compute-reversal" "undone at once"
2026-05-12 custom "compute-reversal" "undone on a day of its own"
2026-05-20 custom "compute-cost" "llama" 1.27 USD
  meter: "pictures"
2026-06-02 custom "compute-bill" "llama" 3.33 USD
2026-06-02 custom "compute-reversal" "undone in June"
2026-06-03 custom "compute-reversal" "beyond, undone in June"
2026-06-03 custom "compute-purchase" "openai" 50 OAI 55.00 USD
  id: "p1"
2026-06-04 custom "compute-reversal" "p1"
2026-06-12 custom "compute-trade" "dave" "erin" 2 CU 0.30 USD
2026-07-02 custom "compute-bill" "llama" 80.00 USD
2026-07-02 custom "compute-bill" "openai" 9.00 USD
2026-07-05 custom "compute-reversal" "undone in July"
"""


def uses() -> str:
    lines = []
    for line in DAYS.splitlines():
        use_of, *more = line.split("; ")
        day, name, *units = use_of.split()
        of = " ".join([f'"{name}"', *units])
        lines += [f'2026-{day} custom "compute-consumption" {of}', *(f"  {x}" for x in more)]
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Books, Books]:
    """Two bills, several meters and plans, reversals of all sorts: by the plugin, and in bulk."""
    folder = tmp_path_factory.mktemp("two_bills")
    text = YEAR.replace("2026-06-30", "2026-07-31") + MORE + uses() + OTHERS
    (folder / "main.beancount").write_text(text, encoding="utf-8")
    (folder / "both").mkdir()
    loaded = both_ledgers(folder / "main.beancount", folder / "both")
    assert not loaded.plugin.errors and not loaded.bulk.errors
    return loaded.books()


def test_reports_of_costs_are_those_of_a_load(both: tuple[Books, Books]) -> None:
    """Whole, up to a day, since one, of a plan: every table, to the letter."""
    june = date(2026, 6, 4)
    selections = [Selection(), Selection(end=june), Selection(june), Selection(plan="lite")]
    assert assert_same_tables(*both, selections, OF_COSTS) == 4 * (10 + 2 + 5 + 7)


def told(entry: JournalEntry) -> tuple[str, ...]:
    """All that reports of costs read of an entry; numbers by their value."""
    fields = entry.date, entry.kind, entry.undoes, entry.id, entry.subscriber, entry.period
    legs = [(*each.lot, each.units) if isinstance(each, LotLeg) else each for each in entry.legs]
    others = [*legs, *entry.beyond, *entry.stated]
    rows = sorted(",".join(trimmed(cell) for cell in row) for row in others)
    return *map(str, fields), str(entry.served), *rows


def trimmed(cell: object) -> str:
    if isinstance(cell, Money):
        return f"{trim(cell.number, 0):f} {cell.currency}"
    return f"{trim(cell, 0):f}" if isinstance(cell, Decimal) else str(cell)


def test_the_operator_s_entries_are_read_back_whole(both: tuple[Books, Books]) -> None:
    """Purchases, costs, bills, depreciation, and what undoes one: leg by leg those of a load."""
    plugin, months = ([told(each) for _, each in books.of_providers] for books in both)
    assert sorted(months) == sorted(plugin)
    assert {each[1] for each in months} == {
        *(Kind.PURCHASE, Kind.COST, Kind.BILL, Kind.DEPRECIATION, Kind.REVERSAL)
    }


def test_every_figure_leads_to_the_journal_of_its_day(both: tuple[Books, Books]) -> None:
    """80.00 of May's chat is what the journal's transactions of cost say, and their days."""
    _, months = both
    for report in OF_COSTS:
        places = report.sources(months, Selection())
        tags = {tuple(months.transactions[at].tags) for at in places}
        assert tags == {("compute-bulk",)}
    dates = {
        months.transactions[at].date for at in REPORTS["bill-match"].sources(months, Selection())
    }
    assert {date(2026, 5, 1), date(2026, 6, 2), date(2026, 7, 2)} <= dates


# By hand


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alice's 80 CU of 0.20 cost 80 OAI of 1.00, June's 10 of bob as many; 60.00 for 600 CU of
    capacity; June's bill of 5.00 is for nothing that waits. May is closed."""
    folder = tmp_path_factory.mktemp("by_hand")
    ledger = begin(folder, LEDGER + METER + GPU)
    begin_to_close(ledger)
    rows = [subscription("01", name) for name in ("alice", "bob")]
    month(folder, "2026-05", *rows, use("20", "alice", 80), purchase("01", 100, "100.00"))
    ledger.write_text(LEDGER + METER + GPU + INCLUDE)
    close_month("2026-05", ledger)
    month(folder, "2026-06", use("02", "bob", 10), bill("03", "5.00"))
    return ledger


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_margin_and_bills_by_hand(ledger: Path) -> None:
    """16.00 earned, 80.00 and 8.00 of both bills in May; 2.00, 10.00, 1.00 and 5.00 in June."""
    loaded = load(ledger)
    assert not loaded.errors
    books = read_all_books(loaded.entries, loaded.options)
    found = figures(REPORTS["margin"], books, Selection(), "money-by-month")
    use_of = {key: row for key, row in found.items() if key[1] in ("", "variance")}
    shown = {
        key: [row.get(name) for name in ("use", "first", "second")] for key, row in use_of.items()
    }
    assert shown == {
        ("2026-05", "", "USD"): ["16.00", "80.00", "8.00"],
        ("2026-06", "", "USD"): ["2.00", "10.00", "1.00"],
        ("2026-06", "variance", "USD"): [None, "5.00", None],
    }
    found = figures(REPORTS["bills"], books, Selection(), "unit")
    assert found["2026-05", "CU", "USD"] == {
        "units": "80",
        "price": "0.20",
        "first": "1.00",
        "second": "0.10",
        "both": "1.10",
        "above_first": "-0.80",
        "above_second": "0.10",
        "above_both": "-0.90",
    }
    (row,) = figures(REPORTS["bill-match"], books, Selection(), "bills").values()
    assert row == {"invoiced": "5.00", "variance": "5.00", "uses": "1"}


def test_the_command_shows_explains_and_hands_them_on(ledger: Path) -> None:
    """The same rows in text, CSV and JSON; the 10.00 of June are the journal's costs of June 2."""
    shown = run("report", "margin", ledger)
    assert shown.exit_code == 0, shown.output
    assert "Nothing by subscriber: 2026-05 to 2026-06 was booked in bulk" in shown.output
    of_june = ("report", "margin", ledger, "--table", "money-by-month", "--month", "2026-06")
    text = run(*of_june, "--format", "csv").stdout
    assert text.splitlines()[1].startswith("2026-06,,USD,2.00,0.00,10.00,-8.00")
    (found,) = json.loads(run(*of_june, "--format", "json").stdout)["tables"]
    assert found["rows"][0]["first"] == "10.00"
    explained = run(*of_june, "--explain", "1", "first")
    assert "2026-06-02           bulk/2026-06/journal.beancount:" in explained.output
    of_one = run("report", "bills", ledger, "--subscriber", "alice")
    assert of_one.exit_code == 2 and "bills is of all subscribers together" in of_one.output
    verified = run("verify", ledger)
    assert verified.exit_code == 0, verified.output


@pytest.mark.parametrize("name", ["uses", "operator_journal"])
def test_a_folder_of_an_older_release_says_what_to_do(
    name: str, ledger: Path, tmp_path: Path
) -> None:
    """Other reports need none of it, a pack has them all; a file that is broken is an error."""
    shutil.copytree(ledger.parent, tmp_path / "old")
    ledger = tmp_path / "old" / ledger.name
    path = tmp_path / "old" / "bulk" / "2026-06" / f"{name}.parquet"
    path.unlink()
    shown = run("report", "margin", ledger)
    assert shown.exit_code == 2
    assert f"{name}.parquet is not there, as its month was booked by an older" in shown.output
    loaded = load(ledger)
    files = pack_files(loaded.entries, loaded.options, "2026-06", "", [])
    assert "revenue-by-plan.csv" in files and "margin-money-by-plan.csv" not in files
    path.write_bytes(b"none")
    shown = run("report", "margin", ledger)
    assert shown.exit_code == 2 and f"{name}.parquet: " in shown.output
    with pytest.raises(CloseError, match=rf"can't read .*{name}\.parquet"):
        pack_files(loaded.entries, loaded.options, "2026-06", "", [])
