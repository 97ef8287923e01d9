"""What pages say besides figures: help, errors, notes, links, refusals; and that names are text."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beancount_compute.cli.close import close as close_of_cli
from beancount_compute.cli.review import review as review_of_cli
from beancount_compute.close.closing import prepare
from beancount_compute.close.loading import load
from beancount_compute.fava_extension.blocks import FavaNumbers
from beancount_compute.reports.charts import plotly_file
from beancount_compute.reports.tables import Measure
from tests.fava_extension.serving import (
    ESTIMATES,
    EXTENSION,
    VIEWS,
    Site,
    exact,
    example,
    journal,
    rows,
    tables,
    totals,
)
from tests.reports.story import STORY

MARKUP = "<img src=x onerror=alert(1)>"


def texts(page: dict[str, Any]) -> str:
    """All that a page says."""
    return json.dumps(page, ensure_ascii=False)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(site: Site, view: str) -> None:
    """With blocks, without notes, in less than 300 KB; Fava's page around it too."""
    page = site.page(view)
    assert page["view"] == view
    assert page["blocks"]
    assert page["notes"] == []
    assert len(texts(page).encode()) < 300_000
    shell = site.get(f"{site.path}?view={view}")
    assert shell.status_code == 200
    assert 'id="compute-books"' in shell.get_data(as_text=True)


@pytest.mark.parametrize("view", VIEWS)
def test_a_ledger_without_the_plugin_says_what_to_add(ledger: Path, view: str) -> None:
    """One line to copy, in every view."""
    ledger.write_text(EXTENSION)
    blocks = Site(ledger).page(view)["blocks"]
    assert 'plugin "beancount_compute"' in [block["text"] for block in blocks]


@pytest.mark.parametrize("view", VIEWS)
def test_a_ledger_without_events_says_what_to_write(ledger: Path, view: str) -> None:
    """An example to copy, in every view."""
    ledger.write_text('plugin "beancount_compute"\n' + EXTENSION)
    blocks = Site(ledger).page(view)["blocks"]
    assert "Nothing was booked yet" in blocks[0]["text"]
    assert any("compute-subscription" in block.get("text", "") for block in blocks)


def test_a_ledger_with_nothing_but_errors_shows_them(ledger: Path) -> None:
    """With a link into Fava's editor, at the line."""
    ledger.write_text(
        f'plugin "beancount_compute"\n{EXTENSION}'
        '2026-01-01 custom "compute-consumption" "nobody" 5 CU\n'
    )
    (errors,) = [
        block for block in Site(ledger).page("overview")["blocks"] if block["kind"] == "table"
    ]
    place, message = errors["rows"][0]
    assert place["text"] == "main.beancount:3"
    assert "/editor/?" in place["href"]
    assert "line=3" in place["href"]
    assert "nobody" in message


def test_errors_are_announced_in_every_view_and_listed_under_close(ledger: Path) -> None:
    """A use beyond the holdings is refused; the other figures stand; Help says how to mend it."""
    ledger.write_text(
        f'{STORY}{EXTENSION}2026-06-21 custom "compute-consumption" "alice" 9999 CU\n'
    )
    site = Site(ledger)
    first = site.page("market")["blocks"][0]
    assert first["text"].startswith("The ledger has 1 error;")
    assert first["go"] == {"view": "close"}
    page = site.page("close")
    assert "The ledger has 1 error: a close stops until it is mended." in texts(page)
    assert {"view": "help", "topic": "errors"} in [block.get("go") for block in page["blocks"]]
    assert "9999" in exact(tables(page)["errors"]["rows"][0][1])


