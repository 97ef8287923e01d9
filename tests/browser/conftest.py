"""Chromium, driven by Playwright, on example ledgers that Fava serves on loopback.

Debian's chromium: `apt-get install chromium`, as `.ci/run` does where it is missing.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from werkzeug.serving import make_server

from tests.fava_extension.serving import Site, example

DESK: ViewportSize = {"width": 1280, "height": 720}  # as Playwright opens one
PATIENCE = 60_000  # milliseconds, for a machine that does much else


class Shown:
    """Pages of one ledger in a browser; what the console complains of is kept."""

    def __init__(self, browser: Browser, site: Site, address: str, **context: Any) -> None:
        self.site = site
        self.address = address
        self.complaints: list[str] = []
        self._context = browser.new_context(**context)
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def begin(self) -> Shown:
        """As one that was just opened, for the next test, but for what the browser has compiled."""
        self.page.set_viewport_size(DESK)
        self.page.evaluate("if (location.host) { localStorage.clear(); sessionStorage.clear(); }")
        self.complaints.clear()
        return self

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location}")

    def open(self, view: str, more: str = "") -> Page:
        """Open a view, and wait until it is drawn."""
        self.page.goto(f"{self.address}{self.site.path}?view={view}{more}")
        return self.drawn()

    def drawn(self) -> Page:
        """Wait until the view is drawn."""
        self.page.wait_for_selector("#compute-books[data-state=drawn]")
        return self.page

    def close(self) -> None:
        self._context.close()


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve a ledger; gives the address of the server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium; a machine without it fails, and is told what to install."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Site, str]]]:
    """The example ledgers, served."""
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as serving:
        found: dict[str, tuple[Site, str]] = {}
        for name in ("market-year", "closed-quarter", "two-bills", "ai-company"):
            site = Site(example(name, folder))
            found[name] = site, serving.enter_context(served(site))
        yield found


@pytest.fixture(scope="session")
def kept(
    browser: Browser, addresses: dict[str, tuple[Site, str]]
) -> Iterator[Callable[[str], Shown]]:
    """One page of each example for all tests: compiling the script of pictures takes a second."""
    with ExitStack() as closing:

        @cache
        def shown(name: str) -> Shown:
            found = Shown(browser, *addresses[name])
            closing.callback(found.close)
            return found

        yield lambda name: shown(name).begin()


@pytest.fixture
def year(kept: Callable[[str], Shown]) -> Shown:
    """The year of a market."""
    return kept("market-year")


@pytest.fixture
def fresh_year(browser: Browser, addresses: dict[str, tuple[Site, str]]) -> Iterator[Shown]:
    """The year of a market in a browser that has fetched nothing, for tests of what is fetched."""
    shown = Shown(browser, *addresses["market-year"])
    yield shown
    shown.close()


@pytest.fixture
def bills(kept: Callable[[str], Shown]) -> Shown:
    """The year of a reseller, with two bills and three scenarios."""
    return kept("two-bills")


@pytest.fixture
def company(kept: Callable[[str], Shown]) -> Shown:
    """Half a year of a company that sells access, use in arrears and units."""
    return kept("ai-company")


@pytest.fixture(params=["market-year", "closed-quarter", "two-bills", "ai-company"])
def shown(request: pytest.FixtureRequest, kept: Callable[[str], Shown]) -> Shown:
    """Each of them."""
    return kept(request.param)


def ledger_of(folder: Path, text: str, **files: str) -> Path:
    """A ledger with event files beside it."""
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    (folder / "main.beancount").write_text(text)
    return folder / "main.beancount"
