"""Tie-outs of what uses cost, and each one made to fail by an edit after the load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Transaction

from beancount_compute.close.closing import Closing
from tests.close import sealing
from tests.close.tie_outs.ledgers import Ledger, load, posting

TERMS = """\
option "operating_currency" "EUR"
2026-01-01 custom "compute-plan" "pro" 2000.00 USD 1000 CU
  overage: 0.30 USD
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.333 USD
  provider: "llama"
2026-05-22 custom "compute-meter" "chat"
  units: 3 CU
  cost: 1.00 USD
  provider: "llama"
2026-01-01 custom "compute-meter" "pictures"
  units: 2 CU
  cost: 2.00 USD
  provider: "llama"
2026-01-01 custom "compute-meter" "films"
  units: 2 CU
  per: 10
  cost: 25.00 EUR
  provider: "llama"
2026-01-01 custom "compute-meter" "voice"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-01-01 custom "compute-meter" "own"
  units: 1 CU
2026-01-01 custom "compute-provider" "openai"
  beyond: 1.10 EUR
2026-01-01 custom "compute-option" "meter" "chat"
2026-04-01 custom "compute-subscription" "alice" "pro"
"""
# By hand. April: chat 10 at 0.333 = 3.33. May: chat 1 and 20 at 0.333 (6.993), 2 CU at 1.00 for 3
# (0.666...), less the 10 of April that are undone (3.33): 4.329... = 4.33. Pictures 3 at 2.00 are
# stated as 7.00 and 0.50 less; on 22 May 1 more: 2.00. So 6.33 by the list. Films 2 at 2.50 EUR.
# Voice: 30 of 20 credits and 10 beyond at 1.10 EUR; 4 of another day, all beyond, are undone.
STORY = """\
2026-04-20 custom "compute-consumption" "alice" 10 CU
  id: "april"
2026-05-01 custom "compute-purchase" "openai" 20 OAI 18.00 USD
2026-05-02 custom "compute-consumption" "alice" 1 CU
2026-05-20 custom "compute-consumption" "alice" 20 CU
2026-05-20 custom "compute-consumption" "alice"
  meter: "pictures"
  quantity: 3
2026-05-20 custom "compute-cost" "llama" 7.00 USD
  id: "said"
  meter: "pictures"
2026-05-20 custom "compute-cost" "llama" -0.50 USD
  meter: "pictures"
2026-05-21 custom "compute-consumption" "alice"
  meter: "films"
  quantity: 2
2026-05-21 custom "compute-consumption" "alice"
  meter: "own"
  quantity: 9
2026-05-22 custom "compute-consumption" "alice"
  meter: "pictures"
  quantity: 1
2026-05-23 custom "compute-consumption" "alice" 2 CU
2026-05-24 custom "compute-consumption" "alice"
  meter: "voice"
  quantity: 30
2026-05-25 custom "compute-consumption" "alice"
  id: "wrong"
  meter: "voice"
  quantity: 4
2026-05-26 custom "compute-reversal" "wrong"
2026-05-26 custom "compute-reversal" "april"
"""
LLAMA, STATED_USD = "cost of uses, llama USD", "costs, as stated USD"
CREDITS, BEYOND = "cost of uses, openai OAI", "cost of uses, openai EUR"
AT_COST = "cost of uses, openai USD"
FIGURES = {
    LLAMA: "6.33",
    "cost of uses, llama EUR": "5.00",
    CREDITS: "30",
    BEYOND: "11.00",
    STATED_USD: "6.50",
}


@pytest.fixture
def may() -> Ledger:
    return load(TERMS + STORY)


def of_costs(ledger: Ledger, month: str = "2026-05") -> dict[str, str]:
    """The figures of the tie-outs of costs, by name; all of a month's must hold."""
    found = ledger.tied(month)
    assert [name for name, tie in found.items() if not tie.holds] == []
    return {name: str(tie.left) for name, tie in found.items() if name.startswith("cost")}


def test_costs_tie_to_figures_worked_out_by_hand(may: Ledger) -> None:
    """Two currencies, credits and those beyond them, stated costs, reversals of two months."""
    assert of_costs(may) == FIGURES
    assert of_costs(may, "2026-04") == {LLAMA: "3.33"}


def test_a_month_without_uses_has_no_such_line() -> None:
    assert of_costs(load(TERMS)) == {}


def saying(key: str, text: str | Amount) -> Callable[[Transaction], Transaction]:
    """An edit of what a transaction says of meters."""
    return lambda entry: entry._replace(meta={**entry.meta, key: text})


@pytest.mark.parametrize(
    ("event", "edit", "failing"),
    [
        ("cost/llama/2026-05-22", saying("costs", "pictures 2.01 USD"), {LLAMA}),
        ("cost/llama/2026-05-21", saying("costs", "films 5.01 EUR"), {"cost of uses, llama EUR"}),
        ("cost/llama/2026-05-23", lambda _: None, {LLAMA}),
        ("cost/llama/2026-05-20", saying("stated", "pictures 6.51 USD"), {STATED_USD}),
        ("cost/llama/2026-05-20", saying("stated", ""), {STATED_USD, LLAMA}),
        ("cost/openai/2026-05-24", saying("beyond", "9 OAI 1.10 EUR"), {CREDITS, BEYOND}),
        ("cost/openai/2026-05-24", saying("beyond", "10 OAI 1 EUR"), {BEYOND}),
        ("cost/openai/2026-05-24", posting("Assets:Prepaid:Openai", "-19"), {CREDITS, AT_COST}),
        ("april", saying("used", Amount(Decimal(20), "CU")), {LLAMA}),
        ("wrong", lambda _: None, {CREDITS}),
    ],
)
def test_an_edit_is_found(
    may: Ledger, event: str, edit: Callable[[Transaction], Transaction | None], failing: set[str]
) -> None:
    """What uses say, what is booked for them, what credits went, and what was stated."""
    month = "2026-04" if event == "april" else "2026-05"
    may.edit(event, edit)
    found = may.failing(month)
    assert {name for name in found if name.startswith("cost")} == failing


