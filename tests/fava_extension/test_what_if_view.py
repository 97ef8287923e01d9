"""What if in Fava: the figures of `bean-compute whatif`; and words for all that goes wrong."""

from __future__ import annotations

import json
import re
import subprocess
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from beancount_compute.cli import main
from beancount_compute.scenarios import PartedBy, ScenariosApart, ScenariosFound, in_a_process
from tests.fava_extension.serving import EXTENSION, Site, exact, rows, tables
from tests.scenarios.test_what_if import BOOKS

HALF = '2026-06-01 custom "compute-scale" "plan-price" 0.50\n'
NAMED = '2026-01-01 custom "compute-scenario" "Prices crash" "scenarios/prices-crash.beancount"\n'


@pytest.fixture
def named(ledger: Path) -> Path:
    """The books of alice and bob, which name a scenario."""
    (ledger.parent / "scenarios").mkdir()
    (ledger.parent / "scenarios" / "prices-crash.beancount").write_text(HALF)
    ledger.write_text(BOOKS + NAMED + EXTENSION)
    return ledger


def booked(site: Site, **asked: str) -> dict[str, Any]:
    """What stands in the view once the scenarios are booked."""
    return site.page("whatif", endpoint="scenarios", **asked)


@cache
def of_command(ledger: Path, *options: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of `bean-compute whatif` by table."""
    result = CliRunner().invoke(main, ["whatif", str(ledger), "--format", "json", *options])
    assert result.exit_code == 0, result.output
    return {table["name"]: table["rows"] for table in json.loads(result.stdout)["tables"]}


def long(table: dict[str, Any], label: str) -> list[tuple[str, ...]]:
    """A table with scenarios side by side as one with a row for each, where it says anything."""
    titles = {column["key"]: column["title"] for column in table["columns"]}
    found: list[tuple[str, ...]] = []
    for row in rows(table):
        for key in row:
            number = key.removeprefix("scenario-")
            if key == number:
                continue
            figures = (row["books"], row[key], row[f"difference-{number}"])
            if any(Decimal(each) for each in figures):
                labels = [row[each] for each in ("month", "plan", label) if each in row]
                found.append((titles[key], *labels, *figures))
    return sorted(found)


def written_long(rows_of: list[dict[str, Any]], label: str) -> list[tuple[str, ...]]:
    keys = ("scenario", "month", "plan", label, "books", "with_scenario", "difference")
    shown = [row for row in rows_of if Decimal(row["books"]) or Decimal(row["with_scenario"])]
    return sorted(tuple(str(row[key]) for key in keys if key in row) for row in shown)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, ()),
        ({"by": "month"}, ("--by", "month")),
        (
            {"by": "plan", "time": "2026-Q3"},
            ("--by", "plan", "--from", "2026-07", "--to", "2026-09"),
        ),
        ({"time": "2026-08"}, ("--from", "2026-08", "--to", "2026-08")),
    ],
)
def test_every_figure_is_that_of_the_command(
    two_bills: Site, asked: dict[str, str], options: tuple[str, ...]
) -> None:
    """By row and by account, of all days and of those of the time filter; what is refused too.

    Accounts that are booked to after those days stand on the page with what people wrote before.
    """
    shown = tables(booked(two_bills, **asked))
    wanted = of_command(two_bills.ledger, *options)
    assert long(shown["figures"], "figure") == written_long(wanted["figures"], "figure")
    accounts = written_long(wanted["accounts"], "account")
    more = [row for row in long(shown["accounts"], "account") if row not in accounts]
    assert sorted([*accounts, *more]) == long(shown["accounts"], "account")
    assert {row[-1] for row in more} <= {"0.00"}
    assert bool(more) is ("2026-08" in asked.values())
    assert [
        (row["scenario"], row["books"], row["with_scenario"], row["message"])
        for row in rows(shown["refused"])
    ] == [
        tuple(str(row[key]) for key in ("scenario", "books", "with_scenario", "message"))
        for row in wanted["refused"]
    ]


def test_pictures_and_headlines_say_what_is_left(two_bills: Site) -> None:
    """The margin after both bills; by month its figures add up to the headline."""
    page = booked(two_bills)
    (headline,) = [block for block in page["blocks"] if block["kind"] == "figures"]
    assert headline["title"] == "Margin after both, 2026-01 to 2026-12 (USD)"
    (row,) = [row for row in rows(tables(page)["figures"]) if row["figure"] == "margin after both"]
    assert [exact(item["value"]) for item in headline["items"]] == [
        row[key] for key in ("books", "scenario-1", "scenario-2", "scenario-3")
    ]
    assert "delta" not in headline["items"][0]
    assert all("than the books" in item["delta"] for item in headline["items"][1:])
    by_month = tables(page)["by-month-USD"]
    assert len(by_month["rows"]) == 12
    for key in ("books", "scenario-1", "difference-2"):
        assert sum(Decimal(each[key]) for each in rows(by_month)) == Decimal(row[key])
    bars, lines = [block["figure"] for block in page["blocks"] if block["kind"] == "chart"]
    names = ["books", "Prices crash", "Provider squeeze", "No market"]
    assert [trace["name"] for trace in bars["data"]] == names
    assert [trace["name"] for trace in lines["data"]] == names
    assert lines["data"][0]["y"] == [float(each["books"]) for each in rows(by_month)]


def test_half_a_price_is_worked_out_by_hand(named: Path) -> None:
    """120.00 was used, 100.00 less is deferred; without bills revenue is the headline."""
    page = booked(Site(named))
    assert [tuple(row.values()) for row in rows(tables(page)["figures"])] == [
        ("revenue of use", "120.00", "120.00", "0.00"),
        ("fees", "6.25", "6.25", "0.00"),
        ("deferred revenue at the end", "280.00", "180.00", "-100.00"),
    ]
    (headline,) = [block for block in page["blocks"] if block["kind"] == "figures"]
    assert headline["title"] == "Revenue of use, 2026-05 to 2026-06 (USD)"
    assert headline["items"][1]["delta"] == "= as the books"
    said = [block["text"] for block in page["blocks"] if block["kind"] == "words"]
    assert said == ["Nothing is refused, neither in the books nor under a scenario."]


def test_what_is_refused_leads_to_its_place(named: Path) -> None:
    """Counted by reason, the first of each in Fava's editor: nothing is minted, so none is sold."""
    scenario = named.parent / "scenarios" / "prices-crash.beancount"
    scenario.write_text('2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n')
    site = Site(named)
    refused = tables(booked(site))["refused"]
    assert [(row["books"], row["with_scenario"]) for row in rows(refused)] == [("0", "1")] * 2
    places = [row[3] for row in refused["rows"]]
    assert [place["text"] for place in places] == ["main.beancount:11", "main.beancount:12"]
    assert "line=11" in places[0]["href"]
    assert site.get(places[0]["href"]).status_code == 200


def test_a_ledger_without_scenarios_shows_how_to_write_one(ledger: Path) -> None:
    """And what it shows works."""
    ledger.write_text(BOOKS + EXTENSION)
    site = Site(ledger)
    page = site.page("whatif")
    line, file = [block for block in page["blocks"] if block["kind"] == "copy"]
    assert {"view": "help", "topic": "what-if"} in [block.get("go") for block in page["blocks"]]
    assert booked(site)["blocks"] == []
    (ledger.parent / "scenarios").mkdir()
    (ledger.parent / file["label"].partition(":")[0]).write_text(file["text"] + "\n")
    ledger.write_text(f"{ledger.read_text()}{line['text']}\n")
    figures = rows(tables(booked(Site(ledger)))["figures"])
    assert ("fees", "6.25", "12.50") in [tuple(row.values())[:3] for row in figures]


def test_a_scenario_with_an_error_is_left_out(named: Path) -> None:
    """With its place, which Fava's editor opens; the others are booked."""
    (named.parent / "wrong.beancount").write_text("2026-06-01 open Assets:Bank\n")
    more = '2026-01-01 custom "compute-scenario" "Wrong" "wrong.beancount"\n'
    named.write_text(named.read_text() + more)
    site = Site(named)
    found = tables(booked(site))
    ((place, message),) = found["scenario-errors"]["rows"]
    assert place["text"] == "wrong.beancount:1"
    assert site.get(place["href"]).status_code == 200
    assert message.startswith("a scenario holds terms only")
    assert found["figures"]["rows"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-06-01 open Assets:Bank\n", "no scenario can be booked"),
        (None, "no scenario can be booked"),
    ],
)
def test_no_scenario_that_can_be_booked_has_words(named: Path, text: str | None, said: str) -> None:
    """Of a broken file, or of one that is not there, which is an error of the ledger as well."""
    scenario = named.parent / "scenarios" / "prices-crash.beancount"
    scenario.unlink()
    if text is not None:
        scenario.write_text(text)
    site = Site(named)
    first = booked(site)["blocks"][0]
    assert first["text"] == f"Nothing is set beside the books: {said}."
    assert first["tone"] == "bad"
    warned = "The ledger has 1 error" in site.page("whatif")["blocks"][0].get("text", "")
    assert warned is (text is None)


