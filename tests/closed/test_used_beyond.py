"""A price that changes for what was used in months that are closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import add, booked, close, load_errors, printed, write

TERMS = """\
2026-01-01 custom "compute-option" "posting-grain" "{grain}"
2026-01-01 custom "compute-option" "late-months" 6
2026-01-01 custom "compute-meter" "chat"
  units: 2 CU
2026-01-01 custom "compute-plan" "bulk" 0.00 USD 0 CU
  every: "year"
  overage: 0.48 USD
2026-01-01 custom "compute-plan" "gpus" 0.00 USD 0 GPU
  every: "year"
  overage: 5.00 USD
2026-01-01 custom "compute-plan" "monthly" 0.00 USD 0 CU
  overage: 0.48 USD
2026-02-21 custom "compute-consumption" "alice"
  meter: "chat"
  quantity: 3
2026-02-22 custom "compute-consumption" "alice" 1 CU
2026-02-22 custom "compute-consumption" "alice" 1 CU
"""
ANEW = """\
2026-04-01 custom "compute-plan" "bulk" 0.00 USD 0 CU
  every: "year"
  overage: 0.43 USD
  overage-since: 2026-02-01
2026-04-01 custom "compute-plan" "monthly" 0.00 USD 0 CU
  overage: 0.43 USD
  overage-since: 2026-02-01
