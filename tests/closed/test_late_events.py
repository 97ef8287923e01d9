"""Late events: dated in a closed month, booked on the first open day, on the terms of their day.

May is closed. On 1 June the terms change: what occurred in May still follows those of May.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.data import Price, Transaction

from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.verifying import verify
from tests.close.sealing import (
    add,
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
            'events.csv:4: "alice" gives 5 CU on 2026-05-20 and held 0 CU in tokens then, and 1000 '
            "CU in allocations, which stay with their subscriber until a mint: write a later date, "
            "or a top-up before it"
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
    """posting-grain "month": June's uses are one transaction, the late ones stand alone, two of one
    day too, and say when they occurred."""
    grain = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    uses = [f"u-{n},2026-06-0{n},,consumption,alice,,,1,CU,,,,,,," for n in (1, 2)]
    ledger = write(tmp_path, TERMS + grain, *MAY, *uses)
    close(ledger, "2026-05")
    days = {"l-1": 21, "l-2": 21, "l-3": 22}
    late = [f"{id},2026-05-{on},,consumption,alice,,,1,CU,,,,,,," for id, on in days.items()]
    write_events(ledger, *MAY, *uses, *late)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    found = [
        (as_text(each).partition(":")[0], str(each.meta.get("occurred", each.meta.get("events"))))
        for each in booked(loaded.entries)
        if each.date.month == 6
    ]
    assert found == [
        ("2026-06-01 l-1 #consumption #late", "2026-05-21"),
        ("2026-06-01 l-2 #consumption #late", "2026-05-21"),
        ("2026-06-01 l-3 #consumption #late", "2026-05-22"),
        ("2026-06-02 u-1 #consumption", "2"),
    ]
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


IVY = 'custom "compute-plan" "pro" 100.00 USD 100 CU\n'
UNTIL_AUGUST = '2026-01-01 custom "compute-option" "as-of" 2026-08-31\n'


def income_of(loaded: Loaded) -> dict[str, str]:
    """What was earned in all, by account, as a positive number."""
    found: dict[str, Decimal] = {}
    for entry in booked(loaded.entries):
        for posting in entry.postings:
            if posting.account.startswith("Income:") and posting.units:
                name = posting.account.removeprefix("Income:")
                found[name] = found.get(name, Decimal()) - posting.units.number
    return {name: f"{number:.2f}" for name, number in found.items()}


def come_late(ledger: Path, sealed: tuple[str, ...], *late: str) -> Loaded:
    """The ledger with late rows; it closes on, ties out, is verified, and stays as it is."""
    write_events(ledger, *sealed, *late)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    before = printed(loaded)
    close(ledger, loaded.booking.closed.first_open_day.isoformat()[:7])
    again = load(ledger)
    assert errors_of(again, ledger) == [] and verify(again) == []
    assert printed(again) == before
    return again


def test_a_correction_of_a_closed_use_comes_out_as_if_in_time(tmp_path: Path) -> None:
    """100 CU used on 20 May, closed; taken back on that day, and 80 used on 21 May: revenue 80.00,
    breakage 20.00 in all. Taken back on 5 June, the use of 21 May finds nothing."""
    sealed = (
        "s,2026-05-01,,subscription,ivy,,pro,,,,,,,,,",
        "c,2026-05-20,,cancellation,ivy,,pro,,,,,,,,,",
        "u1,2026-05-20,,consumption,ivy,,,100,CU,,,,,,,",
    )
    use = "u1b,2026-05-21,,consumption,ivy,,,80,CU,,,,,,,"
    ledger = write(tmp_path, f"2026-01-01 {IVY}{UNTIL_AUGUST}", *sealed)
    close(ledger, "2026-05")
    write_events(ledger, *sealed, "r1,2026-06-05,,reversal,,,,,,,,,,,u1,", use)
    assert load_errors(ledger) == [
        (
            'events.csv:6: "ivy" uses 80 CU on 2026-05-21 and held 0 CU then, and plan "pro" has '
            "no `overage` price: write at most that, a top-up before it, or an overage price; "
            '"u1" is reversed on 2026-06-05: the reversal belongs on the day of the mistake'
        )
    ]
    found = come_late(ledger, sealed, "r1,2026-05-20,,reversal,,,,,,,,,,,u1,", use)
    assert income_of(found) == {"Compute": "80.00", "Breakage": "20.00"}


def test_a_late_use_of_units_that_lapsed_takes_them_from_breakage(tmp_path: Path) -> None:
    """June is closed with a breakage of 50.00, and 10.00 would follow in July; 70 CU used on 28
    June are 10 of June's period and 60 of the top-up that ended on the 30th: breakage falls to
    20.00, and there is no overage. The same without a subscription: 35.00."""
    plan = '2026-01-01 custom "compute-plan" "pro" 10.00 USD 10 CU\n  overage: 0.90 USD\n'
    top_up = "t,2026-06-01,,allocation,eli,,,100,CU,,50.00,USD,2026-06-30,,,"
    use = "u,2026-06-28,,consumption,eli,,,70,CU,,,,,,,"
    subscription = (
        "s,2026-06-01,,subscription,eli,,pro,,,,,,,,,",
        "c,2026-06-02,,cancellation,eli,,pro,,,,,,,,,",
    )
    for name, rows, before, earned in (
        ("with", (*subscription, top_up), "60.00", {"Compute": "40.00", "Breakage": "20.00"}),
        ("without", (top_up,), "50.00", {"Compute": "35.00", "Breakage": "15.00"}),
    ):
        ledger = write(tmp_path / name, plan + UNTIL_AUGUST, *rows)
        close(ledger, "2026-06")
        assert income_of(load(ledger))["Breakage"] == before
        found = come_late(ledger, rows, use)
        assert income_of(found) == earned
        (entry,) = [each for each in booked(found.entries) if each.meta["event"] == "u"]
        assert entry.tags == {"compute-consumption", "compute-late"}
        assert entry.meta["lapsed"].startswith("tokens ")
        assert any(link.startswith("lot-Eli-2026-06-01-Top-up") for link in entry.links)


def test_what_had_lapsed_is_used_in_reports_too(tmp_path: Path) -> None:
    """The roll-forward of June: 100 lapsed; of July: 30 of them used, that many less lapsed. The
    reversal of that use turns both."""
    top_up = ("t,2026-06-01,,allocation,eli,,,100,CU,,50.00,USD,2026-06-30,,,",)
    ledger = write(tmp_path, UNTIL_AUGUST, *top_up)
    close(ledger, "2026-06")
    use = "u,2026-06-28,,consumption,eli,,,30,CU,,,,,,,"
    back = "r,2026-08-03,,reversal,,,,,,,,,,,u,"
    come_late(ledger, top_up, use, back)
    for month, figures in (
        ("2026-06", "0,0,-100"),
        ("2026-07", "-30,0,30"),
        ("2026-08", "30,0,-30"),
    ):
        table = run("report", "rollforward", ledger, "--month", month, "--format", "csv").stdout
        header, row = table.splitlines()[:2]
        cells = dict(zip(header.split(","), row.split(","), strict=True))
        assert ",".join(cells[key] for key in ("used", "spent", "expired")) == figures
    close(ledger, "2026-08")
    assert income_of(load(ledger)) == {"Compute": "0.00", "Breakage": "50.00"}


def test_a_late_event_sees_what_earlier_late_ones_had(tmp_path: Path) -> None:
    """70 CU minted of 100 in June; a use of 50 booked in July, closed too; of 20 May 50 CU are left
    then, whatever the books of May and June say."""
    plan = '2026-01-01 custom "compute-plan" "pro" 100.00 USD 100 CU\n  unused: "mint"\n'
    plan += "  mint-rate: 0.7\n"
    rows = ("a,2026-05-01,,allocation,ivy,,pro,,,,,,,,,",)
    ledger = write(tmp_path, plan + UNTIL_AUGUST, *rows)
    close(ledger, "2026-05", "2026-06")
    first = "u1,2026-05-20,,consumption,ivy,,,50,CU,,,,,,,"
    found = come_late(ledger, rows, first)
    assert income_of(found) == {"Compute": "50.00", "Breakage": "15.00"}
    write_events(ledger, *rows, first, "u2,2026-05-10,,consumption,ivy,,,51,CU,,,,,,,")
    (refused,) = load_errors(ledger)
    assert "held 100 CU then, of which 50 CU can be taken (50 CU used since)" in refused
    found = come_late(ledger, (*rows, first), "u2,2026-05-10,,consumption,ivy,,,50,CU,,,,,,,")
    assert income_of(found) == {"Compute": "100.00", "Breakage": "0.00"}


def test_late_months_says_how_far_back(tmp_path: Path) -> None:
    """The option of the day of booking; a closed month keeps what it was booked under."""
    rows = ("t,2026-04-01,,allocation,eli,,,100,CU,,50.00,USD,,,,",)
    use = "u,2026-04-30,,consumption,eli,,,1,CU,,,,,,,"
    ledger = write(tmp_path, '2026-01-01 custom "compute-option" "late-months" 1\n', *rows)
    close(ledger, "2026-04", "2026-05")
    write_events(ledger, *rows, use)
    assert load_errors(ledger) == [
        (
            "events.csv:3: 2026-04-30 lies more than 1 months before 2026-06-01, the day on which "
            "it would be booked: date it on an open day, or let the option late-months say more"
        )
    ]
    add(ledger, '2026-06-01 custom "compute-option" "late-months" 2\n')
    come_late(ledger, rows, use)
    text = ledger.read_text().replace('"late-months" 2', '"late-months" 3')
    ledger.write_text(text)
    assert "late-months" in load_errors(ledger)[0]


def test_lots_moved_by_hand_count_in_the_closed_months(tmp_path: Path) -> None:
    """60 of 100 CU were taken out in June; an opening lot of 10 May is no use on 9 May."""
    rows = (
        "t,2026-05-01,,allocation,eli,,,100,CU,,50.00,USD,,,,",
        "g,2026-05-01,,grant,ann,,,1,CU,,,,,,,",
    )
    by_hand = """\