def test_markup_in_names_memos_and_file_names_stays_text(ledger: Path) -> None:
    """What is sent is JSON in which it is a value; the page around it holds none of it."""
    folder = ledger.parent / "<b>events"
    folder.mkdir()
    (folder / "a&<i>.csv").write_text(
        "date,event,subscriber,plan,units,commodity,memo\n"
        f'2026-05-01,subscription,"{MARKUP}",pro,,,\n'
        f'2026-05-02,consumption,"{MARKUP}",,5,CU,"{MARKUP}"\n'
        f'2026-05-03,consumption,"{MARKUP}",,5000000,CU,"{MARKUP}"\n'
    )
    terms, _, _ = STORY.partition("2026-05-01")
    ledger.write_text(f'{terms}{EXTENSION}2026-01-01 custom "compute-events" "<b>events/*.csv"\n')
    site = Site(ledger)
    (row,) = rows(tables(site.page("subscribers"))["subscribers"])
    assert row["subscriber"] == MARKUP
    assert rows(tables(site.page("subscribers", subscriber=MARKUP))["lines"])
    assert "a&<i>.csv:4" in texts(site.page("close"))
    for view in VIEWS:
        shell = site.get(f"{site.path}?view={view}&subscriber={MARKUP}").get_data(as_text=True)
        assert "<img" not in shell.partition('id="ledger-data"')[0]


@pytest.mark.parametrize(
    ("view", "asked", "note"),
    [
        ("subscribers", {"interval": "week"}, "The interval does not apply here"),
        ("vintages", {"interval": "year"}, "The interval does not apply here"),
        ("economics", {"interval": "day"}, "The interval day does not apply here"),
        ("economics", {"account": "Tokens"}, "The account filter does not apply here"),
        ("economics", {"filter": "#compute-mint"}, "The filter of entries does not apply here"),
        ("close", {"plan": "pro"}, "The plan does not apply here"),
        ("close", {"time": "2026-05"}, "The time filter chooses seals and corrections"),
        ("overview", {"conversion": "at_value"}, 'The conversion "At market value" does not apply'),
        ("market", {"conversion": "EUR"}, 'The conversion "EUR" does not apply here'),
    ],
)
def test_a_view_says_what_does_not_apply(
    site: Site, view: str, asked: dict[str, str], note: str
) -> None:
    """Rather than ignore it in silence."""
    (said,) = site.page(view, **asked)["notes"]
    assert said.startswith(note)


def test_the_account_filter_keeps_postings_not_transactions(market_year: Site) -> None:
    """Of a mint only the tokens' side; of all income only that on the account."""
    page = tables(market_year.page("overview", account="Liabilities:DeferredRevenue:Tokens"))
    assert [row["pocket"] for row in rows(page["flow-CU"])] == ["tokens", "total"]
    assert rows(page["income"]) == []
    fees = rows(tables(market_year.page("overview", account="Income:Fees"))["income"])
    assert [row["income"] for row in fees if row["period"] not in ("0.00", "0")] == [
        "fees",
        "total",
    ]


def test_the_filter_of_entries_keeps_transactions(market_year: Site) -> None:
    """Of trades only: nothing is used; and the reversal of one, fees of 3.56, is another kind."""
    page = tables(market_year.page("overview", filter="#compute-trade", time="2026-05"))
    (row,) = [row for row in rows(page["income"]) if row["income"] == "compute"]
    assert row["period"] == "0.00"
    whole = tables(market_year.page("overview", time="2026-05"))
    fees = [
        next(each["period"] for each in rows(found["income"]) if each["income"] == "fees")
        for found in (page, whole)
    ]
    assert Decimal(fees[0]) - Decimal("3.56") == Decimal(fees[1])


