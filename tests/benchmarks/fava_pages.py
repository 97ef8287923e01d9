"""How fast the pages in Fava are: 100,000 events over 10,000 subscribers, over HTTP on loopback.

    python tests/benchmarks/fava_pages.py            data and drawing, all views
    python tests/benchmarks/fava_pages.py --quick    10,000 events over 1,000 subscribers

For each view 20 different filters, each asked once, so that no answer can come from a cache; the
median, the slowest and the largest. Then the time from a view's data to all its tables and to its
last picture in headless Chromium: in a browser that was just started, which has to read Plotly's
script, and in one that knows the script. Asserts nothing, and writes only to a temporary folder.
"""

from __future__ import annotations

import logging
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import click
from fava.application import create_app
from fava.core import FavaLedger
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parent))

from economy_of import write_csv

from beancount_compute.fava_extension import ComputeBooks

VIEWS = ("overview", "subscribers", "market", "vintages", "economics", "close")
POOLED = """\
2026-01-01 custom "compute-account" "receivable" Assets:Receivable
2026-01-01 custom "compute-account" "payable" Liabilities:Payable
2026-01-01 custom "fava-extension" "beancount_compute.fava_extension"
"""
FILTERS: list[dict[str, str]] = [
    {},
    {"time": "2026"},
    {"time": "2026-01"},
    {"time": "2026-02"},
    {"time": "2026-03"},
    {"time": "2026-Q1"},
    {"time": "2026-W07"},
    {"time": "2026-02-05 - 2026-03-20"},
    {"time": "2026-01-31"},
    {"interval": "week", "time": "2026-01-10 - 2026-03-05"},
    {"interval": "quarter"},
    {"interval": "day", "time": "2026-02-11 - 2026-03-11"},
    {"conversion": "units", "time": "2026-01-05 - 2026-02-24"},
    {"plan": "pro", "time": "2026-01-02 - 2026-03-30"},
    {"account": "Liabilities:DeferredRevenue:Tokens"},
    {"account": "User-00123", "time": "2026-02"},
    {"account": "Income", "time": "2026-03"},
    {"filter": "#compute-trade"},
    {"filter": "^lot-User-00077-2026-01-01-Pro", "time": "2026-Q1"},
    {"filter": 'payee:"user-0100"', "time": "2026-01-15 - 2026-03-15"},
]
MOST_MILLISECONDS, MOST_BYTES, MOST_DRAWING = 150, 300_000, 1000


@click.command()
@click.option("--quick", is_flag=True, help="10,000 events over 1,000 subscribers.")
def main(quick: bool) -> None:
    """Measure, and print."""
    events, people = (10_000, 1_000) if quick else (100_000, 10_000)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        ledger = write_csv(Path(name), events, people=people, more=POOLED)
        _show_load(ledger)
        with _served(ledger) as (host, port, path):
            _wait(host, port, path)
            click.echo(f"\n{events:,} events over {people:,} subscribers; {len(FILTERS)} filters\n")
            click.echo(f"{'view':12} {'median ms':>10} {'slowest':>10} {'largest kB':>11}")
            for view in VIEWS:
                _show_data(host, port, path, view)
            _show_data(host, port, path, "close", "ties")
            _show_drawing(f"http://{host}:{port}{path}")


def _show_load(ledger: Path) -> None:
    """What the extension adds to a load: its own part, and how long it prepares beside it."""
    before = time.perf_counter()
    loaded = FavaLedger(str(ledger))
    whole = time.perf_counter() - before
    extension = loaded.extensions.get_extension("ComputeBooks")
    assert isinstance(extension, ComputeBooks)
    before = time.perf_counter()
    extension.after_load_file()
    hook = time.perf_counter() - before
    before = time.perf_counter()
    extension.wait()
    click.echo(
        f"Fava loads the ledger in {whole:.1f} s; the extension's part of it is {hook:.2f} s"
    )
    click.echo(f"prepared beside it, before the first page: {time.perf_counter() - before:.1f} s")


@contextmanager
def _served(ledger: Path) -> Iterator[tuple[str, int, str]]:
    app = create_app([str(ledger)], load=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "127.0.0.1", server.server_port, "/benchmark/extension/ComputeBooks/"
    finally:
        server.shutdown()


def _get(host: str, port: int, address: str) -> tuple[float, int]:
    """Seconds and bytes of one answer."""
    connection = HTTPConnection(host, port)
    before = time.perf_counter()
    connection.request("GET", address)
    answer = connection.getresponse()
    size = len(answer.read())
    spent = time.perf_counter() - before
    if answer.status != 200:
        raise click.ClickException(f"{address}: {answer.status}")
    return spent, size


def _wait(host: str, port: int, path: str) -> None:
    """Until everything is prepared."""
    for view in VIEWS:
        _get(host, port, f"{path}data?view={view}")


def _show_data(host: str, port: int, path: str, view: str, endpoint: str = "data") -> None:
    found = [
        _get(host, port, f"{path}{endpoint}?{urlencode({'view': view, **each})}")
        for each in FILTERS
    ]
    spent = [seconds * 1000 for seconds, _ in found]
    median, largest = statistics.median(spent), max(size for _, size in found)
    missed = median > MOST_MILLISECONDS or largest > MOST_BYTES
    name = view if endpoint == "data" else f"{view}, {endpoint}"
    click.echo(
        f"{name:12} {median:10.0f} {max(spent):10.0f} {largest / 1000:11.1f}"
        f"{'   missed' if missed else ''}"
    )


def _show_drawing(base: str) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise click.ClickException("no chromium: apt-get install chromium")
    click.echo("\nfrom a view's data, in ms, to all its tables and to its last picture")
    click.echo(f"{'view':12} {'tables':>8} {'pictures':>9} {'known':>8} {'pictures':>9}")
    with sync_playwright() as playwright:
        for view in VIEWS:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            tables, pictures = _drawing(page, f"{base}?view={view}")
            again, drawn = _drawing(page, f"{base}?view={view}")
            missed = "   missed" if max(pictures, drawn) > MOST_DRAWING else ""
            click.echo(f"{view:12} {tables:8.0f} {pictures:9.0f} {again:8.0f} {drawn:9.0f}{missed}")
            browser.close()


def _drawing(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds from a view's data to its tables, and to its last picture."""
    page.goto(address)
    page.wait_for_selector("#compute-books[data-state=drawn]", timeout=120_000)
    at = {
        name: page.evaluate(f"performance.getEntriesByName('compute-{name}').at(-1).startTime")
        for name in ("data", "tables", "drawn")
    }
    return at["tables"] - at["data"], at["drawn"] - at["data"]


if __name__ == "__main__":
    main()
