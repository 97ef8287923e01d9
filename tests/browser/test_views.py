"""The pages in a real browser: they open, are drawn, and can be used without a mouse."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PATIENCE, Shown, ledger_of, served
from tests.fava_extension.serving import ESTIMATES, EXTENSION, VIEWS, Site, exact, example
from tests.reports.story import STORY

TITLES = {
    "overview": "Overview",
    "subscribers": "Subscribers",
    "people": "Subscribers over time",
    "retention": "Retention",
    "owed": "What is owed",
    "market": "Market",
    "growth": "Growth",
    "vintages": "Vintages",
    "economics": "Breakage or market",
    "bills": "Two bills",
    "whatif": "What if",
    "close": "Close",
    "help": "Help",
}
MARKUP = "<img src=x onerror=alert(1)>"
TERMS = STORY.partition("2026-05-01")[0] + EXTENSION
PEOPLE = ["people", "retention", "growth"]  # looked at together below
OTHERS = [each for each in VIEWS if each not in PEOPLE]


def whole(page: Page) -> Page:
    """Wait until nothing more is worked out for a view."""
    expect(page.locator("#compute-view [aria-busy]")).to_have_count(0, timeout=PATIENCE)
    return page


def shown_figures(page: Page) -> list[str]:
    """All figures of a page, with all their digits, in order."""
    found: list[str] = page.eval_on_selector_all(
        "#compute-view td[data-value], #compute-view th[data-value]",
        "cells => cells.map(cell => cell.dataset.value)",
    )
    return found


@pytest.mark.parametrize("view", OTHERS)
def test_a_view_shows_every_figure_of_its_data(shown: Shown, view: str) -> None:
    """In the order of the tables, to the last digit, and without a complaint."""
    shows_every_figure(shown, view)


@pytest.mark.parametrize("view", PEOPLE)
def test_a_view_on_people_is_whole(year: Shown, view: str) -> None:
    """Its figures on a phone, what screen readers are told, and that nothing is too wide."""
    year.page.set_viewport_size({"width": 390, "height": 800})
    shows_every_figure(year, view)
    made_for_screen_readers(year.page, view)
    expect(year.page.get_by_role("status")).to_have_text("All is worked out.")
    assert year.page.evaluate("document.documentElement.scrollWidth") <= 390


def shows_every_figure(shown: Shown, view: str) -> None:
    page = shown.open(view)
    assert page.title().startswith(f"{TITLES[view]} - Compute books - ")
    whole(page)
    data = shown.site.whole(view, "ties", "scenarios", *ESTIMATES)["blocks"]
    wanted = [
        exact(cell)
        for block in data
        for table in [block.get("table", block)]
        if table["kind"] == "table"
        for row in table["rows"]
        for cell, column in zip(row, table["columns"], strict=True)
        if column.get("figure") and exact(cell) != ""
    ]
    assert shown_figures(page) == wanted
    charts = [block for block in data if block["kind"] == "chart"]
    drawn = page.locator("figure .picture:has(svg)")
    expect(drawn).to_have_count(len(charts), timeout=PATIENCE)  # some come with what is asked later
    if charts:
        expect(page.locator(".picture .main-svg").first).to_be_visible()
    assert shown.complaints == []


def test_a_changed_subscription_is_a_story_to_read(company: Shown) -> None:
    """Oscar's statement on a phone: no line ends within a day, no page is wider than the phone."""
    company.page.set_viewport_size({"width": 390, "height": 800})
    page = whole(company.open("subscribers", "&subscriber=oscar"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    lines = page.get_by_role("table", name="Lines, in USD")
    expect(lines.get_by_text("returned by change")).to_have_count(1)
    parts = page.eval_on_selector_all(
        "#compute-view td span.whole", "days => days.map(day => day.getClientRects().length)"
    )
    assert set(parts) == {1}
    what = lines.get_by_text("Allocation pro 2026-06-01/2026-06-30")  # whole, to find and to copy
    expect(what).to_have_count(2)
    assert company.complaints == []


def test_figures_do_not_wait_for_the_script_of_the_pictures(fresh_year: Shown) -> None:
    """All tables stand in the page before the script is there; pictures come when it is."""
    held: list[Route] = []
    fresh_year.page.route("**/plotly.js*", lambda route: held.append(route))
    fresh_year.page.route(
        "**/forecast*", lambda route: None
    )  # it is worked out later, and not looked at
    address = f"{fresh_year.address}{fresh_year.site.path}?view=economics"
    fresh_year.page.goto(
        address, wait_until="commit"
    )  # the script is held, and the page's load with it
    expect(fresh_year.page.get_by_role("status")).to_have_text("Breakage or market loaded")
    data = fresh_year.site.page("economics")
    charts = [block["kind"] for block in data["blocks"]].count("chart")
    shown = [block for block in data["blocks"] if block["kind"] in ("chart", "table")]
    assert fresh_year.page.locator("#compute-view table").count() == len(shown)
    assert fresh_year.page.locator(".picture:has(svg)").count() == 0
    assert fresh_year.page.locator("#compute-books").get_attribute("data-state") == "asked"
    for route in held:
        route.continue_()
    assert fresh_year.drawn().locator(".picture:has(svg)").count() == charts > 0
    assert fresh_year.complaints == []


@pytest.mark.parametrize("view", OTHERS)
def test_the_page_is_made_for_screen_readers(year: Shown, view: str) -> None:
    """Headings, the current tab, table headers, labels, text in place of pictures."""
    made_for_screen_readers(year.open(view), view)


@pytest.mark.parametrize("view", ["bills", "whatif"])
def test_pages_of_bills_are_made_for_screen_readers(bills: Shown, view: str) -> None:
    """As the others are; and who waits is told when the scenarios are booked."""
    made_for_screen_readers(whole(bills.open(view)), view)
    if view == "whatif":
        expect(bills.page.get_by_role("status")).to_have_text("The scenarios are booked.")


def made_for_screen_readers(page: Page, view: str) -> None:
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
        - text: Digits
        - combobox "Digits"
        - heading "Held on 2026-05-31" [level=3]
        - term: Units outstanding
        - definition: /[\\d,]+ CU/
        """
    )


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("view", OTHERS)
def test_nothing_is_wider_than_the_window(year: Shown, view: str, width: int) -> None:
    """Wide tables scroll by themselves."""
    year.page.set_viewport_size({"width": width, "height": 800})
    page = year.open(view)
    wide = page.evaluate("document.querySelector('article').scrollWidth")
    assert wide <= page.evaluate("document.querySelector('article').clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("view", [each for each in OTHERS if each != "vintages"])
def test_no_table_of_a_year_scrolls_on_a_desk(year: Shown, view: str) -> None:
    """At 1280 pixels all columns are seen, of pictures too; vintages have one for each month."""
    year.page.set_viewport_size({"width": 1280, "height": 800})
    page = year.open(view)
    whole(page)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    wide = page.evaluate(
        "[...document.querySelectorAll('#compute-view .scroll')]"
        ".filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"
    )
    assert wide == []


@pytest.mark.parametrize("view", ["bills", "whatif"])
def test_pages_of_bills_fit_the_window(bills: Shown, view: str) -> None:
    """On a phone nothing is wider; on a desk no table scrolls, of three scenarios either."""
    bills.page.set_viewport_size({"width": 390, "height": 800})
    page = whole(bills.open(view))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    wide = page.evaluate(
        "[...document.querySelectorAll('#compute-view .scroll')]"
        ".filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"
    )
    assert wide == []
    assert bills.complaints == []


def test_vintages_begin_with_the_heat_map(year: Shown) -> None:
    """In the first window at 1280 by 800, whole; its table scrolls in a box of its own."""
    year.page.set_viewport_size({"width": 1280, "height": 800})
    page = year.open("vintages")
    first = page.locator("#compute-view figure").first
    assert first.get_attribute("data-chart") == "recognised"
    box = first.locator(".picture").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1280
    assert box["y"] + box["height"] <= 800
    first.locator("summary").click()
    assert first.locator(".scroll").evaluate("each => each.scrollWidth > each.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_what_is_still_held_stands_on_what_the_market_earned(year: Shown) -> None:
    """Two bars a month: the second has two parts, one upon the other, beside the first."""
    page = year.open("economics")
    bars = page.evaluate(
        "[...document.querySelectorAll("
        "'[data-chart^=breakage-or-market] .barlayer .trace.bars')].map("
        "trace => { const { left, top, bottom } = trace.querySelector('.point path')"
        ".getBoundingClientRect(); return [left, top, bottom]; })"
    )
    lapsed, market, held = bars
    assert market[0] == pytest.approx(held[0], abs=1)
    assert lapsed[0] < market[0]
    assert held[2] == pytest.approx(market[1], abs=1)
    assert lapsed[2] == pytest.approx(market[2], abs=1)


CONTRASTS = """() => {
  const parsed = (text) => {
    const [r, g, b, a = 1] = text.match(/[0-9.e-]+/g).map(Number);
    return text.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parsed(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
  };
  const light = (colour) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  for (const element of document.querySelectorAll("#compute-books :not(.picture *)")) {
    const written = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!written || !element.checkVisibility()) continue;
    const ground = behind(element);
    const pair = [light(over(parsed(getComputedStyle(element).color), ground)), light(ground)];
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < 4.5) found[`${element.tagName} ${element.textContent}`] = contrast;
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_written_can_be_read(
    browser: Browser, addresses: dict[str, tuple[Site, str]], scheme: str
) -> None:
    """A contrast of 4.5 to 1 at least, of heat colours, headers and ticks too."""
    shown = Shown(browser, *addresses["closed-quarter"], color_scheme=scheme)
    for view in VIEWS:
        page = shown.open(view, "&interval=week")
        if view == "close":
            expect(page.get_by_role("heading", name="Tie-outs of")).to_be_visible()
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert page.evaluate(CONTRASTS) == {}
    page = shown.open("economics", "&displaced=2")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate(CONTRASTS) == {}
    shown.close()


def test_a_long_name_leaves_room_for_the_figures(browser: Browser, tmp_path: Path) -> None:
    """On a phone; and a table that goes on to the right shows it until its end is reached."""
    events = f"date,event,subscriber,plan\n2026-05-01,subscription,{'long-' * 60},pro\n"
    text = f'{TERMS}2026-01-01 custom "compute-events" "e.csv"\n'
    site = Site(ledger_of(tmp_path, text, e=events))
    with served(site) as address:
        shown = Shown(browser, site, address, viewport={"width": 390, "height": 800})
        page = shown.open("subscribers")
        widths = page.evaluate(
            "['tbody th', '.scroll'].map(each => document.querySelector(each).clientWidth)"
        )
        assert widths[0] < widths[1] / 2
        wide = page.locator(".wide").first
        expect(wide).to_have_class("wide more")
        page.locator(".scroll").first.evaluate("each => { each.scrollLeft = each.scrollWidth }")
        expect(wide).to_have_class("wide")
        page.set_viewport_size({"width": 1600, "height": 800})
        expect(wide).to_have_class("wide")
        page.get_by_role("link", name="long-").click()
        expect(page.get_by_role("heading", level=2)).to_contain_text("Statement of long-long-")
        page.set_viewport_size({"width": 390, "height": 800})
        page.wait_for_function("document.documentElement.scrollWidth <= 390")
        shown.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(("ledger", "nodes"), [("closed-quarter", 7), ("market-year", 11)])
def test_the_labels_of_the_flow_can_be_read(
    browser: Browser, addresses: dict[str, tuple[Site, str]], width: int, ledger: str, nodes: int
) -> None:
    """None is cut off, and none lies over another."""
    viewport = {"width": width, "height": 800}
    shown = Shown(browser, *addresses[ledger], viewport=viewport)
    page = shown.open("overview")
    boxes = page.evaluate(
        "[...document.querySelectorAll('.picture:has(.sankey)')].flatMap(picture =>"
        " [picture, ...picture.querySelectorAll('.node-label')].map(each => {"
        " const { left, top, right, bottom } = each.getBoundingClientRect();"
        " return [left, top, right, bottom]; }))"
    )
    whole, *labels = boxes
    assert len(labels) == nodes
    for left, top, right, bottom in labels:
        assert whole[0] <= left < right <= whole[2]
        assert whole[1] <= top < bottom <= whole[3]
    for one, other in itertools.combinations(labels, 2):
        beside = one[2] <= other[0] or other[2] <= one[0]
        assert beside or one[3] <= other[1] + 1 or other[3] <= one[1] + 1
    shown.close()


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
    expect(page.locator("#compute-view tbody").first.get_by_role("row")).to_have_count(41)
    page.get_by_role("link", name="open units").click()
    header = page.get_by_role("columnheader", name="open units")
    expect(header.first).to_have_attribute("aria-sort", "descending")
    units = page.eval_on_selector_all(
        "#compute-view table:first-of-type tbody tr td:nth-child(4)",
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


def test_the_focus_is_never_lost(browser: Browser, tmp_path: Path) -> None:
    """After a statement is opened, after the last page, after an overlay: it is where one was."""
    rows = [f"2026-05-{n % 28 + 1:02},subscription,name-{n:03},,pro,,,," for n in range(120)]
    head = "date,event,subscriber,counterparty,plan,units,commodity,price,currency\n"
    opening = (  # written by hand: it has no event to be found by in the journal
        '2026-05-01 open Equity:Opening\n2026-05-01 * "Opening" #compute-opening\n'
        '  Liabilities:DeferredRevenue:Tokens:Name-001  -5 CU {0.20 USD, 2026-04-01, "pro"}\n'
        "  Equity:Opening\n"
    )
    text = f'{TERMS}2026-01-01 custom "compute-events" "e.csv"\n{opening}'
    site = Site(ledger_of(tmp_path, text, e=head + "\n".join(rows)))
    with served(site) as address:
        shown = Shown(browser, site, address)
        page = shown.open("subscribers")
        page.get_by_role("link", name="Last").press("Enter")
        pages = page.get_by_role("navigation", name="Pages of Subscribers")
        expect(pages).to_contain_text("page 3 of 3")
        expect(pages).to_be_focused()
        page.get_by_role("link", name="Previous").press("Enter")
        expect(pages).to_contain_text("page 2 of 3")
        expect(page.get_by_role("link", name="Previous")).to_be_focused()
        page.get_by_role("link", name="name-051").press("Enter")
        heading = page.get_by_role("heading", level=2)
        expect(heading).to_have_text("Statement of name-051")
        expect(heading).to_be_focused()
        page.get_by_role("link", name="All subscribers").press("Enter")
        expect(heading).to_have_text("Subscribers")
        expect(heading).to_be_focused()
        page = shown.open("subscribers", "&subscriber=name-001")
        line = page.locator("a[href^='#context-']").first
        line.press("Enter")
        expect(page.locator("dialog[open] .content").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(line).to_be_focused()
        assert shown.complaints == []
        shown.close()


def test_titles_follow_what_is_shown(year: Shown) -> None:
    """Each view has its own, and each statement; and Fava's own pages keep theirs."""
    page = year.open("subscribers")
    page.get_by_role("link", name="alice", exact=True).click()
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_have_text("Statement of alice")
    assert page.title().startswith("Statement of alice - Compute books - ")
    page.get_by_role("link", name="Market", exact=True).click()
    expect(heading).to_have_text("Market")
    assert page.title().startswith("Market - Compute books - ")
    page.get_by_role("link", name="Journal", exact=True).click()
    page.wait_for_url("**/journal/**")
    expect(page).to_have_title(re.compile("^Journal - "))


def test_names_stand_for_themselves(browser: Browser, tmp_path: Path) -> None:
    """One that turns the direction of writing turns nothing beside it; a joined emoji is one."""
    turned, family = "evil\u202egnp", "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    events = "date,event,subscriber,plan\n" + "".join(
        [f"2026-05-01,subscription,{name},pro\n" for name in (turned, family)]
    )
    text = f'{TERMS}2026-01-01 custom "compute-events" "e.csv"\n'
    site = Site(ledger_of(tmp_path, text, e=events))
    with served(site) as address:
        shown = Shown(browser, site, address)
        page = shown.open("subscribers")
        for name in (turned, family):
            expect(page.locator("tbody th bdi").get_by_text(name, exact=True)).to_be_visible()
        page.locator("tbody th a").filter(has_text="evil").click()
        heading = page.get_by_role("heading", level=2)
        expect(heading.locator("bdi")).to_have_text(turned)
        assert f"\u2068{turned}\u2069 - " in page.title()
        shown.close()


def test_an_open_table_stays_open(year: Shown) -> None:
    """When another interval is chosen; one that is closed stays closed."""
    page = year.open("market")
    page.locator("summary").first.click()
    expect(page.locator("figure details[open]")).to_have_count(1)
    page.get_by_label("Interval").select_option("month")
    expect(page.get_by_role("heading", name="Market by month")).to_be_visible()
    expect(page.locator("figure details").first).to_have_attribute("open", "")
    expect(page.locator("figure details[open]")).to_have_count(1)


def test_totals_stay_last(year: Shown) -> None:
    """Whichever column sorts the rows, and either way."""
    page = year.open("overview")
    table = page.get_by_role("region", name="Held at the end").locator("table")
    for name, sort in (("pocket", "ascending"), ("units", "ascending"), ("units", "descending")):
        header = table.get_by_role("columnheader", name=name).first
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", sort)
        expect(table.get_by_role("rowheader").last).to_have_text("total")


def test_a_choice_changes_the_address_and_the_figures(year: Shown) -> None:
    """The interval of the market, from days to months."""
    page = year.open("market")
    page.get_by_label("Interval").select_option("month")
    expect(page.get_by_role("heading", name="Market by month")).to_be_visible()
    assert "interval=month" in page.url


def test_a_refused_share_stays_in_its_field(year: Shown) -> None:
    """The view and the address stay, the field says what is wrong, and the next value is taken."""
    page = year.open("economics", "&time=2026")
    field = page.get_by_label("Displaced sales")
    figures = shown_figures(page)
    for typed in ("30%", "0,3", "2"):
        field.fill(typed)
        field.press("Enter")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f'"{typed}" is no share: write a number from 0 to 1')
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(alert.inner_text())
        expect(field).to_have_value(typed)
        assert shown_figures(page) == figures
        assert "displaced" not in page.url
    field.fill("0.3")
    field.press("Enter")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert "displaced=0.3" in page.url
    year.drawn()
    assert shown_figures(page) != figures


def test_a_refused_address_leads_on(year: Shown) -> None:
    """A heading, the reason as an alert, the tabs; and what was refused leaves the address."""
    page = year.open("bogus")
    expect(page.get_by_role("heading", level=2)).to_have_text("Compute books")
    expect(page.get_by_role("alert")).to_contain_text('no view "bogus"')
    assert "bogus" not in page.url
    page = year.open("subscribers", "&subscriber=nobody")
    expect(page.get_by_role("alert")).to_contain_text('no subscriber "nobody"')
    page.get_by_role("link", name="All subscribers").click()
    expect(page.get_by_role("heading", name="Subscribers on")).to_be_visible()
    page = year.open("economics", "&displaced=30%25")
    expect(page.get_by_label("Displaced sales")).to_have_value("30%")
    expect(page.get_by_role("alert")).to_contain_text("is no share")
    page.get_by_label("Interval").select_option("year")
    expect(page.locator("#compute-view table").first).to_be_attached()


def test_a_request_that_fails_says_so(fresh_year: Shown) -> None:
    """The tie-outs, a view, the drawing library: nothing is waited for without end."""
    fresh_year.page.route("**/ties?*", lambda route: route.abort())
    page = fresh_year.open("close")
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.route("**/data?*", lambda route: route.fulfill(status=500, body="<html>"))
    page = fresh_year.open("market")
    expect(page.get_by_role("alert")).to_contain_text("Fava answers with 500")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.unroute("**/data?*")
    page.route("**/plotly.js?*", lambda route: route.abort())
    page = fresh_year.open("market")
    expect(page.get_by_text("The picture could not be drawn").first).to_be_visible()
    expect(page.locator("figure details[open]").first).to_be_visible()


def test_plotly_is_fetched_once_and_ahead(fresh_year: Shown) -> None:
    """By the HTML of a page that is opened directly; else by the page of Fava before it."""
    page = fresh_year.page
    fetched: list[str] = []
    page.on("request", lambda asked: fetched.append(asked.url))
    scripts = page.locator("script[src*='plotly.js']")
    fresh_year.open("market")
    assert page.locator("link[rel=preload]").count() == scripts.count() == 1
    page.get_by_role("link", name="Options").click()
    expect(page.locator("#compute-books")).to_have_count(0)
    page.get_by_role("link", name="Compute books").click()
    assert fresh_year.drawn().locator(".picture:has(svg)").count() > 0
    assert page.locator("article link").count() == 0  # it runs already
    assert len([each for each in fetched if "plotly.js" in each]) == 1
    fetched.clear()
    page.goto(f"{fresh_year.address}{fresh_year.site.base}editor/")
    expect(page.locator("link[rel=modulepreload]")).to_be_attached()
    assert page.evaluate("window.Plotly") is None  # not run until it is needed
    page.get_by_role("link", name="Compute books").click()
    assert fresh_year.drawn().locator(".picture:has(svg)").count() > 0
    assert scripts.count() == 0
    assert len([each for each in fetched if "plotly.js" in each]) <= 1  # none: kept from above
    assert fresh_year.complaints == []


def test_a_script_that_failed_is_asked_for_again(fresh_year: Shown) -> None:
    """By the next view, whether it was fetched ahead or not."""
    page = fresh_year.page
    for start in ("editor/", "extension/ComputeBooks/"):
        page.route("**/plotly.js?*", lambda route: route.abort())
        page.goto(f"{fresh_year.address}{fresh_year.site.base}{start}")
        if start == "editor/":
            expect(page.locator("link[rel=modulepreload]")).to_be_attached()
            page.get_by_role("link", name="Compute books").click()
        fresh_year.drawn()
        expect(page.get_by_text("The picture could not be drawn").first).to_be_visible()
        page.unroute("**/plotly.js?*")
        page.get_by_role("link", name="Market", exact=True).click()
        assert fresh_year.drawn().locator(".picture:has(svg)").count() > 0


def test_the_command_to_close_is_ready_to_copy(
    browser: Browser, addresses: dict[str, tuple[Site, str]]
) -> None:
    """A click puts it into the clipboard."""
    site, address = addresses["closed-quarter"]
    shown = Shown(browser, site, address, permissions=["clipboard-read", "clipboard-write"])
    page = shown.open("close")
    page.get_by_role("button", name="Copy: Close 2026-07").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    button = page.get_by_role("button", name="Copied: Close 2026-07")
    expect(button).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"bean-compute close 2026-07 {site.ledger}"
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy: Close 2026-07")).to_have_text("Copy")
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


def test_hidden_numbers_stay_hidden(browser: Browser, tmp_path: Path) -> None:
    """With `fava --incognito`: no figure in cells, tooltips or labels, no picture, no complaint."""
    site = Site(example("two-bills", tmp_path), incognito=True)
    with served(site) as address:
        shown = Shown(browser, site, address)
        for view in VIEWS:
            page = whole(shown.open(view))
            texts = page.eval_on_selector_all(
                "#compute-view [data-value]",
                "cells => cells.map(cell => cell.outerHTML.replace(/<a .*?>/, ''))",
            )
            assert texts
            assert not any(character.isdecimal() for character in "".join(texts))
            assert page.locator("#compute-view .picture").count() == 0
            expect(page.get_by_text("Fava hides numbers")).to_be_visible()
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
