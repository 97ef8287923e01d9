"""Breakage on periods that were never paid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.looking import findings

SOLD = """\
2026-01-01 open Assets:Bank
2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
2026-05-01 custom "compute-subscription" "ann" "pro"
2026-05-01 custom "compute-subscription" "bob" "pro"
2026-05-20 custom "compute-consumption" "ann" 400 CU
2026-05-20 custom "compute-consumption" "bob" 900 CU
2026-06-20 custom "compute-consumption" "bob" 900 CU
"""  # lines 3 to 9


def pays(name: str, number: str, day: str = "2026-05-10") -> str:
    return f"""\
{day} * "{name}"
  Assets:Bank  {number} USD
  Assets:Receivable:{name}
"""


def test_what_lapsed_and_was_never_paid_is_told_with_its_figures(tmp_path: Path) -> None:
    """Ann's May is open: 600 CU at 0.10, 60.00 of 100.00; bob's is paid."""
    (found,) = findings(tmp_path, SOLD + pays("Bob", "100.00"), "2026-06")
    assert (found.kind, found.month, found.place.line) == ("unpaid", "2026-06", 5)
    assert found.text == (
        "60 USD of breakage is of periods that were never paid: ann 60.00 of 100.00 billed on "
        "2026-05-01"
    )
    assert [(each.name, f"{each.number:.2f}") for each in found.figures] == [
        ("breakage", "60.00"),
        ("open", "100.00"),
    ]


def test_the_place_is_that_of_the_most(tmp_path: Path) -> None:
    """Without ann's payment and bob's; a third one pays."""
    text = SOLD + '2026-05-01 custom "compute-subscription" "cy" "pro"\n' + pays("Cy", "100.00")
    (found,) = findings(tmp_path, text, "2026-06")
    assert (found.place.line, found.text.startswith("70 USD of breakage")) == (5, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", False),  # nobody writes payments here
        (pays("Bob", "100.00", "2026-07-01"), False),  # nor did anybody by then
        (pays("Bob", "100.00") + pays("Ann", "0.01", "2026-06-30"), False),  # in part
        (pays("Bob", "100.00") + pays("Ann", "100.00", "2026-07-01"), True),  # later
        (pays("Bob", "100.00") + "2026-01-01 price USD 0.9 EUR\n", True),
    ],
    ids=["no payments", "not yet", "in part", "after the month", "other"],
)
def test_paid_is_what_was_settled_by_the_end_of_the_month(
    tmp_path: Path, text: str, told: bool
) -> None:
    """A payment of any part, by any day of the month."""
    found = findings(tmp_path, SOLD + text, "2026-06")
    assert [each.kind for each in found] == ["unpaid"] * told


def test_payments_of_nobody_in_particular_can_not_tell(tmp_path: Path) -> None:
    """One account for all, and payments without a payee who is a subscriber."""
    text = '2026-01-01 custom "compute-account" "receivable" "Assets:Receivable"\n'
    paid = '2026-05-10 * "card company" "paid"\n  Assets:Bank  100.00 USD\n  Assets:Receivable\n'
    assert findings(tmp_path, SOLD + text + paid, "2026-06") == []
    named = paid.replace("card company", "bob")
    (found,) = findings(tmp_path, SOLD + text + named, "2026-06")
    assert found.text.startswith("60 USD")


def test_tokens_of_an_unpaid_period_that_lapse_are_told_as_well(tmp_path: Path) -> None:
    """Minted in June, lapsed in July: 600 CU, still nothing paid. Top-ups likewise."""
    text = SOLD.replace("1000 CU\n", '1000 CU\n  unused: "mint"\n  token-expires: "30 days"\n', 1)
    text += '2026-05-02 custom "compute-allocation" "ann" 10 CU 5.00 USD\n'
    text += "  expires: 2026-07-01\n" + pays("Bob", "300.00")
    assert findings(tmp_path, text, "2026-06") == []
    text += '2026-07-20 custom "compute-consumption" "bob" 9 CU\n'
    (found,) = findings(tmp_path, text, "2026-07")
    assert found.text == (
        "65 USD of breakage is of periods that were never paid: ann 60.00 of 100.00 billed on "
        "2026-05-01; ann 5.00 of 5.00 billed on 2026-05-02"
    )


def test_a_bill_that_was_reversed_is_not_open(tmp_path: Path) -> None:
    """Nor is anything of it left to lapse."""
    text = SOLD.replace('ann" 400 CU\n', 'ann" 400 CU\n  id: "u"\n')
    text = text.replace('"ann" "pro"\n', '"ann" "pro"\n  id: "s"\n')
    text += pays("Bob", "100.00") + '2026-05-21 custom "compute-reversal" "u"\n'
    text += '2026-05-22 custom "compute-reversal" "s/2026-05-01"\n'
    assert findings(tmp_path, text, "2026-06") == []


def test_what_is_left_of_access_is_told_to_the_cent(tmp_path: Path) -> None:
    """Of 31.00 for May, 20.00 are earned when ann leaves at once on the 20th."""
    text = SOLD.replace("100.00 USD 1000 CU", "31.00 USD").replace("consumption", "grant")
    text += '2026-05-20 custom "compute-cancellation" "ann" "pro"\n  now: TRUE\n'
    (found,) = findings(tmp_path, text + pays("Bob", "31.00"), "2026-05")
    assert found.text == (
        "11 USD of breakage is of periods that were never paid: ann 11.00 of 31.00 billed on "
        "2026-05-01"
    )
