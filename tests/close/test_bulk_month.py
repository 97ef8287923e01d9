"""The month end of months booked in bulk: sealed with all their files, in order, never twice."""

from __future__ import annotations

import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.close.loading import load
from beancount_compute.close.sealing import close_month
from beancount_compute.close.storage import CloseError
from beancount_compute.close.verifying import verify
from tests.bulk.small_months import LEDGER, book, events, held, use
from tests.close.bulk_months import MAY, booked
from tests.close.sealing import add, close, errors_of, load_errors, run, write

SEALED = {
    "control.csv",
    "journal.beancount",
    "lots.parquet",
    "month.json",
    "movements.parquet",
    "refused.parquet",
    "subscribers.parquet",
    "subscriptions.parquet",
}


def month_of(ledger: Path) -> Path:
    return ledger.parent / "bulk" / "2026-05"


def stopped(ledger: Path, month: str = "2026-05") -> str:
    """Why a month is not closed; nothing was written."""
    before = sorted((ledger.parent / "closed").rglob("*"))
    with pytest.raises(CloseError) as error:
        close_month(month, ledger)
    assert sorted((ledger.parent / "closed").rglob("*")) == before
    return str(error.value).replace(f"{ledger.parent}/", "")


def told(ledger: Path) -> list[str]:
    """What a load and `verify` say, with files as seen from the ledger."""
    loaded = load(ledger)
    found = [": ".join(each) for each in verify(loaded, ledger)]
    return [*errors_of(loaded, ledger), *(each.replace(f"{ledger.parent}/", "") for each in found)]


def test_all_files_of_a_month_stand_under_its_seal(sealed: Path) -> None:
    """1799.5 CU at 0.20 are 359.90 of deferred revenue, in the seal too."""
    state = (sealed.parent / "closed" / "2026-05.state.csv").read_text().splitlines()
    rows = [line.split(",") for line in state if line.startswith("bulk,")]
    assert {row[1].removeprefix("../bulk/2026-05/") for row in rows} >= SEALED
    assert "deferred,359.90,USD" in state
    assert "deferred-revenue: 359.90 USD" in (sealed.parent / "closed/index.beancount").read_text()
    assert not told(sealed)


def test_months_go_on_from_closed_ones(sealed: Path) -> None:
    """Alice's 800 CU of May are tokens, of which June's use beyond its 1000 takes 100."""
    rows = events(sealed.parent, "2026-06", use("02", "alice", 1100))
    found = book(sealed.parent, "2026-06", rows)
    assert next(row[:3] for row in held(found)) == ("alice", "tokens", 700)
    close(sealed, "2026-06")
    assert not told(sealed)


def test_a_month_between_has_no_folder(sealed: Path) -> None:
    """Behind months in bulk the ledger books nothing itself."""
    message = "2026-06 is not booked: from 2026-05 on months are booked in bulk"
    assert stopped(sealed, "2026-06").startswith(message)


def test_a_closed_month_is_booked_again_when_it_is_open_again(sealed: Path) -> None:
    """`bulk` says how; after `reopen` the month is booked, and closed anew."""
    with pytest.raises(BulkError, match="2026-05 is closed: to book 2026-05 anew, reopen it"):
        book(sealed.parent, "2026-05", sealed.parent / "2026-05.parquet")
    assert run("reopen", "2026-05", sealed, "--reason", "bob used more").exit_code == 0
    book(sealed.parent, "2026-05", events(sealed.parent, "2026-05", *MAY[:3], use("20", "bob", 5)))
    close(sealed, "2026-05")
    assert not told(sealed)
    assert "deferred-revenue: 359.00 USD" in (sealed.parent / "closed/index.beancount").read_text()


