"""The runs below a folder, each with a state that is derived from what there is, never from what was written of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autotroph.core.errors import AutotrophError
from autotroph.store.ledger import Ledger
from autotroph.store.lock import is_held, is_marked

State = Literal["running", "finished", "stopped", "crashed"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One run. Without a ledger that can be read, `problem` says why, and the rest is unknown."""

    folder: str
    state: State
    recipe: str | None = None
    cycles: int = 0
    promoted: int = 0
    problem: str | None = None


def state_of(folder: Path) -> State:
    """running: a living process has the lock. finished: the ledger has its end. Else the last process that wrote to it
    either released the lock in order (stopped) or did not (crashed). Raises AutotrophError without a ledger.
    """
    lock = folder / "ledger.lock"
    if is_held(lock):
        return "running"
    with Ledger(folder / "ledger.sqlite") as ledger:
        if ledger.last("end") is not None:
            return "finished"
    return "crashed" if is_marked(lock) else "stopped"


def runs(folder: Path) -> Iterator[Listed]:
    """Every run in `folder` or directly below it, by name. Raises AutotrophError where there is no such folder."""
    if not folder.is_dir():
        raise AutotrophError(f"runs {folder}: no such folder; give one that holds run folders")
    for candidate in (folder, *sorted(filter(Path.is_dir, folder.iterdir()))):
        if (candidate / "ledger.sqlite").is_file():
            yield _listed(candidate)


def _listed(folder: Path) -> Listed:
    try:
        state = state_of(folder)
        with Ledger(folder / "ledger.sqlite") as ledger:
            start = ledger.last("start")
            verdicts = [event.data["record"]["decision"]["verdict"] for event in ledger.events("cycle")]
    except (AutotrophError, ValueError, KeyError) as error:
        lock = folder / "ledger.lock"
        left: State = "crashed" if is_marked(lock) else "stopped"
        return Listed(str(folder), "running" if is_held(lock) else left, problem=str(error))
    recipe = start.data["recipe"] if start else None
    return Listed(str(folder), state, recipe, len(verdicts), verdicts.count("promote"))
