"""The kill switch: every process of a run is gone, whatever it does, and nobody else's is touched.

First all are frozen (SIGSTOP cannot be caught), sweep after sweep until one finds nobody new, so that hardly any forks
while its relatives die. Then all are killed, the process that drives the run last: while it is there, it adopts every
orphan, and so none is lost from sight.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from autotroph.oversight.processes import Census, Process, require_support, send

FREEZE, PATIENCE = 0.3, 1.0
"""Seconds after which killing begins although new ones still come, and after which the driver is no longer spared
although others are left."""

PAUSE, TRIES = 0.002, 50
"""Seconds between two sweeps, and sweeps that each process is killed in before it counts as one that cannot be: the
caller may have been stopped itself meanwhile, by a tired machine or by the run."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of it. `left`: processes that are still there after the deadline; the kernel could not end them."""

    killed: int
    seconds: float
    left: tuple[int, ...]


def pull(folder: Path, deadline: float = 10.0, spare: Container[int] = ()) -> Pulled:
    """End every process of the run in the folder but the caller and those in `spare`.

    Gives up after `deadline` seconds on those that the kernel does not end. Raises AutotrophError on a system without
    /proc.
    """
    require_support()
    begun = time.monotonic()
    census, seen = Census(folder.resolve()), set[tuple[int, int]]()

    def elapsed() -> float:
        return time.monotonic() - begun

    def take() -> tuple[list[Process], list[Process]]:
        drivers, others = ([one for one in side if one.pid not in spare] for side in census.take())
        seen.update((one.pid, one.started) for one in (*drivers, *others))
        return drivers, others

    before = -1
    while before < len(seen) and elapsed() < FREEZE:
        before = len(seen)
        for one in (one for side in take() for one in side if not one.frozen):
            send(one, signal.SIGSTOP)
    empty, shots = 0, Counter[int]()
    while empty < 2 and not (elapsed() > deadline and shots and min(shots.values()) > TRIES):
        drivers, others = take()
        targets = [*others, *drivers] if elapsed() > PATIENCE else others or drivers
        empty = 0 if targets else empty + 1
        shots = Counter({one.pid: shots[one.pid] + 1 for one in targets})
        for one in targets:
            send(one, signal.SIGKILL)
        time.sleep(PAUSE if targets else 0)
    left = tuple(one.pid for side in take() for one in side)
    return Pulled(len(seen) - len(left), elapsed(), left)
