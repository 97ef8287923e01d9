"""The example ledgers are clean, checked twice, and show what they promise."""

from __future__ import annotations

import csv
import datetime
import json
import re
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import beanquery
import pytest
from beancount import loader
from beancount.core import data
from click.testing import CliRunner

from beancount_compute.cli import main
from tests.laws.auditor.comparing import compare

TESTS = Path(__file__).parent
EXAMPLES = TESTS.parent / "example-ledgers"
LEDGERS = sorted(EXAMPLES.glob("*/main.beancount"))
CLOSED_QUARTER = EXAMPLES / "closed-quarter" / "main.beancount"
AI_COMPANY = EXAMPLES / "ai-company" / "main.beancount"
BULK_MONTH = EXAMPLES / "bulk-month" / "main.beancount"
MARKET_YEAR = EXAMPLES / "market-year" / "main.beancount"
TAGS = {
    "compute-opening",
    "compute-allocation",
    "compute-grant",
    "compute-consumption",
    "compute-overage",
    "compute-mint",
    "compute-expiry",
    "compute-trade",
    "compute-transfer",
    "compute-spend",
    "compute-refund",
    "compute-reversal",
}

every_example = pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.parent.name)


def load(path: Path) -> tuple[list[Any], dict[str, Any]]:
    """The directives and options of a ledger that loads without an error."""
    entries, errors, options = loader.load_file(str(path))
    assert [f"{e.source.get('lineno')}: {e.message}" for e in errors] == []
    return entries, options


def transactions(entries: list[Any], tag: str | None = None) -> list[data.Transaction]:
    found = [entry for entry in entries if isinstance(entry, data.Transaction)]
    return [entry for entry in found if tag is None or tag in entry.tags]


def balances(entries: list[Any]) -> dict[tuple[str, str], Decimal]:
    """Units per account and commodity, without those that are zero."""
    sums: Counter[tuple[str, str]] = Counter()
    for posting in (p for entry in transactions(entries) for p in entry.postings):
        sums[posting.account, posting.units.currency] += posting.units.number
    return {key: number for key, number in sums.items() if number != 0}


def lots(entries: list[Any]) -> dict[tuple[Any, ...], Decimal]:
    """Units per account, commodity, cost, date and label: the open lots."""
    sums: Counter[tuple[Any, ...]] = Counter()
    for posting in (p for entry in transactions(entries) for p in entry.postings if p.cost):
        sums[posting.account, posting.units.currency, *posting.cost] += posting.units.number
    return {key: number for key, number in sums.items() if number != 0}


def queries(entries: list[Any]) -> list[data.Query]:
    return [entry for entry in entries if isinstance(entry, data.Query)]


def rows(entries: list[Any], options: dict[str, Any], query: str) -> list[Any]:
    connection = beanquery.connect("beancount:", entries=entries, errors=[], options=options)
    return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def market_year() -> list[Any]:
    return load(MARKET_YEAR)[0]


def test_the_promised_examples_exist() -> None:
    """The examples that the README names are there."""
    names = {path.parent.name for path in LEDGERS}
    promised = {"quickstart", "market-year", "own-accounts", "closed-quarter", "two-bills"}
    assert {*promised, "bulk-month", "two-regimes", "ai-company"} <= names


@every_example
def test_loads_without_an_error(ledger: Path) -> None:
    """An example has no error of Beancount or the plugin, and `bean-compute check` exits with 0."""
    load(ledger)
    result = CliRunner().invoke(main, ["check", str(ledger)])
    assert result.exit_code == 0, result.output


@every_example
def test_nothing_is_left_to_answer(ledger: Path) -> None:
    """What the review finds in an example is answered in it, and every answer answers something."""
    result = CliRunner().invoke(main, ["review", str(ledger)])
    assert result.exit_code == 0, result.output
    assert "Note: " not in result.output


@every_example
def test_has_a_readme_and_balance_lines(ledger: Path) -> None:
    """An example says what it teaches, and checks money, units and deferred revenue itself."""
    assert len((ledger.parent / "README.md").read_text("utf-8")) > 400
    entries, _ = load(ledger)
    checked = {entry.amount.currency for entry in entries if isinstance(entry, data.Balance)}
    assert {"CU"} < checked
    if ledger != BULK_MONTH:  # where `balance` says it: no lot is on an account
        text = "".join(path.read_text("utf-8") for path in ledger.parent.glob("*.beancount"))
        assert '"compute-assert" "deferred-revenue"' in text


