"""What a ledger states of a month in bulk: its own events, assertions and control totals."""

from __future__ import annotations

from pathlib import Path

import pytest
from beancount import loader

from beancount_compute.bulk.bulk_terms import BulkError
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    events,
    files_of,
    held,
    month,
    subscription,
    table,
    top_up,
    use,
)

MAY = [subscription("01", "alice"), subscription("01", "bob"), use("20", "alice", 200)]
MAY += [top_up("21", "bob", 100, "25.00")]


def stopped(folder: Path, *stated: str, name: str = "2026-05") -> str:
    """Why May is not booked where the ledger states something; nothing is written."""
    begin(folder, LEDGER + "\n".join(stated) + "\n")
    with pytest.raises(BulkError) as error:
        month(folder, name, *MAY)
    assert not (folder / "bulk" / name).exists()
    return str(error.value)


@pytest.mark.parametrize("plain", [True, False], ids=["kernel", "engine"])
def test_what_is_stated_and_holds_says_nothing(plain: bool, tmp_path: Path) -> None:
    """2 x 200.00 less 40.00 on the 21st, in all and of alice; a use, a top-up of 25.00."""
    stated = """\
2026-05-21 custom "compute-assert" "deferred-revenue" 360.00 USD
2026-05-21 custom "compute-assert" "revenue" 40.00 USD
2026-05-21 custom "compute-assert" "allocations" "alice" 800 CU
2026-05-31 custom "compute-control" "consumption" 1 200 CU
2026-05-31 custom "compute-control" "allocation" 1 100 CU 25.00 USD
2026-05-31 custom "compute-control" "subscription" 2
2026-05-31 custom "compute-control" "trade" 0
"""
    begin(tmp_path, LEDGER + stated)
    assert month(tmp_path, "2026-05", *MAY, plain=plain).counts["read"] == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '2026-05-21 custom "compute-assert" "deferred-revenue" 350.00 USD',
            "expected 350.00 USD, found 360.00 USD, difference 10.00",
        ),
        (
            '2026-05-21 custom "compute-assert" "allocations" "alice" 700 CU',
            "expected 700 CU, found 800 CU, difference 100",
        ),
        (
            '2026-05-21 custom "compute-assert" "allocations" "zoe" 1 CU',
            'unknown subscriber "zoe"',
        ),
        (
            '2026-05-31 custom "compute-control" "consumption" 2 300 CU',
            "the source says 2 rows, 300 CU; the ledger has 1 row, 200 CU",
        ),
        (
            '2026-05-31 custom "compute-control" "allocation" 1 100 CU 26.00 USD',
            "100 CU, 25 USD: a difference of +1 USD",
        ),
    ],
)
def test_what_does_not_hold_stops_the_run(line: str, said: str, tmp_path: Path) -> None:
    """It names the line, with the message of a load; the month is not there."""
    message = stopped(tmp_path, line)
    assert said in message and f"main.beancount:{LEDGER.count(chr(10))}: " in message


def test_several_that_do_not_hold_are_counted(tmp_path: Path) -> None:
    one = '2026-05-21 custom "compute-assert" "deferred-revenue" 350.00 USD'
    assert "(the first of 2 such figures)" in stopped(tmp_path, one, one.replace("350", "340"))


def test_what_was_earned_before_counts(tmp_path: Path) -> None:
    """40.00 of May and 20.00 of June, in all and of alice, at the beginning of July."""
    stated = """\
2026-07-01 custom "compute-assert" "revenue" 60.00 USD
2026-07-01 custom "compute-assert" "revenue" "alice" 60.00 USD
"""
    begin(tmp_path, LEDGER + stated)
    month(tmp_path, "2026-05", *MAY)
    month(tmp_path, "2026-06", use("02", "alice", 100))
    assert month(tmp_path, "2026-07", use("02", "alice", 1)).counts["read"] == 1


def test_what_is_unbilled_and_what_went_back_are_told_of_all(tmp_path: Path) -> None:
    """700 CU at 0.02 until the invoice of 16 June; 5.00 of bob's 25.00 that he has used."""
    stated = """\
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-05-31 custom "compute-assert" "unbilled" 10.00 USD
2026-06-16 custom "compute-assert" "unbilled" 14.00 USD
2026-06-17 custom "compute-assert" "unbilled" 0.00 USD
2026-06-20 custom "compute-assert" "refunds" 5.00 USD
2026-07-01 custom "compute-assert" "refunds" 5.00 USD
2026-06-10 custom "compute-refund" "bob" 5.00 USD
  of: "top"
"""
    begin(tmp_path, LEDGER + stated)
    used = [use("22", "bob", 1100), use("20", "carol", 500)]
    top = top_up("21", "bob", 100, "25.00", id="top")
    month(tmp_path, "2026-05", *MAY[:-1], subscription("16", "carol", "payg"), top, *used)
    month(tmp_path, "2026-06", use("02", "carol", 200), use("30", "alice", 1))
    month(tmp_path, "2026-07", use("02", "alice", 1))


