"""Reports on months in bulk are those of the same economy booked by the plugin, to the letter."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount.core.data import Transaction

from beancount_compute.bulk_books import CantReadMonths, journal_errors, read_all_books
from beancount_compute.close.loading import Loaded, load
from beancount_compute.economy import POSTING_GRAIN, Grain
from beancount_compute.reports import Books, NotInBulk, NotSummed, Selection, render
from beancount_compute.reports.bulk_reach import shown
from beancount_compute.reports.figures import ReportLike
from beancount_compute.reports.held_lots import LOTS
from beancount_compute.reports.intervals import Interval
from beancount_compute.reports.margin import MARGIN
from beancount_compute.reports.registry import REPORTS, disclosure
from beancount_compute.reports.rollforward import deferred_by
from beancount_compute.reports.summary import summary_of
from tests.bulk.both_ledgers import BothLedgers, both_ledgers
from tests.bulk.small_months import LEDGER, begin, month, reversal, subscription, top_up, trade, use
from tests.examples import examples
from tests.laws.random_ledgers import PROFILES, VALID, write_ledger

MARKET_YEAR = Path(__file__).parents[2] / "example-ledgers" / "market-year" / "main.beancount"
SEEDS = [seed for seed in range(examples(6, 360)) if PROFILES[seed % len(PROFILES)] in VALID]
OF_SUMS = [*[report for report in REPORTS.values() if report.of_sums], disclosure(6)]
D = Decimal
FEES = '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'


def text_of(report: ReportLike, books: Books, selection: Selection, names: list[str]) -> str:
    return render(report.tables(books, selection, *names), 120)


def assert_same_tables(
    plugin: Books,
    months: Books,
    selections: list[Selection],
    reports: Sequence[ReportLike] = OF_SUMS,
) -> int:
    """How many tables are the same, which all are that months in bulk can show."""
    compared = 0
    if plugin.terms.of_ledger(POSTING_GRAIN) is Grain.MONTH:  # a load forgets the days of uses
        reports = [each for each in reports if each.name not in ("margin", "exposure")]
    for report in reports:
        for selection in selections:
            try:
                layouts = shown(report.layouts(months, selection), months)
                names = [layout.name for layout in layouts]
                text = text_of(report, months, selection, names)
            except NotInBulk:  # open lots within a month
                assert report.name == "lots"
                continue
            assert text == text_of(report, plugin, selection, names), (report.name, selection)
            compared += len(names)
    return compared


def tables_of_check(loaded: Loaded, books: Books) -> str:
    return render(summary_of(books, loaded.entries).tables(), 100)


def pooled_balances(both: BothLedgers) -> Iterator[dict[tuple[str, str], Decimal]]:
    """What stands on the accounts of either ledger, those of subscribers together, at cost."""
    accounts = read_all_books(both.bulk.entries, both.bulk.options).accounts
    for loaded in (both.plugin, both.bulk):
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for entry in loaded.entries:
            for posting in entry.postings if isinstance(entry, Transaction) else ():
                units: Any = posting.units
                number, currency = units
                if posting.cost is not None:
                    number, currency = number * posting.cost.number, posting.cost.currency
                found[accounts.branch(posting.account), currency] += number
        yield {key: number for key, number in found.items() if number}


def test_the_reports_of_a_market_s_year_are_the_plugin_s(tmp_path: Path) -> None:
    """Whole, up to a month, within months and days, of a plan; check, balances and charts too."""
    both = both_ledgers(MARKET_YEAR, tmp_path)
    assert not both.plugin.errors and not both.bulk.errors
    plugin, months = both.books()
    march, may = date(2026, 3, 1), date(2026, 5, 31)
    selections = [
        Selection(),
        Selection(end=may),
        Selection(march, may),
        Selection(march, date(2026, 5, 17)),
        Selection(plan="pro"),
        Selection(march, may, plan="starter"),
    ]
    assert assert_same_tables(plugin, months, selections) > 100
    for interval in (Interval.MONTH, Interval.WEEK):
        for chosen in selections:
            tables = [deferred_by(books, chosen, interval) for books in (plugin, months)]
            assert tables[0] == tables[1]
    assert tables_of_check(both.bulk, months) == tables_of_check(both.plugin, plugin)
    ledgers = [*pooled_balances(both)]
    assert ledgers[0] == ledgers[1] and len(ledgers[0]) > 8


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reports_of_random_economies_are_the_plugin_s(seed: int, tmp_path: Path) -> None:
    """All kinds, openings and removals by hand, in several units and currencies."""
    (tmp_path / "both").mkdir()
    both = both_ledgers(write_ledger(seed, tmp_path / "ledger"), tmp_path / "both")
    plugin, months = both.books()
    days = sorted({each.date for each in plugin.movements}) or [date(2026, 1, 1)]
    middle = days[len(days) // 2]
    plans = sorted(plugin.origins)[:2]
    selections = [Selection(), Selection(end=middle), Selection(middle)]
    selections += [Selection(plan=plan) for plan in plans]
    assert assert_same_tables(plugin, months, selections) > 40


AT_ONCE = """\
plugin "beancount_compute"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
2026-05-16 custom "compute-subscription" "alice" "pro"
2026-05-20 custom "compute-consumption" "alice" 100 CU
2026-05-31 custom "compute-cancellation" "alice" "pro"
  now: TRUE
