"""What stopped coming: events of a kind, events at all, files of a series."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from beancount_compute.review import Finding
from tests.review.looking import findings, lines, review

SOLD = """\
2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
  overage: 0.30 USD
2026-02-01 custom "compute-subscription" "ann" "pro"
"""  # lines 3 to 5
HEADER = "date,event,subscriber,counterparty,units,commodity,price,currency\n"
GLOB = '2026-01-01 custom "compute-events" "**/*.csv"\n'


def use(day: str) -> str:
    return f'2026-{day} custom "compute-consumption" "ann" 10 CU\n'


def row(day: str, kind: str = "consumption") -> str:
    return f"2026-{day},{kind},ann,{'bob' if kind == 'trade' else ''},10,CU," + (
        "0.10,USD\n" if kind == "trade" else ",\n"
    )


def kinds(found: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in found]


def test_a_month_without_any_event_is_told_once(tmp_path: Path) -> None:
    """April after uses in March, where only periods would be billed."""
    text = SOLD + use("03-10") + use("05-10")
    assert kinds(findings(tmp_path, text, "2026-04")) == [
        ("empty-month", "no event at all in 2026-04; 2026-03 had some")
    ]
    assert lines(findings(tmp_path, text)) == [("empty-month", 1)]


def test_a_month_behind_subscriptions_only_lacks_nothing(tmp_path: Path) -> None:
    """Nobody has used anything yet."""
    assert findings(tmp_path, SOLD, "2026-03") == []


def test_uses_are_missed_after_one_month(tmp_path: Path) -> None:
    """April has a top-up and no use, March had two uses."""
    text = SOLD + use("03-10") + use("03-11")
    text += '2026-04-05 custom "compute-allocation" "ann" 10 CU 5.00 USD\n'
    found = findings(tmp_path, text, "2026-04")
    assert kinds(found) == [("no-event", "no consumption in 2026-04; 2026-03 had 2")]


@pytest.mark.parametrize("months", [1, 2, 3])
def test_trades_are_missed_after_two_months(tmp_path: Path, months: int) -> None:
    """One trade in each month, and none in May."""
    text = SOLD + '2026-02-01 custom "compute-allocation" "ann" 900 CU 90.00 USD\n'
    text += '2026-02-01 custom "compute-subscriber" "bob"\n'
    for month in range(2, 6):
        text += use(f"0{month}-10")
        if 5 - months <= month < 5:
            text += f'2026-0{month}-20 custom "compute-trade" "ann" "bob" 5 CU 0.10 USD\n'
    told = [each.text for each in findings(tmp_path, text, "2026-05")]
    expected = "no trade in 2026-05; 2026-04 had 1, and each month since "
    expected += f"2026-0{5 - months} had some"
    assert told == [expected] * (months > 1)


def test_what_had_a_gap_before_is_not_missed(tmp_path: Path) -> None:
    """Trades in February and April, none in March and May; and corrections have no rhythm."""
    text = SOLD + '2026-02-01 custom "compute-allocation" "ann" 900 CU 90.00 USD\n'
    text += '2026-02-01 custom "compute-subscriber" "bob"\n'
    for month in range(2, 6):
        text += use(f"0{month}-10")
        if month in (2, 4):
            text += f'2026-0{month}-20 custom "compute-trade" "ann" "bob" 5 CU 0.10 USD\n'
        if month < 5:
            text += use(f"0{month}-11") + f'  id: "u{month}"\n'
            text += f'2026-0{month}-12 custom "compute-reversal" "u{month}"\n'
    assert findings(tmp_path, text, "2026-05") == []


def test_a_month_that_is_not_over_lacks_nothing(tmp_path: Path) -> None:
    """The last month with events, unless it is asked for."""
    text = SOLD + use("03-10")
    text += '2026-04-05 custom "compute-allocation" "ann" 10 CU 5.00 USD\n'
    assert findings(tmp_path, text) == []
    assert len(findings(tmp_path, text, "2026-04")) == 1


def test_a_file_that_stopped_is_told_with_its_kind_and_the_others_stand(tmp_path: Path) -> None:
    """Trades come by files of their own; without those of April their absence is told once."""
    files = {f"uses/2026-0{month}.csv": HEADER + row(f"0{month}-10") for month in (2, 3, 4)}
    files |= {
        f"trades/2026-0{month}.csv": HEADER + row(f"0{month}-10", "trade") for month in (2, 3)
    }
    top_up = '2026-02-01 custom "compute-allocation" "ann" 900 CU 90.00 USD\n'
    text = SOLD + top_up + '2026-02-01 custom "compute-subscriber" "bob"\n' + GLOB
    (found,) = findings(tmp_path, text, "2026-04", files=files)
    assert (found.kind, found.text) == (
        "no-file",
        (
            "files trades/#-#.csv stopped coming: none reaches the end of 2026-04, the last is "
            "trades/2026-03.csv"
        ),
    )
    assert found.place.file == str(tmp_path / "trades" / "2026-03.csv")


@pytest.mark.parametrize(
    "name",
    ["2026-0{}.csv", "uses-2026_0{}_28.csv", "export-{}.csv", "20260{}.csv"],
)
@pytest.mark.parametrize("until", [3, 4])
def test_names_that_differ_by_digits_are_a_series(tmp_path: Path, name: str, until: int) -> None:
    """Files of two months, and one of April or none; the ledger has events of April in any case."""
    files = {name.format(month): HEADER + row(f"0{month}-10") for month in range(2, until + 1)}
    found = findings(tmp_path, SOLD + GLOB + use("04-30"), "2026-04", files=files)
    assert [each.kind for each in found] == ["no-file"] * (until == 3)


def test_a_file_that_holds_every_month_is_missed_as_well(tmp_path: Path) -> None:
    """One file that grows, with events in February and March only."""
    files = {"usage.csv": HEADER + row("02-10") + row("03-10")}
    (found,) = findings(tmp_path, SOLD + GLOB + use("04-30"), "2026-04", files=files)
    assert found.text.startswith("files usage.csv stopped coming")
    one = {"usage.csv": HEADER + row("03-10")}
    assert findings(tmp_path, SOLD + GLOB + use("04-30"), "2026-04", files=one) == []


def test_a_file_named_by_the_day_of_its_export_counts_by_its_events(tmp_path: Path) -> None:
    """The one of 1 May holds April."""
    files = {f"2026-0{month + 1}-01.csv": HEADER + row(f"0{month}-10") for month in (2, 3, 4)}
    assert findings(tmp_path, SOLD + GLOB, "2026-04", files=files) == []


@pytest.mark.parametrize(("last", "told"), [(30, False), (28, False), (27, True), (20, True)])
def test_files_by_day_may_lack_a_few_at_the_end(tmp_path: Path, last: int, told: bool) -> None:
    """They came every day: two may be lacking on 30 April."""
    files = {f"2026-04-{day:02}.csv": HEADER + row(f"04-{day:02}") for day in range(1, last + 1)}
    found = findings(tmp_path, SOLD + GLOB, "2026-04", files=files)
    assert [each.kind for each in found] == ["no-file"] * told


def test_a_name_with_a_day_that_does_not_exist_names_a_month(tmp_path: Path) -> None:
    """31 February is no day."""
    files = {f"2026-0{month}-31.csv": HEADER + row(f"0{month}-10") for month in (2, 3)}
    found = findings(tmp_path, SOLD + GLOB + use("04-30"), "2026-04", files=files)
    assert [each.kind for each in found] == ["no-file"]


def test_answers_count_for_the_month_of_their_date(tmp_path: Path) -> None:
    """An answer of another month is idle."""
    text = SOLD + use("03-10") + use("05-10")
    (found,) = findings(tmp_path, text, "2026-04")
    right = review(tmp_path, text + found.line("on holiday") + "\n", "2026-04")
    assert [answer.reason for _, answer in right.judged if answer] == ["on holiday"]
    assert (right.unanswered, right.idle) == ([], [])
    wrong = review(tmp_path, text + found.line("on holiday").replace("04-30", "05-01") + "\n")
    assert (wrong.unanswered, len(wrong.idle)) == ([found], 1)
