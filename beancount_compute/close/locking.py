"""One writer at a time, by a lock file that does not stay behind.

A lock on a file that has been removed keeps nobody out: whoever comes next makes a new file and
locks that. So who holds a lock looks whether the path still names the file that is locked, and
removes it only while holding it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    from filelock import FileLock, Timeout
else:
    import fcntl


class Busy(Exception):
    """Somebody else holds the lock."""


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock of that path; raises `Busy` where somebody else holds it."""
    if sys.platform == "win32":
        lock = FileLock(path)  # removes its file itself: an open one can't be removed there
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Busy from None
        try:
            yield
        finally:
            lock.release()
    else:
        handle = _locked(path)
        try:
            yield
        finally:
            try:
                path.unlink(missing_ok=True)
            finally:
                os.close(handle)


if sys.platform != "win32":

    def _locked(path: Path) -> int:
        """The path's file, opened and locked."""
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still(path, handle):
                    return handle
            except BlockingIOError:
                os.close(handle)
                raise Busy from None
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # who held it before has removed it: make a new one

    def _is_still(path: Path, handle: int) -> bool:
        try:
            return os.path.samestat(os.stat(path), os.fstat(handle))
        except FileNotFoundError:
            return False