def test_events_of_the_ledger_are_booked_with_the_rows(tmp_path: Path) -> None:
    """A grant in May, of which alice uses 3 CU, and what Parquet says again; June is left."""
    own = """\
2026-05-02 custom "compute-grant" "alice" 5 CU
  id: "g-1"
2026-05-21 custom "compute-consumption" "alice" 3 CU
  id: "u-1"
2026-06-02 custom "compute-grant" "bob" 7 CU
"""
    begin(tmp_path, LEDGER + own)
    found = month(tmp_path, "2026-05", *MAY, use("21", "alice", 3, id="u-1"))
    allocations = [each[2] for each in held(found) if each[0] == "alice"]
    assert sorted(map(int, allocations)) == [5, 797]
    assert not table(found, "refused")
    june = month(tmp_path, "2026-06", use("03", "bob", 1))
    assert ("bob", 7) in [(each[0], int(each[2])) for each in held(june) if each[3] == 0]


def test_an_event_of_the_ledger_can_be_reversed_by_a_row(tmp_path: Path) -> None:
    """The grant of May is taken back in June; a second time it is refused."""
    own = '2026-05-02 custom "compute-grant" "alice" 5 CU\n  id: "g-1"\n'
    begin(tmp_path, LEDGER + own)
    month(tmp_path, "2026-05", *MAY)
    back = {"event": "reversal", "date": "03", "subscriber": "", "reverses": "g-1"}
    june = month(tmp_path, "2026-06", back)
    assert not table(june, "refused") and not [each for each in held(june) if each[3] == 0]
    july = month(tmp_path, "2026-07", back)
    assert "is reversed already" in table(july, "refused")[0]["message"]


def test_the_ledger_can_reverse_a_row(tmp_path: Path) -> None:
    """Alice's use of May comes back in June, by a line of the ledger; so it stays in July."""
    own = '2026-06-02 custom "compute-reversal" "u-1"\n  id: "r-1"\n'
    begin(tmp_path, LEDGER + own)
    month(tmp_path, "2026-05", subscription("01", "alice"), use("20", "alice", 200, id="u-1"))
    june = month(tmp_path, "2026-06", use("03", "alice", 1))
    assert not table(june, "refused")
    assert sum(each[2] for each in held(june)) == 1999
    again = {"event": "reversal", "date": "03", "subscriber": "", "reverses": "u-1"}
    (refused,) = table(month(tmp_path, "2026-07", again), "refused")
    assert "is reversed already" in refused["message"]


def test_an_event_that_comes_after_its_month_was_booked_is_an_error(tmp_path: Path) -> None:
    """So is one that is gone, or says something else: the month remembers what it had."""
    grant = '2026-05-02 custom "compute-grant" "alice" 5 CU\n'
    ledger = begin(tmp_path, LEDGER + grant)
    month(tmp_path, "2026-05", *MAY)
    june = events(tmp_path, "2026-06", use("02", "alice", 1))
    for text, said in (
        (grant.replace("5 CU", "6 CU"), "an event of 2026-05, which was booked without it"),
        (grant + grant.replace("alice", "bob"), "main.beancount:9: an event of 2026-05, which was"),
        ("", "2026-05 was booked with 1 events that it does not have any more"),
    ):
        begin(tmp_path, LEDGER + text)
        with pytest.raises(BulkError, match=said):
            book(tmp_path, "2026-06", june)
    ledger.write_text(ledger.read_text() + grant)
    assert book(tmp_path, "2026-06", june).counts["read"] == 1


def test_an_event_before_all_months_in_bulk_is_an_error(tmp_path: Path) -> None:
    """No closed month has it, and none in bulk."""
    message = stopped(tmp_path, '2026-04-02 custom "compute-grant" "alice" 5 CU')
    assert "an event of 2026-04-02, which no closed month has and none in bulk" in message
    assert "close 2026-04 first, or date it in 2026-05" in message


def test_a_load_leaves_to_bulk_what_is_of_its_months(tmp_path: Path) -> None:
    """Neither the grant nor the assertion, the control total or what is dated later is booked."""
    stated = """\
2026-05-02 custom "compute-grant" "alice" 5 CU
2026-05-21 custom "compute-assert" "revenue" 40.00 USD
2026-05-31 custom "compute-control" "consumption" 1 200 CU
2026-06-02 custom "compute-consumption" "alice" 5 CU
"""
    begin(tmp_path, LEDGER + stated)
    month(tmp_path, "2026-05", *MAY)
    (tmp_path / "main.beancount").write_text(LEDGER + stated)
    before = files_of(tmp_path / "bulk" / "2026-05").keys()
    entries, errors, _ = loader.load_file(str(tmp_path / "main.beancount"))
    assert not errors
    booked = [each for each in entries if type(each).__name__ == "Transaction"]
    assert len(booked) == 4 and all("compute-bulk" in each.tags for each in booked)
    again = book(tmp_path, "2026-05", tmp_path / "2026-05.parquet")
    assert files_of(again.folder).keys() == before