2026-06-10 custom "compute-grant" "alice" 1 CU
"""


def test_as_of_a_months_end_what_was_cancelled_at_once_ends_tomorrow(tmp_path: Path) -> None:
    """900 of 1,000 CU are left on 31 May, and become tokens on 1 June."""
    (tmp_path / "both").mkdir()
    ledger = tmp_path / "main.beancount"
    ledger.write_text(AT_ONCE, encoding="utf-8")
    plugin, months = both_ledgers(ledger, tmp_path / "both").books()
    may = Selection(end=date(2026, 5, 31))
    assert assert_same_tables(plugin, months, [may], [LOTS]) == 2
    _, lots = LOTS.tables(months, may)
    assert [row[0] for row in lots.rows] == ["2026-06-01"]


METERED_MINIMUM = """\
plugin "beancount_compute"
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.25 USD
  minimum: 100.00 USD
  bill: "month"
  meter: "pictures"
2026-01-01 custom "compute-meter" "pictures"
  units: 12 CU
  per: 1
2026-05-01 custom "compute-subscription" "alice" "payg"
2026-05-10 custom "compute-consumption" "alice" 250 CU
  meter: "pictures"
  id: "u-1"
2026-06-03 custom "compute-reversal" "u-1"
"""


def test_what_a_reversed_use_leaves_of_a_minimum_is_of_its_meter(tmp_path: Path) -> None:
    """62.50 of May's 100.00 were overage; in June they are breakage, of pictures as the use was."""
    (tmp_path / "both").mkdir()
    ledger = tmp_path / "main.beancount"
    ledger.write_text(METERED_MINIMUM, encoding="utf-8")
    plugin, months = both_ledgers(ledger, tmp_path / "both").books()
    june = Selection(date(2026, 6, 1), date(2026, 6, 15))
    assert assert_same_tables(plugin, months, [Selection(), june]) > 20
    (margin,) = MARGIN.tables(months, june, "money-by-meter")
    (row,) = [row for row in margin.by_key() if row["meter"] == "pictures"]
    assert (row["overage"], row["breakage"]) == (D("-62.50"), D("62.50"))


# A small market


def small_market(folder: Path) -> Loaded:
    """Two months with sales; the second undoes one of the first."""
    begin(folder, LEDGER + FEES)
    rows = [subscription("01", "alice"), top_up("03", "alice", 300, "60.00")]
    rows += [top_up("05", "bob", 10, "1.00"), use("20", "alice", 200)]
    rows += [{**trade("22", "alice", "bob", 100, "0.25"), "id": "sale"}]
    month(folder, "2026-05", *rows, trade("23", "alice", "bob", 50, "0.35"))
    rows = [trade("03", "alice", "bob", 50, "0.40"), reversal("04", "sale")]
    month(folder, "2026-06", *rows, use("21", "bob", 5))
    (folder / "main.beancount").write_text(LEDGER + FEES)
    loaded = load(folder / "main.beancount")
    assert not loaded.errors
    return loaded