def test_units_as_conversion_and_weeks_as_interval(market_year: Site) -> None:
    """The movement of units by week; each opens with what the one before closed with."""
    page = tables(market_year.page("overview", conversion="units", interval="week"))
    weeks = rows(page["deferred-revenue-CU"])
    assert weeks[0]["month"] == "2026-W01"
    assert [row["opening"] for row in weeks[1:]] == [row["closing"] for row in weeks[:-1]]
    assert weeks[-1]["closing"] == "74525"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"view": "nowhere"}, 'no view "nowhere": there are overview,'),
        ({"time": "yesterdayish"}, "Fava can't read the time filter"),
        ({"time": "day+99999999999"}, "Fava can't read the time filter"),
        ({"filter": "any("}, "Failed to parse filter"),
        ({"account": "("}, "Fava can't read the account filter"),
        ({"interval": "fortnight"}, 'no interval "fortnight"'),
        ({"plan": "gold"}, 'the ledger has no plan "gold"'),
        ({"subscriber": "nobody"}, 'the ledger has no subscriber "nobody"'),
        ({"view": "subscribers", "sort": "colour"}, 'no column "colour": sort by subscriber,'),
        ({"page": "-1"}, 'page "-1" is no page'),
        ({"digits": "some"}, 'no digits "some": write all'),
        ({"order": "up"}, 'no order "up": write asc or desc'),
        ({"displaced": "1.5"}, '"1.5" is no share: write a number from 0 to 1'),
        ({"displaced": "NaN"}, '"NaN" is no share'),
    ],
)
def test_a_wrong_address_gives_one_clear_error(
    market_year: Site, asked: dict[str, str], said: str
) -> None:
    """And no traceback."""
    answer = market_year.refusal(asked.pop("view", "overview"), **asked)
    assert answer["error"].startswith(said)


def alerts(answer: dict[str, Any]) -> list[str]:
    """The paragraphs that a screen reader is told at once."""
    return [block["text"] for block in answer["blocks"] if block.get("alert")]


def test_a_refused_share_stays_in_its_field(market_year: Site) -> None:
    """With what is wrong beside it, and the other controls as they were chosen."""
    answer = market_year.refusal("economics", displaced="30%", plan="pro")
    (controls,) = answer["blocks"]
    items = {item["name"]: item for item in controls["items"]}
    assert items["displaced"]["value"] == "30%"
    assert items["displaced"]["error"] == answer["refused"]["displaced"]
    assert items["plan"]["value"] == "pro"
    assert alerts(answer) == []


@pytest.mark.parametrize(
    ("view", "asked"),
    [
        ("overview", {"interval": "fortnight"}),
        ("market", {"time": "yesterdayish"}),
        ("subscribers", {"sort": "colour"}),
        ("economics", {"plan": "gold"}),
        ("overview", {"interval": "fortnight", "plan": "gold", "account": "("}),
    ],
)
def test_a_refused_address_keeps_the_controls(
    market_year: Site, view: str, asked: dict[str, str]
) -> None:
    """And says what is wrong with each parameter."""
    answer = market_year.refusal(view, **asked)
    assert answer["view"] == view
    assert [block["kind"] for block in answer["blocks"]][-1] == "controls"
    assert set(answer["refused"]) == set(asked)
    assert len(alerts(answer)) == len(asked)


def test_an_unknown_subscriber_leads_back_to_all(market_year: Site) -> None:
    """With a link, beside the controls."""
    answer = market_year.refusal("subscribers", subscriber="nobody")
    (link,) = [block for block in answer["blocks"] if block["kind"] == "link"]
    assert link["text"] == "All subscribers"
    assert alerts(answer) == ['the ledger has no subscriber "nobody"']


def test_an_unknown_view_shows_no_other_one(market_year: Site) -> None:
    """Only what there is."""
    answer = market_year.refusal("nowhere")
    assert (answer["view"], len(answer["blocks"])) == ("", 1)


@pytest.mark.parametrize(("typed", "said"), [("(((", "position 2"), ("[a", "position 0")])
def test_a_place_in_the_account_filter_is_counted_in_what_was_typed(
    market_year: Site, typed: str, said: str
) -> None:
    """Not in the expression that Fava makes of it."""
    assert market_year.refusal("overview", account=typed)["error"].endswith(said)


def test_search_sort_and_pages(market_year: Site) -> None:
    """Found by part of a name in any case; the largest first; a page too far is the last."""
    found = rows(tables(market_year.page("subscribers", q="LAB"))["subscribers"])
    assert [row["subscriber"] for row in found] == ["acme-labs", "lab-7"]
    sorted_ = market_year.page("subscribers", sort="units", order="desc", page="9")
    block = tables(sorted_)["subscribers"]
    units = [int(row["units"]) for row in rows(block)]
    assert units == sorted(units, reverse=True)
    assert (block["page"], block["sort"]) == (1, {"key": "units", "order": "desc"})


