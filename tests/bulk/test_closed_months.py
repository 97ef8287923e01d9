"""Rows in bulk that name what the ledger's own closed months booked do what its own lines would.

Each economy is compared with the plugin's books of all at once; figures of small ones by hand.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.month_run import BulkOutcome
from tests.bulk.closed_before import JOURNALS, after_closed
from tests.bulk.small_months import (
    LEDGER,
    Row,
    begin,
    book,
    change,
    events,
    held,
    money_back,
    one_period,
    reversal,
    subscription,
    table,
    top_up,
    trade,
    use,
)
from tests.bulk.test_operator import METER, purchase
from tests.bulk.test_shared_lots import PLANS, sums
from tests.close.sealing import INCLUDE, close, run
from tests.close.sealing import begin as begin_to_close

D = Decimal
# alice pays 200.00 for 1000 CU and uses 200
TOP_UPS = [
    top_up("02", "alice", 1000, "200.00", id="top-1"),
    use("10", "alice", 200, id="u-1"),
    top_up("02", "bob", 1, "1.00", id="b-1"),
]
SOLD = trade("10", "alice", "bob", 500, "0.25")
OPENING = """\
2026-01-01 open Equity:Opening-Balances
2026-05-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -100 CU {0.10 USD, 2026-02-01, "top-up"}
  Equity:Opening-Balances  10.00 USD
"""
QUARTER = """\
2026-01-01 custom "compute-plan" "half" 600.00 USD 3000 CU
  every: "quarter"
2026-01-01 custom "compute-plan" "room" 92.00 USD
  every: "quarter"
"""


def refused(month: BulkOutcome) -> list[str]:
    """What a month says of the rows that it refused."""
    return [row["message"] for row in table(month, "refused")]


def refund(day: str, of: str, paid: str, name: str = "alice", **more: str) -> Row:
    return money_back("refund", day, of, paid, subscriber=name, **more)


def undone(day: str, of: str, name: str) -> Row:
    return reversal(day, of) | {"id": name}


def test_a_use_is_reversed_once(tmp_path: Path) -> None:
    """200 CU of 0.20 come back; neither July nor June reverses what was reversed before."""
    may = [*TOP_UPS, use("11", "bob", 1, id="u-2"), undone("12", "u-2", "r-2")]
    june, july, august = after_closed(
        tmp_path,
        LEDGER,
        may,
        [reversal("05", "u-1")],
        [reversal("05", "u-1")],
        [reversal("05", "u-2")],
    )
    assert sums(june, "reversal") == {"tokens": D(-40), "revenue": D(40)}
    assert refused(july) == ['event "u-1" is reversed already: remove this line']
    assert refused(august) == ['event "u-2" is reversed already: remove this line']


def test_what_a_later_month_used_of_closed_lots_is_reversed_behind_it(tmp_path: Path) -> None:
    """July books June again, which goes on from May: 300 CU of 0.20 come back."""
    june = [use("05", "alice", 300, id="u-3"), use("06", "alice", 100)]
    _, july = after_closed(tmp_path, LEDGER, TOP_UPS, june, [reversal("05", "u-3")])
    assert sums(july, "reversal") == {"tokens": D(-60), "revenue": D(60)}
    assert ("alice", "tokens", D(700), D("0.2"), "None") in held(july)


def test_a_period_is_reversed(tmp_path: Path) -> None:
    """A quarter of 3,000 CU for 600.00, of which nothing was used; that of bob has less left."""
    may = [subscription("01", name, "half", id=f"s-{name}") for name in ("alice", "bob")]
    may.append(use("10", "bob", 1))
    june = [reversal("05", f"s-{name}/2026-05-01") for name in ("alice", "bob")]
    (month,) = after_closed(tmp_path, LEDGER + QUARTER, may, june)
    (message,) = refused(month)
    assert "who holds 2999 CU of it: reverse what used them first" in message
    assert {row[0] for row in held(month)} == {"bob"}


def test_a_chargeback_is_recovered_in_a_later_month(tmp_path: Path) -> None:
    """300 CU of 60.00 are voided; 200 used are 40.00, the 500 that June sold 100.00."""
    _, july, august, september, october = after_closed(
        tmp_path,
        LEDGER,
        TOP_UPS,
        [SOLD],
        [money_back("chargeback", "15", "top-1", id="cb-1")],
        [money_back("recovery", "01", "cb-1", "150.00")],
        [money_back("recovery", "01", "cb-1")],
        [reversal("01", "top-1")],
    )
    assert sums(july, "chargeback") == {
        "tokens": D(60),
        "disputes": D(40),
        "losses": D(100),
        "receivable": D(-200),
    }
    assert sums(august, "recovery")["receivable"] == D(150)
    assert sums(september, "recovery") == {"receivable": D(50), "recoveries": D(-50)}
    assert refused(october) == ['"top-1" has "cb-1" behind it: reverse that first']


def test_what_went_back_in_the_closed_month_counts(tmp_path: Path) -> None:
    """20.00 were a tenth: 30 CU, 6.00, and 14.00 for what was used or sold. Of 180.00 left 270 CU
    of 54.00 are voided; 90.00 had moved on and were not counted. July gives the 30 CU back."""
    may = [*TOP_UPS, SOLD, refund("20", "top-1", "20.00", id="f-1")]
    june, july = after_closed(
        tmp_path, LEDGER, may, [money_back("chargeback", "15", "top-1")], [reversal("01", "f-1")]
    )
    assert sums(june, "chargeback") == {
        "tokens": D(54),
        "disputes": D(36),
        "losses": D(90),
        "receivable": D(-180),
    }
    assert [row[2] for row in held(july) if row[0] == "alice"] == [D(30)]


def test_a_refund_that_is_reversed_never_was(tmp_path: Path) -> None:
    """All 200.00 can be charged back again, in the month of the reversal or behind it."""
    may = [*TOP_UPS, refund("20", "top-1", "20.00", id="f-1")]
    june = [reversal("02", "f-1"), money_back("chargeback", "15", "top-1")]
    (month,) = after_closed(tmp_path / "june", LEDGER, may, june)
    assert sums(month, "chargeback")["receivable"] == D(-200)
    _, july = after_closed(tmp_path / "july", LEDGER, may, june[:1], june[1:])
    assert sums(july, "chargeback")["receivable"] == D(-200)


def test_what_was_refunded_is_reversed_behind_its_refund(tmp_path: Path) -> None:
    """Nothing else goes back in June; once bob's refund is reversed, his top-up can be."""
    may = [top_up("02", name, 100, "20.00", id=f"top-{name}") for name in ("alice", "bob")]
    may += [refund("20", f"top-{name}", "2.00", name, id=f"f-{name}") for name in ("alice", "bob")]
    may.append(undone("21", "f-bob", "r-bob"))
    june = [reversal("05", f"top-{name}") for name in ("alice", "bob")]
    (month,) = after_closed(tmp_path, LEDGER, may, june)
    assert refused(month) == ['"top-alice" has "f-alice" behind it: reverse that first']
    assert [row[:3] for row in held(month)] == [("alice", "tokens", D(90))]