def read(loaded: Loaded) -> Books:
    return read_all_books(loaded.entries, loaded.options)


def test_a_trade_that_a_later_month_undoes_is_no_price_of_its_own(tmp_path: Path) -> None:
    """Up to May 100 CU at 0.25 stand beside 50 at 0.35; seen from June on the 50 alone."""
    books = read(small_market(tmp_path))
    market = REPORTS["market"]
    (until_may,) = market.tables(books, Selection(end=date(2026, 5, 31)), "by-month")
    (whole,) = market.tables(books, Selection(), "by-month")
    found = [
        {column.key: cell for column, cell in zip(table.columns, row, strict=True)}
        for table in (until_may, whole)
        for row in table.rows
    ]
    figures = [
        (row["month"], row["trades"], row["units"], row["price"], row["fees"]) for row in found
    ]
    assert figures == [
        ("2026-05", 2, Decimal(150), Decimal("0.283333"), Decimal("2.13")),
        ("2026-05", 2, Decimal(150), Decimal("0.35"), Decimal("2.13")),
        ("2026-06", 0, Decimal(-50), Decimal("0.40"), Decimal("-0.25")),
    ]


def test_a_figure_is_explained_by_the_journal_s_days(tmp_path: Path) -> None:
    """The fees of May are the trade of May 22 in May's journal; open lots are no transactions."""
    loaded = small_market(tmp_path)
    books = read(loaded)
    revenue, lots = REPORTS["revenue"], REPORTS["lots"]
    (at,) = [
        at
        for report in [revenue]
        for at in report.sources(books, Selection(date(2026, 5, 22), date(2026, 5, 22)))
    ]
    entry = books.transactions[at]
    assert (entry.narration, entry.date) == ("Trade", date(2026, 5, 22))
    assert Path(entry.meta["filename"]).parent.name == "2026-05"
    with pytest.raises(NotSummed, match=r"lots\.parquet"):
        lots.sources(books, Selection())


@pytest.mark.parametrize(
    "name", [report.name for report in REPORTS.values() if not report.of_sums], ids=str
)
def test_a_report_on_single_transactions_names_the_months_that_have_none(
    name: str, tmp_path: Path
) -> None:
    books = read(small_market(tmp_path))
    with pytest.raises(NotInBulk, match=f"{name} reads single transactions.* 2026-05 to 2026-06"):
        REPORTS[name].tables(books, Selection(subscriber="alice"))
    assert REPORTS[name].layouts(books, Selection(end=date(2026, 4, 30), subscriber="alice"))


def test_figures_of_one_subscriber_are_not_in_the_days(tmp_path: Path) -> None:
    books = read(small_market(tmp_path))
    with pytest.raises(NotInBulk, match="of all subscribers together"):
        REPORTS["revenue"].tables(books, Selection(subscriber="alice"))
    assert [each.name for each in REPORTS["revenue"].tables(books, Selection())] == [
        "by-month",
        "by-plan",
    ]
    with pytest.raises(NotInBulk, match="ask for days up to 2026-05-31"):
        REPORTS["lots"].tables(books, Selection(end=date(2026, 5, 20)))


def test_lots_of_a_month_in_which_nothing_happened_are_those_before_it(tmp_path: Path) -> None:
    """10 CU of May stand alone until the grant of 10 June; July is as June ended."""
    begin(tmp_path, LEDGER)
    month(tmp_path, "2026-05", top_up("05", "bob", 10, "1.00"))
    month(tmp_path, "2026-06", {**use("10", "bob", 5), "event": "grant"})
    month(tmp_path, "2026-07")
    (tmp_path / "main.beancount").write_text(LEDGER)
    books = read(load(tmp_path / "main.beancount"))
    held = []
    for day in (date(2026, 5, 20), date(2026, 6, 9), date(2026, 6, 10), date(2026, 7, 4)):
        _, lots = REPORTS["lots"].tables(books, Selection(end=day))
        at = [column.key for column in lots.columns].index("units")
        held.append([row[at] for row in lots.rows])
    assert held == [[10], [10], [5, 10], [5, 10]]


# What may be wrong