def test_names_are_whole_and_control_characters_escaped() -> None:
    """What turns the direction of writing or joins an emoji stays; the page isolates names."""
    names = ("a\u202eb", "\u0634\u0631\u06a9\u062a", "\U0001f469\u200d\U0001f4bb", "a\u00a0b")
    numbers = FavaNumbers(lambda number, unit: str(number), str)
    assert [numbers.cell(Measure.TEXT, name, "") for name in names] == list(names)
    assert numbers.cell(Measure.TEXT, "a\x1b[31m\nb\u2028", "") == "a\\x1b[31m\\nb\\u2028"


def test_a_statement_says_whose_it_is(market_year: Site) -> None:
    """For the heading; other views are about nobody."""
    assert market_year.page("subscribers", subscriber="alice")["about"] == "alice"
    assert market_year.page("market", subscriber="alice")["about"] == ""


def test_names_are_found_and_sorted_without_case_and_accents(ledger: Path) -> None:
    """As a person looks for them; accents and case decide only between equals."""
    (ledger.parent / "e.csv").write_text(
        "date,event,subscriber,plan\n"
        + "".join(
            f"2026-05-01,subscription,{name},pro\n"
            for name in ("zo\u00eb", "Bob", "alice", "\u00c9va")
        )
    )
    terms, _, _ = STORY.partition("2026-05-01")
    ledger.write_text(f'{terms}{EXTENSION}2026-01-01 custom "compute-events" "e.csv"\n')
    site = Site(ledger)

    def shown(**asked: str) -> list[str]:
        found = rows(tables(site.page("subscribers", **asked))["subscribers"])
        return [row["subscriber"] for row in found]

    assert shown() == ["alice", "Bob", "\u00c9va", "zo\u00eb"]
    assert shown(sort="subscriber", order="desc") == shown()[::-1]
    assert shown(q="Zoe") == ["zo\u00eb"]
    assert shown(q="E\u0301VA") == ["\u00c9va"]


def test_the_unit_cost_of_a_lot_is_a_number(market_year: Site) -> None:
    """Right-aligned and sorted as one, although it names the lot."""
    block = tables(market_year.page("subscribers", subscriber="alice"))["lots"]
    (column,) = [each for each in block["columns"] if each["key"] == "unit_cost"]
    assert column["figure"]


@pytest.mark.parametrize("interval", ["day", "month"])
def test_one_day_of_trades_has_room_around_it(tmp_path: Path, interval: str) -> None:
    """Days beside it, a bar of a day or less, and a price that starts from nought."""
    ledger = example("quickstart", tmp_path)
    ledger.write_text(ledger.read_text() + EXTENSION)
    page = Site(ledger).page("market", interval=interval)
    charts = [block["figure"] for block in page["blocks"] if block["kind"] == "chart"]
    for figure in charts:
        axis = figure["layout"]["xaxis"]
        if interval == "day":
            assert axis["range"] == ["2026-06-07", "2026-06-13"]
            assert axis["dtick"] == 86_400_000
            widths = {trace.get("width") for trace in figure["data"] if trace["type"] == "bar"}
            assert widths == {0.8 * 86_400_000}
        else:
            assert axis["range"] == [-2.5, 2.5]
        assert figure["layout"]["yaxis"]["rangemode"] == "tozero"


def test_a_year_of_trades_fills_its_picture(market_year: Site) -> None:
    """Without axes of our making."""
    blocks = market_year.page("market")["blocks"]
    for figure in [block["figure"] for block in blocks if block["kind"] == "chart"]:
        assert "range" not in figure["layout"]["xaxis"]
        assert "rangemode" not in figure["layout"]["yaxis"]


