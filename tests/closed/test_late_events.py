"""Late events: dated in a closed month, booked on the first open day, on the terms of their day.

May is closed. On 1 June the terms change: what occurred in May still follows those of May.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from beancount.core.data import Price, Transaction

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import (
    as_text,
    booked,
    close,
    errors_of,
    load_errors,
    printed,
    run,
    write,
    write_events,
)

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
  overage: 0.30 USD
2026-06-01 custom "compute-plan" "pro" 300.00 USD 1000 CU
  unused: "expire"
  overage: 0.60 USD
2026-01-01 custom "compute-plan" "long" 300.00 USD 1000 CU
  every: "quarter"
  unused: "mint"
2026-06-01 custom "compute-plan" "long" 600.00 USD 1000 CU
  every: "quarter"
  unused: "expire"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-06-01 custom "compute-option" "seller-fee" 0.10
2026-01-01 custom "compute-option" "draw-down" "fifo"
2026-06-01 custom "compute-option" "draw-down" "lifo"
2026-01-01 custom "compute-option" "as-of" 2026-09-30
"""
# 100 CU of alice for 10.00 on 2 May, 100 for 30.00 on 3 May; bob is known
MAY = (
    "t-1,2026-05-02,,allocation,alice,,,100,CU,,10.00,USD,,,,",
    "t-2,2026-05-03,,allocation,alice,,,100,CU,,30.00,USD,,,,",
    "t-3,2026-05-03,,allocation,bob,,,1,CU,,1.00,USD,,,,",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed, with three top-ups."""
    path = write(tmp_path, TERMS, *MAY)
    close(path, "2026-05")
    return path


def entries_of(ledger: Path, *rows: str, errors: int = 0) -> dict[str, str]:
    """What late rows lead to, by event."""
    write_events(ledger, *MAY, *rows)
    loaded = load(ledger)
    assert len(loaded.errors) == errors, errors_of(loaded, ledger)
    return {
        each.meta["event"]: as_text(each) for each in booked(loaded.entries) if each.date.month > 5
    }


def test_a_late_use_draws_in_the_order_of_its_day(ledger: Path) -> None:
    """fifo in May: 50 CU of the lot of 2 May (0.10), so 5.00; the same use of June, when lifo
    holds, takes the lot of 3 May (0.30): 15.00."""
    found = entries_of(
        ledger,
        "l-1,2026-05-20,,consumption,alice,,,50,CU,,,,,,,",
        "u-1,2026-06-01,,consumption,alice,,,50,CU,,,,,,,",
    )
    assert found == {
        "l-1": "2026-06-01 l-1 #consumption #late: Tokens/Alice 50 CU {0.10, 2026-05-02, top-up}; "
        "Compute -5.00 USD",
        "u-1": "2026-06-01 u-1 #consumption: Tokens/Alice 50 CU {0.30, 2026-05-03, top-up}; "
        "Compute -15.00 USD",
    }


def test_a_late_period_has_the_terms_and_days_of_its_first_day(ledger: Path) -> None:
    """From 10 May: 200.00, to end on 10 June; its lot is dated 1 June, when it is booked. Though
    units of June's terms lapse, these are minted, and the tokens live 12 months from 10 June."""
    found = entries_of(ledger, "l-1,2026-05-10,,allocation,bob,,pro,,,,,,,,,")
    assert found == {
        "l-1": "2026-06-01 l-1 #allocation #late: Bob 200.00 USD; "
        "Allocations/Bob -1000 CU {0.20, 2026-06-01, pro/2026-06-10}",
        "mint/bob/pro/2026-06-10/2026-06-01": "2026-06-10 mint/bob/pro/2026-06-10/2026-06-01 "
        "#mint: Allocations/Bob 1000 CU {0.20, 2026-06-01, pro/2026-06-10}; "
        "Tokens/Bob -1000 CU {0.20, 2026-06-01, pro/2027-06-10}",
    }


def test_a_late_period_that_is_over_ends_on_the_day_on_which_it_is_booked(ledger: Path) -> None:
    """From 30 April (before anything was booked) to 30 May: minted on 1 June, in phase 1; the
    tokens end 12 months after 30 May."""
    found = entries_of(ledger, "l-1,2026-04-30,,allocation,bob,,pro,,,,,,,,,")
    assert found["mint/bob/pro/2026-05-30/2026-06-01"].startswith("2026-06-01 ")
    assert (
        "Tokens/Bob -1000 CU {0.20, 2026-06-01, pro/2027-05-30}"
        in found["mint/bob/pro/2026-05-30/2026-06-01"]
    )


def test_the_terms_of_a_late_lot_are_read_back_when_its_month_is_closed_too(ledger: Path) -> None:
    """A quarter from 10 May ends on 10 August: minted, as May's terms say, when June and July are
    closed; the lots dated 1 June by themselves would lapse."""
    late = "l-1,2026-05-10,,allocation,bob,,long,,,,,,,,,"
    whole = entries_of(ledger, late)
    assert "mint/bob/long/2026-08-10/2026-06-01" in whole
    before = printed(load(ledger))
    close(ledger, "2026-06", "2026-07", "2026-08")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    assert printed(loaded) == before
    assert verify(loaded) == []


def test_lives_of_late_top_ups_and_grants_count_from_their_day(ledger: Path) -> None:
    """12 months from 26 May 2026; a grant of one month from 20 May ends on 20 June."""
    found = entries_of(
        ledger,
        "l-1,2026-05-26,,allocation,bob,,,100,CU,,30.00,USD,12 months,,,",
        "l-2,2026-05-20,,grant,bob,,,5,CU,,,,1 months,,,",
    )
    assert found["l-1"].endswith("Tokens/Bob -100 CU {0.30, 2026-06-01, top-up/2027-05-26}")
    assert found["l-2"].endswith("Allocations/Bob -5 CU {0.00, 2026-06-01, grant/2026-06-20}")
    assert found["expiry/bob/grant/2026-06-20/2026-06-01"].startswith("2026-06-20 ")


def test_a_late_trade_pays_the_fee_of_its_day_and_sets_the_price_of_its_booking(
    ledger: Path,
) -> None:
    """10 CU at 0.50: gross 5.00, 5 % of it in May is 0.25, where June has 10 %; the price is of
    1 June, as it was not known before."""
    found = entries_of(
        ledger,
        "l-1,2026-05-29,,trade,alice,bob,,10,CU,0.50,,USD,,,,",
        "u-1,2026-06-01,,trade,alice,bob,,10,CU,0.50,,USD,,,,",
    )
    assert found["l-1"].endswith("; Bob 5.00 USD; Alice -4.75 USD; Fees -0.25 USD")
    assert found["u-1"].endswith("; Bob 5.00 USD; Alice -4.50 USD; Fees -0.50 USD")
    prices = [each for each in load(ledger).entries if isinstance(each, Price)]
    assert [(str(each.date), str(each.amount)) for each in prices] == [("2026-06-01", "0.50 USD")]


def test_each_late_trade_pays_the_fee_of_its_own_day(tmp_path: Path) -> None:
    """7 % from 15 May: of a gross of 5.00 each, 0.25 before and 0.35 from then on."""
    fee = '2026-05-15 custom "compute-option" "seller-fee" 0.07\n'
    ledger = write(tmp_path, TERMS + fee, *MAY)
    close(ledger, "2026-05")
    found = entries_of(
        ledger,
        "l-1,2026-05-14,,trade,alice,bob,,10,CU,0.50,,USD,,,,",
        "l-2,2026-05-15,,trade,alice,bob,,10,CU,0.50,,USD,,,,",
    )
    assert found["l-1"].endswith("; Fees -0.25 USD")
    assert found["l-2"].endswith("; Fees -0.35 USD")


def test_late_overage_has_the_price_of_its_day_and_counts_in_the_month_of_its_booking(
    tmp_path: Path,
) -> None:
    """Carol's 1000 CU are used up. 0.05 CU of May at 0.30 are 0.015, so 0.02 are billed (half to
    even); another 0.05 CU of June at 0.60 make 0.045, so 0.04 in all, of which 0.02 are new."""
    rows = (
        "s-c,2026-05-01,,subscription,carol,,pro,,,,,,,,,",
        "c-c,2026-05-02,,cancellation,carol,,pro,,,,,,,,,",
        "u-0,2026-05-20,,consumption,carol,,,1000,CU,,,,,,,",
        "s-d,2026-06-01,,subscription,carol,,pro,,,,,,,,,",
        "u-1,2026-06-01,,consumption,carol,,,1000,CU,,,,,,,",
        "u-2,2026-06-02,,consumption,carol,,,0.05,CU,,,,,,,",
    )
    ledger = write(tmp_path, TERMS, *rows)
    close(ledger, "2026-05")
    write_events(ledger, *rows, "l-1,2026-05-21,,consumption,carol,,,0.05,CU,,,,,,,")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    found = {each.meta["event"]: as_text(each) for each in booked(loaded.entries)}
    assert found["l-1"] == (
        "2026-06-01 l-1 #consumption #late #overage: Carol 0.02 USD; Overage -0.02 USD"
    )
    assert found["u-2"].endswith("#consumption #overage: Carol 0.02 USD; Overage -0.02 USD")


def test_late_events_come_before_all_else_of_the_day_in_their_own_order(tmp_path: Path) -> None:
    """The units of a period that ends on 1 June can still be used late; among themselves late
    events stand in the order of their days, so a use before its top-up finds nothing."""
    rows = ("s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,",)
    ledger = write(tmp_path, TERMS, *rows)
    close(ledger, "2026-05")
    late = (
        "l-3,2026-05-30,,consumption,alice,,,1,CU,,,,,,,",
        "l-2,2026-05-20,,transfer,alice,bob,,5,CU,,,,,,,",
        "l-1,2026-05-20,,allocation,bob,,,1,CU,,1.00,USD,,,,",
    )
    write_events(ledger, *rows, *late)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [
        (
            'events.csv:4: "alice" gives 5 CU and holds 0 CU in tokens, and 1000 CU in '
            "allocations, which stay with their subscriber until a mint: write a later date, or a "
            "top-up before it"
        )
    ]
    of_day = [
        each.meta["event"] for each in booked(loaded.entries) if str(each.date) == "2026-06-01"
    ]
    assert of_day == ["l-1", "l-3", "mint/alice/pro/2026-06-01/2026-05-01", "s-a/2026-06-01"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("l-1,2026-05-20,,transfer,alice,bob,,10,CU,,,,,,,", "#late #transfer: Tokens/Alice 10"),
        ("l-1,2026-05-20,,spend,alice,shop,,10,CU,,0.40,USD,,,,", "#late #spend: Tokens/Alice 10"),
        ("l-1,2026-05-20,,refund,alice,,,10,CU,,,,,,,", "#late #refund: Tokens/Alice 10"),
        ("l-1,2026-05-20,,reversal,,,,,,,,,,,t-1,", "#late #reversal: Alice -10.00 USD"),
    ],
)
def test_every_kind_that_can_come_late_is_tagged_and_listed(
    ledger: Path, row: str, what: str
) -> None:
    """With the day on which it occurred, in the corrections report; and frozen with its month,
    with the day of its booking in the row."""
    assert what in entries_of(ledger, row)["l-1"]
    (entry,) = [
        each
        for each in load(ledger).entries
        if isinstance(each, Transaction) and "compute-late" in each.tags
    ]
    assert (str(entry.date), str(entry.meta["occurred"])) == ("2026-06-01", "2026-05-20")
    report = run("report", "corrections", ledger, "--format", "csv")
    assert report.exit_code == 0
    assert "2026-06-01,2026-05-20,l-1," in report.stdout
    before = printed(load(ledger))
    close(ledger, "2026-06")
    assert printed(load(ledger)) == before
    rows = (ledger.parent / "closed" / "2026-06.events.csv").read_text().splitlines()
    assert rows[0].endswith(",memo,booked")
    assert rows[1].startswith("l-1,2026-05-20,") and rows[1].endswith(",2026-06-01")
    assert load_errors(ledger) == [] and verify(load(ledger)) == []


