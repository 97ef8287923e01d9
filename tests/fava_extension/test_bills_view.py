"""Two bills in Fava: the figures of three reports, and pictures that add up to them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fava_extension.serving import (
    EXTENSION,
    Site,
    exact,
    example,
    report,
    rows,
    tables,
)
from tests.scenarios.test_what_if import BOOKS, YEAR

OF_REPORTS = {  # the table on the page, its report and its name there
    "price-and-bills-CU-USD": ("bills", "unit"),
    "margin-USD": ("margin", "money-by-month"),
    "break-even": ("bills", "break-even"),
    "exposure-USD": ("exposure", "money-by-provider"),
    "units-by-provider": ("exposure", "units-by-provider"),
    "money-by-meter": ("exposure", "money-by-meter"),
    "quotes": ("exposure", "quotes"),
    "pace": ("exposure", "pace"),
    "unused": ("exposure", "unused"),
}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The year of the manual that fits a screen."""
    ledger = tmp_path_factory.mktemp("year") / "main.beancount"
    ledger.write_text(YEAR + EXTENSION)
    return Site(ledger)


def charts(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["name"]: block for block in page["blocks"] if block["kind"] == "chart"}


def drawn(chart: dict[str, Any], along: str = "x", of: str = "y") -> dict[str, dict[str, float]]:
    """The numbers of a picture by trace and name on its axis."""
    return {
        trace["name"]: dict(zip(trace[along], trace[of], strict=True))
        for trace in chart["figure"]["data"]
    }


def headlines(page: dict[str, Any]) -> list[tuple[str, str, str]]:
    (block,) = [block for block in page["blocks"] if block["kind"] == "figures"]
    return [(item["label"], exact(item["value"]), item["note"]) for item in block["items"]]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, ()),
        ({"time": "2026-06-10 - 2026-11"}, ("--from", "2026-06-10", "--to", "2026-11")),
        ({"plan": "pro"}, ("--plan", "pro")),
        ({"subscriber": "alice", "time": "2026-Q2"}, ()),
    ],
)
def test_every_table_is_that_of_its_report(
    two_bills: Site, asked: dict[str, str], options: tuple[str, ...]
) -> None:
    """Row by row, under the filters of time and plan, and of a subscriber, to the last digit."""
    if "subscriber" in asked:
        options = ("--subscriber", "alice", "--from", "2026-04", "--to", "2026-06")
    shown = tables(two_bills.page("bills", **asked))
    for name, (of, table) in OF_REPORTS.items():
        wanted = report(of, two_bills.ledger, "--table", table, *options)[table]
        found = rows(shown[name]) if name in shown else []
        keys = list(found[0]) if found else []
        assert found == [{key: row[key] for key in keys} for row in wanted], name
    assert set(shown) <= set(OF_REPORTS)


def test_the_year_that_fits_a_screen(year: Site) -> None:
    """Worked out by hand: 16.00 are left of May and -60.00 of June."""
    page = year.page("bills")
    assert headlines(page) == [
        ("Revenue of use and overage", "156.00", ""),
        ("First bill, for each unit", "100.00", ""),
        ("Margin", "56.00", "35.90 % of the revenue"),
        ("Second bill, for capacity", "100.00", ""),
        ("Margin after both", "-44.00", "-28.21 % of the revenue"),
    ]
    unit, margin, exposure = charts(page).values()
    assert drawn(unit) == {
        "first bill": {"2026-05": 1.0, "2026-06": 0.4},
        "second bill": {"2026-05": 0.0, "2026-06": 2.0},
        "price": {"2026-05": 1.2, "2026-06": 1.2},
    }
    assert unit["caption"] == (
        "The price of 2026-06 is 1.20 USD per CU, 1.20 USD per CU below both bills; "
        "variance of bills and lapsed credits are of no unit."
    )
    assert drawn(margin) == {
        "revenue of use": {"2026-05": 96.0, "2026-06": 60.0},
        "first bill": {"2026-05": -80.0, "2026-06": -20.0},
        "second bill": {"2026-05": 0.0, "2026-06": -100.0},
        "margin after both": {"2026-05": 16.0, "2026-06": -60.0},
    }
    assert margin["caption"] == (
        "After both bills -44.00 USD are left of 156.00 USD that use and overage earned."
    )
    assert drawn(exposure, "y", "x")["at +100 %"] == {"llama": 20.0, "openai": -64.0}
    (may, june) = rows(tables(page)["break-even"])
    assert (may["break_even_units"], june["break_even_units"]) == ("0", "125")


