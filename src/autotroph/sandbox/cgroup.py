"""A control group that bounds the memory of a jail's processes and files together, where we may make one."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
FILES = {1: ("memory.limit_in_bytes", "memory.failcnt"), 2: ("memory.max", "memory.events")}
_count = itertools.count()


class Group:
    """One group; `add` a process before it forks. `close` removes it once its processes have gone."""

    def __init__(self, parent: Path, version: int) -> None:
        self.path = parent / f"autotroph-{os.getpid()}-{next(_count)}"
        self._limit, self._events = (self.path / name for name in FILES[version])
        self._bytes = 0
        self.path.mkdir()

    def add(self, process: int) -> None:
        (self.path / "cgroup.procs").write_text(str(process))

    def limit(self, size: int) -> None:
        if size != self._bytes:
            self._limit.write_text(str(size))
            self._bytes = size

    def close(self) -> None:
        for wait in range(60):
            with contextlib.suppress(OSError):
                self.path.rmdir()
                return
            time.sleep(0.0005 * wait)


@functools.cache
def home() -> tuple[Path, int] | None:
    """The group below which we may make others, and the version of the interface; None where there is none."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            parent, version = ROOT / "memory" / path.strip("/"), 1
        elif controllers == "":
            parent, version = ROOT / path.strip("/"), 2
        else:
            continue
        with contextlib.suppress(OSError):
            trial = Group(parent, version)
            try:
                trial.limit(1 << 30)
                sweep(parent)
                return parent, version
            finally:
                trial.close()
    return None


def sweep(parent: Path) -> None:
    """Removes the groups of supervisors that were killed; the system refuses where one still has processes."""
    for path in parent.glob("autotroph-*"):
        if not Path("/proc", path.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                path.rmdir()


def group() -> Group | None:
    place = home()
    return Group(*place) if place else None
