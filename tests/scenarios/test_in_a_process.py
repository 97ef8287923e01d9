"""The scenarios of a ledger, booked in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from beancount_compute.scenarios import PartedBy, ScenariosApart, ScenariosFound, in_a_process
from tests.close.sealing import close, write
from tests.scenarios.test_what_if import BOOKS, compared

ALL = PartedBy.ALL
HALF = '2026-06-01 custom "compute-scale" "plan-price" 0.50\n'
NAMED = '2026-01-01 custom "compute-scenario" "Prices crash" "s.beancount"\n'


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    (tmp_path / "s.beancount").write_text(HALF)
    (tmp_path / "main.beancount").write_text(BOOKS + NAMED)
    return tmp_path / "main.beancount"


def found(ledger: Path) -> ScenariosFound:
    return ScenariosApart(str(ledger)).found(ALL)


def test_a_process_finds_what_is_found_here(ledger: Path) -> None:
    """Figures, accounts, refusals."""
    there, here = found(ledger), compared(ledger, HALF)
    assert there.compared is not None
    assert (there.errors, there.why_not) == ([], "")
    assert there.compared.side_by_side()[0].rows == here.side_by_side()[0].rows
    assert [table.rows for table in there.compared.tables()[1:]] == [
        [("Prices crash", *row[1:]) for row in table.rows] for table in here.tables()[1:]
    ]


def test_it_is_booked_once_however_many_ask(ledger: Path) -> None:
    """One process for several threads, and for whoever asks later."""
    apart = ScenariosApart(str(ledger))
    answers: list[ScenariosFound] = []
    with patch.object(in_a_process.subprocess, "Popen", wraps=subprocess.Popen) as started:
        asking = [
            threading.Thread(target=lambda: answers.append(apart.found(ALL))) for _ in range(4)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        answers.append(apart.found(ALL))
    assert started.call_count == 1
    assert all(each is answers[0] for each in answers)
    assert answers[0].compared


def test_figures_by_plan_are_booked_when_they_are_asked_for(ledger: Path) -> None:
    """Once more, and then no more: the rest is the same."""
    apart = ScenariosApart(str(ledger))
    with patch.object(in_a_process.subprocess, "Popen", wraps=subprocess.Popen) as started:
        plain = apart.found(PartedBy.MONTH).compared
        by_plan = [apart.found(by).compared for by in (PartedBy.PLAN, ALL, PartedBy.MONTH)]
    assert started.call_count == 2
    assert plain is not None
    assert by_plan[0] is not None
    assert by_plan[0] is by_plan[1] is by_plan[2]
    of_command = compared(ledger, HALF, by="plan").side_by_side()[0]
    assert by_plan[0]._replace(by=PartedBy.PLAN).side_by_side()[0].rows == of_command.rows
    assert by_plan[0]._replace(by=ALL).side_by_side() == plain._replace(by=ALL).side_by_side()


def test_what_a_plugin_prints_is_no_part_of_the_answer(ledger: Path) -> None:
    """Nor what the folder holds that is named like a module: nothing is imported from there."""
    plugin = "__plugins__ = ['loud']\ndef loud(entries, options):\n    print('x' * 100000)\n"
    (ledger.parent / "loud.py").write_text(f"{plugin}    return entries, []\n")
    (ledger.parent / "pickle.py").write_text("raise SystemExit('not this one')\n")
    option = 'option "insert_pythonpath" "true"\nplugin "loud"\n'
    ledger.write_text(option + ledger.read_text())
    before = Path.cwd()
    os.chdir(ledger.parent)
    try:
        assert found(ledger).compared
    finally:
        os.chdir(before)


def broken_scenario(ledger: Path) -> str:
    (ledger.parent / "s.beancount").write_text("2026-06-01 open Assets:Bank\n")
    return "no scenario can be booked"


def no_plugin(ledger: Path) -> str:
    ledger.write_text("")
    return 'the ledger has no line plugin "beancount_compute"'


def other_books(ledger: Path) -> str:
    """A month is closed, and its terms say something else now."""
    write(ledger.parent, BOOKS.split("\n", 2)[2] + NAMED)
    close(ledger, "2026-05")
    ledger.write_text(ledger.read_text().replace("200.00 USD", "300.00 USD"))
    return "the books are not what their events give again"


@pytest.mark.parametrize("broken", [broken_scenario, no_plugin, other_books])
def test_what_can_t_be_compared_says_why(ledger: Path, broken: Callable[[Path], str]) -> None:
    """As the command does."""
    why = broken(ledger)
    answer = found(ledger)
    assert answer.compared is None
    assert answer.why_not.startswith(why)


def test_an_error_of_a_scenario_comes_with_its_place(ledger: Path) -> None:
    """The others are booked."""
    more = '2026-01-01 custom "compute-scenario" "Wrong" "wrong.beancount"\n'
    (ledger.parent / "wrong.beancount").write_text("\n2026-06-01 open Assets:Bank\n")
    ledger.write_text(ledger.read_text() + more)
    answer = found(ledger)
    ((place, message),) = answer.errors
    assert (place.file, place.line) == (str(ledger.parent / "wrong.beancount"), 2)
    assert message.startswith("a scenario holds terms only")
    assert answer.compared is not None
    assert [scenario.name for scenario, _ in answer.compared.scenarios] == ["Prices crash"]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("/nowhere/python", "no process can be started: "),
        (__file__, "no process can be started: "),
        ("false", "the process that books them ended early: "),
    ],
)
def test_a_process_that_does_not_work_is_no_exception(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, program: str, why: str
) -> None:
    """Where Python is built into a server, there may be none to start."""
    monkeypatch.setattr(sys, "executable", program)
    answer = found(ledger)
    assert answer.compared is None
    assert answer.why_not.startswith(why)


def test_a_ledger_that_is_loaded_anew_ends_the_process(ledger: Path) -> None:
    """Whoever waits for it is told; and none is started after that."""
    apart = ScenariosApart(str(ledger))
    program = [sys.executable, "-c", "import signal; signal.pause()"]  # it works for ever
    started = threading.Event()
    processes: list[subprocess.Popen[bytes]] = []

    def start(_: list[str], **more: Any) -> subprocess.Popen[bytes]:
        processes.append(real(program, **more))
        started.set()
        return processes[0]

    answers: list[ScenariosFound] = []
    real = subprocess.Popen
    with patch.object(in_a_process.subprocess, "Popen", start):
        asking = threading.Thread(target=lambda: answers.append(apart.found(ALL)))
        asking.start()
        assert started.wait(60)
        apart.abandon()
        asking.join()
        answers.append(ScenariosApart.found(apart, ALL))
    assert len(processes) == 1
    assert processes[0].returncode
    assert {each.why_not for each in answers} == {
        "the ledger has changed meanwhile: load the page again"
    }
    never = ScenariosApart(str(ledger))
    never.abandon()
    assert never.found(ALL).compared is None
