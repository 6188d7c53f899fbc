"""Reading a ledger while it is written, from any process, without a word to its writer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from autotroph.store.ledger import Event, Ledger
from autotroph.store.lock import is_held

BATCH = 100
"""Events that are read at a time."""


def follow(folder: Path, pause: float = 0.5) -> Iterator[Event]:
    """A run's events from the first on, until nobody writes to the run any more.

    The ledger is open only while it is read: a reader that keeps it open would keep SQLite from folding its log back.
    """
    seen = 0
    while True:
        living = is_held(folder / "ledger.lock")  # asked first: what was written before the release is still read
        with Ledger(folder / "ledger.sqlite") as ledger:
            events = ledger.since(seen, BATCH)
        yield from events
        seen += len(events)
        if not events:
            if not living:
                return
            time.sleep(pause)