@every_example
def test_says_nothing_of_this_machine(ledger: Path) -> None:
    """No file of an example holds an absolute path."""
    for path in ledger.parent.rglob("*"):
        if path.suffix in (".beancount", ".csv", ".md"):
            assert not re.search(r"/(home|work|tmp|root|Users)/", path.read_text("utf-8")), path


@pytest.mark.parametrize(
    "ledger",
    [path for path in LEDGERS if path not in (CLOSED_QUARTER, BULK_MONTH, AI_COMPANY)],
    ids=lambda path: path.parent.name,
)
def test_the_auditor_agrees(ledger: Path) -> None:
    """Balances by day, lots, prices and errors are those of the auditor, which knows no seals."""
    assert compare(ledger) == []


def test_the_auditor_agrees_with_the_company_unsealed(tmp_path: Path) -> None:
    """Nothing of it came late, so its books are the same with no month closed."""
    for path in AI_COMPANY.parent.glob("*.beancount"):
        text = path.read_text("utf-8").replace('include "closed/index.beancount"\n', "")
        (tmp_path / path.name).write_text(text)
    shutil.copytree(AI_COMPANY.parent / "events", tmp_path / "events")
    assert compare(tmp_path / "main.beancount") == []


@pytest.mark.parametrize(
    ("ledger", "months"),
    [
        (CLOSED_QUARTER, "2026-04 to 2026-06: 3 closed months"),
        (AI_COMPANY, "2026-01 to 2026-04: 4 closed months"),
    ],
    ids=["closed-quarter", "ai-company"],
)
def test_the_closed_months_give_the_same_books_again(ledger: Path, months: str) -> None:
    """They are worked out anew; the frozen books load with Beancount alone."""
    result = CliRunner().invoke(main, ["verify", str(ledger)])
    assert result.exit_code == 0, result.output
    assert months in result.output
    load(ledger.parent / "closed" / "books.beancount")


def test_a_company_sells_all_that_there_is_besides_units() -> None:
    """Access, use in arrears, upgrades and money back; what is still owed is as it should be."""
    entries, _ = load(AI_COMPANY)
    tags = {tag for entry in transactions(entries) for tag in entry.tags}
    new = ("access", "invoice", "shortfall", "change", "chargeback", "recovery", "write-off")
    others = ("cancellation", "refund", "trade", "mint", "overage")
    assert {f"compute-{each}" for each in (*new, *others)} <= tags
    owed = {
        account: number
        for (account, _), number in balances(entries).items()
        if account.startswith(("Assets:Receivable", "Assets:Unbilled", "Liabilities:Payable"))
    }
    assert owed == {
        "Assets:Receivable:Acme": Decimal(336),  # the invoice of 1 June
        "Assets:Receivable:Peggy": Decimal(30),  # who left without paying for her last month
        "Assets:Unbilled:Acme": Decimal(392),
        "Assets:Unbilled:Nina": Decimal("9.60"),
        "Assets:Unbilled:Oscar": Decimal("46.67"),  # an upgrade: 80.00 less 33.33
    }


def test_what_can_be_had_back_on_demand_is_no_contract_liability() -> None:
    """Of grace's top-up of 65.00 she still holds 120 of 1,000 CU: 7.80."""
    asked = ["report", "disclosure", str(AI_COMPANY), "--table", "refundable", "--format", "json"]
    (table,) = json.loads(CliRunner().invoke(main, asked).stdout)["tables"]
    (row,) = table["rows"]
    assert (row["topped_up"], row["used"], row["closing"]) == ("65.00", "-57.20", "7.80")


def test_the_closed_month_in_bulk_stands() -> None:
    """March, by what its files hold; the frozen books load with Beancount alone."""
    result = CliRunner().invoke(main, ["verify", str(BULK_MONTH)])
    assert result.exit_code == 0, result.output
    load(BULK_MONTH.parent / "closed" / "books.beancount")


