"""Plans, how they stand and what of a period was used, on the story and beside cancellations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader

from beancount_compute.close.standing import Cancelled, cancelled_of
from beancount_compute.fava_extension.prepared.subscriptions import OnPlan, Subscriptions
from beancount_compute.reports import read_books
from tests.close.sealing import HEAD, close, write
from tests.fava_extension.prepared.story_books import story
from tests.fava_extension.serving import EXTENSION, Site, rows, tables, totals
from tests.reports.story import STORY

NOBODY = Cancelled(frozenset(), {})
TERMS = STORY.partition("2026-05-01")[0]


def written(folder: Path, *events: str) -> Path:
    """A ledger with the plan of the story: 200.00 USD a month for 1000 CU."""
    lines = [
        f'2026-{day} custom "compute-{rest}' for day, rest in (e.split(" ", 1) for e in events)
    ]
    ledger = folder / "main.beancount"
    ledger.write_text(TERMS + EXTENSION + "\n".join(lines) + "\n")
    return ledger


def subscriptions(ledger: Path) -> Subscriptions:
    """Those of a ledger, with the cancellations that stand in it."""
    entries, errors, options = loader.load_file(str(ledger))
    assert errors == []
    return Subscriptions(read_books(entries, options), cancelled_of(entries, options))


def status(found: Subscriptions, day: str, name: str = "ivy") -> tuple[tuple[str, ...], str]:
    on = found.on(date.fromisoformat(f"2026-{day}"), name)
    return on.plans, on.status.value


def test_the_story() -> None:
    """alice used 200 of May's 1000, and bob all; who is on no plan has no status of one."""
    books, _ = story()
    found = Subscriptions(books, NOBODY)
    assert status(found, "05-31", "alice") == (("pro",), "running")
    assert status(found, "04-30", "alice") == ((), "none")
    assert found.on(date(2026, 5, 31), "nobody") == OnPlan((), found.on(date.min, "bob").status)
    shares = [
        found.used(date.fromisoformat(f"2026-{day}"), name, "CU").share
        for day, name in (
            ("05-19", "alice"),
            ("05-31", "alice"),
            ("05-31", "bob"),
            ("06-01", "bob"),
        )
    ]
    assert shares == [Decimal(0), Decimal("0.2"), Decimal(1), Decimal(0)]
    assert found.used(date(2026, 4, 30), "alice", "CU").share is None
    assert found.used(date(2026, 5, 31), "alice", "CU", "other").share is None
    assert set(found.names(date(2026, 5, 31))) == {("alice", "CU"), ("bob", "CU")}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], {"05-15": "running", "06-15": "running"}),
        (['06-10 cancellation" "ivy" "pro"'], {"05-15": "running", "06-15": "cancelled"}),
        (['05-10 cancellation" "ivy" "pro"'], {"05-15": "cancelled", "06-15": "ended"}),
        (
            [
                '06-10 cancellation" "ivy" "pro"\n  id: "c"',
                '06-12 reversal" "c"',
            ],
            {"06-15": "running"},
        ),
    ],
)
def test_a_cancellation_counts_until_its_period_ends(
    tmp_path: Path, events: list[str], expected: dict[str, str]
) -> None:
    """And what is reversed does not count; no transaction tells of either before 1 July."""
    start, last = '05-01 subscription" "ivy" "pro"', '06-20 consumption" "zoe" 1 CU'
    other = '05-01 subscription" "zoe" "pro"'
    found = subscriptions(written(tmp_path, start, other, *events, last))
    assert {day: status(found, day)[1] for day in expected} == expected
    assert status(found, "06-15", "zoe") == (("pro",), "running")


def test_a_subscription_that_a_closed_month_cancelled_is_cancelled(closed_quarter: Site) -> None:
    """The state of closed months says so; of open ones the events."""
    cancelled = Cancelled(frozenset(["s1"]), {("ivy", "pro"): [date(2026, 6, 10)]})
    days = date(2026, 6, 1), date(2026, 6, 30)
    assert cancelled.ends("s1", "bob", "pro", *days)
    assert cancelled.ends("s2", "ivy", "pro", *days)
    assert not cancelled.ends("s2", "ivy", "team", *days)
    assert not cancelled.ends("s2", "ivy", "pro", date(2026, 7, 1), date(2026, 7, 31))
    table = tables(closed_quarter.page("subscribers"))["subscribers"]
    assert {row["status"] for row in rows(table)} <= {"running", "cancelled", "ended", "none"}


