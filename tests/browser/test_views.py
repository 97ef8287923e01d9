"""The pages in a real browser: they open, are drawn, and can be used without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shown, ledger_of, served
from tests.fava_extension.serving import EXTENSION, VIEWS, Site, exact, tables
from tests.reports.story import STORY

TITLES = {
    "overview": "Overview",
    "subscribers": "Subscribers",
    "market": "Market",
    "vintages": "Vintages",
    "economics": "Breakage or market",
    "close": "Close",
}
MARKUP = "<img src=x onerror=alert(1)>"
TERMS = STORY.partition("2026-05-01")[0] + EXTENSION


def shown_figures(page: Page) -> list[str]:
    """All figures of a page, with all their digits, in order."""
    found: list[str] = page.eval_on_selector_all(
        "#compute-view td[data-value], #compute-view th[data-value]",
        "cells => cells.map(cell => cell.dataset.value)",
    )
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_every_figure_of_its_data(shown: Shown, view: str) -> None:
    """In the order of the tables, to the last digit, and without a complaint."""
    page = shown.open(view)
    if view == "close":
        expect(page.get_by_role("heading", name="Tie-outs of")).to_be_visible()
    data = shown.site.page(view)
    wanted = [
        exact(cell)
        for block in data["blocks"]
        for table in [block.get("table", block)]
        if table["kind"] == "table"
        for row in table["rows"]
        for cell, column in zip(row, table["columns"], strict=True)
        if column.get("figure") and exact(cell) != ""
    ]
    figures = shown_figures(page)
    ties = tables(shown.site.page("close", endpoint="ties")) if view == "close" else {}
    more = [
        exact(cell)
        for table in ties.values()
        for row in table["rows"]
        for cell, column in zip(row, table["columns"], strict=True)
        if column.get("figure") and exact(cell) != ""
    ]
    assert figures == more + wanted
    charts = [block for block in data["blocks"] if block["kind"] == "chart"]
    assert page.locator(".picture .main-svg").first.is_visible() if charts else True
    assert page.locator("figure .picture:has(svg)").count() == len(charts)
    assert shown.complaints == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_is_made_for_screen_readers(year: Shown, view: str) -> None:
    """Headings, the current tab, table headers, labels, text in place of pictures."""
    page = year.open(view)
    navigation = page.get_by_role("navigation", name="Compute books")
    expect(navigation).to_match_aria_snapshot(
        "- navigation:\n"
        + "\n".join(f"  - link {title!r}".replace("'", '"') for title in TITLES.values())
    )
    expect(navigation.locator("[aria-current=page]")).to_have_text(TITLES[view])
    expect(page.get_by_role("heading", level=2, name=TITLES[view])).to_be_visible()
    for picture in page.locator("#compute-view .picture").all():
        assert picture.get_attribute("role") == "img"
        assert "The figures are in the table below." in (picture.get_attribute("aria-label") or "")
    for table in page.locator("#compute-view table").all():
        assert table.locator("caption").count() == 1
        assert table.locator("thead th:not([scope=col])").count() == 0
        assert table.locator("tbody tr").count() == table.locator("tbody th[scope=row]").count()
    for control in page.locator("#compute-view input, #compute-view select").all():
        assert page.locator(f"label[for={control.get_attribute('id')}]").count() == 1


def test_the_tree_that_a_screen_reader_gets_of_the_overview(year: Shown) -> None:
    """Its landmarks, headings and first figures."""
    page = year.open("overview", "&time=2026-05")
    expect(page.locator("#compute-books")).to_match_aria_snapshot(
        """
        - navigation "Compute books"
        - heading "Overview" [level=2]
        - status: Overview loaded
        - text: Interval
        - combobox "Interval"
        - text: Conversion
        - combobox "Conversion"
        - text: Plan
        - combobox "Plan"
        - heading "Held on 2026-05-31" [level=3]
        - term: Units outstanding
        - definition: /\\d+ CU/
        """
    )


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_the_window(year: Shown, view: str, width: int) -> None:
    """Wide tables scroll by themselves."""
    year.page.set_viewport_size({"width": width, "height": 800})
    page = year.open(view)
    wide = page.evaluate("document.querySelector('article').scrollWidth")
    assert wide <= page.evaluate("document.querySelector('article').clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_tabs_keep_their_address_and_the_filters(year: Shown) -> None:
    """A click, a reload, and the browser's way back; Fava's time filter stays."""
    page = year.open("overview", "&time=2026-05")
    page.get_by_role("link", name="Vintages", exact=True).click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Vintages")
    assert "view=vintages" in page.url
    assert "time=2026-05" in page.url
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_have_text("Vintages")
    year.drawn()
    page.go_back()
    expect(page.get_by_role("heading", level=2)).to_have_text("Overview")
    expect(page.get_by_role("heading", name="Held on 2026-05-31")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", level=2)).to_have_text("Vintages")
    assert year.complaints == []


def test_favas_own_filter_acts_on_the_view(year: Shown) -> None:
    """Typed into Fava's header, it changes the figures and keeps the tab."""
    page = year.open("subscribers")
    page.get_by_placeholder("Time").fill("2026-03")
    page.get_by_placeholder("Time").press("Enter")
    expect(page.get_by_role("heading", name="Subscribers on 2026-03-31")).to_be_visible()
    assert "view=subscribers" in page.url
    assert year.complaints == []