@every_example
def test_the_printed_ledger_stands_alone(ledger: Path, tmp_path: Path) -> None:
    """As plain text without the plugin: no error, the same balances, lots and stored queries."""
    result = CliRunner().invoke(main, ["print", str(ledger)])
    assert result.exit_code == 0, result.stderr
    assert 'plugin "' not in result.stdout
    assert 'custom "compute-' not in result.stdout
    printed = tmp_path / "printed.beancount"
    printed.write_text(result.stdout, "utf-8")
    booked, _ = load(ledger)
    plain, _ = load(printed)
    assert balances(plain) == balances(booked)
    assert lots(plain) == lots(booked)
    assert len(transactions(plain)) == len(transactions(booked))
    assert [q.query_string for q in queries(plain)] == [q.query_string for q in queries(booked)]


@every_example
def test_stored_queries_have_answers(ledger: Path) -> None:
    """Each `query` of an example runs in beanquery and returns rows."""
    entries, options = load(ledger)
    for query in queries(entries):
        assert rows(entries, options, query.query_string), query.name


def test_the_quickstart_fits_a_screen() -> None:
    """Who opens the first example sees all of it."""
    lines = (EXAMPLES / "quickstart" / "main.beancount").read_text("utf-8").splitlines()
    assert len(lines) <= 45
    assert max(len(line) for line in lines) <= 100


def test_a_market_year_has_an_event_file_for_each_month() -> None:
    """Twelve files, each with the events of its month, sorted by date, no id twice."""
    files = sorted((MARKET_YEAR.parent / "events").glob("*.csv"))
    assert [path.stem for path in files] == [f"2026-{month:02d}" for month in range(1, 13)]
    ids = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        dates = [row["date"] for row in found]
        assert dates == sorted(dates)
        assert {date[:7] for date in dates} == {path.stem}
        ids += [row["id"] for row in found]
    assert len(ids) == len(set(ids))


def test_a_market_year_has_its_subscribers(market_year: list[Any]) -> None:
    """Some 40 subscribers hold or held units."""
    accounts = {p.account for entry in transactions(market_year) for p in entry.postings}
    pockets = {account for account in accounts if "DeferredRevenue" in account}
    assert len({account.rpartition(":")[2] for account in pockets}) >= 38


def test_a_market_year_trades_every_week(market_year: list[Any]) -> None:
    """Every week of 2026, from Monday to Sunday, has a trade."""
    days = [datetime.date(2026, 1, 1) + datetime.timedelta(days=n) for n in range(365)]
    traded = {entry.date.isocalendar()[:2] for entry in transactions(market_year, "compute-trade")}
    assert {day.isocalendar()[:2] for day in days} <= traded


def test_a_market_year_books_every_kind(market_year: list[Any]) -> None:
    """Every kind of entry that the plugin knows occurs, and nothing has an unknown tag."""
    tags = {tag for entry in transactions(market_year) for tag in entry.tags}
    assert tags == TAGS


def test_a_market_year_has_a_price_history(market_year: list[Any]) -> None:
    """Prices come from the days with trades; one that the ledger gives itself stands alone."""
    prices = {e.date: e.amount.number for e in market_year if isinstance(e, data.Price)}
    traded = {entry.date for entry in transactions(market_year, "compute-trade")}
    given = [datetime.date(2026, month, day) for month, day in ((3, 31), (6, 30), (9, 30))]
    assert traded <= set(prices)
    assert set(prices) - traded <= {datetime.date(2026, 1, 1), datetime.date(2026, 12, 31), *given}
    assert prices[given[0]] == Decimal("0.221")
    assert all(Decimal("0.14") <= price <= Decimal("0.26") for price in prices.values())
    assert len(prices) == len([e for e in market_year if isinstance(e, data.Price)])


def test_a_market_year_is_checked_every_month() -> None:
    """Each month end has balance lines and an assertion of each figure."""
    text = (MARKET_YEAR.parent / "checks.beancount").read_text("utf-8")
    mornings = [datetime.date(2026, month, 1) for month in range(2, 13)]
    for day in [*mornings, datetime.date(2027, 1, 1)]:
        assert len(re.findall(rf"(?m)^{day} balance ", text)) >= 5
        for figure in ("deferred-revenue", "revenue", "breakage", "fees", "tokens"):
            assert re.search(rf'(?m)^{day} custom "compute-assert" "{figure}" +[0-9]', text)