def test_a_later_month_is_not_closed_first(in_bulk: Path) -> None:
    """As with months of the ledger's own; the command says how many rows were booked."""
    june = shutil.copytree(month_of(in_bulk), in_bulk.parent / "bulk" / "2026-06")
    journal = (june / "journal.beancount").read_text().replace("2026-05", "2026-06")
    lines = [line for line in journal.splitlines() if " open " not in line]
    (june / "journal.beancount").write_text("\n".join(lines))
    about = (june / "month.json").read_text()
    (june / "month.json").write_text(about.replace('"month": "2026-05"', '"month": "2026-06"'))
    message = "months close in order: 2026-05 is the first with bookings, close it"
    assert stopped(in_bulk, "2026-06") == message
    shutil.rmtree(june)
    done = run("close", "2026-05", in_bulk)
    assert "2026-05: 0 events, 4 rows in bulk" in done.stdout


@pytest.mark.parametrize("name", ["lots.parquet", "control.csv"])
def test_a_folder_is_not_whole(in_bulk: Path, name: str) -> None:
    (month_of(in_bulk) / name).unlink()
    assert stopped(in_bulk).startswith(f"bulk/2026-05 is not whole: {name} is gone: book the")


def test_a_folder_does_not_say_what_it_is(in_bulk: Path) -> None:
    about = month_of(in_bulk) / "month.json"
    for text in ("{", "[" * 100_000, "[7]", '{"month": 5}'):
        about.write_text(text)
        (said,) = load_errors(in_bulk)
        assert "bulk/2026-05/month.json:1: this is not as bean-compute bulk wrote it: res" in said
        assert stopped(in_bulk) == "the ledger has 1 error: nothing was written"
    about.unlink()
    assert "was booked in bulk, and has no month.json beside it" in stopped(in_bulk)


def test_a_folder_says_less_than_bulk_writes(in_bulk: Path) -> None:
    (month_of(in_bulk) / "control.csv").write_text("what,of\nrows,by the kernel\n")
    assert "control.csv can't be read" in stopped(in_bulk)
    about = json.loads((month_of(in_bulk) / "month.json").read_text())
    (month_of(in_bulk) / "month.json").write_text(json.dumps({**about, "written": None}))
    assert "is not whole: journal.beancount is gone" in stopped(in_bulk)


def test_a_folder_is_of_another_ledger(in_bulk: Path) -> None:
    in_bulk.write_text(in_bulk.read_text().replace('"Small"', '"Other"'))
    message = "bulk/2026-05 was not booked from this ledger as it stands: it is of the ledger"
    assert stopped(in_bulk).startswith(message)


def test_a_folder_is_of_another_month(in_bulk: Path) -> None:
    about = month_of(in_bulk) / "month.json"
    about.write_text(about.read_text().replace('"month": "2026-05"', '"month": "2026-04"'))
    said = "bulk/2026-05/month.json:1: this is of 2026-04, and its folder is named 2026-05"
    assert load_errors(in_bulk) == [f"{said}: name it by its month"]
    assert stopped(in_bulk) == "the ledger has 1 error: nothing was written"


def test_terms_were_changed_since(in_bulk: Path) -> None:
    """Those of later months, and whoever is named later, change nothing."""
    text = in_bulk.read_text()
    add(in_bulk, '2026-06-01 custom "compute-plan" "pro" 250.00 USD 1000 CU\n  unused: "mint"\n')
    add(in_bulk, '2026-05-03 custom "compute-subscriber" "carol" "Carol"\n')
    close_month("2026-05", in_bulk, dry_run=True)
    in_bulk.write_text(text.replace("overage: 0.30", "overage: 0.40"))
    assert "as it stands: the ledger's terms were changed" in stopped(in_bulk)


def test_a_journal_is_not_included(in_bulk: Path) -> None:
    """A month that the ledger does not know of would be closed without it."""
    in_bulk.write_text(in_bulk.read_text().replace('include "bulk/*/journal.beancount"\n', ""))
    assert stopped(in_bulk).startswith("bulk/2026-05 is not included: add the line  include")


