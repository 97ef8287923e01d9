"""Pages of a ledger whose months were booked in bulk, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Shown, served
from tests.fava_extension.serving import EXTENSION, Site, example


@pytest.mark.parametrize("width", [1280, 390])
def test_a_subscriber_is_searched_and_looked_up(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """Twenty subscribers of a pilot: part of a name, an order by units, a statement, and back."""
    ledger = example("bulk-month", tmp_path)
    ledger.write_text(ledger.read_text() + EXTENSION)
    site = Site(ledger)
    with served(site) as address:
        shown = Shown(browser, site, address, viewport={"width": width, "height": 900})
        page = shown.open("subscribers")
        names = page.locator("#compute-view tbody a")
        expect(names).to_have_count(20)
        page.get_by_role("searchbox").fill("U-0001")
        expect(names).to_have_count(10)
        page.locator("#sort-units").click()
        expect(page.locator("th[aria-sort=descending] #sort-units")).to_be_visible()
        expect(page.locator("#sort-share_used")).to_have_count(0)
        names.first.click()
        expect(page.get_by_role("heading", name="Lines, by month")).to_be_visible()
        page.get_by_role("link", name="All subscribers").click()
        expect(page.locator("#sort-units")).to_be_visible()
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not [each for each in shown.complaints if "preload" not in each]
        shown.close()
