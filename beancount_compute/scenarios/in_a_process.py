"""The scenarios that a ledger names, booked in a process of its own: what pages call.

    scenarios = ScenariosApart(ledger)
    scenarios.found(by)    ->  ScenariosFound(WhatIf, errors, ""); whoever asks meanwhile, waits
    scenarios.abandon()        the ledger was loaded anew

Booking takes all of a processor for as long as some loads do. Where threads answer requests, as in
Fava, they would all wait for it; a process with one thread may book scenarios side by side, too.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import Place
from beancount_compute.ledger import Errors, place_of
from beancount_compute.scenarios.compared import WhatIf
from beancount_compute.scenarios.figures_of_runs import PartedBy
from beancount_compute.scenarios.what_if import CannotCompare, read_scenarios, what_if


class ScenarioError(NamedTuple):
    """What is wrong with a scenario."""

    place: Place
    message: str


class ScenariosFound(NamedTuple):
    """The books beside the scenarios of a ledger; else why not."""

    compared: WhatIf | None
    errors: list[ScenarioError]  # of scenarios that are left out
    why_not: str = ""


class ScenariosApart:
    """The scenarios of a ledger as it is loaded: booked once, when somebody asks.

    Where figures by plan are asked for, which take longer, once more: then these are for all.
    """

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._asking, self._starting = threading.Lock(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._abandoned = False
        self._found: dict[bool, ScenariosFound] = {}  # whether by plan, too

    def found(self, by: PartedBy) -> ScenariosFound:
        """What the process found, which is waited for; fit for being parted so."""
        by_plan = by is PartedBy.PLAN
        with self._asking:
            known = self._found.get(True) or self._found.get(by_plan)
            if known is None:
                known = self._found[by_plan] = self._ask(by)
            return known

    def abandon(self) -> None:
        """Stop the process, if it is at work: what it would find is of a ledger that is no more."""
        with self._starting:
            self._abandoned = True
            if self._process is not None:
                self._process.terminate()

    def _ask(self, by: PartedBy) -> ScenariosFound:
        words = [sys.executable, "-P", "-m", "beancount_compute.scenarios", self._ledger, by.value]
        paths = os.pathsep.join([each for each in sys.path if each])  # what this process may import
        pipe = subprocess.PIPE
        with self._starting:
            if self._abandoned:
                return _CHANGED
            try:
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=pipe,
                    stderr=pipe,
                    env={**os.environ, "PYTHONPATH": paths},
                )
            except OSError as error:
                return ScenariosFound(None, [], f"no process can be started: {error}")
            self._process = process
        answer, told = process.communicate()
        if self._abandoned:
            return _CHANGED
        if process.returncode:
            last = told.decode(errors="replace").strip().rpartition("\n")[2]
            return ScenariosFound(None, [], f"the process that books them ended early: {last}")
        found: ScenariosFound = pickle.loads(answer)  # of our own process
        return found


_CHANGED = ScenariosFound(None, [], "the ledger has changed meanwhile: load the page again")


def answer(ledger: str, by: str) -> None:
    """Book the scenarios of a ledger, and write what is found where the one who asks reads it.

    What a plugin of the ledger prints goes with the errors.
    """
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        signal.signal(signal.SIGTERM, _leave)
        pickle.dump(scenarios_of(Path(ledger), PartedBy(by)), answers)


def _leave(*_: Any) -> None:
    """End in order: processes that book scenarios are ended as well."""
    sys.exit(1)


def scenarios_of(ledger: Path, by: PartedBy) -> ScenariosFound:
    """The books of a ledger beside the scenarios that it names."""
    try:
        return _beside(load(ledger), by)
    except (CloseError, CannotCompare) as error:
        return ScenariosFound(None, [], str(error))


def _beside(loaded: Loaded, by: PartedBy) -> ScenariosFound:
    booking, wrong = loaded.booked, Errors()
    files = [(each.name, each.path) for each in booking.scenarios]
    scenarios = read_scenarios(booking, files, wrong)
    errors = [ScenarioError(place_of(each.source), each.message) for each in wrong.in_order()]
    if not scenarios:
        return ScenariosFound(None, errors, "no scenario can be booked")
    return ScenariosFound(what_if(booking, loaded.entries, scenarios, by=by), errors)
