"""The lock of a run's writer: who holds it lives, and what it leaves behind says how its process ended."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.store.disk import clear_disk_errors

TRIES, PAUSE = 10, 0.02
"""A reader that looks whether the lock is held holds it for an instant: a writer asks again, `PAUSE` seconds later."""


class Lock:
    """An exclusive lock on a file; the kernel frees it when the process ends, however it ends.

    The file holds a mark from the first moment to an orderly release. Raises AutotrophError where another process has
    the lock.
    """

    def __init__(self, path: Path):
        self._path = path
        with clear_disk_errors(path):
            self._handle = path.open("ab")
        for left in reversed(range(TRIES)):
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not left:
                    self._handle.close()
                    raise AutotrophError(
                        f"run {path.parent}: another process is writing to it; wait for it or stop it"
                    ) from None
                time.sleep(PAUSE)
        with clear_disk_errors(path):
            if self._handle.tell() == 0:
                self._handle.write(b"in use\n")
                self._handle.flush()
            os.fsync(self._handle.fileno())

    def release(self, *, orderly: bool) -> None:
        """`orderly`: take the mark away, so that nobody thinks of a crash."""
        if self._handle.closed:
            return
        with clear_disk_errors(self._path), self._handle:
            if orderly:
                self._handle.truncate(0)
                os.fsync(self._handle.fileno())


def is_held(path: Path) -> bool:
    """Whether a living process has the lock."""
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def is_marked(path: Path) -> bool:
    """Whether the last process that had the lock did not release it in order."""
    return path.is_file() and path.stat().st_size > 0
