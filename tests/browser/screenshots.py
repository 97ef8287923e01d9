"""Pictures of the pages for READMEs, light and dark, beside the ledger that they show.

    python -m tests.browser.screenshots

What a window of 1000 by 680 pixels shows of two example ledgers in Fava.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import Shown, served
from tests.fava_extension.serving import EXAMPLES, Site, example

SIZE = {"width": 1000, "height": 680}
SHOTS = (
    ("market-year", "overview", "light", ""),
    ("market-year", "overview", "dark", ""),
    ("market-year", "subscribers", "light", "&sort=carrying_amount&order=desc"),
    ("market-year", "owed", "light", ""),
    ("market-year", "market", "dark", ""),
    ("market-year", "vintages", "light", "&time=2026-01 - 2026-08"),
    ("market-year", "economics", "dark", ""),
    ("market-year", "close", "light", ""),
    ("two-bills", "bills", "light", ""),
    ("two-bills", "whatif", "dark", ""),
)


def main() -> None:
    """Write every picture anew."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in sorted({name for name, *_ in SHOTS}):
            site = Site(example(name, Path(folder)))
            with served(site) as address:
                for of, view, scheme, more in SHOTS:
                    if of == name:
                        shown = Shown(browser, site, address, color_scheme=scheme, viewport=SIZE)
                        _shoot(
                            shown.open(view, more), EXAMPLES / name / f"fava-{view}-{scheme}.png"
                        )
                        shown.close()
        browser.close()


def _shoot(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("#compute-view [aria-busy]", state="detached")
    page.wait_for_function(
        "[...document.querySelectorAll('.picture')].every(each => each.firstChild)"
    )
    # The place of this machine's copy is nobody's business.
    page.evaluate(
        "for (const each of document.querySelectorAll('.copy pre'))"
        " each.textContent = each.textContent.replace(/\\/\\S+\\/market-year\\//, '')"
    )
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