def test_money_is_refunded_and_written_off(tmp_path: Path) -> None:
    """20.00 are a tenth of what was paid: 80 CU of 16.00, and 4.00 for what was used. 90.00 of the
    180.00 left are half: 360 CU of 72.00, and 18.00."""
    june, july = after_closed(
        tmp_path,
        LEDGER,
        TOP_UPS,
        [refund("05", "top-1", "20.00")],
        [money_back("write-off", "05", "top-1", "90.00")],
    )
    assert sums(june, "money-refund") == {"tokens": D(16), "refunds": D(4), "payable": D(-20)}
    assert sums(july, "write-off") == {"tokens": D(72), "bad-debt": D(18), "receivable": D(-90)}


def test_a_chargeback_of_the_closed_month_is_recovered(tmp_path: Path) -> None:
    """150.00 of 200.00, then the rest; what was recovered can't be reversed."""
    may = [*TOP_UPS, money_back("chargeback", "20", "top-1", id="cb-1")]
    june, july, august = after_closed(
        tmp_path,
        LEDGER,
        may,
        [money_back("recovery", "01", "cb-1", "150.00", id="r-1")],
        [money_back("recovery", "01", "cb-1")],
        [reversal("01", "cb-1")],
    )
    assert sums(june, "recovery")["receivable"] == D(150)
    assert sums(july, "recovery")["receivable"] == D(50)
    assert refused(august) == ['"cb-1" has "r-1" behind it: reverse that first']


def test_access_of_a_period_is_charged_back(tmp_path: Path) -> None:
    """Of 92 days 31 are over on 1 June."""
    may = [subscription("01", "alice", "room", id="s-1")]
    june = [money_back("chargeback", "01", "s-1/2026-05-01")]
    (month,) = after_closed(tmp_path, LEDGER + QUARTER, may, june)
    assert sums(month, "chargeback") == {"access": D(61), "disputes": D(31), "receivable": D(-92)}


def test_the_cost_of_a_use_comes_back(tmp_path: Path) -> None:
    """Of 130 OAI 100 were held at 1.00, and 30 cost 1.50: of alice's 80 those go first."""
    may = [purchase("01", 100, "100.00"), *(subscription("01", n) for n in ("alice", "bob"))]
    may += [use("20", "alice", 80, id="u-1"), use("20", "bob", 50, id="u-2")]
    june, july = after_closed(
        tmp_path, LEDGER + METER, may, [reversal("05", "u-1")], [reversal("05", "u-2")]
    )
    cost = {"prepaid": D(50), "accrued": D(45), "cost": D(-95)}
    assert sums(june, "cost", "reversal") == cost | {"allocations": D(-16), "revenue": D(16)}
    assert sums(july, "cost", "reversal")["cost"] == D(-50)


