"""Garbage collection: artifacts that no event of a run names, and what a crash has left half written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from autotroph.store.journal import candidates
from autotroph.store.lock import Lock, is_marked
from autotroph.store.run import Run


def collect(folder: Path, *, remove: bool) -> Iterator[tuple[Path, int]]:
    """(folder, its bytes) of everything that can go, each removed as it is yielded, unless `remove` is false.

    It holds the run's lock meanwhile, and leaves it marked as it was: a crashed run stays one. What stands in an event
    of whatever kind and could be an artifact's name counts as named, and so does a candidate that waits in the journal
    for its cycle to go on. Raises AutotrophError where a process has the run.
    """
    with Run.open(folder, write=False) as run, ExitStack() as held:
        if remove:
            marked = is_marked(run.lock)
            lock = Lock(run.lock)
            held.callback(lambda: lock.release(orderly=not marked))
        named = run.ledger.names() | candidates(folder)
        for store in run.stores:
            for path in store.unnamed(named):
                size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
                if remove:
                    store.remove(path)
                yield path, size
