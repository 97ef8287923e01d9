"""Pictures show what their tables say, as figures that Plotly takes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from plotly import graph_objects

from beancount_compute.economy import Earning
from beancount_compute.reports.aging import AGED
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.charts import (
    Chart,
    breakage_or_market,
    by_age,
    charts,
    deferred_revenue,
    income,
    market,
    unit_flow,
    vintages,
)
from beancount_compute.reports.charts.by_vintage import release
from beancount_compute.reports.tables import Cell, Column, Measure, Table
from tests.close.tie_outs.ledgers import load
from tests.close.tie_outs.test_tie_outs import STORY

MAY = Selection(date(2026, 5, 1), date(2026, 5, 31))
D = Decimal


@pytest.fixture(scope="module")
def books() -> Books:
    return load(STORY).books()


def table(keys: str, *rows: tuple[Cell, ...]) -> Table:
    """A table of text and money."""
    return Table("T", tuple([Column(key, key, Measure.TEXT) for key in keys.split()]), list(rows))


def traces(chart: Chart) -> dict[str, list[object]]:
    """What is drawn, by name, as pairs."""
    return {
        trace["name"]: list(zip(trace["x"], trace["y"], strict=True))
        for trace in chart.figure["data"]
    }


def test_deferred_revenue_is_bars_and_a_line() -> None:
    """Opening and added upwards, what went downwards, closing as a line; EUR has its own picture,
    without a bar for what else went: nothing did."""
    euro, dollar = deferred_revenue(
        table(
            "month currency opening added released otherwise closing",
            ("2026-04", "USD", D("0.00"), D("20.00"), D("-6.00"), D("0.00"), D("14.00")),
            ("2026-04", "EUR", D("0.00"), D("3.00"), D("0.00"), D("0.00"), D("3.00")),
            ("2026-05", "USD", D("14.00"), D("33.00"), D("-25.85"), D("-5.00"), D("16.15")),
        )
    )
    assert (euro.name, dollar.name) == ("deferred-revenue-EUR", "deferred-revenue-USD")
    assert traces(dollar) == {
        "opening": [("2026-04", 0.0), ("2026-05", 14.0)],
        "added": [("2026-04", 20.0), ("2026-05", 33.0)],
        "released": [("2026-04", -6.0), ("2026-05", -25.85)],
        "otherwise": [("2026-04", 0.0), ("2026-05", -5.0)],
        "closing": [("2026-04", 14.0), ("2026-05", 16.15)],
    }
    assert dollar.caption == "Deferred revenue is 16.15 USD at the end of 2026-05."
    assert len(euro.table.rows) == 1 and "otherwise" not in traces(euro)


def test_money_is_told_with_the_decimals_of_its_currency() -> None:
    """85.2 is 85.20 USD, a yen has no hundredths; units have as many decimals as they have."""
    moved = table(
        "month currency opening added released otherwise closing",
        ("2026-04", "JPY", D(0), D(20), D(-6), D(0), D(14)),
        ("2026-04", "USD", D(0), D("85.20"), D(0), D(0), D("85.20")),
    )
    told = [
        {trace["hovertemplate"] for trace in chart.figure["data"]}
        for chart in (*deferred_revenue(moved), *deferred_revenue(moved, in_units=True))
    ]
    assert told == [{"%{y:,.0f} JPY"}, {"%{y:,.2f} USD"}, {"%{y:,} JPY"}, {"%{y:,} USD"}]


def test_income_leaves_out_kinds_that_never_came() -> None:
    """Compute and fees; no bar for breakage, partner income and overage that are zero."""
    (chart,) = income(
        table(
            "month currency compute breakage fees partner_income overage total",
            ("2026-05", "USD", D(26), D(0), D("1.89"), D(0), D(0), D("27.89")),
        )
    )
    assert traces(chart) == {"compute": [("2026-05", 26.0)], "fees": [("2026-05", 1.89)]}


def test_the_market_is_a_line_in_a_band_above_bars() -> None:
    """A day whose trades were all reversed has no price: a gap, not zero."""
    (chart,) = market(
        table(
            "date commodity currency units price low high",
            ("2026-05-11", "CU", "USD", D(30), D("0.42"), D("0.40"), D("0.43")),
            ("2026-05-12", "CU", "USD", D(0), None, None, None),
        )
    )
    found = traces(chart)
    assert found["price"] == [("2026-05-11", 0.42), ("2026-05-12", None)]
    assert found["low"][0] == ("2026-05-11", 0.4)
    assert found["units traded"] == [("2026-05-11", 30.0), ("2026-05-12", 0.0)]


def test_vintages_are_cells_by_month_paid_and_recognised() -> None:
    """What is zero stays empty; columns that are no months are not drawn."""
    (chart,) = vintages(
        table(
            "vintage currency added earlier 2026-04 2026-05 otherwise deferred",
            ("2026-04", "USD", D(20), D(0), D(6), D("6.20"), D(0), D("7.80")),
            ("2026-05", "USD", D(33), D(0), D(0), D(23), D(0), D(10)),
        )
    )
    (trace,) = chart.figure["data"]
    assert trace["x"] == ["2026-04", "2026-05"]
    assert trace["z"] == [[6.0, 6.2], [None, 23.0]]


def test_breakage_or_market_leaves_the_total_to_the_table() -> None:
    """The sum is said, and is no bar: 4.00 + 1.50 less than breakage."""
    (chart,) = breakage_or_market(
        table(
            "month currency lapsed market held_amount gain_if_held_lapses",
            ("2026-04", "USD", D(10), D(6), D(0), D("-4.00")),
            ("2026-05", "USD", D(10), D(2), D("6.50"), D("-1.50")),
            ("total", "USD", D(20), D(8), D("6.50"), D("-5.50")),
        )
    )
    assert traces(chart)["market, so far"] == [("2026-04", 6.0), ("2026-05", 2.0)]
    assert "5.50 USD less than breakage" in chart.caption


def test_units_flow_from_where_they_came_to_where_they_went(books: Books) -> None:
    """STORY's May: 70 + 100 into allocations, 50 of them minted, bob's 60 bought, 5 granted."""
    (chart,) = [each for each in charts(books, MAY) if each.name == "flow-CU"]
    (trace,) = chart.figure["data"]
    names = [label.partition("<br>")[0] for label in trace["node"]["label"]]
    link = trace["link"]
    ends = zip(link["source"], link["target"], link["value"], strict=True)
    found = {(names[source], names[target]): value for source, target, value in ends}
    assert found == {
        ("opening", "allocations"): 70,
        ("allocated", "allocations"): 100,
        ("granted", "allocations"): 5,
        ("allocations", "used"): 120,
        ("allocations", "expired"): 5,
        ("allocations", "tokens"): 50,
        ("topped up", "tokens"): 60,
        ("tokens", "used"): 11,
        ("tokens", "spent"): 4,
        ("tokens", "expired"): 20,
        ("tokens", "refunded"): 3,
        ("tokens", "removed by hand"): 1,
        ("tokens", "held"): 71,
    }
    assert chart.caption == ("At the end 71 CU are held. 30 CU were traded among subscribers.")
    assert not any("traded" in label for label in trace["node"]["label"])  # it has no room there


def test_no_units_no_flow() -> None:
    """A table without rows, and one in which nothing ever was."""
    assert unit_flow(table("pocket commodity opening")) == []
    assert unit_flow(table("pocket commodity opening", ("total", "CU", D(0)))) == []


def test_plotly_takes_every_figure(books: Books) -> None:
    """Its own check of names and values finds nothing; all of it is JSON."""
    found = charts(books, MAY)
    assert [each.name for each in found] == [
        "deferred-revenue-USD",
        "forward-release-USD",
        "income-USD",
        "flow-CU",
        "market-CU-USD",
        "vintages-USD",
        "breakage-or-market-USD",
        "subscribers",
        "churn",
        "recurring-USD",
        "kept-USD",
    ]
    for chart in found:
        graph_objects.Figure(chart.figure)
        assert json.loads(json.dumps(chart.figure, allow_nan=False)) == chart.figure


def test_tables_that_are_known_are_not_worked_out_again(books: Books) -> None:
    """A table handed in is the one that is drawn."""
    mine = table("vintage currency 2026-05", ("2026-05", "USD", D(7)))
    (chart,) = [
        each
        for each in charts(books, MAY, {"vintages-recognised": mine})
        if each.name == "vintages-USD"
    ]
    assert chart.figure["data"][0]["z"] == [[7.0]]


def test_pictures_need_no_plotly() -> None:
    """Nothing in the package imports it, so that the plugin never waits for it."""
    code = "import beancount_compute.reports.charts, sys; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_two_release_curves_look_alike() -> None:
    """Where there are more vintages than colours, the dash tells them apart."""
    ages = [Column(str(age), str(age), Measure.RATE) for age in range(2)]
    columns = (Column("vintage", "vintage"), Column("currency", "currency"), *ages)
    rows: list[tuple[Cell, ...]] = [(f"{n:02}", "USD", D("0.5"), D(1)) for n in range(35)]
    (chart,) = release(Table("T", columns, rows))
    lines = [trace["line"] for trace in chart.figure["data"]]
    assert len({(line["color"], line["dash"]) for line in lines}) == len(rows)
    assert {line["dash"] for line in lines[:7]} == {"solid"}


def test_every_kind_of_income_and_of_what_is_owed_is_drawn() -> None:
    """What takes revenue back too, downwards: no kind is left out of a picture for being new."""
    kinds = [each.value.replace(" ", "_") for each in Earning]
    amounts = [D(-1) if key in ("refunds", "disputes") else D(1) for key in kinds]
    keys = " ".join(("month", "currency", *kinds, "total"))
    (chart,) = income(table(keys, ("2026-05", "USD", *amounts, sum(amounts))))
    drawn = {name.replace(" ", "_"): y for name, ((_, y),) in traces(chart).items()}
    assert drawn == {key: float(amount) for key, amount in zip(kinds, amounts, strict=True)}
    owed = [name for name, _, _ in AGED.values()]
    keys = "what currency current total"
    (ages,) = by_age(table(keys, *[(name, "USD", D(1), D(1)) for name in owed]))
    assert sorted(traces(ages)) == sorted(owed)
