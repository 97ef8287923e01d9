"""`bean-compute report`: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.close.sealing import close, write
from tests.reports.story import HEAD, STORY


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The story of the ledger language."""
    path = tmp_path / "main.beancount"
    path.write_text(STORY)
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["report", *[str(word) for word in words]])


def test_a_report_is_text_by_default(ledger: Path) -> None:
    """All its tables, and nothing on standard error."""
    result = run("revenue", ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Revenue by month" in result.stdout
    assert "286.25" in result.stdout


def test_a_month_is_its_first_and_its_last_day(ledger: Path) -> None:
    """--month, --from and --to with months, and with days, say the same."""
    month = run("rollforward", ledger, "--month", "2026-05", "--format", "csv")
    months = ("--from", "2026-05", "--to", "2026-05", "--format", "csv")
    days = ("--from", "2026-05-01", "--to", "2026-05-31", "--format", "csv")
    assert month.stdout == run("rollforward", ledger, *months).stdout
    assert month.stdout == run("rollforward", ledger, *days).stdout
    assert month.exit_code == 0


def test_one_table_as_csv_is_a_file_of_its_own(ledger: Path) -> None:
    """Header, then a row for each subscriber."""
    words = ("--table", "by-subscriber", "--format", "csv", "--subscriber", "bob")
    assert run("revenue", ledger, *words).stdout.splitlines() == [
        "subscriber,currency,compute,breakage,fees,partner_income,overage,total",
        "bob,USD,480.00,0.00,0.00,0.00,0.00,480.00",
    ]


def test_json_says_what_was_selected(ledger: Path) -> None:
    """By the names of the options."""
    result = run("lots", ledger, "--to", "2026-05", "--plan", "pro", "--format", "json")
    document = json.loads(result.stdout)
    assert document["selection"] == {"to": "2026-05-31", "plan": "pro"}
    assert [table["name"] for table in document["tables"]] == ["by-month", "lots"]


def test_the_transactions_behind_a_report_are_beancount_text(ledger: Path) -> None:
    """Behind June's revenue: the trade and bob's use, each once."""
    result = run("revenue", ledger, "--month", "2026-06", "--format", "beancount")
    entries, _, _ = loader.load_string(result.stdout)
    events = [each.meta["event"] for each in entries if isinstance(each, Transaction)]
    assert events == ["trade", "use-more"]


def test_a_cell_is_explained_in_every_format(ledger: Path) -> None:
    """Files are named from the ledger's folder."""
    words = ("--explain", "bob", "used", "--table", "units-by-subscriber")
    text = run("rollforward", ledger, *words)
    assert "Roll-forward of units, by subscriber: used of bob, CU = -2,400" in text.stdout
    rows = run("rollforward", ledger, *words, "--format", "csv").stdout.splitlines()
    assert rows == [
        "date,event,place,narration,subscriber,adds",
        "2026-05-20,use-bob,main.beancount:13,Consumption,bob,-1000",
        "2026-06-20,use-more,main.beancount:17,Consumption,bob,-1400",
    ]
    found = run("rollforward", ledger, *words, "--format", "beancount").stdout
    assert found.count("#compute-consumption") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lots", "--month", "2026-13"], "'2026-13' is no month: write one such as 2026-05"),
        (["lots", "--month", "2026-5"], "is no month"),
        (["lots", "--month", "2026-05", "--to", "2026-06"], "leave those out"),
        (["lots", "--from", "2026-02-30"], "'2026-02-30' is no day or month"),
        (["lots", "--from", "2026-06", "--to", "2026-05"], "--from 2026-06-01 is after --to"),
        (["lots", "--subscriber", "alic"], 'no subscriber "alic": did you mean "alice"?'),
        (["lots", "--plan", "gold"], 'the ledger has no plan "gold"'),
        (["lots", "--table", "by-year"], 'no table "by-year": its tables are by-month, lots'),
        (["statement"], "statement is of one subscriber: add --subscriber NAME"),
        (["market", "--explain", "x", "fees"], "no row"),
        (["lots", "--explain", "1", "days_left", "--table", "lots"], "counted from a day"),
        (["profit"], "'profit' is not one of"),
    ],
)
def test_a_wrong_argument_is_one_clear_error(ledger: Path, words: list[str], message: str) -> None:
    """Exit code 2, and nothing on standard output."""
    result = run(words[0], ledger, *words[1:])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr


