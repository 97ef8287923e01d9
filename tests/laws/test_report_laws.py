"""What holds for the reports of every ledger, random ones included.

The sums are worked out again here from the postings alone, without the reports' own reading, and
from the books of the naive auditor, which never saw a posting of the plugin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Transaction
from beancount.core.position import Cost

from beancount_compute.economy import Earning
from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.months import MONTH, later
from beancount_compute.economy.roles import Pocket, Role
from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.figures import (
    Adding,
    CellAsked,
    NotSummed,
    Report,
    Request,
    Single,
)
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.tables import Measure, Row, units_of
from tests.examples import examples
from tests.laws.auditor import sums
from tests.laws.auditor.comparing import Audit, audit
from tests.laws.random_costs import add_costs
from tests.laws.random_ledgers import write_ledger
from tests.laws.random_providers import has_providers
from tests.reports.story import STORY, by_key

SEEDS = range(examples(22, 1000))  # two of each profile
ADDED = (Measure.UNITS, Measure.MONEY, Measure.COUNT)
SMALL = (0, 1, 2, 5, 6)  # profiles whose every cell is explained: clean, money, reversals ...
Sums = dict[tuple[str, ...], Decimal]


@cache
def beside_the_audit(seed: int) -> tuple[list[Any], Books, Audit]:
    with TemporaryDirectory() as folder:
        ledger = write_ledger(seed, Path(folder) / "ledger")
        entries, _, options = loader.load_file(str(ledger))
        audited = audit(ledger)
    return entries, read_books(entries, options), audited


def loaded(seed: int) -> tuple[list[Any], Books]:
    return beside_the_audit(seed)[:2]


def table(books: Books, report: str, name: str, selection: Selection | None = None) -> list[Any]:
    (found,) = REPORTS[report].tables(books, selection or Selection(), name)
    return by_key(found)


def added_up(rows: list[Any], key: str, *columns: str) -> Sums:
    """The sums of some columns over all rows, by the commodity or currency."""
    sums: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for row in rows:
            for column in columns:
                sums[row[key], column] += row.get(column) or 0
    return {what: number for what, number in sums.items() if number}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_roll_forward_closes_to_the_pockets(seed: int) -> None:
    """Units and cost on the pockets' accounts, added up from the postings."""
    entries, books = loaded(seed)
    held: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for entry in entries:
            for posting in entry.postings if isinstance(entry, Transaction) else ():
                pocket = books.accounts.pocket_account(posting.account)
                if pocket is None:
                    continue
                if pocket.pocket is not Pocket.ACCESS:  # which is money, and stands in no units
                    held["units", pocket.pocket, posting.units.currency] -= posting.units.number
                if isinstance(posting.cost, Cost):
                    cost = posting.units.number * posting.cost.number
                    held["money", pocket.pocket, posting.cost.currency] -= cost
    found = {
        (what, row["pocket"], row[unit]): row["closing"]
        for what, unit in (("units", "commodity"), ("money", "currency"))
        for row in table(books, "rollforward", f"{what}-by-pocket")
        if row["pocket"] != "total"
    }
    assert {key: n for key, n in found.items() if n} == {key: n for key, n in held.items() if n}


# The auditor's books