def test_a_scenario_under_which_nothing_can_be_booked_has_words(named: Path) -> None:
    """And how many were refused."""
    site = Site(named)
    found = ScenariosApart(str(named)).found(PartedBy.ALL)
    assert found.compared is not None
    ((scenario, run),) = found.compared.scenarios
    run = run._replace(entries=0, refusals=found.compared.books.refusals + _one_refusal(named))
    empty = found.compared._replace(scenarios=[(scenario, run)])
    with patch.object(ScenariosApart, "found", lambda *_: ScenariosFound(empty, [])):
        first = booked(site)["blocks"][0]
    assert first["tone"] == "bad"
    assert first["text"].startswith(
        'Under scenario "Prices crash" nothing can be booked: 1 refusal'
    )


def _one_refusal(ledger: Path) -> list[Any]:
    (ledger.parent / "scenarios" / "prices-crash.beancount").write_text(
        '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    )
    found = ScenariosApart(str(ledger)).found(PartedBy.ALL)
    assert found.compared is not None
    return found.compared.scenarios[0][1].refusals[:1]


def test_scenarios_are_booked_once_a_load(named: Path) -> None:
    """Whatever is asked for; an edit of a scenario's file loads the ledger anew."""
    with patch.object(in_a_process.subprocess, "Popen", wraps=subprocess.Popen) as started:
        site = Site(named)
        site.page("whatif")
        assert started.call_count == 0  # nobody waits for them yet
        before = booked(site)
        booked(site, by="month", time="2026-06")
        booked(site, digits="all")
        assert started.call_count == 1
        scenario = named.parent / "scenarios" / "prices-crash.beancount"
        scenario.write_text(HALF.replace("0.50", "0.5000"))
        site.get(f"{site.base}api/changed")
        assert tables(booked(site)) == tables(before)
        assert started.call_count == 2
        scenario.write_text(HALF.replace("2026-06", "2026-05").replace("0.50", "0.125"))
        site.get(f"{site.base}api/changed")
        assert rows(tables(booked(site))["figures"])[0]["scenario-1"] == "15.00"


def test_days_outside_of_the_books_say_so(named: Path) -> None:
    """Nothing was booked before the first day."""
    page = booked(Site(named), time="2025")
    said = [block["text"] for block in page["blocks"] if block["kind"] == "words"]
    assert said[0] == "Nothing was booked in these days."


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"time": "2026-05-20 - 2026-06-30"}, "Scenarios are shown by whole months"),
        ({"time": "2026-05-01 - 2026-06-20"}, "Scenarios are shown by whole months"),
        ({"account": "Fees"}, "The account filter does not apply here"),
        ({"filter": "#compute-mint"}, "The filter of entries does not apply here"),
        ({"plan": "pro"}, "The plan does not apply here"),
        ({"subscriber": "alice"}, "The subscriber does not apply here"),
        ({"interval": "week"}, "The interval does not apply here"),
        ({"conversion": "units"}, 'The conversion "Units" does not apply here'),
    ],
)
def test_the_view_says_what_does_not_apply(
    two_bills: Site, asked: dict[str, str], note: str
) -> None:
    """Once, in the view; the figures are those of all."""
    (said,) = two_bills.page("whatif", **asked)["notes"]
    assert said.startswith(note)
    assert "figures" in tables(booked(two_bills, **asked))


