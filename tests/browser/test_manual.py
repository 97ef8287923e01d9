"""The manual in a browser: its pages, the links between them, and what a phone shows."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from beancount_compute import manual
from tests.browser.conftest import Shown
from tests.fava_extension.serving import Site


def test_a_link_leads_to_a_heading_of_another_page_and_back(year: Shown) -> None:
    """Without loading Fava anew; the heading takes the focus, and the address can be sent on."""
    page = year.open("help", "&topic=terms")
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="economics").click()
    heading = page.get_by_role("heading", name="Breakage or market")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    assert "topic=reports&section=breakage-or-market" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Terms")).to_be_visible()
    assert page.evaluate("window.stays")
    assert year.complaints == []


def test_every_page_is_chosen_from_the_list(year: Shown) -> None:
    """The one that is shown is marked; another view takes neither page nor section along."""
    page = year.open("help")
    contents = page.get_by_role("navigation", name="Pages of the manual")
    for each in manual.pages().values():
        contents.get_by_role("link", name=each.title, exact=True).click()
        shown = page.locator("#compute-view .manual h3")
        expect(shown).to_have_text(each.title)
        expect(contents.locator("[aria-current=page]")).to_have_text(each.title)
    page.get_by_role("link", name="Market", exact=True).click()
    expect(page.locator("#compute-title")).to_have_text("Market")
    assert "topic" not in page.url
    assert year.complaints == []


def test_a_phone_scrolls_tables_and_blocks_by_themselves(
    browser: Browser, addresses: dict[str, tuple[Site, str]]
) -> None:
    """The page is as wide as the phone, whatever the page of the manual holds."""
    shown = Shown(browser, *addresses["market-year"], viewport={"width": 390, "height": 800})
    for name in ("language", "export", "closing"):
        page = shown.open("help", f"&topic={name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown.close()
