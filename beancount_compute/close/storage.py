"""Writing closed months so that nothing is ever half there.

    closed/.next/            all that is to be written, whole, before anything is moved
    closed/.next/commit      its last file: from now on the new state is what holds

Killed before `commit` exists, the folder holds the old state, and what lies in `.next` is thrown
away by whoever comes next; killed after it, the next one finishes the moves. Of what is written the
index is moved last, and it alone says what is closed; what a reopened month leaves behind is moved
away after that.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from beancount_compute.closed import INDEX

if sys.platform == "win32":
    from filelock import FileLock
else:
    import fcntl

BOOKS = "books.beancount"
NEXT = ".next"
COMMIT = "commit"
OURS = "bean-compute close"  # stands in the first line of all text that is ours


class CloseError(Exception):
    """What stops a close, in words for the person who asked for it."""


class Change(NamedTuple):
    """A change of the folder: files to write, by path within it, and files to move away."""

    write: Mapping[str, bytes]
    move: Mapping[str, str] = {}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from writing to the folder; finish first what somebody before left undone."""
    try:
        release = acquire(folder)
    except (BlockingIOError, TimeoutError):
        raise CloseError(
            f"another bean-compute is writing to {folder}: wait until it is done"
        ) from None
    except OSError as error:
        raise CloseError(f"can't write to {folder}: {error.strerror or error}") from None
    try:
        try:
            recover(folder)
        except (OSError, ValueError, KeyError) as error:
            raise CloseError(
                f"can't finish what an earlier run left in {folder / NEXT}: {error}"
            ) from None
        yield
    finally:
        release()


def acquire(folder: Path) -> Callable[[], None]:
    """Lock the folder itself, so that no file stays behind; gives what unlocks it again.

    Raises `BlockingIOError` or `TimeoutError` where somebody else holds it. A process that ends
    holds nothing any more.
    """
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        release: Callable[[], None] = partial(os.close, handle)
    else:
        lock = FileLock(folder / ".lock")  # folders can't be locked there; it removes its file
        lock.acquire(timeout=0)
        release = lock.release
    return release


def apply(folder: Path, change: Change) -> None:
    """Make a change, whole or not at all."""
    stage = folder / NEXT
    try:
        _stage(folder, stage, change)
    except OSError as error:
        shutil.rmtree(stage, ignore_errors=True)
        raise CloseError(f"can't write to {folder}: {error.strerror or error}") from None
    try:
        recover(folder)
    except OSError as error:
        raise CloseError(
            f"can't write to {folder}: {error.strerror or error}; the next run goes on from here"
        ) from None


def recover(folder: Path) -> None:
    """Finish a change that was committed; throw one away that was not."""
    stage = folder / NEXT
    if not stage.exists():
        return
    if not (stage / COMMIT).exists():
        shutil.rmtree(stage)
        return
    plan = json.loads((stage / COMMIT).read_text(encoding="utf-8"))
    for name in sorted(plan["write"], key=lambda each: (each == INDEX, each)):
        if (stage / "files" / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(stage / "files" / name, folder / name)
    _sync(folder)
    for source, target in plan["move"].items():
        if (folder / source).exists():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / source, folder / target)
            _sync((folder / target).parent)
    _sync(folder)
    shutil.rmtree(stage)


def _stage(folder: Path, stage: Path, change: Change) -> None:
    for name, data in change.write.items():
        if name not in change.move:
            check_ours(folder / name, data)
    for name, data in change.write.items():
        path = stage / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    for parent in sorted({(stage / "files" / name).parent for name in change.write}):
        _sync(parent)
    plan = {"write": list(change.write), "move": dict(change.move)}
    almost = stage / f"{COMMIT}.tmp"
    with open(almost, "w", encoding="utf-8") as out:
        json.dump(plan, out)
        out.flush()
        os.fsync(out.fileno())
    _sync(stage)
    os.replace(almost, stage / COMMIT)
    _sync(stage)


def check_ours(path: Path, data: bytes) -> None:
    """Raise `CloseError` rather than overwrite a file that bean-compute did not write."""
    if not path.exists():
        return
    found = path.read_bytes() if path.is_file() else None
    rewritten = path.name in (INDEX, BOOKS)
    ours = found is not None and (not found.strip() or OURS.encode() in found.partition(b"\n")[0])
    if found != data and not (rewritten and ours):
        raise CloseError(
            f"{path} is there already and was not written by this close: move it away, or name "
            "another folder"
        )


def _sync(folder: Path) -> None:
    """Let the names of a folder reach the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