def test_an_edited_journal_is_told_with_both_figures(tmp_path: Path) -> None:
    """A cent moved by hand: which account of which day, here and in the days."""
    small_market(tmp_path)
    journal = tmp_path / "bulk" / "2026-05" / "journal.beancount"
    text = journal.read_text()
    assert "Income:Compute  -40.00 USD" in text
    changed = text.replace("Income:Compute  -40.00 USD", "Income:Compute  -41.00 USD")
    journal.write_text(changed.replace("Allocations  40.00 USD", "Allocations  41.00 USD"))
    loaded = load(tmp_path / "main.beancount")
    (error,) = journal_errors(read(loaded), loaded.options)
    assert Path(error.source["filename"]) == journal
    line = journal.read_text().splitlines()[error.source["lineno"] - 1]
    assert line == '2026-05-20 * "Consumption" #compute-bulk'
    assert error.message.startswith("Income:Compute of 2026-05-20, Consumption, is -41.00 USD")
    assert "-40.00 USD in days.parquet (and 1 more)" in error.message


def test_a_day_taken_out_of_a_journal_changes_no_report(tmp_path: Path) -> None:
    """Its facts are those of the days; the error says what is gone."""
    whole = render(REPORTS["revenue"].tables(read(small_market(tmp_path)), Selection()), 100)
    journal = tmp_path / "bulk" / "2026-06" / "journal.beancount"
    head, _, rest = journal.read_text().partition('2026-06-21 * "Consumption"')
    journal.write_text(head + rest.partition("\n\n")[2])
    loaded = load(tmp_path / "main.beancount")
    books = read(loaded)
    assert render(REPORTS["revenue"].tables(books, Selection()), 100) == whole
    (error,) = journal_errors(books, loaded.options)
    assert error.source == {"filename": str(journal), "lineno": 1}
    assert "is 0.00 USD here" in error.message


def test_a_tag_in_the_ledger_itself_is_an_error(tmp_path: Path) -> None:
    small_market(tmp_path)
    ledger = tmp_path / "main.beancount"
    mine = '2026-08-01 * "Mine" #compute-bulk\n  Income:Compute  -1 USD\n  Income:Fees  1 USD\n'
    ledger.write_text(ledger.read_text() + mine)
    loaded = load(ledger)
    (error,) = journal_errors(read(loaded), loaded.options)
    assert error.source["filename"] == str(ledger) and "remove the tag" in error.message


@pytest.mark.parametrize("name", ["days", "trades", "subscribers"])
def test_a_file_that_can_t_be_read_is_one_sentence(name: str, tmp_path: Path) -> None:
    loaded = small_market(tmp_path)
    path = tmp_path / "bulk" / "2026-05" / f"{name}.parquet"
    if name == "subscribers":
        path = tmp_path / "bulk" / "2026-06" / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(CantReadMonths, match=rf"{name}\.parquet: .* book the month anew"):
        read(loaded)
    path.unlink()
    with pytest.raises(CantReadMonths, match=f"can't read .*{name}"):
        read(loaded)


def test_a_days_file_of_other_columns_is_one_sentence(tmp_path: Path) -> None:
    loaded = small_market(tmp_path)
    folder = tmp_path / "bulk" / "2026-05"
    (folder / "days.parquet").write_bytes((folder / "trades.parquet").read_bytes())
    with pytest.raises(CantReadMonths, match="no column kind"):
        read(loaded)


def test_lots_that_can_t_be_read_are_one_sentence(tmp_path: Path) -> None:
    books = read(small_market(tmp_path))
    (tmp_path / "bulk" / "2026-06" / "lots.parquet").write_bytes(b"none")
    with pytest.raises(CantReadMonths, match=r"lots\.parquet: .* book the month anew"):
        REPORTS["lots"].tables(books, Selection())


def test_without_the_extra_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = small_market(tmp_path)
    monkeypatch.delitem(sys.modules, "beancount_compute.bulk_books.summed_months", raising=False)
    monkeypatch.delitem(sys.modules, "beancount_compute.bulk_books.month_rows", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CantReadMonths, match=r'pip install "beancount_compute\[bulk\]"'):
        read(loaded)
