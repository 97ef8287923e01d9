"""A close stops while a finding has no answer; answers are frozen with the month."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.cli.review import reviewed
from beancount_compute.close.loading import load
from beancount_compute.close.sealing import NotClosed, close_month
from beancount_compute.close.verifying import verify
from tests.close.sealing import write

SOLD = """\
2026-05-01 custom "compute-allocation" "ann" 1000 CU 100.00 USD
2026-05-01 custom "compute-subscriber" "cy"
2026-05-02 custom "compute-trade" "ann" "cy" 40 CU 1.20 USD
2026-05-20 custom "compute-trade" "ann" "cy" 40 CU 48.00 USD
"""  # lines 4 to 7

ADDED = (
    "main.beancount:{}: this line of {} is not in the closed month as it stands here: it was added "
    "or changed afterwards; restore what was there"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with a finding of May."""
    return write(tmp_path, SOLD)


def stopped(ledger: Path, month: str = "2026-05") -> NotClosed:
    """What stops a close, which wrote nothing."""
    before = sorted(ledger.parent.rglob("*"))
    with pytest.raises(NotClosed) as found:
        close_month(month, ledger)
    assert sorted(ledger.parent.rglob("*")) == before
    return found.value


def answer(ledger: Path, reason: str = "checked with billing") -> str:
    """The line that answers the one finding."""
    closing = stopped(ledger).closing
    assert closing is not None
    (found,) = closing.review.unanswered
    return found.line(reason) + "\n"


def errors(ledger: Path) -> list[str]:
    return [
        f"{Path(each.source['filename']).name}:{each.source['lineno']}: {each.message}"
        for each in load(ledger).errors
    ]


def test_a_month_closes_when_its_findings_are_answered(ledger: Path) -> None:
    """The answer stands in the closed month, and its finding in the pack; `verify` agrees."""
    assert str(stopped(ledger)) == "2026-05 has 1 finding without an answer: nothing was written"
    line = answer(ledger)
    ledger.write_text(ledger.read_text() + line)
    outcome = close_month("2026-05", ledger)
    frozen = (ledger.parent / "closed" / "2026-05.beancount").read_text()
    assert line in frozen
    pack = (outcome.pack / "findings.csv").read_text().splitlines()
    assert pack[0] == "id,month,kind,text,place,answer"
    assert len(pack) == 2
    assert pack[1].endswith(",checked with billing")
    loaded = load(ledger)
    assert loaded.errors == []
    assert verify(loaded) == []


def test_an_answer_of_another_month_is_none(ledger: Path) -> None:
    """Its date lies in the month of the finding."""
    line = answer(ledger)
    ledger.write_text(ledger.read_text() + line.replace("05-31", "06-01"))
    assert "1 finding without an answer" in str(stopped(ledger))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "checked with billing",
            "nobody looked",
            [
                ADDED.format(8, "2026-05-31"),
                (
                    "2026-05.beancount:{line}: gone from the ledger, or changed, after 2026-05 was "
                    "closed: 2026-05-31 compute-accept {id} checked with billing: restore it"
                ),
            ],
        ),
        (
            "2026-05-31 custom",
            "; 2026-05-31 custom",
            [
                (
                    "2026-05.beancount:{line}: gone from the ledger, or changed, after 2026-05 was "
                    "closed: 2026-05-31 compute-accept {id} checked with billing: restore it"
                ),
            ],
        ),
        (
            '"checked with billing"\n',
            '"checked with billing"\n2026-05-30 custom "compute-accept" "f-000000" "late"\n',
            [
                ADDED.format(9, "2026-05-30"),
            ],
        ),
        ('"checked with billing"', '"checked   with billing"', []),
        ("2026-05-31 custom", "\n\n2026-05-31   custom", []),
    ],
    ids=["edited", "gone", "added", "blanks", "moved"],
)
def test_an_answer_that_was_changed_after_the_close_is_told(
    ledger: Path, old: str, new: str, told: list[str]
) -> None:
    """Edited, gone, added; spacing is no change."""
    line = answer(ledger)
    ledger.write_text(ledger.read_text() + line)
    close_month("2026-05", ledger)
    frozen = (ledger.parent / "closed" / "2026-05.beancount").read_text().splitlines()
    ledger.write_text(ledger.read_text().replace(old, new))
    at = 1 + next(at for at, each in enumerate(frozen) if "compute-accept" in each)
    finding = line.split('"')[3]
    assert sorted(errors(ledger)) == sorted(each.format(line=at, id=finding) for each in told)


def test_an_answer_in_the_closed_month_that_was_changed_is_told(ledger: Path) -> None:
    """As every other edit of its files."""
    ledger.write_text(ledger.read_text() + answer(ledger))
    close_month("2026-05", ledger)
    frozen = ledger.parent / "closed" / "2026-05.beancount"
    frozen.write_text(frozen.read_text().replace("checked with billing", "nobody looked"))
    (error,) = errors(ledger)
    assert "closed month 2026-05 was changed: compute-accept f-" in error
    assert "billing" in error


def test_control_totals_are_frozen_with_their_month(tmp_path: Path) -> None:
    """An edit is named; what comes late is of no control that is closed."""
    control = '2026-05-31 custom "compute-control" "consumption" 1 5.0 CU\n'
    rows = ("u-1,2026-05-02,,consumption,ann,,,5,CU,,,,,,,",)
    top_up = '2026-05-01 custom "compute-allocation" "ann" 1000 CU 100.00 USD\n'
    ledger = write(tmp_path, top_up + control, *rows)
    close_month("2026-05", ledger)
    frozen = (tmp_path / "closed" / "2026-05.beancount").read_text()
    assert 'custom "compute-control" "consumption" 1 5 CU\n' in frozen
    events = tmp_path / "events.csv"
    events.write_text(events.read_text() + "u-2,2026-05-03,,consumption,ann,,,6,CU,,,,,,,\n")
    assert errors(ledger) == []
    assert verify(load(ledger)) == []
    ledger.write_text(ledger.read_text().replace("1 5.0 CU", "2 11 CU"))
    added, gone = sorted(errors(ledger), reverse=True)
    assert added == ADDED.format(5, "2026-05-31")
    assert "gone from the ledger, or changed, after 2026-05 was closed" in gone


