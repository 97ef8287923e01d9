"""The example of the two bills: its costs agree with its uses, its scenarios with its story."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import data
from click.testing import CliRunner

from beancount_compute.cli import main

FOLDER = Path(__file__).parents[1] / "example-ledgers" / "two-bills"
LEDGER = FOLDER / "main.beancount"
A_UNIT = {"chat": Decimal(100_000), "batch": Decimal(200_000), "images": Decimal(25)}
LLAMA, OWN = Decimal("0.40"), Decimal("0.06")  # what a unit costs


@pytest.fixture(scope="module")
def entries() -> list[Any]:
    entries, errors, _ = loader.load_file(str(LEDGER))
    assert errors == []
    return entries


def rows() -> Iterator[dict[str, str]]:
    for path in sorted((FOLDER / "events").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def units() -> Counter[tuple[str, str]]:
    """The units that were served, by meter and month, without what was counted twice."""
    uses = {row["id"]: row for row in rows() if row["event"] == "consumption"}
    for row in rows():
        uses.pop(row["reverses"], None)
    found: Counter[tuple[str, str]] = Counter()
    for use in uses.values():
        found[use["meter"], use["date"][:7]] += Decimal(use["quantity"]) / A_UNIT[use["meter"]]
    return found


def at_the_end(entries: list[Any], account: str, currency: str) -> Decimal:
    return sum(
        (
            posting.units.number
            for entry in entries
            if isinstance(entry, data.Transaction)
            for posting in entry.postings
            if posting.account == account and posting.units.currency == currency
        ),
        Decimal(),
    )


def test_uses_say_what_was_measured_and_nothing_of_providers() -> None:
    """Twelve files; each use has a meter and a quantity, so that a swap changes none of them."""
    assert len(list((FOLDER / "events").glob("2026-??.csv"))) == 12
    ids = [row["id"] for row in rows()]
    assert len(ids) == len(set(ids))
    for row in rows():
        if row["event"] == "consumption":
            assert row["meter"] in A_UNIT and row["quantity"]
            assert not row["units"] + row["counterparty"]


def test_every_kind_of_cost_is_booked(entries: list[Any]) -> None:
    """Credits are bought, drawn, given back and lost; bills differ; a machine is depreciated."""
    tags = {tag for e in entries if isinstance(e, data.Transaction) for tag in e.tags}
    assert {
        *("compute-purchase", "compute-cost", "compute-lapse", "compute-bill"),
        *("compute-depreciation", "compute-reversal", "compute-trade", "compute-overage"),
    } <= tags


def test_the_credits_that_lapse_are_those_that_no_use_took(entries: list[Any]) -> None:
    """README's first figure by hand: 8,000 less what chat, batches and images drew, at 0.90."""
    drawn = sum(
        number * (Decimal("0.8") if meter == "images" else 1)
        for (meter, month), number in units().items()
        if meter == "images" or month < "2026-06"
    )
    assert drawn == Decimal("6411.398")
    lost = at_the_end(entries, "Expenses:Compute:Lapsed", "USD")
    assert lost == (8000 - drawn) * Decimal("0.90") == Decimal("1429.7418")
    assert at_the_end(entries, "Assets:Prepaid:Openai", "OAI") == 0


def test_december_is_accrued_and_not_billed(entries: list[Any]) -> None:
    """README's third figure by hand; the second is the variance of two wrong bills."""
    served = units()
    accrued = -at_the_end(entries, "Liabilities:Accrued:Llama", "USD")
    assert accrued == served["chat", "2026-12"] * LLAMA == Decimal("428.28")
    accrued = -at_the_end(entries, "Liabilities:Accrued:Own", "USD")
    assert accrued == round(served["batch", "2026-12"] * OWN, 2) == Decimal("29.99")
    variance = at_the_end(entries, "Expenses:Compute:Variance", "USD")
    assert variance == Decimal("17.40") - Decimal("9.40") + Decimal("81.20") - Decimal("76.59")


def test_the_readme_weighs_the_machine_against_llama() -> None:
    """Its table of the months in which the machine served batches."""
    text = (FOLDER / "README.md").read_text("utf-8")
    served, saved = units(), Decimal()
    months = ["2026-09", "2026-10", "2026-11", "2026-12"]
    lines = {name: line_of(text, name) for name in ("units served", "llama, at 0.40", "saved")}
    for at, month in enumerate(months):
        number = served["batch", month]
        assert lines["units served"][at] == number
        assert lines["llama, at 0.40"][at] == number * LLAMA
        assert lines["saved"][at] == number * LLAMA - round(number * OWN, 2) - 150
        saved += lines["saved"][at]
    assert lines["saved"][-1] == saved


