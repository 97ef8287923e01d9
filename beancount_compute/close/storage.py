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
import re
import shutil
import stat
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
ATTRIBUTES = ".gitattributes"
_PLAIN = re.compile(r"[^\\:\x00-\x1f]+")
_MOVED = re.compile(r"[0-9]{4}-[0-9]{2}(\.[a-z.]+|-pack)", re.ASCII)
_KEPT = re.compile(r"reopened/[0-9]{4}-[0-9]{2}\.[0-9a-f]{8}/[^/]+", re.ASCII)
OURS = "bean-compute close"  # stands in the first line of all text that is ours


class CloseError(Exception):
    """What stops a close, in words for the person who asked for it."""


class BooksDiffer(CloseError):
    """What would be frozen is not what a load gives; another plugin may be the reason."""


class Change(NamedTuple):
    """A change of the folder: files to write, by path within it, and files to move away."""

    write: Mapping[str, bytes]
    move: Mapping[str, str] = {}


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Raise `CloseError` where the system does not let us."""
    try:
        yield
    except OSError as error:
        raise CloseError(f"can't write to {folder}: {error.strerror or error}") from None


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
        except OSError as error:
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
    with writing_to(folder):
        try:
            _stage(folder, stage, change)
        except OSError:
            shutil.rmtree(stage, ignore_errors=True)
            raise
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
    change = unfinished_change(folder)
    for name in sorted(change.write, key=lambda each: (each == INDEX, each)):
        if (stage / "files" / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(stage / "files" / name, folder / name)
    _sync(folder)
    for source, target in change.move.items():
        if (folder / source).exists():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / source, folder / target)
            _sync((folder / target).parent)
    _sync(folder)
    shutil.rmtree(stage)


def unfinished_change(folder: Path) -> Change:
    """What a change that was committed has left to do; nothing where there is none.

    Raises `CloseError` unless it is one that we make: plain names within the folder, without links.
    """
    commit = folder / NEXT / COMMIT
    if not os.path.lexists(commit):
        return Change({})
    try:
        return _checked(folder, commit)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f": {error}" if isinstance(error, ValueError | OSError) else ""
        raise CloseError(
            f"can't finish what an earlier run left in {folder / NEXT}, as it is not one of ours"
            f"{why}: nothing was done; look into it, and remove it"
        ) from None


def _checked(folder: Path, commit: Path) -> Change:
    """The change that a plan names; raises an error of any sort where it is not one of ours."""
    if not stat.S_ISREG(os.lstat(commit).st_mode) or (folder / NEXT).is_symlink():
        raise ValueError("its plan is no plain file")
    plan = json.loads(commit.read_text(encoding="utf-8"))
    if not isinstance(plan["write"], list) or not isinstance(plan["move"], dict):
        raise ValueError("its plan lists no files")
    write, move = dict.fromkeys(plan["write"], b""), plan["move"]
    for name in (*write, *move, *move.values()):
        check_plain(folder, name)
    for name in write:
        check_plain(folder / NEXT, f"files/{name}")
        staged = folder / NEXT / "files" / name
        if os.path.lexists(staged) and not stat.S_ISREG(os.lstat(staged).st_mode):
            raise ValueError(f"{staged} is no plain file")
    for source, target in move.items():
        if not (_MOVED.fullmatch(source) and _KEPT.fullmatch(target)):
            raise ValueError(f"it would move {source} to {target}")
    return Change(write, move)


def check_plain(folder: Path, name: object) -> None:
    """Raise `ValueError` for a name that leads out of a folder, or over a link."""
    parts = str(name).split("/")
    hidden = [part for part in parts if part.startswith(".") and part != ATTRIBUTES]
    if hidden or "" in parts or not _PLAIN.fullmatch(str(name)):
        raise ValueError(f"it names {name}, which is no plain name")
    for depth in range(1, len(parts)):
        path = folder.joinpath(*parts[:depth])
        if os.path.lexists(path) and not stat.S_ISDIR(os.lstat(path).st_mode):
            raise ValueError(f"{path} is a link, or no folder")


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