2026-05-10 * "Opening" #compute-opening
  why: "found later"
  Liabilities:DeferredRevenue:Tokens:Ann  -7 CU {0.20 USD, 2025-11-01, "top-up"}
  Equity:Opening  1.40 USD
2026-06-21 * "Taken out"
  Liabilities:DeferredRevenue:Tokens:Eli  60 CU {0.50 USD, 2026-05-01, "top-up"}
  Equity:Opening  -30.00 USD
2026-01-01 open Equity:Opening
"""
    ledger = write(tmp_path, by_hand, *rows)
    assert load_errors(ledger) == []
    close(ledger, "2026-05", "2026-06")
    write_events(ledger, *rows, "u,2026-05-09,,consumption,eli,,,41,CU,,,,,,,")
    (refused,) = load_errors(ledger)
    assert "held 100 CU then, of which 40 CU can be taken (60 CU taken out by hand" in refused
    write_events(ledger, *rows, "u,2026-05-09,,consumption,ann,,,7,CU,,,,,,,")
    (refused,) = load_errors(ledger)
    assert '"ann" uses 7 CU on 2026-05-09 and held 1 CU then: ' in refused
    write_events(ledger, *rows, "u,2026-05-10,,consumption,ann,,,7,CU,,,,,,,")
    assert load_errors(ledger) == []