def test_what_was_refused_asks_for_an_answer(tmp_path: Path) -> None:
    """The finding names the file; the answer is frozen with the month."""
    ledger = booked(tmp_path, ("2026-05", (*MAY, use("21", "zoe", 1))))
    found = run("review", ledger, "--format", "json")
    (finding,) = json.loads(found.stdout)["findings"]
    assert finding["text"] == "1 of 5 rows of 2026-05 were refused, and are not booked"
    assert finding["file"].endswith("bulk/2026-05/refused.parquet")
    assert "1 finding without an answer" in stopped(ledger)
    add(ledger, f'2026-05-31 custom "compute-accept" "{finding["id"]}" "zoe is no customer"\n')
    close_month("2026-05", ledger, dry_run=True)


def test_a_load_needs_no_other_library(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("duckdb", "numpy", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    assert not load_errors(sealed)


def test_a_year_in_bulk_is_not_carried(sealed: Path, tmp_path: Path) -> None:
    """A new ledger would hold none of the lots: they go on from folder to folder."""
    done = run("carry", sealed, "--to", "2027", tmp_path / "next")
    assert done.exit_code == 1 and not (tmp_path / "next").exists()
    assert "from 2026-05-01 on months are booked in bulk" in done.stderr


# What was changed behind the seal


def test_files_are_gone(sealed: Path) -> None:
    """Each is named, by the load and by `verify`."""
    for name in ("lots.parquet", "control.csv"):
        (month_of(sealed) / name).unlink()
    found = told(sealed)
    for name in ("lots.parquet", "control.csv"):
        why = "can't be read: No such file or directory: restore it, or reopen"
        assert f"bulk/2026-05/{name}:1: closed month 2026-05: this file {why} it" in found
        assert f"2026-05: bulk/2026-05/{name}: {why} 2026-05 and book it anew" in found


def test_a_folder_is_gone(sealed: Path) -> None:
    """One error for all its files, beside those of the journal that it held."""
    month_of(sealed).rename(sealed.parent / "away")
    found = load_errors(sealed)
    said = "bulk/2026-05:1: closed month 2026-05: this folder of its books is gone: restore it, or "
    assert [each for each in found if "gone: restore it, or" in each and "bulk" in each][:1] == [
        f"{said}reopen 2026-05"
    ]
    assert len(found) == 3  # Beancount says that its glob finds nothing


def test_a_journal_is_gone(sealed: Path) -> None:
    """Not every transaction of it is an error of its own."""
    (month_of(sealed) / "journal.beancount").unlink()
    found = load_errors(sealed)
    assert "journal.beancount:1: closed month 2026-05: this file can't be read" in "".join(found)
    gone = [each for each in found if "this transaction is gone: 2026-05-01 * " in each]
    assert len(gone) == 1 and "(and 1 more): restore it, or reopen 2026-05" in gone[0]
    assert len(found) == 3  # Beancount says that its glob finds nothing


def test_a_byte_of_parquet_was_changed(sealed: Path) -> None:
    """Of one size a load sees nothing; `verify` reads every byte."""
    lots = month_of(sealed) / "lots.parquet"
    data = lots.read_bytes()
    lots.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    assert not load_errors(sealed)
    why = "is not the file that was sealed: restore it"
    assert f"2026-05: bulk/2026-05/lots.parquet: {why}" in "\n".join(told(sealed))
    lots.write_bytes(data + b"x")
    assert f"lots.parquet:1: closed month 2026-05: this file {why}" in load_errors(sealed)[0]


def test_a_line_of_the_journal_was_changed(sealed: Path) -> None:
    """Both figures of a transaction: it balances, and is another."""
    journal = month_of(sealed) / "journal.beancount"
    journal.write_text(journal.read_text().replace("40.10 USD", "50.10 USD"))
    found = "\n".join(load_errors(sealed))
    assert "journal.beancount:1: closed month 2026-05: this file is not the file that was" in found
    assert "the journal of 2026-05 was changed after it was closed: this transaction is" in found


def test_the_ends_of_lines_are_no_change(sealed: Path) -> None:
    """Version control may turn those of text."""
    for name in ("journal.beancount", "control.csv", "month.json"):
        path = month_of(sealed) / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert not told(sealed)


def test_a_closed_month_that_was_touched_tells_of_nothing_else(sealed: Path) -> None:
    """Its files and what they hold can't be made again on load: they are not compared."""
    state = sealed.parent / "closed" / "2026-05.state.csv"
    state.write_text(state.read_text() + "known,eve\n")
    (found,) = load_errors(sealed)
    assert "closed month 2026-05 was changed: known eve was not sealed" in found


# For the general ledger


@pytest.mark.parametrize("by", ["plan", "subscriber"])
def test_a_month_in_bulk_has_no_lines_by_plan_or_subscriber(by: str, in_bulk: Path) -> None:
    """Its accounts are pooled: what would be columns without a name is refused."""
    done = run("export", "2026-05", in_bulk, "--format", "csv", "--by", by)
    assert done.exit_code == 1 and not done.stdout
    assert f"its journal has no lines by {by}: nothing was exported: take --by account" in (
        done.stderr
    )


def test_a_month_in_bulk_is_exported_as_others_are(in_bulk: Path, tmp_path: Path) -> None:
    """The same economy by the plugin gives the same totals, on accounts of each subscriber."""

    def export(ledger: Path) -> dict[str, Decimal]:
        found = run("export", "2026-05", ledger, "--format", "csv")
        rows = [line.split(",") for line in found.stdout.splitlines()[1:]]
        return {row[3]: Decimal(row[-2] or f"-{row[-1]}") for row in rows}

    pooled = export(in_bulk)
    plan = "\n".join(LEDGER.splitlines()[3:-1]) + "\n"
    apart = export(
        write(
            tmp_path / "apart",
            plan,
            "1,2026-05-01,,subscription,alice,,pro,,,,,,,,,",
            "2,2026-05-01,,subscription,bob,,pro,,,,,,,,,",
            "3,2026-05-20,,consumption,alice,,,200,CU,,,,,,,",
            "4,2026-05-20,,consumption,bob,,,0.5,CU,,,,,,,",
        )
    )
    assert pooled == {
        "Assets:Receivable": Decimal("400.00"),
        "Income:Compute": Decimal("-40.10"),
        "Liabilities:DeferredRevenue:Allocations": Decimal("-359.90"),
    }
    for account, figure in pooled.items():
        assert sum(each for name, each in apart.items() if name.startswith(account)) == figure


# Behind months that the ledger booked itself


def test_nothing_is_derived_by_the_ledger_any_more(tmp_path: Path) -> None:
    """Alice's April is closed; in bulk her 900 CU are minted and May's 1000 come, both once."""
    april = (
        '2026-04-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-04-02 custom "compute-consumption" "alice" 100 CU\n'
        '2026-04-30 custom "compute-option" "as-of" 2026-05-31\n'
    )
    plan = LEDGER.replace('include "bulk/*/journal.beancount"\n', "").split("\n", 3)[3]
    ledger = write(tmp_path, plan + april)
    close(ledger, "2026-04")
    (tmp_path / "bulk").mkdir()
    rows = events(tmp_path, "2026-05", use("20", "alice", 200))
    found = book(tmp_path, "2026-05", rows)
    assert [row[1:3] for row in held(found)] == [("allocations", 800), ("tokens", 900)]
    ledger.write_text(ledger.read_text() + LEDGER.splitlines()[-1] + "\n")
    assert not load_errors(ledger)
    assert not [each for each in load(ledger).booked.generated if each.date.month == 5]
    close(ledger, "2026-05")
    assert "deferred,340.00,USD" in (tmp_path / "closed/2026-05.state.csv").read_text()
    assert "lot," not in (tmp_path / "closed/2026-05.state.csv").read_text()
    assert not told(ledger)


def test_other_plugins_may_stand_behind(in_bulk: Path) -> None:
    """The trial of them loads the month from a folder aside; its Parquet stays where it is."""
    add(in_bulk, 'plugin "beancount.plugins.auto_accounts"\n')
    close_month("2026-05", in_bulk)
    assert not told(in_bulk)