def test_a_price_that_changes_afterwards_is_found(may: Ledger) -> None:
    """21 less 10 at 0.444 in place of 0.333: 1.22 more; the lines are all of that provider."""
    terms = load(TERMS.replace("0.333", "0.444") + STORY).books().terms
    found = may.tied(books=replace(may.books(), terms=terms))[LLAMA]
    assert (str(found.left), str(found.right), found.holds) == ("7.55", "6.33", False)
    assert len(found.lines) == 6


MERGED = '2026-01-01 custom "compute-option" "posting-grain" "{}"\n'
USES = """\
2026-05-02 custom "compute-consumption" "alice" 1 CU
2026-05-03 custom "compute-consumption" "alice" 1 CU
2026-05-03 custom "compute-consumption" "alice" 1 CU
2026-05-21 custom "compute-consumption" "alice" 1 CU
2026-05-23 custom "compute-consumption" "alice" 1 CU
2026-05-24 custom "compute-consumption" "alice" 2000 CU
2026-05-25 custom "compute-consumption" "alice" 1 CU
2026-05-26 custom "compute-consumption" "alice"
  meter: "pictures"
  quantity: 1.5
2026-05-27 custom "compute-consumption" "alice"
  meter: "pictures"
  quantity: 2
"""


@pytest.mark.parametrize("grain", ["event", "day", "month"])
def test_merged_uses_cost_the_same(grain: str) -> None:
    """4 at 0.333 (1.332), 2,002 at 1.00 for 3 (667.333...), 3.5 pictures (7.00): 675.67. The 2,000
    are overage for the most part."""
    ledger = load(TERMS + MERGED.format(grain) + USES)
    assert of_costs(ledger) == {LLAMA: "675.67"}
    (first,) = [at for at, e in enumerate(ledger.entries) if "0.34" in str(e.meta.get("costs"))][:1]
    entry = ledger.entries[first]
    assert isinstance(entry, Transaction)
    ledger.entries[first] = saying("costs", "chat 0.33 USD")(entry)
    assert "cost of uses, llama USD" in ledger.failing()


def test_of_merged_uses_nobody_can_tell_which_day_was_stated() -> None:
    """What is worked out is only shown: 675.67 with the 0.67 of 3 May, of which 0.70 is stated."""
    stated = '2026-05-03 custom "compute-cost" "llama" 0.70 USD\n  meter: "chat"\n'
    found = load(TERMS + MERGED.format("month") + USES + stated).tied()
    tie = found["cost of uses, llama USD"]
    assert tie.holds and tie.informational
    assert (str(tie.left), str(tie.right)) == ("675.67", "675.00")
    assert str(found["costs, as stated USD"].right) == "0.70"


# Closed months: what comes late of them is booked on 1 June, at the terms of its own day.
LATE = """\
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-05-10 custom "compute-consumption" "alice" 10 CU
  id: "ten"
2026-05-11 custom "compute-consumption" "alice" 10 CU
  id: "other"
"""


def closed(folder: Path, *late: str) -> Closing:
    """June of a ledger whose May is closed before anything comes late."""
    ledger = sealing.write(folder, TERMS.replace("2026-04-01", "2026-05-01") + LATE)
    sealing.close(ledger, "2026-05")
    sealing.add(ledger, "".join(late))
    return sealing.close(ledger, "2026-06")


def costs_of(closing: Closing) -> dict[str, str]:
    return {f"{t.name} {t.about}": str(t.left) for t in closing.ties if t.name.startswith("cost")}


STATED = '2026-05-10 custom "compute-cost" "llama" 3.00 USD\n  id: "l-1"\n  meter: "chat"\n'
UNDONE = '2026-05-10 custom "compute-reversal" "ten"\n  id: "l-2"\n'
MORE = '2026-05-10 custom "compute-consumption" "alice" 4 CU\n  id: "l-3"\n'


@pytest.mark.parametrize(
    ("late", "cost"),
    [
        ((STATED,), {STATED_USD: "3.00"}),
        ((MORE,), {LLAMA: "1.33"}),
        ((UNDONE,), {LLAMA: "-3.33"}),
        ((MORE, UNDONE), {LLAMA: "-2.00"}),
        ((MORE, STATED), {STATED_USD: "3.00"}),
        ((STATED, UNDONE), {LLAMA: "-3.33", STATED_USD: "3.00"}),
        ((MORE, STATED, UNDONE), {LLAMA: "-3.33", STATED_USD: "3.00"}),
        ((MORE, STATED, UNDONE.replace("ten", "l-3")), {STATED_USD: "3.00"}),
        ((STATED, UNDONE.replace("05-10", "06-02")), {STATED_USD: "3.00"}),
    ],
)
def test_what_comes_late_is_tied_out_where_it_is_booked(
    tmp_path: Path, late: tuple[str, ...], cost: dict[str, str]
) -> None:
    """3.33 of 10 May by the list; of a day that is stated nothing is worked out, but for a use
    that was undone before that."""
    assert costs_of(closed(tmp_path, *late)) == cost
