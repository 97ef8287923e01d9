"""Jobs side by side: each in a process of its own that goes on from what is in memory here.

Nothing is copied on the way there, so that a ledger is read once; only results come back. Where no
process can be forked, or threads are at work, the jobs are done one after the other.
"""

from __future__ import annotations

import gc
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

MOST_AT_ONCE = 2  # each holds a part of what it books in memory of its own

Result = TypeVar("Result")


def side_by_side(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """What jobs make, in their order; an exception of one of them is raised here."""
    if not _can_fork() or len(jobs) < 2:
        return [job() for job in jobs]
    ours = not gc.get_freeze_count()
    if ours:
        gc.freeze()  # what the collector looks through is copied for each process
    try:
        return _in_processes(jobs)
    finally:
        if ours:
            gc.unfreeze()


def _can_fork() -> bool:
    return "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1


def _in_processes(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    context: Any = multiprocessing.get_context("fork")
    made: list[Any] = []
    running: list[tuple[Any, Connection]] = []
    for job in jobs:
        if len(running) == MOST_AT_ONCE:
            made.append(_result_of(*running.pop(0)))
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
        running.append((process, ours))
    made += [_result_of(*each) for each in running]
    for each in made:
        if isinstance(each, BaseException):
            raise each
    return made


def _work(job: Callable[[], object], results: Connection) -> None:
    try:
        made = job()
    except Exception as error:  # it is raised where the result is asked for
        results.send(error)
    else:
        results.send(made)


def _result_of(process: Any, results: Connection) -> object:
    try:
        made: object = results.recv()
    except EOFError:
        made = RuntimeError("a process that booked a scenario ended without a result")
    process.join()
    return made