def test_lots_and_trades_lead_into_fava(market_year: Site) -> None:
    """A lot to its life in the journal, without the filters of the page; a trade to itself."""
    page = market_year.page("subscribers", subscriber="alice", time="2026-05")
    block = tables(page)["lots"]
    keys = [column["key"] for column in block["columns"]]
    link = block["rows"][0][keys.index("vintage")]
    assert link["href"].startswith(f"{market_year.base}journal/?filter=%5Elot-Alice-")
    assert "time=" not in link["href"]
    trades = tables(market_year.page("market"))["largest"]
    link = trades["rows"][0][1]["href"]
    (entry,) = journal(market_year, link)
    assert entry.meta["event"] == exact(trades["rows"][0][1])
    assert "Trade with" in entry.narration
    seller, buyer = trades["rows"][0][2:4]
    assert seller["go"] == {"view": "subscribers", "subscriber": entry.payee, "page": ""}
    assert buyer["go"]["subscriber"] == entry.meta["counterparty"]


def test_every_view_of_a_company_that_sells_more_than_units_stands(tmp_path: Path) -> None:
    """Access, what is unbilled, disputes and what is lost have their places on the pages."""
    site = Site(example("ai-company", tmp_path))
    pages = {view: site.whole(view, *ESTIMATES) for view in VIEWS}
    people = tables(pages["subscribers"])["subscribers"]
    assert {row["plan"] for row in rows(people)} >= {"commit", "payg", "pro", "seat"}
    (total,) = totals(people)
    owed = rows(tables(pages["owed"])["unbilled"])
    assert Decimal(total["unbilled"]) == sum(Decimal(row["total"]) for row in owed)
    assert [row["month"] for row in rows(tables(pages["overview"])["lost"])] == [
        "2026-03",
        "2026-05",
    ]
    march = site.page("overview", time="2026-03")
    income = {row["income"]: row["period"] for row in rows(tables(march)["income"])}
    assert (income["refunds"], income["disputes"]) == ("-14.80", "-18.00")
    both = [
        item["value"]
        for block in march["blocks"]
        if block["kind"] == "figures"
        for item in block["items"]
        if item["label"] == "Deferred revenue of access and units"
    ]
    assert both == ["558.75"]  # 274.83 of access, 283.92 of units
    mallory = tables(site.page("subscribers", subscriber="mallory"))
    (lost,) = totals(mallory["lost"])  # 1,500 CU that grace keeps, less what they fetched
    assert (lost["losses"], lost["recoveries"], lost["total"]) == ("90.00", "-78.08", "11.92")
    acme = tables(site.page("subscribers", subscriber="acme"))
    told = [column["key"] for column in acme["bills"]["columns"]]
    assert told == ["date", "entry", "what", "amount", "owes", "unbilled"]
    assert [column["key"] for column in acme["revenue"]["columns"]] == [
        *("month", "breakage", "overage", "total"),
    ]


def test_the_close_view_shows_seals_and_the_next_command(closed_quarter: Site) -> None:
    """Three months with their seals as the index has them, and the command for the fourth."""
    page = closed_quarter.page("close")
    seals = rows(tables(page)["seals"])
    index = (closed_quarter.ledger.parent / "closed" / "index.beancount").read_text()
    assert [row["month"] for row in seals] == ["2026-04", "2026-05", "2026-06"]
    assert all(f'"{row["month"]}" "{row["seal"]}"' in index for row in seals)
    (command,) = [block for block in page["blocks"] if block["kind"] == "copy"]
    assert command["text"] == f"bean-compute close 2026-07 {closed_quarter.ledger}"
    assert len(rows(tables(page)["late"])) == 2


def test_the_tie_outs_are_those_of_the_close(site: Site) -> None:
    """Name, both figures and difference of each, as `bean-compute close` works them out."""
    month = "2026-07" if "closed" in str(site.ledger) else "2026-01"
    compare_with_the_close(site, month)


def test_a_plugin_behind_ours_changes_no_count_of_the_close(ledger: Path) -> None:
    """It adds legs to what people wrote; the page books what ours was given, as the close does."""
    ledger.write_text(
        f'{STORY}plugin "beancount.plugins.implicit_prices"\n'
        'plugin "beancount.plugins.currency_accounts" "Equity:Currency"\n'
        f"{EXTENSION}2026-05-02 open Assets:Bank\n"
        '2026-05-25 * "euros"\n  Assets:Bank  100 EUR @ 1.10 USD\n  Assets:Bank  -110 USD\n'
    )
    compare_with_the_close(Site(ledger), "2026-05")


