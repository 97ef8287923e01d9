"""How fast the pages in Fava are: 100,000 events over 10,000 subscribers, over HTTP on loopback.

    python tests/benchmarks/fava_pages.py            data and drawing, all views
    python tests/benchmarks/fava_pages.py --quick    10,000 events over 1,000 subscribers

For each view 20 different filters, each asked once, so that no answer can come from a cache; the
median, the slowest and the largest. Then the time from a view's data to all its tables and to its
last picture in headless Chromium, as somebody sees it

    directly   who opens its address in a browser that was just started, without any cache,
    by a link  who looks at Fava's editor for three seconds first, in another such browser,
    again      who knows the page: the first of these browsers, loading it anew.

Medians of so many browsers. Fava is served by a process of its own, and nothing watches the
browsers: the pages report their own marks. (Playwright, as any open inspector, makes V8 read all of
Plotly's script once more for the places of its functions, 0.5 to 0.9 s that nobody else waits for.)
Asserts nothing, and writes only to a temporary folder.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click
from fava.application import create_app
from fava.core import FavaLedger
from flask import Response
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parent))

from economy_of import write_csv

from beancount_compute.fava_extension import ComputeBooks

BOOKS = "/benchmark/"
VIEWS = ("overview", "subscribers", "market", "vintages", "economics", "close")
WORKED_OUT = (  # the views that ask an endpoint for more once they stand
    ("people", "people"),
    ("retention", "people"),
    ("growth", "people"),
    ("economics", "forecast"),
)
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
# Put into each page: reports when it is drawn, and loads it anew; the editor goes on to a view.
REPORT = b"""<script>
new PerformanceObserver((marks) => {
  if (!marks.getEntriesByName("compute-drawn").length) return;
  const at = (name) => performance.getEntriesByName(`compute-${name}`).at(-1).startTime;
  const body = JSON.stringify(["tables", "drawn"].map((name) => at(name) - at("data")));
  fetch("/drawn", { method: "POST", body }).then(() => {
    if (!sessionStorage.again) window.location.reload();
    sessionStorage.again = "yes";
  });
}).observe({ type: "mark" });
if (window.location.pathname.endsWith("/editor/")) {
  const href = `../extension/ComputeBooks/?view=${window.location.hash.slice(1)}`;
  const click = () => {
    const link = Object.assign(document.createElement("a"), { href });
    document.body.append(link);
    link.click();
  };
  window.addEventListener("load", () => setTimeout(click, 3000));
}
</script></head>"""
MOST_MILLISECONDS, MOST_BYTES, MOST_DRAWING = 150, 300_000, 1000


@click.command()
@click.option("--quick", is_flag=True, help="10,000 events over 1,000 subscribers.")
@click.option("--browsers", default=3, help="Of each kind for each view; 3.")
def main(quick: bool, browsers: int) -> None:
    """Measure, and print."""
    events, people = (10_000, 1_000) if quick else (100_000, 10_000)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        ledger = write_csv(Path(name), events, people=people, more=POOLED)
        _show_load(ledger)
        with _served(ledger) as (port, drawn):
            host, path = "127.0.0.1", f"{BOOKS}extension/ComputeBooks/"
            _wait(host, port, path)
            click.echo(f"\n{events:,} events over {people:,} subscribers; {len(FILTERS)} filters\n")
            click.echo(f"{'view':12} {'median ms':>10} {'slowest':>10} {'largest kB':>11}")
            for view in VIEWS:
                _show_data(host, port, path, view)
            _show_data(host, port, path, "close", "ties")
            _show_worked_out(host, port, path)
            _show_drawing(f"http://{host}:{port}{BOOKS}", drawn, browsers)


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


class Drawn(NamedTuple):
    """Milliseconds from a view's data to its tables, and to its last picture."""

    tables: float
    pictures: float


@contextmanager
def _served(ledger: Path) -> Iterator[tuple[int, Queue[Drawn]]]:
    """Fava in a process of its own; gives its port, and what its pages report."""
    spawn = multiprocessing.get_context("spawn")
    ports: Queue[int] = spawn.Queue()
    drawn: Queue[Drawn] = spawn.Queue()
    process = spawn.Process(target=_serve, args=(ledger, ports, drawn), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=600), drawn
    finally:
        process.terminate()
        process.join()


def _serve(ledger: Path, ports: Queue[int], drawn: Queue[Drawn]) -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = create_app([str(ledger)], load=True)

    @app.after_request
    def watched(answer: Response) -> Response:
        if answer.mimetype == "text/html" and not answer.direct_passthrough:
            answer.set_data(answer.get_data().replace(b"</head>", REPORT, 1))
        return answer

    def reporting(asked: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if asked["PATH_INFO"] != "/drawn":
            return app(asked, start)
        drawn.put(Drawn(*json.loads(asked["wsgi.input"].read(int(asked["CONTENT_LENGTH"])))))
        start("204 No Content", [])
        return []

    server = make_server("127.0.0.1", 0, reporting, threaded=True)
    ports.put(server.server_port)
    server.serve_forever()


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


def _show_worked_out(host: str, port: int, path: str) -> None:
    click.echo("\nworked out when somebody looks, in s: the first answer, and the same again")
    for view, endpoint in WORKED_OUT:
        address = f"{path}{endpoint}?{urlencode({'view': view})}"
        first, again = (_get(host, port, address)[0] for _ in range(2))
        click.echo(f"{view:12} {first:10.2f} {again:10.2f}")


def _show_drawing(books: str, drawn: Queue[Drawn], browsers: int) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise click.ClickException("no chromium: apt-get install chromium")
    click.echo("\nfrom a view's data, in ms, to all its tables and to its last picture")
    heads = "".join(f"{way:>11} {'pictures':>9}" for way in ("directly", "by a link", "again"))
    click.echo(f"{'view':12}{heads}")
    for view in VIEWS:
        direct = f"{books}extension/ComputeBooks/?view={view}"
        opened = [_opened(chromium, direct, drawn) for _ in range(browsers)]
        linked = [_opened(chromium, f"{books}editor/#{view}", drawn) for _ in range(browsers)]
        ways = [[one for one, _ in opened], [one for one, _ in linked], [two for _, two in opened]]
        found = [Drawn(*map(statistics.median, zip(*way, strict=True))) for way in ways]
        missed = any(each.pictures > MOST_DRAWING for each in found)
        figures = "".join(f"{each.tables:11.0f} {each.pictures:9.0f}" for each in found)
        click.echo(f"{view:12}{figures}{'   missed' if missed else ''}")


def _opened(chromium: str, address: str, drawn: Queue[Drawn]) -> tuple[Drawn, Drawn]:
    """A view in a browser that was just started, and loaded once more in the same."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("--headless", "--no-sandbox", "--no-first-run", f"--user-data-dir={profile}")
        browser = subprocess.Popen([chromium, *options, address], stderr=subprocess.DEVNULL)
        try:
            return drawn.get(timeout=120), drawn.get(timeout=120)
        finally:
            browser.terminate()
            browser.wait()


if __name__ == "__main__":
    main()
