"""A person's request that a run end at its next safe point: a file in the run folder, addressed to the running process.

Whoever asks waits until the run has ended. Should the request vanish meanwhile without an event that obeys it, somebody
is tampering with the kill switch, and `removed` says so.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.oversight.processes import Census, supported
from autotroph.store.disk import clear_disk_errors
from autotroph.store.ledger import Ledger
from autotroph.store.lock import is_held

PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """`to`: the processes that drove the run; empty where the system does not tell: it is meant for anybody."""

    by: str
    reason: str
    to: tuple[int, ...] = ()

    @property
    def for_me(self) -> bool:
        return not self.to or os.getpid() in self.to


def path_of(folder: Path) -> Path:
    return folder / "stop.json"


def ask(folder: Path, by: str, reason: str) -> Request:
    """Leave a request. Raises AutotrophError where no process has the run."""
    to = drivers(folder)
    if not to and not is_held(folder / "ledger.lock"):
        raise AutotrophError(
            f"run {folder}: no process is running it; `autotroph runs {folder}` says what became of it"
        )
    request = Request(by, reason, to)
    fresh = folder / f".stop-{os.getpid()}"
    with clear_disk_errors(folder):
        fresh.write_text(json.dumps(asdict(request)))
        fresh.replace(path_of(folder))
    return request


def drivers(folder: Path) -> tuple[int, ...]:
    """Numbers of the processes that drive the run; none where the system does not tell."""
    return tuple(sorted(one.pid for one in Census(folder.resolve()).take()[0])) if supported() else ()


def read(folder: Path) -> Request | None:
    """The request that stands; None where there is none, or none that can be read."""
    try:
        found = json.loads(path_of(folder).read_text())
        return Request(found["by"], found["reason"], tuple(found["to"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def withdraw(folder: Path) -> None:
    path_of(folder).unlink(missing_ok=True)


def wait(folder: Path, request: Request) -> bool:
    """Until no process has the run. False: the request was taken away while the run went on without an answer."""
    while is_held(folder / "ledger.lock") or drivers(folder):
        if read(folder) != request and not obeyed(folder, request):
            return False
        time.sleep(PAUSE)
    return True


def obeyed(folder: Path, request: Request) -> bool:
    """Whether the ledger's last word is that the run stops on this request."""
    with Ledger(folder / "ledger.sqlite") as ledger:
        last = ledger.last("stop")
        return last is not None and last.data == event(request, now=False)


def event(request: Request, *, now: bool) -> dict[str, object]:
    """What the ledger says of it."""
    return {**asdict(request), "to": list(request.to), "now": now}