def test_the_bars_of_a_month_add_up_to_the_line(two_bills: Site) -> None:
    """Variances, lapsed credits and idle capacity among them; and the lines to the headline."""
    page = two_bills.page("bills")
    found = drawn(charts(page)["margin-USD"])
    line = found.pop("margin after both")
    assert set(found) == {
        *("revenue of use", "overage", "first bill", "variance and other"),
        *("lapsed credits", "second bill", "idle capacity"),
    }
    for month, left in line.items():
        assert sum(bars[month] for bars in found.values()) == pytest.approx(left)
    assert found["lapsed credits"]["2026-12"] == pytest.approx(-1588.602 * 0.9)
    figures = {label: (value, note) for label, value, note in headlines(page)}
    assert sum(line.values()) == pytest.approx(float(figures["Margin after both"][0]))
    assert figures["First bill, for each unit"][1] == "1,429.74 USD of it: lapsed credits"
    idle = -sum(found["idle capacity"].values())
    assert figures["Second bill, for capacity"][1] == f"{idle:.2f} USD of it: idle capacity"


def test_a_month_that_is_above_both_bills_says_so(two_bills: Site) -> None:
    """In the words of the picture."""
    caption = charts(two_bills.page("bills"))["price-and-bills-CU-USD"]["caption"]
    assert caption == (
        "The price of 2026-12 is 1.026889 USD per CU, 0.619321 USD per CU above both bills; "
        "variance of bills and lapsed credits are of no unit."
    )


def test_what_is_in_two_currencies_is_not_compared(ledger: Path) -> None:
    """Each has its row and its picture, which says so."""
    text = YEAR.replace("cost: 0.40 USD", "cost: 0.40 EUR")
    ledger.write_text(f'option "operating_currency" "EUR"\n{text}{EXTENSION}')
    found = charts(Site(ledger).page("bills", time="2026-06"))
    euros = found["price-and-bills-CU-EUR"]
    assert euros["caption"] == (
        "Units earn in one currency and cost in another: nothing is compared."
    )
    assert drawn(euros)["price"] == {"2026-06": None}
    assert set(found) >= {"margin-EUR", "margin-USD"}


def test_the_price_at_a_wished_margin(year: Site) -> None:
    """Both bills are 0.7 of it; the field keeps what was written."""
    page = year.page("bills", margin="0.3")
    (even,) = [block for block in page["blocks"] if block.get("name") == "break-even"]
    wished = [row["wished_price"] for row in rows(even)]
    assert wished == ["1.428571", "3.428571"]  # 1.00 and 2.40 over 0.7
    (item,) = [
        item
        for block in page["blocks"]
        for item in block.get("items", [])
        if item.get("name") == "margin"
    ]
    assert item["value"] == "0.3"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1", '"1" is all of the price: write a number below 1'),
        ("30%", '"30%" is no share: write a number from 0 to 1'),
        ("-0.1", '"-0.1" is no share'),
    ],
)
def test_a_margin_that_can_t_be_wished_for_stays_in_its_field(
    year: Site, typed: str, said: str
) -> None:
    """With what is wrong about it."""
    answer = year.refusal("bills", margin=typed)
    (controls,) = answer["blocks"]
    (item,) = [each for each in controls["items"] if each["name"] == "margin"]
    assert item["value"] == typed
    assert item["error"].startswith(said)


