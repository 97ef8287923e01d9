"""Subscribers over time, retention and growth: the figures of the reports, and few are said."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest
from plotly import graph_objects

from beancount_compute.fava_extension.prepared.people_tables import PeopleTables
from beancount_compute.reports import Books, Selection, Table
from beancount_compute.reports.figures import Layout
from tests.fava_extension.serving import ESTIMATES, EXTENSION, Site, report, rows, tables
from tests.reports.story import HEAD, STORY, books_of

SELECTIONS = [
    ({}, ()),
    ({"time": "2026-03 - 2026-07"}, ("--from", "2026-03", "--to", "2026-07")),
    ({"plan": "pro"}, ("--plan", "pro")),
    ({"subscriber": "lab-7"}, ("--subscriber", "lab-7")),
]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Forty who began in January, of whom two leave after each of three months."""
    lines = [HEAD, '2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU']
    lines += [f'2026-01-01 custom "compute-subscription" "u{n:02}" "pro"' for n in range(40)]
    lines += [
        f'2026-0{1 + n // 2}-10 custom "compute-cancellation" "u{n:02}" "pro"' for n in range(6)
    ]
    lines += ['2026-01-01 custom "compute-option" "as-of" 2026-05-28', EXTENSION]
    ledger = tmp_path_factory.mktemp("many") / "main.beancount"
    ledger.write_text("\n".join(lines))
    return Site(ledger)


def found(site: Site, view: str, **asked: str) -> dict[str, Any]:
    """What a view asks for once it stands."""
    return site.page(view, endpoint="people", **asked)


def charts(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["name"]: block for block in page["blocks"] if block["kind"] == "chart"}


def words(page: dict[str, Any]) -> list[str]:
    return [block["text"] for block in page["blocks"] if block["kind"] in ("words", "copy")]


@pytest.mark.parametrize(("asked", "options"), SELECTIONS)
@pytest.mark.parametrize(
    ("view", "name", "shown"),
    [
        ("people", "subscribers", {"subscribers": "people", "recurring-USD": "recurring"}),
        ("people", "subscribers", {"bridge": "bridge"}),
        ("retention", "retention", {"cohorts": "cohorts", "revenue-USD": "revenue"}),
        ("retention", "retention", {"survival": "survival", "groups": "groups", "tests": "tests"}),
        ("growth", "growth", {"trade-CU-USD": "months", "exponent": "exponent"}),
    ],
)
def test_figures_are_those_of_the_report(
    market_year: Site,
    view: str,
    name: str,
    shown: dict[str, str],
    asked: dict[str, str],
    options: tuple[str, ...],
) -> None:
    """Under the filters of time, plan and subscriber; what all rows share stands in the title."""
    page = tables(found(market_year, view, **asked))
    said = report(name, market_year.ledger, *options)
    for on_page, in_report in shown.items():
        wanted = said[in_report]
        if not wanted:  # nothing was traded, nobody left
            assert on_page not in page or not page[on_page]["rows"]
            continue
        keys = [column["key"] for column in page[on_page]["columns"]]
        assert rows(page[on_page]) == [{key: row[key] for key in keys} for row in wanted]


def test_churn_and_what_is_kept_are_parts_of_the_report(market_year: Site) -> None:
    page = tables(found(market_year, "people"))
    said = report("subscribers", market_year.ledger)
    for name, of in (("churn", "people"), ("kept-USD", "recurring")):
        keys = [column["key"] for column in page[name]["columns"]]
        assert {"churn", "gross_retention"} & {*keys}
        assert rows(page[name]) == [{key: row[key] for key in keys} for row in said[of]]


def test_the_last_month_stands_above(many: Site) -> None:
    """Six of 40 have left by April; in May nobody does, and 34 x 100.00 recur."""
    (block,) = [each for each in found(many, "people")["blocks"] if each["kind"] == "figures"]
    assert block["title"] == "2026-05, against the month before"
    shown = {each["label"]: each["value"] for each in block["items"]}
    assert shown["Subscribers"] == "34"
    assert shown["Recurring revenue"] == ["3,400.00", "3400.00"]
    assert shown["Churn"][0] == "0.00 %"
    assert shown["Net retention of USD"][0] == "100.00 %"


