"""One tracker of one run, in a process of its own: whatever the tracker does there, the run does not notice.

RUN/track/<name>/progress.json  the run's name in the tracker, and the first step that was not delivered
                /lock           held by the process that delivers
                /log            what the tracker had to say
                /...            what the tracker keeps locally
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.store.runs import state_of
from autotroph.track.follow import follow
from autotroph.track.metrics import points
from autotroph.track.sink import home, load

PATIENCE = 120
"""Seconds that one call of a tracker may take; the kernel then ends the process, even one that is stuck in C."""

SPARE = 2**28
"""Bytes of disk that are left to the run: a tracker gives way where there are fewer."""

LARGEST = 2**30
"""Bytes that one file of a tracker may have."""


OOM = Path("/proc/self/oom_score_adj")
"""On Linux: who goes first when memory is short."""


class Progress:
    """How far a tracker has come; on the disk after every step."""

    def __init__(self, folder: Path, run: str):
        self._path = folder / "progress.json"
        try:
            stored = json.loads(self._path.read_text())
        except FileNotFoundError:
            stored = {"run": f"{re.sub(r'[^0-9A-Za-z_.-]', '-', run)[:64]}-{uuid.uuid4().hex[:8]}", "step": 0}
        self.run: str = stored["run"]
        self.reach(stored["step"])

    def reach(self, step: int) -> None:
        """`step`: the first one that was not delivered."""
        self.step = step
        work = self._path.with_suffix(".new")
        work.write_text(json.dumps({"run": self.run, "step": step}))
        work.replace(self._path)


def deliver(folder: Path, name: str) -> None:
    """Tell the sink `name` of everything that it does not have yet, until nobody writes to the run any more.

    Waits while another process does the same.
    """
    where = home(folder, name)
    where.mkdir(parents=True, exist_ok=True)
    with (where / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        progress, events = Progress(where, folder.resolve().name), follow(folder)
        start = next(events)
        with patience():
            sink = load(name, where)
            wanted = sink.begin(progress.run, {"recipe": start.data["recipe"], **start.data["config"]}, progress.step)
        for point in points(events):
            if point.step >= wanted:
                leave_room(where)
                with patience():
                    sink.log(point.step, point.at, point.metrics)
            progress.reach(point.step + 1)
        with patience():
            sink.end(state_of(folder))


@contextmanager
def patience(seconds: int = PATIENCE) -> Iterator[None]:
    """What takes longer ends the process, by SIGALRM."""
    signal.alarm(seconds)
    yield
    signal.alarm(0)


def leave_room(folder: Path) -> None:
    """Raises AutotrophError where the disk is nearly full: the run needs the rest."""
    free = shutil.disk_usage(folder).free
    if free < SPARE:
        raise AutotrophError(f"{free / 2**20:.0f} MiB of disk left, which the run may need; free some space")


def be_modest(largest: int = LARGEST) -> None:
    """The run goes first: in getting a core, in keeping its memory, and no file of this process fills the disk."""
    os.nice(10)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest if most == resource.RLIM_INFINITY else min(largest, most), most))
    with suppress(OSError):
        OOM.write_text("1000")