def test_a_control_that_differs_stops_a_close(tmp_path: Path) -> None:
    """As any error."""
    ledger = write(tmp_path, SOLD + '2026-05-31 custom "compute-control" "trade" 3\n')
    assert str(stopped(ledger)) == "the ledger has 1 error: nothing was written"


def test_a_dry_run_stops_as_well(ledger: Path) -> None:
    """It shows what would happen."""
    with pytest.raises(NotClosed):
        close_month("2026-05", ledger, dry_run=True)


def test_late_events_are_a_finding_of_the_month_in_which_they_are_booked(tmp_path: Path) -> None:
    """By month and kind, with their units; another one asks for another answer."""
    late = "u-9,2026-05-25,,consumption,ann,,,30,CU,,,,,,,"
    june = "u-10,2026-06-02,,consumption,ann,,,5,CU,,,,,,,"
    top_up = '2026-05-01 custom "compute-allocation" "ann" 1000 CU 100.00 USD\n'
    ledger = write(tmp_path, top_up, "u-1,2026-05-02,,consumption,ann,,,5,CU,,,,,,,")
    close_month("2026-05", ledger)
    events = ledger.parent / "events.csv"
    events.write_text(events.read_text() + f"{june}\n{late}\n")
    closing = stopped(ledger, "2026-06").closing
    assert closing is not None
    (found,) = closing.review.unanswered
    assert (found.kind, found.place.line) == ("late", 4)
    assert found.text == "consumption of 2026-05, which is closed: 1 event, 30 CU"
    ledger.write_text(ledger.read_text() + found.line("came by post") + "\n")
    close_month("2026-06", ledger, dry_run=True)
    events.write_text(events.read_text() + late.replace("u-9", "u-11") + "\n")
    closing = stopped(ledger, "2026-06").closing
    assert closing is not None
    (other,) = closing.review.unanswered
    assert other.text.endswith("2 events, 60 CU")
    assert other.id != found.id


def test_an_answer_to_late_events_is_of_what_they_said_then(tmp_path: Path) -> None:
    """A row that says more units, under the same id, asks for another answer."""
    late = "u-9,2026-05-25,,consumption,ann,,,30,CU,,,,,,,"
    june = "u-10,2026-06-02,,consumption,ann,,,5,CU,,,,,,,"
    top_up = '2026-05-01 custom "compute-allocation" "ann" 1000 CU 100.00 USD\n'
    ledger = write(tmp_path, top_up, "u-1,2026-05-02,,consumption,ann,,,5,CU,,,,,,,")
    close_month("2026-05", ledger)
    events = ledger.parent / "events.csv"
    before = events.read_text()
    events.write_text(f"{before}{june}\n{late}\n")
    closing = stopped(ledger, "2026-06").closing
    assert closing is not None
    (found,) = closing.review.unanswered
    ledger.write_text(ledger.read_text() + found.line("came by post") + "\n")
    events.write_text(f"{before}{late}\n{june}\n")
    close_month("2026-06", ledger, dry_run=True)
    events.write_text(f"{before}{june}\n{late.replace(',30,', ',900,')}\n")
    closing = stopped(ledger, "2026-06").closing
    assert closing is not None
    (other,) = closing.review.unanswered
    assert other.text == "consumption of 2026-05, which is closed: 1 event, 900 CU"
    assert other.id != found.id


def test_a_closed_month_shows_what_was_answered_whatever_is_reversed_later(tmp_path: Path) -> None:
    """The trade of May stood when May was closed; its late reversal is booked in June."""
    sold = SOLD.replace("48.00 USD", '48.00 USD\n  id: "t-9"')
    ledger = write(tmp_path, sold)
    ledger.write_text(ledger.read_text() + answer(ledger) + "\n")
    close_month("2026-05", ledger)
    ledger.write_text(
        ledger.read_text() + '2026-05-20 custom "compute-reversal" "t-9"\n  id: "r-9"\n'
    )
    loaded = load(ledger)
    assert [error.message for error in loaded.errors] == []
    may, june = reviewed(loaded, "2026-05"), reviewed(loaded, "2026-06")
    assert [each.kind for each, reason in may.judged if reason] == ["price"]
    assert (may.unanswered, may.idle) == ([], [])
    assert [each.kind for each in june.unanswered] == ["empty-month", "late"]


def test_late_events_that_are_refused_are_an_error_and_no_finding(tmp_path: Path) -> None:
    """Those beside them are one; what a reversal undoes may have booked nothing."""
    top_up = '2026-05-01 custom "compute-allocation" "ann" 100 CU 10.00 USD\n'
    ledger = write(tmp_path, top_up, "u-1,2026-05-02,,consumption,ann,,,5,CU,,,,,,,")
    close_month("2026-05", ledger)
    events = ledger.parent / "events.csv"
    late = "u-{},2026-05-25,,consumption,ann,,,{},CU,,,,,,,\n"
    events.write_text(events.read_text() + late.format(2, 96) + late.format(3, 20))
    loaded = load(ledger)
    assert len(loaded.errors) == 1
    found, _ = reviewed(loaded, "2026-06").unanswered
    assert found.text == "consumption of 2026-05, which is closed: 1 event, 20 CU"