def test_the_page_shows_plan_status_and_share(tmp_path: Path) -> None:
    """Below them how many stand how, and the share of all; sorted by any of them."""
    ledger = written(
        tmp_path,
        '05-01 subscription" "ivy" "pro"',
        '05-01 subscription" "zoe" "pro"',
        '05-01 grant" "amy" 50 CU',
        '05-10 cancellation" "zoe" "pro"',
        '05-20 consumption" "ivy" 250 CU',
    )
    site = Site(ledger)

    def shown(**asked: str) -> dict[str, Any]:
        return tables(site.page("subscribers", **asked))["subscribers"]

    table = shown()
    assert [(r["subscriber"], r["plan"], r["status"], r["share_used"]) for r in rows(table)] == [
        ("amy", "", "none", ""),
        ("ivy", "pro", "running", "0.25"),
        ("zoe", "pro", "cancelled", "0"),
    ]
    (total,) = totals(table)
    assert total["status"] == "1 running, 1 cancelled, 1 none"
    assert total["share_used"] == "0.125"
    by_share = rows(shown(sort="share_used", order="desc"))
    assert [row["subscriber"] for row in by_share] == ["ivy", "zoe", "amy"]


ACCESS = """\
2026-01-01 custom "compute-plan" "bundle" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
2026-01-01 custom "compute-plan" "seat" 90.00 USD
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
2026-01-01 custom "compute-option" "as-of" 2026-06-20
2026-05-16 custom "compute-subscription" "ann" "bundle"
2026-05-16 custom "compute-subscription" "ben" "seat"
2026-05-16 custom "compute-subscription" "cid" "payg"
2026-06-02 custom "compute-consumption" "cid" 750 CU
2026-06-02 custom "compute-consumption" "ann" 250 CU
2026-06-10 custom "compute-cancellation" "ben" "seat"
"""


def test_access_is_money_in_the_row_of_its_subscriber(tmp_path: Path) -> None:
    """ann: 120.00 of 200.00 from 16 June, 80.00 for 1000 CU; ben's last period ended on 15 June;
    cid pays by use alone. One total of all that is owed in USD."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(HEAD + EXTENSION + ACCESS)
    table = tables(Site(ledger).page("subscribers"))["subscribers"]
    keys = "subscriber", "plan", "status", "commodity", "units", "share_used", "access"
    assert [(*(row[key] for key in keys), row["receivable"]) for row in rows(table)] == [
        ("ann", "bundle", "running", "CU", "1000", "0", "120.00", "400.00"),
        ("ben", "seat", "ended", "", "0", "", "0.00", "90.00"),
        ("cid", "payg", "running", "", "0", "", "0.00", "15.00"),
    ]
    (total,) = totals(table)
    assert (total["carrying_amount"], total["access"]) == ("80.00", "120.00")
    assert total["receivable"] == "505.00"


def test_who_pays_by_use_alone_is_on_a_plan(tmp_path: Path) -> None:
    """Its periods, of which nothing is booked, run to the 15th; closed months know the same."""
    expected = {"05-15": "none", "05-16": "running", "06-09": "running"}
    expected |= {"06-10": "cancelled", "06-15": "cancelled", "06-16": "ended"}
    of_ben, of_cid = (f'cancellation" {name}' for name in ('"ben" "seat"', '"cid" "payg"'))
    ledger = write(tmp_path, ACCESS.replace(of_ben, of_cid))
    for months in ((), ("2026-05",), ("2026-06",)):
        close(ledger, *months)
        found = subscriptions(ledger)
        assert {day: status(found, day, "cid")[1] for day in expected} == expected
    assert status(found, "06-16", "cid") == (("payg",), "ended")


def test_who_changes_from_use_to_a_plan_with_a_price_is_on_that_alone(tmp_path: Path) -> None:
    """And the other way round: from the day of the change on."""
    found = subscriptions(
        write(
            tmp_path,
            ACCESS.replace('cancellation" "ben" "seat"', 'change" "ben" "seat" "payg"')
            + '2026-06-12 custom "compute-change" "cid" "payg" "bundle"\n',
        )
    )
    assert status(found, "06-11", "cid") == (("payg",), "running")
    assert status(found, "06-12", "cid") == (("bundle",), "running")
    assert status(found, "06-09", "ben") == (("seat",), "running")
    assert status(found, "06-20", "ben") == (("payg",), "running")


def test_who_cancels_at_once_is_gone_the_day_after(tmp_path: Path) -> None:
    """Of a plan with periods and of one without; closed months know the same."""
    ledger = write(
        tmp_path,
        ACCESS.replace('cancellation" "ben" "seat"', 'cancellation" "ben" "seat"\n  now: TRUE')
        + '2026-06-12 custom "compute-cancellation" "cid" "payg"\n  now: TRUE\n',
    )
    for months in ((), ("2026-05", "2026-06")):
        close(ledger, *months)
        found = subscriptions(ledger)
        for name, days in (("ben", ("06-10", "06-11")), ("cid", ("06-12", "06-13"))):
            assert [status(found, day, name)[1] for day in days] == ["cancelled", "ended"]
