"""Two ledgers in one program: what one load worked with is never that of another."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
from fava.application import create_app

from beancount_compute import plugin
from beancount_compute.close.loading import load
from tests.close.sealing import write

DEADLINE_SECONDS = 60
GATE = "a_gate_of_two_ledgers"
ORDERS = sorted(
    set(permutations("aaabbb"))
)  # of three steps each: to the plugin, past it, the rest


class Turns:
    """Lets two threads take their steps in one order."""

    def __init__(self, order: tuple[str, ...]) -> None:
        self._order, self._changed = [*order], threading.Condition()

    def wait(self, name: str) -> None:
        """Until it is this thread's turn."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._order[:1] == [name], DEADLINE_SECONDS)

    def done(self) -> None:
        """The step is over."""
        with self._changed:
            del self._order[0]
            self._changed.notify_all()


def ledger_of(folder: Path, name: str, uses: int) -> Path:
    """A ledger in which one subscriber uses units some times, with gates around the plugin."""
    rows = [f"{name}-{at},2026-05-20,,consumption,{name},,,1,CU,,,,,,," for at in range(uses)]
    text = f'2026-05-01 custom "compute-allocation" "{name}" 50 CU 10.00 USD\n  id: "{name}"\n'
    ledger = write(folder / name, text, *rows)
    gate = f'plugin "{GATE}"\n'
    ledger.write_text(gate + ledger.read_text().replace('_compute"\n', f'_compute"\n{gate}', 1))
    return ledger


def gate(monkeypatch: pytest.MonkeyPatch, turns: Turns | None = None) -> None:
    """A plugin that lets the other thread have its turn, or does nothing."""

    def pause(entries: Any, options: Any) -> Any:
        if turns is not None:
            turns.done()
            turns.wait(threading.current_thread().name)
        return entries, []

    module = ModuleType(GATE)
    module.__dict__["__plugins__"] = (pause,)
    monkeypatch.setitem(sys.modules, GATE, module)


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_interleaved_loads_give_each_its_own_events(
    order: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the order of their steps."""
    ledgers = {"a": ledger_of(tmp_path, "a", 3), "b": ledger_of(tmp_path, "b", 5)}
    turns = Turns(order)
    gate(monkeypatch, turns)
    found: dict[str, list[str]] = {}

    def one(name: str) -> None:
        turns.wait(name)
        booking = load(ledgers[name]).booking
        assert booking is not None
        found[name] = sorted(event.id for event in booking.events)
        turns.done()

    threads = [threading.Thread(target=one, args=(name,), name=name) for name in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
    assert found == {
        "a": ["a", "a-0", "a-1", "a-2"],
        "b": ["b", "b-0", "b-1", "b-2", "b-3", "b-4"],
    }


def test_many_loads_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight ledgers in eight threads, three times each."""
    gate(monkeypatch)
    ledgers = [ledger_of(tmp_path, f"s{uses}", uses) for uses in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        bookings = [each.booking for each in pool.map(load, ledgers * 3)]
    assert [len(each.events) for each in bookings if each] == [*range(2, 10)] * 3


def test_one_fava_shows_a_ledger_its_own_tie_outs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the other one is loaded again while they are made."""
    gate(monkeypatch)
    ledgers = [ledger_of(tmp_path, name, uses) for name, uses in (("one", 3), ("two", 5))]
    for ledger in ledgers:
        with ledger.open("a") as file:
            file.write('2026-01-01 custom "fava-extension" "beancount_compute.fava_extension"\n')

    def ties(slug: str, app: Any) -> Any:
        address = f"/{slug}/extension/ComputeBooks/ties?{urlencode({'view': 'close'})}"
        answer = app.test_client().get(address)
        assert answer.status_code == 200
        return answer.get_json()

    app = create_app([str(ledger) for ledger in ledgers], load=True)
    (one, loaded), (_, other) = app.config["LEDGERS"].items()
    alone = ties(one, app)
    loaded.load_file()  # so that the page is made anew
    book = plugin.book

    def with_the_other_between(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(plugin, "book", book)
        made = book(*args, **options)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(other.load_file).result(DEADLINE_SECONDS)
        return made

    monkeypatch.setattr(plugin, "book", with_the_other_between)
    assert ties(one, app) == alone