def test_who_stays_has_a_band_and_heat(many: Site) -> None:
    """38, 36 and 34 of 40 stay one, two and three months; the band lies around them."""
    page = charts(found(many, "retention"))
    high, low, stay = page["survival"]["figure"]["data"]
    assert stay["y"] == [1.0, 0.95, 0.9, 0.85] and stay["x"] == [0, 1, 2, 3]
    assert all(a < b < c for a, b, c in zip(low["y"], stay["y"], high["y"], strict=True) if b < 1)
    assert "95 of 100" in page["survival"]["caption"]
    (cells,) = page["cohorts"]["figure"]["data"][0]["z"]
    assert cells == [1.0, 0.95, 0.9, 0.85, 0.85]
    assert page["cohorts"]["table"]["heat"]["strength"] == [[100, 95, 90, 85, 85]]
    whiskers = page["groups"]["figure"]["data"][0]["error_x"]
    assert whiskers["array"][0] > 0 and whiskers["arrayminus"][0] > 0


@pytest.mark.parametrize("view", ["people", "retention", "growth", "economics"])
def test_plotly_takes_every_figure(many: Site, market_year: Site, view: str) -> None:
    """Its own check of names and values finds nothing."""
    for site in (many, market_year):
        for each in charts(site.whole(view, *ESTIMATES)).values():
            graph_objects.Figure(each["figure"])


def test_few_are_said_to_be_few(closed_quarter: Site) -> None:
    """A handful of subscribers: curves without bands, and words that say why; never a NaN."""
    page = charts(found(closed_quarter, "retention"))
    assert len(page["survival"]["figure"]["data"]) == 1
    assert page["survival"]["caption"].endswith("Too few subscribers for an interval.")
    assert "Too few subscribers" in page["groups"]["caption"]
    assert any(
        "too few for intervals" in each for each in words(found(closed_quarter, "retention"))
    )


def test_growth_says_what_the_interval_holds(market_year: Site) -> None:
    """A point a month, the line with its band; three months are too few for one."""
    page = charts(found(market_year, "growth"))["growth-CU-USD"]
    assert [each["name"] for each in page["figure"]["data"]] == ["high", "low", "fitted", "months"]
    assert page["figure"]["layout"]["xaxis"]["type"] == "log"
    assert "in 95 of 100 cases" in page["caption"]
    page = charts(found(market_year, "growth", time="2026-02 - 2026-05"))["growth-CU-USD"]
    assert [each["name"] for each in page["figure"]["data"]] == ["fitted", "months"]
    assert "too few months for an interval" in page["caption"]
    page = charts(found(market_year, "growth", time="2026-04"))["growth-CU-USD"]
    assert [each["name"] for each in page["figure"]["data"]] == ["months"]
    assert "Too few months that differ" in page["caption"]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, ()),
        ({"time": "2026-02 - 2026-09", "plan": "pro"}, ("--to", "2026-09", "--plan", "pro")),
    ],
)
def test_the_forecast_stands_beside_breakage_and_market(
    market_year: Site, asked: dict[str, str], options: tuple[str, ...]
) -> None:
    """As the report has it, of all that is deferred on the last day."""
    page = market_year.page("economics", endpoint="forecast", **asked)
    said = report("forecast", market_year.ledger, *options)
    on_page = tables(page)
    for name, of in (("forecast-CU-USD", "release"), ("sold-on", "sold-on"), ("bands", "bands")):
        keys = [column["key"] for column in on_page[name]["columns"]]
        assert rows(on_page[name]) == [{key: row[key] for key in keys} for row in said[of]]


def test_the_forecast_has_whiskers_as_far_as_its_intervals(market_year: Site) -> None:
    """Each bar less its minus is the low end; none where vintages are too few."""
    page = market_year.page("economics", endpoint="forecast")
    chart = charts(page)["forecast-CU-USD"]
    used, lapsed = chart["figure"]["data"]
    by_month = rows(chart["table"])
    assert by_month.pop()["month"] == "total"
    assert used["x"] == lapsed["x"] == [row["month"] for row in by_month]
    for trace, key in ((used, "used"), (lapsed, "lapsed")):
        for at, row in enumerate(by_month):
            low = trace["y"][at] - trace["error_y"]["arrayminus"][at]
            assert low == pytest.approx(float(row[f"{key}_low"] or row[key]))
    assert "Whiskers are intervals" in chart["caption"]
    assert {"too few", ""} == {row["said"] for row in by_month}


def test_a_forecast_of_few_says_so_and_of_nothing_too(closed_quarter: Site) -> None:
    page = closed_quarter.page("economics", endpoint="forecast")
    (chart,) = charts(page).values()
    assert chart["caption"].endswith("Too few subscribers or months for intervals.")
    assert words(closed_quarter.page("economics", endpoint="forecast", time="2025")) == [
        "No units are deferred."
    ]
    assert closed_quarter.page("market", endpoint="forecast")["blocks"] == []