def test_whole_months_need_no_note(two_bills: Site) -> None:
    """A quarter, a year, or from one month to another."""
    for time in ("2026-Q2", "2026", "2026-02 - 2026-05", "2026-02"):
        assert two_bills.page("whatif", time=time)["notes"] == []


def test_incognito_hides_every_figure(named: Path) -> None:
    """And neither a sign nor a picture tells which is larger; names stay."""
    site = Site(named, incognito=True)
    page = booked(site)
    figures = [
        cell
        for table in tables(page).values()
        for row in table["rows"]
        for cell, column in zip(row, table["columns"], strict=True)
        if column.get("figure")
    ]
    items = [item for block in page["blocks"] for item in block.get("items", [])]
    assert figures
    assert not re.search("[0-9]", json.dumps([figures, [item["value"] for item in items]]))
    assert {item["delta"] for item in items if "delta" in item} == {""}
    assert {block["figure"] for block in page["blocks"] if block["kind"] == "chart"} == {None}
    assert [column["title"] for column in tables(page)["figures"]["columns"]][2] == "Prices crash"


def test_another_way_to_part_the_figures_is_refused(two_bills: Site) -> None:
    """With those that there are."""
    answer = two_bills.refusal("whatif", by="colour")
    assert answer["error"] == 'no figures by "colour": write all, month, plan, provider'
