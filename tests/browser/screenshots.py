"""Pictures of the pages for READMEs, light and dark, beside the ledger that they show.

    python -m tests.browser.screenshots

What a window of 1000 by 680 pixels shows of `market-year` in Fava.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import Shown, served
from tests.fava_extension.serving import EXAMPLES, Site, example

FOLDER = EXAMPLES / "market-year"
SIZE = {"width": 1000, "height": 680}
SHOTS = (
    ("overview", "light", ""),
    ("overview", "dark", ""),
    ("subscribers", "light", "&sort=carrying_amount&order=desc"),
    ("owed", "light", ""),
    ("market", "dark", ""),
    ("vintages", "light", "&time=2026-01 - 2026-08"),
    ("economics", "dark", ""),
    ("close", "light", ""),
)


def main() -> None:
    """Write every picture anew."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        site = Site(example("market-year", Path(name)))
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with served(site) as address:
            for view, scheme, more in SHOTS:
                _shoot(browser, site, address, view, scheme, more)
        browser.close()


def _shoot(browser: Browser, site: Site, address: str, view: str, scheme: str, more: str) -> None:
    shown = Shown(browser, site, address, color_scheme=scheme, viewport=SIZE)
    page = shown.open(view, more)
    page.wait_for_load_state("networkidle")
    # The place of this machine's copy is nobody's business.
    page.evaluate(
        "for (const each of document.querySelectorAll('.copy pre'))"
        " each.textContent = each.textContent.replace(/\\/\\S+\\/market-year\\//, '')"
    )
    page.screenshot(path=FOLDER / f"fava-{view}-{scheme}.png")
    shown.close()


if __name__ == "__main__":
    main()