@pytest.mark.parametrize("view", ["people", "retention", "economics"])
def test_nobody_leaves_behind_the_end_of_the_books(many: Site, view: str) -> None:
    """They end on 28 May: the whole year shows what the days until then do, as the command."""
    endpoint = "forecast" if view == "economics" else "people"
    year, known = (
        many.page(view, endpoint=endpoint, time=time)["blocks"]
        for time in ("2026", "2026-01-01 - 2026-05-28")
    )
    assert year == known
    names = {"people": "subscribers", "retention": "retention", "economics": "forecast"}
    of_year, of_books = (
        report(names[view], many.ledger, "--to", day) for day in ("2026-12", "2026-05-28")
    )
    assert of_year == of_books
    if view == "people":
        assert [row["cancelled"] for row in of_year["people"]] == ["0", "2", "2", "2", "0"]


@pytest.mark.parametrize("view", ["people", "retention", "growth"])
def test_filters_that_do_not_apply_are_named(market_year: Site, view: str) -> None:
    """Of accounts and entries; before the first subscription there is nobody."""
    notes = market_year.page(view, account="Income", filter="#compute-mint")["notes"]
    assert [note.partition(" does")[0] for note in notes] == [
        "The account filter",
        "The filter of entries",
    ]
    (note,) = market_year.page("retention", time="2026-05")["notes"]
    assert note == "The time filter chooses the last day: what came before counts."
    (said,) = words(found(market_year, view, time="2025"))
    assert said.startswith("Nothing was traded" if view == "growth" else "Nobody was subscribed")
    later = found(market_year, view, time="2030")
    assert charts(later) if view == "retention" else words(later) == [said]


def test_what_is_not_installed_is_named(many: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says what to install; subscribers are counted without it."""
    imported = builtins.__import__

    def importing(name: str, *more: Any) -> Any:
        if name.endswith("all_estimates"):
            raise ModuleNotFoundError("No module named 'scipy'", name="scipy")
        return imported(name, *more)

    monkeypatch.setattr(builtins, "__import__", importing)
    for view, endpoint in (
        ("retention", "people"),
        ("growth", "people"),
        ("economics", "forecast"),
    ):
        page = many.page(view, endpoint=endpoint)
        assert 'pip install "beancount_compute[insight]"' in words(page)
    assert rows(tables(found(many, "people"))["subscribers"])


def test_nothing_is_left_for_other_views(market_year: Site) -> None:
    assert found(market_year, "overview")["blocks"] == []


class Counting:
    """A report that counts how often it is worked out."""

    name, title = "counting", "How often"
    needs_subscriber, of_sums = False, False

    def __init__(self) -> None:
        self.worked_out = 0

    def layouts(self, *_: object) -> list[Layout]:
        return []

    def tables(self, books: Books, selection: Selection, *names: str) -> list[Table]:
        self.worked_out += 1
        return [Table("", (), [], "one")]

    def sources(self, *_: object) -> list[int]:
        return []

    def trace(self, *_: object) -> list[Any]:
        return []


def test_a_selection_is_worked_out_once_until_many_others_were() -> None:
    """What was looked at longest ago goes first."""
    people, counting = PeopleTables(books_of(STORY)), Counting()
    for name in ("", "", "a", ""):
        people.tables(counting, Selection(subscriber=name))
    assert counting.worked_out == 2
    for number in range(23):
        people.tables(counting, Selection(subscriber=str(number)))
    assert counting.worked_out == 25
    people.tables(counting, Selection())
    assert counting.worked_out == 25
    people.tables(counting, Selection(subscriber="a"))
    assert counting.worked_out == 26


def test_who_pays_by_use_alone_is_said_not_to_be_counted(ledger: Path) -> None:
    """What such a plan has no periods of is no recurring revenue either."""
    ledger.write_text(
        'plugin "beancount_compute"\n'
        + EXTENSION
        + '2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU\n'
        "  overage: 0.02 USD\n"
        '2026-01-01 custom "compute-plan" "seat" 30.00 USD\n'
        '2026-05-16 custom "compute-subscription" "ann" "seat"\n'
        '2026-05-16 custom "compute-subscription" "ben" "payg"\n'
    )
    site = Site(ledger)
    said = ["Who pays by use alone is not counted, and recurs with nothing: payg."]
    assert site.page("people")["notes"] == site.page("retention")["notes"] == said
    assert site.page("growth")["notes"] == []