def test_a_ledger_without_meters_shows_how_to_begin(ledger: Path) -> None:
    """In its own unit and currency, from its first day on; and what it shows works."""
    ledger.write_text(BOOKS.replace(" CU", " TOK").replace("USD", "EUR") + EXTENSION)
    blocks = Site(ledger).page("bills")["blocks"]
    assert blocks[-1]["go"] == {"view": "help", "topic": "costs"}
    lines = [block["text"] for block in blocks if block["kind"] == "copy"]
    assert all(line.startswith("2026-05-01 custom") for line in lines)
    ledger.write_text(ledger.read_text() + "\n".join(lines) + "\n")
    site = Site(ledger)
    page = site.page("bills")
    assert "error" not in json.dumps(site.page("close")["blocks"][0])
    assert [row["units"] for row in rows(tables(page)["price-and-bills-TOK-EUR"])] == ["200", "400"]
    assert headlines(page)[1][:2] == ("First bill, for each unit", "240.00")


def test_a_ledger_with_closed_months_begins_after_them(closed_quarter: Site) -> None:
    """What is closed keeps its terms."""
    blocks = closed_quarter.page("bills")["blocks"]
    lines = [block["text"] for block in blocks if block["kind"] == "copy"]
    days = [re.findall("(?m)^2[0-9-]+", line) for line in lines]
    assert days == [["2026-07-01"] * 2, ["2026-07-01"]]


def test_days_without_use_say_so(year: Site) -> None:
    """With the controls, to choose others."""
    blocks = year.page("bills", time="2026-03")["blocks"]
    assert [block["kind"] for block in blocks] == ["controls", "words"]
    assert blocks[1]["text"] == "Nothing that costs anything was served in these days."


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"account": "Fees"}, "The account filter does not apply here: a use, what it earned"),
        ({"filter": "#compute-cost"}, "The filter of entries does not apply here"),
        ({"interval": "week"}, "The interval does not apply here"),
        ({"conversion": "units"}, 'The conversion "Units" does not apply here'),
    ],
)
def test_the_view_says_what_does_not_apply(year: Site, asked: dict[str, str], note: str) -> None:
    """And shows the figures of all."""
    page = year.page("bills", **asked)
    (said,) = page["notes"]
    assert said.startswith(note)
    assert tables(page) == tables(year.page("bills"))


def test_incognito_hides_every_figure(tmp_path: Path) -> None:
    """In cells, headlines, notes and captions; providers and meters keep their names."""
    page = Site(example("two-bills", tmp_path), incognito=True).page("bills")
    cells = [
        cell
        for table in tables(page).values()
        for row in [*table["rows"], *table["footer"]]
        for cell, column in zip(row, table["columns"], strict=True)
        if column.get("figure")
    ]
    said = [block["caption"] for block in charts(page).values()]
    items = [item for block in page["blocks"] for item in block.get("items", []) if "note" in item]
    assert cells
    assert not re.search("[0-9]", json.dumps([cells, items]))
    assert not re.search("[0-9]", re.sub("[0-9]{4}-[0-9]{2}", "", " ".join(said)))
    assert {chart["figure"] for chart in charts(page).values()} == {None}
    providers = {row["provider"] for row in rows(tables(page)["exposure-USD"])}
    assert providers == {"llama", "openai", "own"}


def test_names_with_digits_stay_under_incognito(ledger: Path) -> None:
    """Of a provider and of a meter: no digit of them is an amount."""
    text = YEAR.replace('"llama"', '"llama 3"').replace('"chat"', '"chat 2"')
    ledger.write_text(text + EXTENSION)
    by_meter = tables(Site(ledger, incognito=True).page("bills"))["money-by-meter"]
    named = [(row["provider"], row["meter"]) for row in rows(by_meter)]
    assert named == [("llama 3", "chat 2"), ("openai", "chat 2")]