def line_of(text: str, name: str) -> list[Decimal]:
    """The figures of a line of a table."""
    (line,) = re.findall(rf"(?m)^\| {re.escape(name)} \|(.*)\|$", text)
    return [Decimal(cell.strip().replace(",", "")) for cell in line.split("|")]


def test_each_month_is_checked() -> None:
    """Balance lines of units, credits, cost and money, and an assertion of each figure."""
    text = (FOLDER / "checks.beancount").read_text("utf-8")
    for day in [*(f"2026-{month:02d}-01" for month in range(2, 13)), "2027-01-01"]:
        for account in ("Assets:Prepaid:Openai", "Expenses:Compute:Openai", "Assets:Bank"):
            assert re.search(rf"(?m)^{day} balance {account} ", text)
        for figure in ("deferred-revenue", "revenue", "breakage", "fees", "overage", "tokens"):
            assert re.search(rf'(?m)^{day} custom "compute-assert" "{figure}" +[0-9]', text)


@pytest.fixture(scope="module")
def differences() -> dict[str, dict[str, Decimal]]:
    """What each scenario changes of each figure."""
    result = CliRunner().invoke(main, ["whatif", str(LEDGER)])
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, Decimal]] = {}
    for part in re.split(r"(?m)^(?=.+: figures$)", result.stdout)[1:]:
        figures = re.findall(r"(?m)^  (\S.*?) +USD(?: +\S+){2} +(\S+)$", part)
        name = part.split(":")[0]
        found[name] = {figure: Decimal(number.replace(",", "")) for figure, number in figures}
    return found


def test_what_if_has_the_totals_of_the_report(entries: list[Any]) -> None:
    """`whatif` and `report margin` mean the same by a first bill, a margin, and one after both."""
    command = ["report", "margin", str(LEDGER), "--table", "money-by-month", "--format", "json"]
    (table,) = json.loads(CliRunner().invoke(main, command).stdout)["tables"]
    names = {
        "first bill": "first",
        "margin": "margin",
        "second bill": "second",
        "margin after both": "after_both",
    }
    output = CliRunner().invoke(main, ["whatif", str(LEDGER)]).stdout
    for title, key in names.items():
        (shown, *_) = re.findall(rf"(?m)^  {title} +USD +(\S+)", output)
        total = Decimal(table["totals"][0][key])
        assert Decimal(shown.replace(",", "")) == round(total, 2)


def test_its_scenarios_are_the_three_that_are_shipped(
    differences: dict[str, dict[str, Decimal]],
) -> None:
    """Each is named in the ledger, and runs."""
    named = re.findall(r'"compute-scenario" "([^"]+)" "(\S+)"', LEDGER.read_text("utf-8"))
    shipped = {f"scenarios/{path.name}" for path in (FOLDER / "scenarios").iterdir()}
    assert {path for _, path in named} == shipped
    assert list(differences) == [name for name, _ in named]


def test_a_tenth_of_the_cost_is_worked_out_by_hand(
    differences: dict[str, dict[str, Decimal]],
) -> None:
    """Chat from July costs 90 % less, to half a cent a month; the bills for it are left out."""
    chat = sum(units()["chat", f"2026-{month:02d}"] for month in range(7, 13)) * LLAMA
    chat -= Decimal("24.28") - Decimal("18.21")  # what llama stated
    less = -differences["Prices crash"]["first bill"]
    assert abs(less - chat * Decimal("0.9") - 8) <= Decimal("0.03")


def test_the_squeeze_is_worked_out_by_hand(differences: dict[str, dict[str, Decimal]]) -> None:
    """As in README: twice the cost for three months, a quarter more for three, no bills."""
    twice = Decimal("669.12") + Decimal("531.19") + Decimal("444.56")
    later = sum(units()["chat", f"2026-{month}"] for month in (10, 11, 12)) * LLAMA
    assert differences["Provider squeeze"]["first bill"] == twice + later / 4 - 8
    assert differences["Provider squeeze"]["revenue of use"] == 0


def test_without_a_market_what_minted_lapses(differences: dict[str, dict[str, Decimal]]) -> None:
    """Breakage is what `economics`, which books nothing again, says of units that lapse."""
    arguments = ["report", "economics", str(LEDGER), "--table", "money-by-all", "--format", "json"]
    result = CliRunner().invoke(main, arguments)
    found = json.loads(result.stdout)["tables"][0]["rows"]
    more = sum(Decimal(row["lapsed"]) - Decimal(row["expiry"]) for row in found)
    assert abs(differences["No market"]["breakage"] - more) < Decimal("0.01")
    assert differences["No market"]["fees"] == -sum(Decimal(row["fees"]) for row in found)