def shown(rows: list[Any], name: str, unit: str, columns: dict[str, str]) -> sums.Sums:
    """The columns of a table under the names that the auditor has for them."""
    return {
        (row[name] or "", *([role] if role else []), row[unit]): row[column]
        for row in rows
        for column, role in columns.items()
        if row[column]
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_income_is_the_auditors(seed: int) -> None:
    """Each kind of income by month and by who paid for it; by plan but for fees and partners."""
    _, books, audited = beside_the_audit(seed)
    columns = {
        "compute": "revenue",
        "breakage": "breakage",
        "fees": "fees",
        "partner_income": "partner-income",
        "overage": "overage",
    }
    access = {"access": "access-revenue"} if books.terms.sell_access else {}
    access |= {name: name for name in ("refunds", "disputes") if Earning(name) in books.earnings}
    columns |= access
    for by in ("month", "subscriber"):
        rows = table(books, "revenue", f"by-{by}")
        assert shown(rows, by, "currency", columns) == sums.income(audited, by)
    of_plans = {"compute": "revenue", "breakage": "breakage", "overage": "overage"} | access
    rows = table(books, "revenue", "by-plan")
    expected = sums.income(audited, "plan")
    assert shown(rows, "plan", "currency", of_plans) == {
        key: number for key, number in expected.items() if key[1] in of_plans.values()
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_deferred_revenue_is_the_auditors(seed: int) -> None:
    """Units and carrying amounts that are held, by pocket, plan and subscriber.

    A hand-written posting that names no open lot is an error; reports show what it says.
    """
    _, books, audited = beside_the_audit(seed)
    if audited.no_lots:
        return
    for by in ("pocket", "plan", "subscriber"):
        closing: sums.Sums = {}
        for what, unit in (("units", "commodity"), ("money", "currency")):
            rows = table(books, "rollforward", f"{what}-by-{by}")
            rows = [row for row in rows if row[by] != "total"]
            closing |= shown(rows, by, unit, {"closing": ""})
        assert closing == sums.held(audited, by)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_can_be_had_back_is_the_auditors(seed: int) -> None:
    """It is no contract liability; both together are what is deferred."""
    _, books, audited = beside_the_audit(seed)
    if audited.no_lots:
        return
    of_all = added_up(table(books, "rollforward", "money-by-plan"), "currency", "closing")
    rows = [row for row in table(books, "disclosure", "movement") if row["part"] == "total"]
    liability = added_up(rows, "currency", "closing")
    refundable: Sums = {}
    if books.terms.sell_refundable:
        rows = table(books, "disclosure", "refundable")
        refundable = added_up(rows, "currency", "closing")
    assert {key[:1]: number for key, number in refundable.items()} == sums.refundable(audited)
    both = {key: refundable.get(key, 0) + liability.get(key, 0) for key in of_all}
    assert both == of_all


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_owed_is_the_auditors(seed: int) -> None:
    """Receivables, payables and what others are owed are what stands on their accounts."""
    _, books, audited = beside_the_audit(seed)
    for role, name, by in (
        ("receivable", "receivables", "subscriber"),
        ("payable", "payables", "subscriber"),
        ("partner", "partners", "partner"),
        ("provider", "providers", "provider"),
    ):
        expected = sums.owed(audited, role, books.last_day or date.min)
        rows = table(books, "aging", name)
        if expected is not None:
            assert shown(rows, by, "currency", {"total": ""}) == expected


# The postings


def middle(books: Books) -> Selection:
    """Days that cut off a part of the books on either side."""
    days = sorted({each.date for each in books.movements})
    return Selection(days[len(days) // 4], days[len(days) * 3 // 4]) if days else Selection()


@pytest.mark.parametrize("seed", SEEDS)
def test_plans_and_subscribers_add_up_to_the_total(seed: int) -> None:
    """Each flow of units and money, and each kind of income; whole, and in the middle."""
    _, books = loaded(seed)
    for selection in (Selection(), middle(books)):
        for what, unit in (("units", "commodity"), ("money", "currency")):
            rows = table(books, "rollforward", f"{what}-by-pocket", selection)
            columns = [key for key in (rows[0] if rows else {}) if key not in ("pocket", unit)]
            total = added_up([row for row in rows if row["pocket"] == "total"], unit, *columns)
            for name in ("plan", "subscriber"):
                parts = table(books, "rollforward", f"{what}-by-{name}", selection)
                assert added_up(parts, unit, *columns) == total
        kinds = ("compute", "breakage", "fees", "partner_income", "overage", "total")
        months = added_up(table(books, "revenue", "by-month", selection), "currency", *kinds)
        for name in ("plan", "subscriber"):
            parts = table(books, "revenue", f"by-{name}", selection)
            assert added_up(parts, "currency", *kinds) == months


@pytest.mark.parametrize("seed", SEEDS)
def test_revenue_is_what_the_income_accounts_hold(seed: int) -> None:
    """By month and currency, from the postings that the plugin booked under the income root."""
    entries, books = loaded(seed)
    root = books.accounts.roots.income + ":"
    recovered = root + "Recoveries"  # no revenue: a table of its own
    booked: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for entry in entries:
            if isinstance(entry, Transaction) and "__order" in entry.meta:
                for posting in entry.postings:
                    if posting.account.startswith(root) and posting.account != recovered:
                        month = entry.date.isoformat()[:7]
                        booked[month, posting.units.currency] -= posting.units.number
    found = {
        (row["month"], row["currency"]): row["total"] for row in table(books, "revenue", "by-month")
    }
    assert {k: n for k, n in found.items() if n} == {k: n for k, n in booked.items() if n}


@pytest.mark.parametrize("seed", SEEDS)
def test_fees_and_what_is_owed_are_what_was_booked(seed: int) -> None:
    """Fees of trades; receivables, payables and partners' accounts, by currency."""
    entries, books = loaded(seed)
    roots = books.accounts.roots
    booked: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for entry in entries:
            if not isinstance(entry, Transaction) or "__order" not in entry.meta:
                continue
            if "compute-depreciation" in entry.tags:
                continue
            of_trade = "compute-trade" in entry.tags or entry.meta.get("undoes") == "trade"
            for posting in entry.postings:
                root = posting.account.split(":")[0]
                if posting.cost is None and root in (roots.assets, roots.liabilities):
                    booked["owed", posting.units.currency] += posting.units.number
                elif root == roots.income and of_trade:
                    booked["fees", posting.units.currency] -= posting.units.number
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in books.owed:
            if line.kind:
                found["owed", line.currency] += line.amount
        for _, entry in books.of_providers:  # what nobody has billed yet
            for leg in entry.legs:
                if isinstance(leg, MoneyLeg) and leg.role is Role.ACCRUED:
                    found["owed", leg.currency] += leg.number
        for trade in books.trades:
            found["fees", trade.currency] += trade.seller_fee + trade.buyer_fee
    assert {k: n for k, n in found.items() if n} == {k: n for k, n in booked.items() if n}


@pytest.mark.parametrize("seed", SEEDS)
def test_vintages_add_up_to_revenue_and_to_themselves(seed: int) -> None:
    """Each row: added = recognised + otherwise + deferred. All rows: compute and breakage, but for
    the shortfalls of minimums, which nobody paid for ahead, and what a change is charged for a plan
    that promises nothing."""
    _, books, audited = beside_the_audit(seed)
    shortfalls: defaultdict[str, Decimal] = defaultdict(Decimal)
    for transaction in audited.journal:
        for leg in transaction.legs:
            if leg.role == "breakage" and transaction.why in ("shortfall", "reversal", "change"):
                shortfalls[leg.currency] -= leg.number
    rows = table(books, "vintages", "recognised")
    with localcontext(WIDE):
        for row in rows:
            months = [number for key, number in row.items() if key[:1].isdigit()]
            out = sum(months) + row["earlier"] + row["otherwise"] + row["deferred"]
            assert row["added"] == out
    for name, kind in (("revenue", "compute"), ("breakage", "breakage")):
        recognised = added_up(table(books, "vintages", name), "currency", "total")
        earned = added_up(table(books, "revenue", "by-month"), "currency", kind)
        of_lots = {k[0]: n - (kind == "breakage") * shortfalls[k[0]] for k, n in earned.items()}
        assert {k[0]: n for k, n in recognised.items()} == {k: n for k, n in of_lots.items() if n}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_statement_ends_with_what_is_held(seed: int) -> None:
    """The last running figures of each unit and currency are those of the lots that follow."""
    _, books = loaded(seed)
    for name in sorted(books.subscribers):
        selection = Selection(subscriber=name)
        lines = table(books, "statement", "lines", selection)
        lots = table(books, "statement", "lots", selection)
        for unit, held, of_lot in (
            ("commodity", "units_held", "units"),
            ("currency", "amount_held", "carrying_amount"),
        ):
            last = {(row[unit], of_lot): row[held] for row in lines}
            assert {k: n for k, n in last.items() if n} == added_up(lots, unit, of_lot)


@pytest.mark.parametrize("seed", SEEDS)
def test_months_add_up_to_the_whole(seed: int) -> None:
    """Each month opens with what the one before closed with; flows, income and trades add up."""
    _, books = loaded(seed)
    if not books.movements:
        return
    month = first = books.movements[0].date.replace(day=1)
    closing: Sums = {}
    flows: Sums = {}
    columns = ("allocated", "topped_up", "granted", "minted", "used", "expired", "spent")
    if any(m.flow == "entered later" for m in books.movements):
        columns = ("acquired", *columns)
    with localcontext(WIDE):
        while books.last_day is not None and month <= books.last_day:
            selection = Selection(month, later(month, MONTH).replace(day=1))
            selection = selection._replace(end=_day_before(selection.end))
            rows = [
                row
                for row in table(books, "rollforward", "money-by-pocket", selection)
                if row["pocket"] == "total"
            ]
            opened = {k[0]: n for k, n in added_up(rows, "currency", "opening").items()}
            assert opened == closing or month == first
            closing = {k[0]: n for k, n in added_up(rows, "currency", "closing").items()}
            for key, number in added_up(rows, "currency", *columns).items():
                flows[key] = flows.get(key, Decimal()) + number
            month = later(month, MONTH)
    whole = [
        row for row in table(books, "rollforward", "money-by-pocket") if row["pocket"] == "total"
    ]
    assert {k: n for k, n in flows.items() if n} == added_up(whole, "currency", *columns)


def _day_before(day: Any) -> Any:
    return day.fromordinal(day.toordinal() - 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_or_subscriber_alone_is_its_row_of_all(seed: int) -> None:
    """Selected, or read off the table of all: the same figures."""
    _, books = loaded(seed)
    for name, field in (("plan", "plan"), ("subscriber", "subscriber")):
        rows = table(books, "rollforward", f"money-by-{name}")
        for row in rows:
            if row[name]:
                selection = Selection(**{field: row[name]})
                assert row in table(books, "rollforward", f"money-by-{name}", selection)


@pytest.mark.parametrize("seed", SEEDS)
def test_totals_are_the_sums_of_their_rows(seed: int) -> None:
    """Amounts, units and counts of every table, by unit and currency, where there are two rows."""
    _, books = loaded(seed)
    for report in REPORTS.values():
        for found in report.tables(books, middle(books)._replace(subscriber="alice")):
            rows: defaultdict[Row, list[Row]] = defaultdict(list)
            for row in found.rows:
                rows[units_of(found.columns, row)].append(row)
            of_totals = {units_of(found.columns, row): row for row in found.totals}
            for units, total in of_totals.items():
                assert len(rows[units]) > 1
                for at, column in enumerate(found.columns):
                    if column.kind in ADDED and total[at] is not None:
                        with localcontext(WIDE):
                            assert sum([row[at] or 0 for row in rows[units]]) == total[at]
            if of_totals:
                assert of_totals.keys() == {units for units, of in rows.items() if len(of) > 1}


# What uses cost


@cache
def with_costs(seed: int) -> Books:
    """The books of a ledger with providers: its own, or those that are added to it."""
    with TemporaryDirectory() as folder:
        ledger = write_ledger(seed, Path(folder) / "ledger")
        if not has_providers(seed):
            add_costs(seed, ledger)
        entries, _, options = loader.load_file(str(ledger))
    return read_books(entries, options)


def expenses(books: Books) -> Sums:
    """What providers and capacity cost by month and currency, from the postings."""
    booked: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    root = books.accounts.roots.expenses + ":"
    lost = (root + "BadDebt", root + "Losses")
    with localcontext(WIDE):
        for entry in books.transactions:
            for posting in entry.postings if "__order" in entry.meta else ():
                if posting.account.startswith(root) and posting.account not in lost:
                    key = (entry.date.isoformat()[:7], posting.units.currency)
                    booked[key] += posting.units.number
    return {key: number for key, number in booked.items() if number}


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_both_bills_add_up_to_what_is_booked(seed: int) -> None:
    """Every month and currency, to the last digit; only what was stated can be for no use,
    and what comes back for one of several that were merged."""
    books = with_costs(seed)
    found: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    both = [*books.bill_shares.first, *books.bill_shares.second]
    with localcontext(WIDE):
        for each in both:
            found[each.month, each.currency] += each.amount
    assert {key: number for key, number in found.items() if number} == expenses(books)
    merged = any("events" in each.meta for each in books.transactions)
    others = {"as stated", "given back"} if merged else {"as stated"}  # a merged use hides its day
    known = {each.at for each in books.serving.costs if each.reason in others}
    assert {each.at for each in both if each.line == "no use"} <= known
    for each in both:
        served = books.serving.served[each.use] if each.use >= 0 else None
        if each.line == "rounding":  # of nobody, but it may be of a plan and vintage
            assert not each.subscriber
            told = served is None or (served.meter, served.origin) == (each.meter, each.origin)
            assert told and (served is not None or not each.origin)
            continue
        assert (served is None) is bool(each.line)
        assert served is None or (served.subscriber, served.meter) == (each.subscriber, each.meter)


@pytest.mark.parametrize("seed", SEEDS)
def test_margin_is_what_the_accounts_hold(seed: int) -> None:
    """By whatever it is asked for: income, expenses and units; whole, and in the middle."""
    books = with_costs(seed)
    for selection in (Selection(), middle(books)):
        incomes = selection.incomes(books)
        kinds = {"use": "compute"} | {
            kind: kind for kind in ("overage", "breakage", "fees", "partner_income")
        }
        earned: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        for each in incomes:
            earned[each.currency, each.earning.replace(" ", "_")] += each.amount
        cost: defaultdict[str, Decimal] = defaultdict(Decimal)
        for share in (*books.bill_shares.first, *books.bill_shares.second):
            if selection.covers(share.date):
                cost[share.currency] += share.amount
        used: defaultdict[str, Decimal] = defaultdict(Decimal)
        for moved in selection.split(selection.movements(books))[1]:
            if moved.flow == "used":
                used[moved.commodity] -= moved.units
        for by in ("month", "plan", "subscriber", "meter", "provider", "vintage"):
            rows = table(books, "margin", f"money-by-{by}", selection)
            found = added_up(rows, "currency", *kinds, "first", "second", "after_both")
            for column, kind in kinds.items():
                assert {k: n for (k, of), n in found.items() if of == column} == {
                    k: n for (k, of), n in earned.items() if of == kind and n
                }
            for currency, number in cost.items():
                bills = [found.get((currency, of), Decimal()) for of in ("first", "second")]
                assert sum(bills) == number
                by_use = [found.get((currency, of), Decimal()) for of in ("use", "overage")]
                after = found.get((currency, "after_both"), Decimal())
                assert sum(by_use) - number == after
            rows = table(books, "margin", f"units-by-{by}", selection)
            in_units = added_up(rows, "commodity", "units", "beyond")
            assert {
                unit: in_units.get((unit, "units"), Decimal())
                - in_units.get((unit, "beyond"), Decimal())
                for unit in used
            } == used


def test_every_figure_with_costs_is_explained() -> None:
    """With all that uses and capacity cost, in one ledger of each kind."""
    for seed in SMALL:
        assert explain_all(with_costs(seed), Selection(), ("margin", "bills", "economics")) > 50


def explain_all(books: Books, selection: Selection, names: Iterable[str] = REPORTS) -> int:
    """Check every figure of every report, totals too; how many there were."""
    explained = 0
    for name in names:
        report = once_for_each_row(REPORTS[name], books)
        for found in REPORTS[name].tables(books, selection):
            for number, row in enumerate([*found.rows, *found.totals]):
                labels, is_total = row[: found.labels], number >= len(found.rows)
                for column, cell in zip(found.columns, row, strict=True):
                    if not column.is_figure or cell is None or column.kind is Measure.DAYS:
                        continue
                    asked = CellAsked(found.name, labels, column.key, is_total)
                    try:
                        traced = report.trace(books, selection, asked)
                    except NotSummed:
                        continue
                    with localcontext(WIDE):
                        total = sum((number for _, number in traced), Decimal())
                    assert total == cell, (report.name, asked)
                    explained += 1
    return explained


def once_for_each_row(report: Report, books: Books) -> Report:
    """A report that works out once what adds to a row, for all the figures in it."""

    @lru_cache(maxsize=1)
    def singly(selection: Selection, request: Request) -> list[Single]:
        found = report.contributions(books, selection, request)
        each_singly = (each.singly() if isinstance(each, Adding) else [each] for each in found)
        return [single for singles in each_singly for single in singles]

    return report._replace(contributions=lambda _, *asked: singly(*asked))


def test_every_figure_of_the_story_is_explained() -> None:
    """What is listed adds up to what is shown: whole, in June, and for one subscriber or plan."""
    entries, _, options = loader.load_string(STORY)
    books = read_books(entries, options)
    for selection in (
        Selection(),
        Selection(date(2026, 6, 1), date(2026, 6, 15)),
        Selection(subscriber="bob"),
        Selection(date(2026, 6, 1), date(2026, 6, 30), "alice"),
        Selection(plan="pro", subscriber="bob"),
    ):
        assert explain_all(books, selection) > 100


@pytest.mark.parametrize("seed", SMALL)
def test_every_figure_of_a_random_ledger_is_explained(seed: int) -> None:
    """For its busiest subscriber, quotients and extremes included."""
    _, books = loaded(seed)
    busiest = max(sorted(books.movements_of), key=lambda name: len(books.movements_of[name]))
    assert explain_all(books, Selection(subscriber=busiest)) > 0