def test_a_late_event_is_booked_behind_the_last_closed_month(ledger: Path) -> None:
    """May, June and July are closed: an event of May comes on 1 August."""
    close(ledger, "2026-06", "2026-07")
    late = "l-1,2026-05-20,,consumption,alice,,,50,CU,,,,,,,"
    assert entries_of(ledger, late)["l-1"].startswith("2026-08-01 l-1 #consumption #late: ")


def test_a_late_reversal_is_not_dated_before_what_it_undoes(ledger: Path) -> None:
    """As in an open month, where it would be refused too: the order of booking is no licence."""
    write_events(ledger, *MAY, "l-1,2026-05-01,,reversal,,,,,,,,,,,t-1,")
    assert load_errors(ledger) == [
        (
            'events.csv:5: nothing to reverse: no event "t-1" was booked on or before 2026-05-01, '
            "or it is of a kind that can't be reversed"
        )
    ]


def test_late_events_reverse_late_events(ledger: Path) -> None:
    """Both on the first open day: 10 CU (0.10) are used and given back."""
    found = entries_of(
        ledger,
        "l-1,2026-05-20,,consumption,alice,,,10,CU,,,,,,,",
        "l-2,2026-05-21,,reversal,,,,,,,,,,,l-1,",
    )
    assert found["l-2"] == (
        "2026-06-01 l-2 #late #reversal: Tokens/Alice -10 CU {0.10, 2026-05-02, top-up}; "
        "Compute 1.00 USD"
    )


