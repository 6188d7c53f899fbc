"""Which processes a run consists of, as the kernel tells it: nothing that a file in the run folder says is believed.

A process is of a run where it holds the run's lock, where the environment that it was started with has the run's mark,
where its parent is of the run, or where it is in a session or process group that one of its processes has opened. The
process that drives a run adopts its orphans (`PR_SET_CHILD_SUBREAPER`), so that a daemon which has forked twice, left
its session and cleared its environment still has a parent in the run, for as long as that process is there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autotroph.core.errors import AutotrophError

MARK = "AUTOTROPH_RUN"
"""Environment variable that all processes of a run inherit: the run's folder."""

SET_CHILD_SUBREAPER, GET_CHILD_SUBREAPER = 36, 37
"""Of prctl(2)."""


@dataclass(frozen=True, slots=True)
class Process:
    """A line of the process table. `started`, in clock ticks since boot, tells it from a later one with its number."""

    pid: int
    parent: int
    group: int
    session: int
    state: str
    threads: int
    started: int

    @property
    def alive(self) -> bool:
        """A process whose first thread has ended looks like a zombie while the others run on."""
        return self.state not in "ZX" or self.threads > 1

    @property
    def frozen(self) -> bool:
        return self.state in "TtZX"


def supported() -> bool:
    """Whether this system has what the kill switch needs: Linux's /proc and pidfd."""
    return os.path.exists("/proc/self/stat") and hasattr(os, "pidfd_open")


def look(pid: int) -> Process | None:
    """One process; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read().decode(errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before it may hold anything
    parent, group, session = map(int, fields[1:4])
    return Process(pid, parent, group, session, fields[0], int(fields[17]), int(fields[19]))


def table() -> dict[int, Process]:
    """Every living process by its number."""
    seen = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in seen if process is not None and process.alive}


def holds(pid: int, lock: Path) -> bool:
    """Whether the process has the exclusive lock on the file, be it deleted by now; a reader's is shared."""
    names, process = {str(lock), f"{lock} (deleted)"}, f"/proc/{pid}"
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(f"{process}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"{process}/fd/{descriptor}") in names:
                    held = Path(f"{process}/fdinfo/{descriptor}").read_text()
                    if any("FLOCK" in line and "WRITE" in line for line in held.splitlines()):
                        return True
    return False


def is_marked(pid: int, folder: Path) -> bool:
    """Whether the process was started with the run's mark."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return os.fsencode(f"{MARK}={folder}") in file.read().split(b"\0")
    except OSError:
        return False


@dataclass
class Census:
    """Counts the processes of the run in a folder, again and again; a process counted once is of the run for ever.

    The calling process is never among them, whatever it is to the run.
    """

    folder: Path
    """Resolved."""

    def __post_init__(self) -> None:
        self._lock = self.folder / "ledger.lock"
        self._judged: dict[tuple[int, int], tuple[bool, bool]] = {}
        self._known: set[tuple[int, int]] = set()

    def take(self) -> tuple[list[Process], list[Process]]:
        """(those that drive the run, all others), as they are now. The lock goes on to a child that is forked: a driver
        has it from nobody."""
        now = table()
        holders = {pid for pid, process in now.items() if self._judge(process)[0]}
        found = {pid for pid, process in now.items() if any(self._judge(process)) or self._key(process) in self._known}
        grown = True
        while grown:
            opened = found - holders
            fresh = {
                pid
                for pid, process in now.items()
                if pid not in found
                and (process.parent in found or process.session in opened or process.group in opened)
            }
            found |= fresh
            grown = bool(fresh)
        self._known |= {self._key(now[pid]) for pid in found}
        found.discard(os.getpid())
        drivers = {pid for pid in holders & found if now[pid].parent not in holders}
        return [now[pid] for pid in drivers], [now[pid] for pid in found - drivers]

    def _judge(self, process: Process) -> tuple[bool, bool]:
        """(holds the lock, is marked). Looked up once: a later program in the same process is known already."""
        key = self._key(process)
        if key not in self._judged:
            self._judged[key] = holds(process.pid, self._lock), is_marked(process.pid, self.folder)
        return self._judged[key]

    @staticmethod
    def _key(process: Process) -> tuple[int, int]:
        return process.pid, process.started


def send(process: Process, number: signal.Signals) -> None:
    """Signal this very process: where its number has gone to another one meanwhile, nobody is signalled."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        descriptor = os.pidfd_open(process.pid)
        try:
            now = look(process.pid)
            if now is not None and now.started == process.started:
                if number is signal.SIGKILL:
                    hurry(process.pid)
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def hurry(pid: int) -> None:
    """Give a process precedence where we may: one that keeps all cores busy must not keep its own end waiting."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.setpriority(os.PRIO_PROCESS, int(thread), -20)


@contextlib.contextmanager
def first_in_line() -> Iterator[None]:
    """Precedence for the caller, where it may have it, as long as it is inside."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    hurry(os.getpid())
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


@contextlib.contextmanager
def marked(folder: Path) -> Iterator[None]:
    """All that this process starts meanwhile is the run's: it has the mark, and this process adopts its orphans."""
    before, adopted = os.environ.get(MARK), adopts()
    os.environ[MARK] = str(folder.resolve())
    _adopt(True)
    try:
        yield
    finally:
        _adopt(adopted)
        if before is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = before


def adopts() -> bool:
    """Whether this process adopts the orphans among its descendants."""
    if not supported():
        return False
    found = ctypes.c_int()
    ctypes.CDLL(None).prctl(GET_CHILD_SUBREAPER, ctypes.byref(found), 0, 0, 0)
    return bool(found.value)


def _adopt(on: bool) -> None:
    if supported():
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def require_support() -> None:
    """Raises AutotrophError on a system without Linux's /proc."""
    if not supported():
        raise AutotrophError("stop --now: this system has no /proc; end the run's process and its children by hand")