def test_a_ledger_with_errors_is_reported_all_the_same(ledger: Path) -> None:
    """The errors on standard error, the report on standard output, exit code 1."""
    whole = run("revenue", ledger).stdout
    with open(ledger, "a") as file:
        file.write('2026-06-20 custom "compute-consumption" "carol" 1 CU\n')
    result = run("revenue", ledger)
    assert result.exit_code == 1
    assert result.stdout == whole
    assert 'unknown subscriber "carol"' in result.stderr


def test_help_names_every_report(ledger: Path) -> None:
    """With what it shows."""
    text = run("--help").stdout
    assert "rollforward: Roll-forward of units and deferred revenue" in text


BEYOND = "The books go up to 2026-06-20; nothing after it is booked."


def test_a_report_beyond_the_books_says_how_far_they_go(ledger: Path) -> None:
    """The last event of the story is of 20 June: what ends after it has not lapsed yet."""
    for words in (("lots", "--to", "2026-12"), ("revenue", "--month", "2026-06")):
        result = run(words[0], ledger, *words[1:])
        assert result.exit_code == 0 and result.stderr == ""
        assert result.stdout.endswith(f"\n\n{BEYOND}\n")
    for form in ("csv", "json"):
        result = run("lots", ledger, "--to", "2026-12", "--format", form)
        assert BEYOND not in result.stdout and result.stderr == f"{BEYOND}\n"
    words = ("--table", "money-by-pocket", "--to", "2026-12", "--explain", "tokens", "closing")
    assert run("rollforward", ledger, *words).stdout.endswith(f"\n\n{BEYOND}\n")


def test_a_report_within_the_books_says_nothing_of_their_end(ledger: Path) -> None:
    """Up to their last day, or up to the as-of day where that is later."""
    for words in (("--to", "2026-06-20"), ("--month", "2026-05"), ()):
        assert "The books go up to" not in run("lots", ledger, *words).output
    ledger.write_text(f'{STORY}2026-01-01 custom "compute-option" "as-of" 2026-06-30\n')
    assert "The books go up to" not in run("lots", ledger, "--month", "2026-06").output
    assert "The books go up to 2026-06-30;" in run("lots", ledger, "--to", "2026-07").output


def test_closing_a_month_moves_the_end_of_the_books_to_its_end(tmp_path: Path) -> None:
    """The story's June, closed: its last day is the as-of day."""
    books = write(tmp_path, STORY.replace('plugin "beancount_compute"\n', "").replace(HEAD, ""))
    close(books, "2026-05")
    assert BEYOND in run("lots", books, "--month", "2026-06").output
    close(books, "2026-06")
    assert "The books go up to" not in run("lots", books, "--month", "2026-06").output


@pytest.mark.parametrize("plugin", ["", 'plugin "beancount_compute"\n'])
def test_a_ledger_without_anything_of_ours_is_told_so(tmp_path: Path, plugin: str) -> None:
    """On standard error; the empty tables stand all the same."""
    path = tmp_path / "main.beancount"
    path.write_text(f"{plugin}2026-01-01 open Assets:Bank\n")
    lacks = "" if plugin else ', and no line plugin "beancount_compute"'
    said = f"{path} has no compute- directives{lacks}: nothing to report\n"
    result = run("revenue", path)
    assert (result.exit_code, result.stderr) == (0, said) and "none" in result.stdout
    assert CliRunner().invoke(main, ["check", str(path)]).stderr == said