def test_a_late_use_is_not_merged(tmp_path: Path) -> None:
    """posting-grain "month": June's uses are one transaction, the two late ones stand alone."""
    grain = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    uses = [f"u-{n},2026-06-0{n},,consumption,alice,,,1,CU,,,,,,," for n in (1, 2)]
    ledger = write(tmp_path, TERMS + grain, *MAY, *uses)
    close(ledger, "2026-05")
    late = [f"l-{n},2026-05-2{n},,consumption,alice,,,1,CU,,,,,,," for n in (1, 2)]
    write_events(ledger, *MAY, *uses, *late)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    found = [
        (each.meta["event"], str(each.meta.get("events", "")))
        for each in booked(loaded.entries)
        if each.date.month == 6
    ]
    assert found == [("l-1", ""), ("l-2", ""), ("u-1", "2")]
    before = printed(loaded)
    close(ledger, "2026-06")
    assert printed(load(ledger)) == before


def test_when_its_month_is_opened_again_a_late_event_is_like_any_other(ledger: Path) -> None:
    """Kind on its own day, without the tag."""
    late = "l-1,2026-05-20,,consumption,alice,,,50,CU,,,,,,,"
    entries_of(ledger, late)
    assert run("reopen", "2026-05", ledger, "--reason", "an invoice").exit_code == 0
    loaded = load(ledger)
    (use,) = [each for each in booked(loaded.entries) if each.meta["event"] == "l-1"]
    assert as_text(use) == (
        "2026-05-20 l-1 #consumption: Tokens/Alice 50 CU {0.10, 2026-05-02, top-up}; "
        "Compute -5.00 USD"
    )


def test_a_column_named_like_ours_is_kept_apart(tmp_path: Path) -> None:
    """x_booked is the writer's own: it lives beside the day on which a late event was booked."""
    ledger = write(tmp_path, TERMS, *MAY)
    close(ledger, "2026-05")
    header = (ledger.parent / "events.csv").read_text().splitlines()[0] + ",x_booked"
    rows = [f"{row}," for row in MAY] + ["l-1,2026-05-20,,consumption,alice,,,1,CU,,,,,,,,by me"]
    (ledger.parent / "events.csv").write_text("\n".join([header, *rows]) + "\n")
    close(ledger, "2026-06")
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [] and verify(loaded) == []
    (use,) = [each for each in booked(loaded.entries) if each.meta["event"] == "l-1"]
    assert use.meta["x_booked"] == "by me"