"""
ROWS = (
    "s-1,2026-01-01,,subscription,alice,,bulk,,,,,,,,,",
    "s-2,2026-01-01,,subscription,alice,,gpus,,,,,,,,,",
    "s-3,2026-01-01,,subscription,bob,,bulk,,,,,,,,,",
    "s-4,2026-01-01,,subscription,carol,,monthly,,,,,,,,,",
    "g-1,2026-02-20,,grant,alice,,,10,CU,,,,,,,",
    "u-1,2026-01-20,,consumption,alice,,,1,CU,,,,,,,",
    "u-2,2026-02-20,,consumption,alice,,,15,CU,,,,,,,",
    "u-3,2026-02-20,,consumption,alice,,,2,GPU,,,,,,,",
    "u-4,2026-03-20,,consumption,alice,,,0.001,CU,,,,,,,",
    "u-5,2026-03-20,,consumption,bob,,,7,CU,,,,,,,",
    "u-6,2026-03-20,,consumption,carol,,,7,CU,,,,,,,",
    "u-7,2026-05-20,,consumption,alice,,,1,CU,,,,,,,",
)


def ledger_of(folder: Path, grain: str, *more: str) -> Path:
    return write(folder, TERMS.format(grain=grain), *ROWS, *more)


def catch_ups(ledger: Path) -> list[str]:
    """The day of each, whose it is, and what it adds to overage."""
    return [
        f"{each.date} {each.payee} {each.meta['overage']}"
        for each in booked(load(ledger).entries)
        if "compute-catch-up" in each.tags
    ]


@pytest.mark.parametrize("grain", ["event", "day", "month"])
def test_closed_uses_are_charged_anew_as_open_ones(grain: str, tmp_path: Path) -> None:
    """Of alice 5 of 15 CU, 3 quantities of 2 CU, twice 1 CU and 0.001 CU since February, each
    0.05 less: 13.001 x -0.05 = -0.65005; of bob 7 x -0.05; carol's months were over. What is booked
    is what one load books that never closed anything."""
    ledger = ledger_of(tmp_path / "closed", grain)
    add(ledger, ANEW)
    at_once = printed(load(ledger))
    assert load_errors(ledger) == []
    ledger = ledger_of(tmp_path / "month by month", grain)
    close(ledger, "2026-01", "2026-02", "2026-03")
    add(ledger, ANEW)
    assert load_errors(ledger) == []
    assert catch_ups(ledger) == ["2026-04-01 alice bulk -0.65 USD", "2026-04-01 bob bulk -0.35 USD"]
    assert printed(load(ledger)) == at_once
    close(ledger, "2026-04")
    assert (load_errors(ledger), printed(load(ledger))) == ([], at_once)
    assert verify(load(ledger)) == []


@pytest.mark.parametrize("closed", [(), ("2026-01", "2026-02"), ("2026-01", "2026-02", "2026-03")])
def test_what_is_undone_of_closed_uses_is_charged_as_it_is_by_now(
    closed: tuple[str, ...], tmp_path: Path
) -> None:
    """alice's 5 CU at 0.43 come back in May, and u-1 of January at 0.48; bob's use was undone
    before the price fell, so that nothing of it is charged anew."""
    undone = (
        "r-1,2026-03-21,,reversal,,,,,,,,,,,u-5,",
        "r-2,2026-05-21,,reversal,,,,,,,,,,,u-2,",
        "r-3,2026-05-22,,reversal,,,,,,,,,,,u-1,",
    )
    ledger = ledger_of(tmp_path, "event", *undone)
    if closed:
        close(ledger, *closed)
    add(ledger, ANEW)
    assert load_errors(ledger) == []
    assert catch_ups(ledger) == [
        "2026-04-01 alice bulk -0.65 USD",
        "2026-05-21 alice bulk 0.25 USD",
    ]


def test_a_late_use_behind_a_catch_up_has_its_price(tmp_path: Path) -> None:
    """One of February, booked in May when April is closed: 0.43 x 4; so it is in April's state."""
    ledger = ledger_of(tmp_path, "event")
    add(ledger, ANEW)
    close(ledger, "2026-01", "2026-02", "2026-03", "2026-04")
    add(ledger, '2026-02-25 custom "compute-consumption" "alice" 4 CU\n  id: "late"\n')
    add(ledger, '2026-01-25 custom "compute-consumption" "alice" 4 CU\n  id: "before"\n')
    assert load_errors(ledger) == []
    charged = {e.meta["event"]: e.meta.get("overage") for e in booked(load(ledger).entries)}
    assert charged["late"] == "bulk 1.72 USD"
    assert charged["before"] == "bulk 1.92 USD"
    close(ledger, "2026-05")
    again = ANEW.replace("2026-04-01", "2026-06-01").replace("0.43", "0.33")
    add(ledger, again + '2026-06-02 custom "compute-option" "as-of" 2026-06-02\n')
    assert load_errors(ledger) == []
    assert catch_ups(ledger)[-2:] == [
        "2026-06-01 alice bulk -1.80 USD",  # 18.001 x 0.10: with the late one, and that of May
        "2026-06-01 bob bulk -0.70 USD",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (  # a line that comes in afterwards
            "",
            ANEW,
            22,
            (
                '`overage-since` of plan "bulk" would charge anew on 2026-04-01, in a closed '
                "month: date the line 2026-05-01 or later"
            ),
        ),
        (  # one that says another day since
            "overage-since: 2026-02-01",
            "overage-since: 2026-03-01",
            22,
            (
                'plan "bulk" says 0.00 USD 0 CU every: 12 months unused: expire overage: 0.43 USD '
                "overage-since: 2026-03-01 on 2026-04-01, and the closed month 2026-04 was booked "
                "with 0.00 USD 0 CU every: 12 months unused: expire overage: 0.43 USD "
                "overage-since: 2026-02-01: restore it, and date the new terms 2026-05-01 or later"
            ),
        ),
    ],
)
def test_a_closed_month_knows_what_it_charged_anew(
    old: str, new: str, line: int, message: str, tmp_path: Path
) -> None:
    """A line of a closed day neither comes nor changes; also where nothing was booked of it."""
    ledger = ledger_of(tmp_path, "event")
    if old:
        add(ledger, ANEW)
    close(ledger, "2026-01", "2026-02", "2026-03", "2026-04")
    text = ledger.read_text()
    ledger.write_text(text.replace(old, new, 1) if old else text + new)
    found = [each for each in load_errors(ledger) if '"bulk"' in each]
    assert found == [f"main.beancount:{line}: {message}"]


def test_a_plan_line_of_a_closed_day_is_known_though_nothing_came_of_it(tmp_path: Path) -> None:
    """carol's month was over on 1 April: no catch-up, and April's terms say so all the same."""
    ledger = ledger_of(tmp_path, "event")
    add(ledger, ANEW)
    close(ledger, "2026-01", "2026-02", "2026-03", "2026-04")
    terms = (tmp_path / "closed" / "2026-04.beancount").read_text()
    assert '"monthly"' in terms and terms.count("overage-since: 2026-02-01") == 2
    assert load_errors(ledger) == []