def test_search_sort_and_statement(year: Shown) -> None:
    """Typing searches and keeps the focus; a header sorts; a name opens the statement."""
    page = year.open("subscribers")
    page.get_by_role("searchbox", name="Search subscribers").press_sequentially("LAB")
    expect(page.locator("#compute-view tbody").first.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("searchbox", name="Search subscribers")).to_be_focused()
    assert "q=LAB" in page.url
    page.get_by_role("searchbox").fill("")
    expect(page.locator("#compute-view tbody").first.get_by_role("row")).to_have_count(40)
    page.get_by_role("link", name="open units").click()
    header = page.get_by_role("columnheader", name="open units")
    expect(header.first).to_have_attribute("aria-sort", "descending")
    units = page.eval_on_selector_all(
        "#compute-view table:first-of-type tr td:nth-child(2)",
        "cells => cells.map(cell => Number(cell.dataset.value))",
    )[:40]
    assert units == sorted(units, reverse=True)
    page.get_by_role("link", name="alice", exact=True).click()
    expect(page.get_by_role("heading", name="Statement of alice")).to_be_visible()
    page.go_back()
    expect(header.first).to_have_attribute("aria-sort", "descending")
    assert year.complaints == []


def test_a_lot_leads_to_its_life_in_favas_journal(year: Shown) -> None:
    """From the statement into the journal, which shows that lot's transactions."""
    page = year.open("subscribers", "&subscriber=alice")
    page.locator("#compute-view td a[href*='journal']").first.click()
    expect(page.locator(".journal li.transaction").first).to_be_visible()
    assert "/journal/" in page.url
    assert year.complaints == []


def test_a_trade_leads_to_its_transaction(year: Shown) -> None:
    """In Fava's journal: what was booked, not the row that it came from."""
    page = year.open("market")
    page.locator("a[href*='journal/?filter=event']").first.click()
    found = page.locator("ol.journal li.transaction")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("Trade with")
    assert year.complaints == []


def test_the_keyboard_reaches_everything(year: Shown) -> None:
    """Tabs, choices, headers, tables that scroll and the tables of pictures take the focus."""
    page = year.open("market")
    page.get_by_role("link", name="Market", exact=True).focus()
    reached: set[str] = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "SELECT", "SUMMARY"} <= reached
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details[open] table").first).to_be_visible()


def test_a_choice_changes_the_address_and_the_figures(year: Shown) -> None:
    """The interval of the market, from days to months."""
    page = year.open("market")
    page.get_by_label("Interval").select_option("month")
    expect(page.get_by_role("heading", name="Market by month")).to_be_visible()
    assert "interval=month" in page.url


