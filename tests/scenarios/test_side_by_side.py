"""Jobs in processes of their own: results in order, exceptions where they are asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from beancount_compute.scenarios import side_by_side as tested
from beancount_compute.scenarios.side_by_side import side_by_side


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def fail(*_: object) -> tuple[int, int]:
    raise ValueError("no")


def vanish() -> tuple[int, int]:
    os._exit(3)


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch, recwarn: Any) -> None:
    """Processes are forked, whatever threads the tests' own runner has."""
    monkeypatch.setattr(tested, "_can_fork", lambda: True)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_results_come_in_the_order_of_the_jobs(forking: None) -> None:
    """Each from a process of its own."""
    found = side_by_side([partial(square, number) for number in range(5)])
    assert [number for number, _ in found] == [0, 1, 4, 9, 16]
    assert len({process for _, process in found} - {os.getpid()}) == 5


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize(("job", "error"), [(fail, ValueError), (vanish, RuntimeError)])
def test_what_goes_wrong_is_raised_here(
    forking: None, job: Callable[[], tuple[int, int]], error: type[Exception]
) -> None:
    """Also where a process ends without a word; the others end, too."""
    with pytest.raises(error):
        side_by_side([partial(square, 1), job, partial(square, 2)])


def test_beside_threads_nothing_is_forked() -> None:
    """As in Fava: one after the other, here."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        found = side_by_side([partial(square, 1), partial(square, 2)])
    finally:
        done.set()
        thread.join()
    assert found == [(1, os.getpid()), (4, os.getpid())]