def test_the_close_view_counts_events_as_the_command_does(closed_quarter: Site) -> None:
    """Of July three, of which one is late: in the words that a dry run prints."""
    page = closed_quarter.page("close", endpoint="ties")
    words = ["2026-07", str(closed_quarter.ledger), "--dry-run"]
    printed = CliRunner().invoke(close_of_cli, words).stdout.splitlines()[0]
    assert printed == "2026-07: 3 events, 1 of them late"
    assert tables(page)["tie-outs"]["title"].endswith(f" hold, {printed.partition(': ')[2]}")


def compare_with_the_close(site: Site, month: str) -> None:
    """The tie-outs that a page shows with those that a close works out."""
    shown = rows(tables(site.page("close", endpoint="ties"))["tie-outs"])
    ties = prepare(month, load(site.ledger)).ties
    assert [(row["name"], row["left"], row["holds"]) for row in shown] == [
        (tie.name, f"{tie.left:f}", "\u2713" if tie.holds else "\u2717") for tie in ties
    ]
    assert [row["difference"] for row in shown] == [
        "" if tie.right is None else f"{tie.difference:f}" for tie in ties
    ]


def test_a_broken_month_shows_its_difference(ledger: Path) -> None:
    """A hand-written posting on a pocket that names no open lot: a cross, and the line."""
    ledger.write_text(
        f'{STORY}{EXTENSION}2026-05-02 open Equity:Other\n2026-05-25 * "odd"\n'
        "  Liabilities:DeferredRevenue:Tokens:Alice  5 CU {0.99 USD, 2026-01-01}\n"
        "  Equity:Other\n"
    )
    page = Site(ledger).page("close", endpoint="ties")
    marks = [row["holds"] for row in rows(tables(page)["tie-outs"])]
    assert "\u2717" in marks
    assert tables(page)["differences"]["rows"]


def test_the_close_view_shows_findings_with_their_answers(closed_quarter: Site) -> None:
    """July's two are answered; places lead into the editor, and nothing is left to copy."""
    page = closed_quarter.page("close", endpoint="ties")
    table = tables(page)["findings"]
    assert table["title"] == "Findings of 2026-07: 2 of 2 answered"
    late, quiet = sorted(rows(table), key=lambda row: row["kind"])
    assert (late["kind"], late["place"]) == ("late", "events/2026-07.csv:2")
    assert (late["holds"], late["answer"][:13]) == ("\u2713", "alice's meter")
    assert quiet["text"].startswith("no trade in 2026-07")
    assert not [block for block in page["blocks"] if block["kind"] == "copy"]


def test_the_close_view_gives_the_lines_that_answer(ledger: Path) -> None:
    """Ten of them, as `review` prints them; without findings it says so."""
    ledger.write_text(STORY + EXTENSION)
    page = Site(ledger).page("close", endpoint="ties")
    said = [block.get("text", "") for block in page["blocks"]]
    assert "The review finds nothing in 2026-05." in said
    names = "".join(
        f'2026-05-01 custom "compute-grant" "{name}{case}" 1 CU\n'
        for name in "abcdefghijkl"
        for case in ("x", "X")
    )
    ledger.write_text(STORY + EXTENSION + names)
    site = Site(ledger)
    page = site.page("close", endpoint="ties")
    assert tables(page)["findings"]["title"] == "Findings of 2026-05: 0 of 12 answered"
    printed = CliRunner().invoke(review_of_cli, [str(ledger), "--month", "2026-05"]).stdout
    lines = [block["text"] for block in page["blocks"] if block["kind"] == "copy"]
    assert len(lines) == 10
    assert all(f"  {line}\n" in printed for line in lines)
    said = [block.get("text", "") for block in page["blocks"]]
    assert "And 2 more: bean-compute review." in said