def test_the_command_to_close_is_ready_to_copy(
    browser: Browser, addresses: dict[str, tuple[Site, str]]
) -> None:
    """A click puts it into the clipboard."""
    site, address = addresses["closed-quarter"]
    shown = Shown(browser, site, address, permissions=["clipboard-read", "clipboard-write"])
    page = shown.open("close")
    page.get_by_role("button", name="Copy: Close 2026-07").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"bean-compute close 2026-07 {site.ledger}"
    shown.close()


def test_dark_and_light_follow_fava(
    browser: Browser, addresses: dict[str, tuple[Site, str]]
) -> None:
    """Text of pictures has the colour of Fava's text in both."""
    colours = []
    for scheme in ("light", "dark"):
        shown = Shown(browser, *addresses["market-year"], color_scheme=scheme)
        page = shown.open("market")
        text = "getComputedStyle(document.querySelector('%s')).%s"
        colours.append(page.evaluate(text % (".picture .xtick text", "fill")))
        assert colours[-1] == page.evaluate(text % ("body", "color"))
        shown.close()
    assert colours[0] != colours[1]


def test_markup_in_names_is_inert(browser: Browser, tmp_path: Path) -> None:
    """It is shown as it is written, in every view, and nothing of it runs."""
    events = (
        "date,event,subscriber,counterparty,plan,units,commodity,price,currency,memo\n"
        f'2026-05-01,subscription,"{MARKUP}",,pro,,,,,\n'
        "2026-05-01,subscription,bob,,pro,,,,,\n"
        f'2026-06-02,trade,"{MARKUP}",bob,,5,CU,0.25,USD,"<script>alert(2)</script>"\n'
        f'2026-06-03,consumption,"{MARKUP}",,,5000000,CU,,,"{MARKUP}"\n'
    )
    text = f'{TERMS}2026-01-01 custom "compute-events" "*.csv"\n'
    site = Site(ledger_of(tmp_path, text, **{"<i>e&": events}))
    with served(site) as address:
        shown = Shown(browser, site, address)
        for view in VIEWS:
            page = shown.open(view)
            assert page.locator("#compute-view img, #compute-view script").count() == 0
        page = shown.open("subscribers")
        page.get_by_role("link", name=MARKUP).click()
        expect(page.get_by_role("heading", name=f"Statement of {MARKUP}")).to_be_visible()
        assert page.locator("#compute-view img").count() == 0
        assert shown.complaints == []
        shown.close()


def test_an_edited_event_file_changes_the_page(browser: Browser, tmp_path: Path) -> None:
    """While Fava runs; the next look shows the new figure."""
    head = "date,event,subscriber,plan,units,commodity\n2026-05-01,subscription,ann,pro,,\n"
    text = f'{TERMS}2026-01-01 custom "compute-events" "e.csv"\n'
    site = Site(ledger_of(tmp_path, text, e=head))
    with served(site) as address:
        shown = Shown(browser, site, address)
        page = shown.open("subscribers")
        units = page.locator("#compute-view td[data-value]").first
        expect(units).to_have_attribute("data-value", "1000")
        (tmp_path / "e.csv").write_text(f"{head}2026-05-02,consumption,ann,,300,CU\n")

        def reloaded() -> bool:
            shown.open("subscribers")
            return units.get_attribute("data-value") == "700"

        eventually(reloaded)
        assert shown.complaints == []
        shown.close()


def eventually(holds: Callable[[], bool], tries: int = 60) -> None:
    """Something that another process, Fava's watcher, brings about; each try takes its time."""
    assert any(holds() for _ in range(tries))


@pytest.mark.parametrize("ledger", ["", 'plugin "beancount_compute"\n'])
def test_a_ledger_with_nothing_to_show_helps(browser: Browser, tmp_path: Path, ledger: str) -> None:
    """Without the plugin, and without events: what to write, ready to copy."""
    site = Site(ledger_of(tmp_path, ledger + EXTENSION))
    with served(site) as address:
        shown = Shown(browser, site, address)
        for view in VIEWS:
            expect(shown.open(view).get_by_role("button", name="Copy")).to_be_visible()
        assert shown.complaints == []
        shown.close()
