"""`bean-compute carry`: the next year's ledger goes on where the old one ends."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from beancount.core.data import Custom, Query

from beancount_compute.cli.review import reviewed
from beancount_compute.close.loading import load
from tests.close.sealing import (
    add,
    as_text,
    booked,
    close,
    contents,
    errors_of,
    load_errors,
    run,
    write,
)

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
  overage: 0.30 USD
2026-01-01 custom "compute-plan" "days" 10.00 USD 10 CU
  every: "10 days"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "as-of" 2026-12-31
2026-01-01 custom "compute-subscriber" "u@example.com" "Acme"
2026-01-01 open Assets:Bank
2026-12-20 * "paid"
  Assets:Bank               100.00 USD
  Assets:Receivable:Alice  -100.00 USD
"""
ROWS = (
    "s-a,2026-10-31,,subscription,alice,,pro,,,,,,,,,",
    "s-b,2026-12-05,,subscription,u@example.com,,pro,,,,,,,,,",
    "c-b,2026-12-10,,cancellation,u@example.com,,pro,,,,,,,,,",
    "s-c,2026-12-05,,subscription,carol,,days,,,,,,,,,",
    "u-1,2026-11-20,,consumption,alice,,,200,CU,,,,,,,",
    "t-1,2026-12-06,,trade,alice,u@example.com,,500,CU,0.25,,USD,,,,",
    "g-1,2026-12-07,,grant,dave,,,5,CU,,,,,,,",
)
MONTHS = ("2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A year that is closed."""
    path = write(tmp_path / "old", TERMS, *ROWS)
    close(path, *MONTHS)
    return path


def test_the_new_ledger_holds_the_same_lots_and_balances(ledger: Path, tmp_path: Path) -> None:
    """Billed to alice: 200.00 on 31 October, 30 November and 31 December, 100.00 of it paid.
    Of her 1000 CU of October 200 are used and 500 sold, for 125.00 less 6.25; the 1000 of November
    were minted on 31 December. The income of the year is in equity: 770.00 are deferred, and 836.25
    more are owed to the operator than by it."""
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    new = tmp_path / "new" / "main.beancount"
    text = new.read_text()
    assert load_errors(new) == []
    tokens = "Liabilities:DeferredRevenue:Tokens:"
    assert (
        '2026-12-31 * "Opening lots" #compute-opening\n'
        "  Liabilities:DeferredRevenue:Allocations:Acme" in text
    )
    assert f'{tokens}Acme          -500 CU {{0.20 USD, 2026-10-31, "pro/2027-11-30"}}\n' in text
    assert f'{tokens}Alice         -300 CU {{0.20 USD, 2026-10-31, "pro/2027-11-30"}}\n' in text
    assert f'{tokens}Alice        -1000 CU {{0.20 USD, 2026-11-30, "pro/2027-12-31"}}\n' in text
    assert "  Assets:Bank                 100.00 USD\n" in text
    assert "  Assets:Receivable:Alice     500.00 USD\n" in text
    assert "  Liabilities:Payable:Alice  -118.75 USD\n" in text
    assert "  Equity:Opening-Balances                        770.00 USD\n" in text
    assert "  Equity:Opening-Balances    -836.25 USD\n" in text
    assert not re.search("^  Income:", text, re.MULTILINE)
    assert '2026-12-31 custom "compute-subscriber" "u@example.com" "Acme"\n' in text
    assert '2026-12-31 custom "compute-subscriber" "dave" "Dave"\n' in text
    assert "2026-12-31 price CU  0.25 USD\n" in text
    assert '"as-of"' not in text and 'compute-events" "events.csv' not in text


def test_the_new_ledger_goes_on_as_the_old_one(ledger: Path, tmp_path: Path) -> None:
    """January of both: alice's period of the 31st, none of the cancelled one whose last runs to 5
    January, carol's of 10 days, mints, a use beyond the holdings, and a new plan for one."""
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    more = (
        '2027-01-10 custom "compute-consumption" "carol" 11 CU\n  id: "x-1"\n'
        '2027-01-02 custom "compute-allocation" "carol" 1 CU 1.00 USD\n  id: "x-2"\n'
        '2027-02-05 custom "compute-consumption" "alice" 3301 CU\n  id: "x-3"\n'
        '2027-02-06 custom "compute-cancellation" "alice" "pro"\n'
    )
    found = []
    for path in (ledger, new):
        add(path, more)
        loaded = load(path)
        assert errors_of(loaded, path) == []
        found.append([as_text(each) for each in booked(loaded.entries) if each.date.year == 2027])
    assert found[0] == found[1]
    names = [line.split()[1] for line in found[1]]
    assert [name for name in names if name.startswith("s-")] == [
        "s-c/2027-01-04",
        "s-c/2027-01-14",
        "s-c/2027-01-24",
        "s-a/2027-01-31",
        "s-c/2027-02-03",
    ]
    assert "mint/u@example.com/pro/2027-01-05/2026-12-05" in names


def test_the_new_ledger_closes_its_own_months(ledger: Path, tmp_path: Path) -> None:
    """From the month of its opening on; its chain is its own."""
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    assert run("close", "2027-01", new).exit_code == 0
    assert load_errors(new) == []
    assert run("verify", new).exit_code == 0


def test_a_year_that_is_not_closed_is_not_carried(ledger: Path, tmp_path: Path) -> None:
    for year, message in (
        ("2026", "the year 2026 begins where 2025-12 is the last closed month; 2026-12 is"),
        ("2028", "the year 2028 begins where 2027-12 is the last closed month; 2026-12 is"),
    ):
        result = run("carry", ledger, "--to", year, tmp_path / "new")
        assert result.exit_code == 1 and message in result.stderr
    none = write(tmp_path / "open", TERMS, *ROWS)
    result = run("carry", none, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 1 and "the last closed month; none is" in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty_is_left_alone(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("mine")
    before = contents(tmp_path)
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 1 and "is there already and not empty" in result.stderr
    assert contents(tmp_path) == before


def test_an_account_below_another_is_carried(tmp_path: Path) -> None:
    """A balance of Assets:Bank counts what lies below it, so that the check does too."""
    below = (
        "2026-01-01 open Assets:Bank:Petty\n"
        '2026-12-21 * "cash"\n  Assets:Bank  -10.00 USD\n  Assets:Bank:Petty  10.00 USD\n'
    )
    ledger = write(tmp_path / "old", TERMS + below, *ROWS)
    close(ledger, *MONTHS)
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "new" / "main.beancount").read_text()
    assert "2027-01-01 balance Assets:Bank  100.00 USD\n" in text
    assert "2027-01-01 balance Assets:Bank:Petty  10.00 USD\n" in text


def test_other_plugins_and_odd_names_are_carried(tmp_path: Path) -> None:
    """A name with a line break and quotes stays the same subscriber."""
    odd = '2026-12-01 custom "compute-allocation" "a\n\\"b\\"" 10 CU 1.00 USD\n'
    ledger = write(tmp_path / "old", 'option "title" "Ours"\n' + TERMS + odd, *ROWS)
    close(ledger, *MONTHS)
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    add(new, '2027-01-02 custom "compute-consumption" "a\n\\"b\\"" 10 CU\n')
    assert load_errors(new) == []
    assert 'option "title" "Ours"\n' in new.read_text()


FACES = """\
2026-01-01 open Expenses:Closed
2026-12-30 close Expenses:Closed
2026-01-01 custom "fava-option" "collapse-pattern" "^Assets:.*:\\d+$"
2027-03-01 custom "fava-option" "invert-income-liabilities-equity" "true"
2026-01-01 custom "fava-extension" "beancount_compute.fava_extension"
2026-01-01 custom "fava-extension" "fava.ext.auto_commit" "{'a': \\"b\\"}"
2026-01-01 custom "fava-sidebar-link" "Days" "/journal/?time=day"
2026-01-01 custom "budget" Assets:Bank "monthly" 100.00 USD
2026-01-01 query "cash" "SELECT account, sum(position)
  WHERE account ~ 'Bank'"
"""
FAVA_TYPES = ("fava-option", "fava-extension", "fava-sidebar-link")
OVER = '2026-01-01 custom "budget" Expenses:Closed "monthly" 1.00 USD\n'


def test_queries_and_what_is_fava_s_are_carried(tmp_path: Path) -> None:
    """Whatever their day, value by value; but no budget of an account that is closed."""
    ledger = write(tmp_path / "old", TERMS + FACES + OVER, *ROWS)
    close(ledger, *MONTHS)
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    new = load(tmp_path / "new" / "main.beancount")
    assert not new.errors
    old = load(ledger)
    found, expected = (
        [
            (entry.date, *entry[2:])
            for entry in each.entries
            if isinstance(entry, Query)
            or (isinstance(entry, Custom) and entry.type in ("budget", *FAVA_TYPES))
        ]
        for each in (new, old)
    )
    assert len(found) == 7
    assert found == [each for each in expected if "Expenses:Closed" not in str(each)]


def test_a_new_ledger_shows_its_pages_in_fava(tmp_path: Path) -> None:
    """It begins with the line of the extension."""
    assert run("new", tmp_path / "books").exit_code == 0
    loaded = load(tmp_path / "books" / "main.beancount")
    assert not loaded.errors
    pages = [each for each in loaded.entries if isinstance(each, Custom) and "fava" in each.type]
    assert [each.values[0].value for each in pages] == ["beancount_compute.fava_extension"]


def test_who_is_named_and_was_never_booked_is_carried(ledger: Path, tmp_path: Path) -> None:
    """So is one whose line is of the next year: its day stays."""
    add(ledger, '2026-11-01 custom "compute-subscriber" "dan x" "DanX"\n')
    add(ledger, '2027-02-01 custom "compute-subscriber" "eve x" "EveX"\n')
    assert run("carry", ledger, "--to", 2027, tmp_path / "new").exit_code == 0
    again = tmp_path / "new" / "main.beancount"
    for line in (
        '2026-12-31 custom "compute-subscriber" "dan x" "DanX"\n',
        '2026-12-31 custom "compute-subscriber" "alice" "Alice"\n',
        '2027-02-01 custom "compute-subscriber" "eve x" "EveX"\n',
    ):
        assert line in again.read_text()
    add(again, '2027-01-05 custom "compute-trade" "u@example.com" "dan x" 5 CU 0.25 USD\n')
    assert load_errors(again) == []


def test_a_closed_account_stays_closed(tmp_path: Path) -> None:
    """It is not opened again: it holds nothing."""
    text = (
        "2026-12-01 open Assets:Old\n2026-12-01 open Assets:Bank\n"
        '2026-12-02 * "in"\n  Assets:Old  5.00 USD\n  Assets:Bank  -5.00 USD\n'
        '2026-12-03 * "out"\n  Assets:Old  -5.00 USD\n  Assets:Bank  5.00 USD\n'
        "2026-12-04 close Assets:Old\n"
    )
    ledger = write(tmp_path / "old", TERMS.replace("2026-01-01 open Assets:Bank\n", text), *ROWS)
    close(ledger, *MONTHS)
    assert run("carry", ledger, "--to", 2027, tmp_path / "new").exit_code == 0
    written = (tmp_path / "new" / "main.beancount").read_text()
    assert "Assets:Bank" in written
    assert "Assets:Old" not in written


def test_lots_are_carried_oldest_first(tmp_path: Path) -> None:
    """October behind February: by day, not by how Python writes one."""
    rows = [f"t-{m},2026-{m:02}-01,,allocation,alice,,,{m},CU,,1.00,USD,,,," for m in (10, 2, 11)]
    ledger = write(tmp_path / "old", "", *rows)
    close(ledger, *(f"2026-{month:02}" for month in range(2, 13)))
    assert run("carry", ledger, "--to", 2027, tmp_path / "new").exit_code == 0
    written = (tmp_path / "new" / "main.beancount").read_text()
    lots = re.findall(r"Tokens:Alice .*?(\d{4}-\d\d-\d\d)", written)
    assert lots == [
        "2026-02-01",
        "2026-10-01",
        "2026-11-01",
        "2026-11-01",
    ]  # 1.00 is two lots of 11


def test_answers_and_groups_are_carried_over(tmp_path: Path) -> None:
    """What was used up needs no opening lot; what looked alike was answered; who is related is."""
    ledger = write(
        tmp_path / "old",
        TERMS
        + '2026-01-01 custom "compute-subscriber" "alice"\n  related: "one"\n'
        + '2026-01-01 custom "compute-subscriber" "bob"\n  group: "agency"\n'
        + '2027-03-01 custom "compute-subscriber" "alice"\n  related: ""\n'
        + '2026-12-31 custom "compute-accept" "f-000000" "of another year"\n',
        *ROWS,
        "u-9,2026-12-31,,consumption,alice,,,2000,CU,,,,,,,",
        "g-9,2026-12-31,,grant,DAVE,,,5,CU,,,,,,,",
    )
    (found,) = [
        each for each in reviewed(load(ledger), "2026-12").unanswered if each.kind == "name"
    ]
    add(ledger, found.line('two "Daves"') + "\n")
    close(ledger, *MONTHS)
    done = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert done.exit_code == 0, done.output
    new = tmp_path / "new" / "main.beancount"
    answers = new.read_text().partition("; Answers\n\n")[2].splitlines()
    assert [line.split('" "')[1] for line in answers] == [found.id, answers[1].split('"')[3]]
    assert answers[0].endswith('"two \\"Daves\\""')
    assert answers[1].endswith('"carried over: nothing was left of this period"')
    again = load(new)
    assert again.errors == []
    assert reviewed(again).unanswered == []
    assert again.booking is not None
    groups = [again.booking.terms.terms.group_on("alice", date(2027, month, 1)) for month in (2, 3)]
    assert groups == ["one", ""]
    assert again.booking.terms.terms.segment_on("bob", date(2027, 1, 1)) == "agency"
