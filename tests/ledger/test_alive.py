"""An edit of an event file is seen: by `bean-check` with its cache on, and by a running Fava.

plugin "beancount_compute"
2026-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD
2026-05-02 custom "compute-events" "events/*.csv"       ; edited while Fava runs
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from beancount import loader
from fava.application import create_app
from werkzeug.serving import make_server

LEDGER = """\
option "title" "Alive"
plugin "beancount_compute"
option "operating_currency" "USD"
2026-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD
2026-05-02 custom "compute-events" "events/*.csv"
2026-06-01 balance Liabilities:DeferredRevenue:Tokens:Alice  -790 CU
"""
HEADER = "date,event,subscriber,units,commodity\n"
DEADLINE_SECONDS = 60


def write(path: Path, *units: int) -> None:
    """Write an event file of uses, and see to it that its time stamp moves."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(HEADER + "".join(f"2026-05-02,consumption,alice,{each},CU\n" for each in units))
    if path.stat().st_mtime_ns <= before:
        os.utime(path, ns=(before + 10_000_000, before + 10_000_000))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with one event file; its `balance` holds as long as 10 CU are used."""
    (tmp_path / "events").mkdir()
    write(tmp_path / "events/may.csv", 10)
    path = tmp_path / "main.beancount"
    path.write_text(LEDGER)
    return path


# Beancount's load cache


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beancount's load cache, written however short the load was."""
    monkeypatch.setattr(loader, "PICKLE_CACHE_THRESHOLD", 0.0)
    monkeypatch.setattr(loader, "_load_file", loader._load_file)  # restored afterwards
    loader.initialize(use_cache=True, cache_filename=".{filename}.picklecache")


def messages(ledger: Path) -> list[str]:
    """The errors of a load, through the cache."""
    _, errors, _ = loader.load_file(str(ledger))
    return [error.message for error in errors]


def cache_of(ledger: Path) -> Path:
    """The file that the cache keeps for a ledger."""
    return ledger.with_name(f".{ledger.name}.picklecache")


@pytest.mark.usefixtures("cached")
def test_the_cache_serves_what_has_not_changed(ledger, monkeypatch):
    """A second load comes from the cache: the plugin isn't run, and the books are the same."""
    first = loader.load_file(str(ledger))
    assert cache_of(ledger).exists()
    monkeypatch.setattr("beancount.loader.run_transformations", None)
    second = loader.load_file(str(ledger))
    assert second[0] == first[0]
    assert second[1] == first[1] == []


@pytest.mark.usefixtures("cached")
def test_an_edit_of_an_event_file_is_seen_through_the_cache(ledger):
    """A row more is booked by the next load, and so is its removal."""
    assert messages(ledger) == []
    write(ledger.parent / "events/may.csv", 10, 5)
    (message,) = messages(ledger)
    assert "expected -790 CU != accumulated -785 CU" in message
    write(ledger.parent / "events/may.csv", 10)
    assert messages(ledger) == []


@pytest.mark.usefixtures("cached")
def test_the_deletion_of_an_event_file_is_seen_through_the_cache(ledger):
    """What is gone is not served any more."""
    assert messages(ledger) == []
    (ledger.parent / "events/may.csv").unlink()
    assert 'no event file "events/*.csv": write a path or a glob, seen from here' in messages(
        ledger
    )


@pytest.mark.usefixtures("cached")
def test_errors_come_out_of_the_cache_as_they_went_in(ledger, monkeypatch):
    """A refusal is kept with its place: the cache must not make a broken ledger a clean one."""
    write(ledger.parent / "events/may.csv", 10, -5)
    first = messages(ledger)
    assert first == [
        (
            "-5 CU is not above zero: write a reversal of what was booked too much "
            '(custom "compute-reversal" and the id of that event)'
        )
    ]
    assert cache_of(ledger).exists()
    monkeypatch.setattr("beancount.loader.run_transformations", None)
    _, errors, _ = loader.load_file(str(ledger))
    assert [(each.source["lineno"], each.message) for each in errors] == [(3, first[0])]
    assert errors[0].source["filename"] == str(ledger.parent / "events/may.csv")


BEAN_CHECK = (
    "from beancount import loader; loader.PICKLE_CACHE_THRESHOLD = 0.0; loader.initialize(True); "
    "from beancount.scripts.check import main; main()"
)


def test_bean_check_with_its_cache_on_sees_an_edit(ledger):
    """`bean-check` passes, also from its cache; then fails on the line of the edit; then passes."""
    may = ledger.parent / "events/may.csv"
    assert bean_check(ledger) == (0, "")
    assert cache_of(ledger).exists()
    assert bean_check(ledger) == (0, "")
    write(may, 10, 1000)
    code, said = bean_check(ledger)
    assert code == 1
    assert f"{may}:3:" in said
    assert '"alice" uses 1000 CU and holds 790 CU' in said
    write(may, 10)
    assert bean_check(ledger) == (0, "")


def bean_check(ledger: Path) -> tuple[int, str]:
    """The exit code of a real `bean-check`, and what it says."""
    run = subprocess.run(
        [sys.executable, "-c", BEAN_CHECK, str(ledger)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return run.returncode, run.stderr


# Fava


@pytest.fixture
def fava(ledger: Path) -> Iterator[str]:
    """The address of a real Fava that has the ledger open."""
    app = create_app([str(ledger)], load=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alive/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for open_ledger in app.config["LEDGERS"].ledgers:
            open_ledger.watcher.__exit__(None, None, None)


def asked(url: str) -> Any:
    """What Fava's JSON API answers."""
    with urlopen(url, timeout=DEADLINE_SECONDS) as answer:
        return json.load(answer)["data"]


def revenue(api: str) -> float:
    """The revenue that Fava shows."""
    query = "SELECT sum(number) WHERE account = 'Income:Compute'"
    return -asked(f"{api}/query?query_string={quote(query)}")["rows"][0][0]


def wait_until_changed(api: str) -> None:
    """Poll as Fava's own page does, until it has reloaded the ledger."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not asked(f"{api}/changed"):
        assert time.monotonic() < deadline, "Fava has not seen the edit"
        time.sleep(0.05)


def test_a_running_fava_sees_an_edit_of_an_event_file(ledger, fava):
    """Its figures follow an edit without a restart, and so do its errors."""
    may = ledger.parent / "events/may.csv"
    assert revenue(fava) == 2
    assert not asked(f"{fava}/changed")
    write(may, 10, 5)
    wait_until_changed(fava)
    assert revenue(fava) == 3
    write(may, 10, 5, 1000)
    wait_until_changed(fava)
    assert revenue(fava) == 3
    shown = [(error["source"]["lineno"], error["message"]) for error in asked(f"{fava}/errors")]
    assert (
        4,
        '"alice" uses 1000 CU and holds 785 CU: write at most that, or a top-up or grant before it',
    ) in shown


def test_a_running_fava_shows_the_event_file_of_a_transaction(ledger, fava):
    """The event file is one of the ledger's sources, so that Fava can show and edit it."""
    may = ledger.parent / "events/may.csv"
    source = asked(f"{fava}/source?filename={quote(str(may))}")
    assert source["source"] == may.read_text()