def test_credits_of_the_closed_month_are_drawn(tmp_path: Path) -> None:
    """120 OAI of May at 1.00 are left of 200: bob's 50, then 70 and 30 at 1.50."""
    may = [purchase("01", 200, "200.00"), *(subscription("01", n) for n in ("alice", "bob"))]
    june, july = after_closed(
        tmp_path,
        LEDGER + METER,
        [*may, use("20", "alice", 80)],
        [use("20", "bob", 50)],
        [use("20", "bob", 100)],
    )
    assert sums(june, "cost") == {"prepaid": D(-50), "cost": D(50)}
    assert sums(july, "cost") == {"prepaid": D(-70), "accrued": D(-45), "cost": D(115)}


def test_a_use_that_a_later_line_charges_anew(tmp_path: Path) -> None:
    """July's line says 0.20 for what was 0.30: 4.50 less for the 45 CU that June has left. The 40
    that August reverses come back at 12.00, less the 4.00 that July took back."""
    plan = '2026-01-01 custom "compute-plan" "bulk" 0.00 USD 0 CU\n  every: "year"\n'
    lines = f"{plan}  overage: 0.30 USD\n{plan.replace('01-01', '07-01', 1)}  overage: 0.20 USD\n"
    lines += "  overage-since: 2026-01-01\n"
    may = [subscription("01", "alice", "bulk"), subscription("01", "bob", "bulk")]
    may += [use("10", "alice", 60, id="u-1"), use("11", "alice", 40, id="u-2"), use("11", "bob", 5)]
    june, july, august = after_closed(
        tmp_path,
        LEDGER + lines,
        may,
        [reversal("05", "u-1")],
        [use("01", "bob", 1)],
        [reversal("05", "u-2")],
    )
    assert sums(june, "reversal") == {"receivable": D(-18), "overage": D(18)}
    assert sums(july, "catch-up") == {"receivable": D("-4.50"), "overage": D("4.50")}
    assert sums(august, "reversal") == {"receivable": D(-12), "overage": D(12)}
    assert sums(august, "catch-up") == {"receivable": D(4), "overage": D(-4)}


def test_a_period_shares_its_lot_with_a_single_one(tmp_path: Path) -> None:
    """Of 1,400 CU half are the period's, 140.00; 500.00 x 10/31 = 161.29 on the new plan."""
    may = [subscription("16", "alice"), one_period("16", "alice"), use("20", "alice", 600)]
    june = [change("06", "alice", "pro", "max")]
    month, _ = after_closed(tmp_path, LEDGER + PLANS, may, june, [use("01", "alice", 1)])
    assert sums(month, "change") == {"allocations": D("-21.29"), "unbilled": D("21.29")}


@pytest.mark.parametrize("said", ["reversal", "chargeback"])
def test_the_ledger_s_own_lines_name_them(tmp_path: Path, said: str) -> None:
    """40.00 of use, or 160.00 of units and 40.00 for the use."""
    line = {"reversal": '"u-1"', "chargeback": '"top-1"'}[said]
    text = f'{LEDGER}2026-06-05 custom "compute-{said}" {line}\n'
    (june,) = after_closed(tmp_path, text, TOP_UPS, [use("01", "bob", 1)])
    assert sums(june, said)["tokens"] == {"reversal": D(-40), "chargeback": D(160)}[said]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ('2026-06-01 custom "compute-subscriber" "alice" "Alice"\n', 90),
        ('2026-06-02 custom "compute-consumption" "alice" 5 CU\n', 85),
    ],
)
def test_who_was_an_account_when_its_month_was_closed_is_named_since(
    tmp_path: Path, line: str, left: int
) -> None:
    """The close of June, and what books it again, know the lot of May under that name."""
    text = LEDGER.replace(JOURNALS, INCLUDE) + OPENING
    ledger = begin(tmp_path, text)
    begin_to_close(ledger)
    close(ledger, "2026-05")
    ledger.write_text(text + line)
    june = book(tmp_path, "2026-06", events(tmp_path, "2026-06", use("05", "alice", 10)))
    assert [row[:3] for row in held(june)] == [("alice", "tokens", left)]
    ledger.write_text(text + line + JOURNALS)
    close(ledger, "2026-06")
    verified = run("verify", ledger)
    assert verified.exit_code == 0, verified.output


def test_a_month_in_bulk_leaves_no_gap_behind_closed_ones(tmp_path: Path) -> None:
    """Else all that May hands on would be lost."""
    ledger = begin(tmp_path, LEDGER.replace(JOURNALS, INCLUDE) + OPENING)
    begin_to_close(ledger)
    close(ledger, "2026-05")
    path = events(tmp_path, "2026-08", use("05", "alice", 10))
    said = "2026-08 goes on from 2026-07, and 2026-05 is the last closed month: close those between"
    with pytest.raises(BulkError, match=said):
        book(tmp_path, "2026-08", path)