def test_pictures_come_from_the_installed_plotly(
    market_year: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its JavaScript is served, to be compiled at once and kept; or how to get it is said."""
    address = market_year.get(f"{market_year.path}library").get_json()["plotly"]
    answer = market_year.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.cache_control.immutable
    assert answer.cache_control.max_age > 0
    hint, _, script = answer.get_data().partition(b"\n")
    assert hint == b"//# allFunctionsCalledOnLoad"
    installed = plotly_file.path()
    assert installed is not None
    assert script == installed.read_bytes()
    answer.close()
    monkeypatch.setattr(plotly_file, "path", lambda: None)
    assert market_year.get(address).status_code == 404
    assert market_year.get(f"{market_year.path}library").get_json() == {"plotly": ""}
    shell = market_year.get(market_year.path).get_data(as_text=True)
    assert "preload" not in shell
    assert 'data-plotly=""' in shell
    assert "beancount_compute[charts]" in shell


def test_a_page_opened_directly_asks_for_plotly_in_its_html(market_year: Site) -> None:
    """Before any script runs; an article that Fava puts into another page does not."""
    address = market_year.get(f"{market_year.path}library").get_json()["plotly"]
    link = f'<link rel="preload" as="script" href="{address}">'
    assert link in market_year.get(market_year.path).get_data(as_text=True)
    article = market_year.get(f"{market_year.path}?partial=true").get_data(as_text=True)
    assert "preload" not in article
    assert f'data-plotly="{address}"' in article


def test_an_edited_event_file_changes_the_figures(tmp_path: Path) -> None:
    """Fava loads anew, and so do the pages."""
    (tmp_path / "e.csv").write_text("date,event,subscriber,plan\n2026-05-01,subscription,ann,pro\n")
    terms, _, _ = STORY.partition("2026-05-01")
    ledger = tmp_path / "main.beancount"
    ledger.write_text(f'{terms}{EXTENSION}2026-01-01 custom "compute-events" "e.csv"\n')
    site = Site(ledger)
    assert rows(tables(site.page("subscribers"))["subscribers"])[0]["units"] == "1000"
    (tmp_path / "e.csv").write_text(
        "date,event,subscriber,plan,units,commodity\n2026-05-01,subscription,ann,pro,,\n"
        "2026-05-02,consumption,ann,,300,CU\n"
    )
    site.app.config["LEDGERS"].ledgers[0].load_file()
    assert rows(tables(site.page("subscribers"))["subscribers"])[0]["units"] == "700"


@pytest.mark.parametrize("view", VIEWS)
def test_all_digits_are_shown_on_demand(market_year: Site, view: str) -> None:
    """By a choice in every view; a rate stands in per cent all the same."""
    page = market_year.page(view, digits="all")
    (digits,) = [
        item
        for block in page["blocks"]
        if block["kind"] == "controls"
        for item in block["items"]
        if item["name"] == "digits"
    ]
    assert digits["value"] == "all"
    cells = [cell for table in tables(page).values() for row in table["rows"] for cell in row]
    for block in page["blocks"]:
        cells += [item["value"] for item in block.get("items", []) if block["kind"] == "figures"]
    grouped = [cell for cell in cells if isinstance(cell, list) and not cell[0].endswith("%")]
    assert [text for text, exact_ in grouped if text.replace(",", "") != exact_] == []


def test_a_rounded_figure_is_whole_with_all_digits(market_year: Site) -> None:
    """The lot at 0.0667, say, which Fava shows as 0.07."""
    rounded, whole = (
        tables(market_year.page("overview", **asked))["held"]["rows"]
        for asked in ({}, {"digits": "all"})
    )
    assert [[exact(cell) for cell in row] for row in rounded] == [
        [exact(cell) for cell in row] for row in whole
    ]
    assert ["14,404.45", "14404.449"] in rounded[-1]
    assert ["14,404.449", "14404.449"] in whole[-1]


def test_without_javascript_the_page_says_where_the_figures_are(market_year: Site) -> None:
    """The command that needs none."""
    shell = market_year.get(market_year.path).get_data(as_text=True)
    noscript = shell.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "bean-compute report" in noscript


def test_numbers_follow_favas_locale(ledger: Path) -> None:
    """Separators and digits of the locale that the ledger names; all digits stay there."""
    ledger.write_text(f'{STORY}{EXTENSION}2026-01-01 custom "fava-option" "locale" "de"\n')
    block, _ = [
        each for each in Site(ledger).page("overview")["blocks"] if each["kind"] == "figures"
    ]
    units, carrying, market = [item["value"] for item in block["items"]]
    assert units == ["1.400", "1400"]
    assert carrying == ["280,00", "280.00"]
    assert market == ["100,00", "100.00"]


def test_every_number_has_separators_of_thousands(market_year: Site) -> None:
    """Where the ledger names no locale too: in tables, totals, headlines and sentences."""
    digits = re.compile(r"(?<![\w.,:/-])[0-9]{4,}(?![\w-])")
    for view in VIEWS:
        page = market_year.whole(view, *ESTIMATES)
        shown = [block["caption"] for block in page["blocks"] if block["kind"] == "chart"]
        shown += [block["text"] for block in page["blocks"] if block["kind"] == "words"]
        for table in tables(page).values():
            figure = [column.get("figure", False) for column in table["columns"]]
            for row in [*table["rows"], *table["footer"]]:
                cells = [cell for cell, is_one in zip(row, figure, strict=True) if is_one]
                shown += [cell[0] if isinstance(cell, list) else cell for cell in cells]
        for block in page["blocks"]:
            if block["kind"] == "figures":
                shown += [exact_of_text(item["value"]) for item in block["items"]]
        assert shown
        years = {"2026"}
        assert [text for text in shown if set(digits.findall(text)) - years] == []


def exact_of_text(value: Any) -> str:
    """A figure as it is shown."""
    return str(value[0] if isinstance(value, list) else value)


def test_money_has_the_digits_of_its_currency(ledger: Path) -> None:
    """Yen have none, dinars three, whatever the ledger is mostly written with."""
    plan = '2026-01-01 custom "compute-plan" "{0}" {1} {0} 3 CU\n  unused: "mint"\n'
    subscribe = '2026-05-01 custom "compute-subscription" "{0}" "{0}"\n'
    ledger.write_text(
        f'plugin "beancount_compute"\n{EXTENSION}'
        + plan.format("JPY", "1000")
        + plan.format("KWD", "1000.5")
        + subscribe.format("JPY")
        + subscribe.format("KWD")
    )
    blocks = Site(ledger).page("overview")["blocks"]
    tiles = [block["items"][1]["value"] for block in blocks if block["kind"] == "figures"][:2]
    assert [exact_of_text(each) for each in tiles] == ["1,000", "1,000.500"]


def test_a_statement_has_bills_and_payments_and_what_is_owed_then(ledger: Path) -> None:
    """A period of 100.00 and a payment of 60.00: 40.00 are owed; the newest line comes first."""
    ledger.write_text(
        f"{STORY.partition('2026-01-01')[0]}{EXTENSION}"
        '2026-01-01 custom "compute-plan" "pro" 100.00 USD 100 CU\n'
        '2026-05-01 custom "compute-subscription" "zed" "pro"\n'
        '2026-05-02 custom "compute-option" "as-of" 2026-05-20\n'
        "2026-01-01 open Assets:Bank\n"
        '2026-05-10 * "zed" "Payment"\n'
        "  Assets:Bank  60.00 USD\n  Assets:Receivable:Zed\n"
    )
    shown = tables(Site(ledger).page("subscribers", subscriber="zed"))
    paid, billed = rows(shown["bills"])
    assert (paid["date"], paid["entry"], paid["amount"]) == ("2026-05-10", "payment", "-60.00")
    assert (billed["date"], billed["entry"], billed["owes"]) == ("2026-05-01", "period", "100.00")
    assert (paid["owes"], billed["units"]) == ("40.00", "100")
    owes = {row["what"]: row["closing"] for row in rows(shown["money"])}
    assert owes == {"carrying amount": "100.00", "owes (receivable)": "40.00"}
