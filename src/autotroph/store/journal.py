"""Paid work of a run that no event of its ledger rests on yet: kept before it is used, replayed after a crash.

journal.sqlite   answers of samplers, endpoints and verifiers, and what each of them has cost (WAL, synchronous=FULL)
meter.json       a high-water mark of all that was paid, written in place: it outlives a process, kill -9 included; a
                 power failure may take the last ones, and then what was recorded still counts
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import cast

import apsw

from autotroph.core.budget import Cost
from autotroph.core.errors import AutotrophError
from autotroph.store.disk import clear_disk_errors

CANDIDATE = "candidate"
"""How names of calls begin whose answer is a stored policy, as JSON."""

WIDTH = 256
"""Bytes of a mark, in one sector of a disk."""


def marked(folder: Path) -> Cost:
    """What is marked in a run's folder, for whoever only looks: all that was paid so far, what is under way at its
    worst. Empty where there is no mark."""
    try:
        mark: dict[str, float] = json.loads((folder / "meter.json").read_text())
    except (OSError, ValueError):
        return {}
    return mark


class Journal:
    """Implements `core.budget.Journal` in a run's folder, for the process that writes to its ledger."""

    def __init__(self, folder: Path):
        self.path = folder / "journal.sqlite"
        self._since, self._asked, self._lock = 0, Counter[str](), Lock()
        with clear_disk_errors(folder), self._clear_errors():
            self._file = os.open(folder / "meter.json", os.O_RDWR | os.O_CREAT, 0o644)
            self._db = apsw.Connection(str(self.path))
            self._db.pragma("journal_mode", "wal")
            self._db.pragma("synchronous", 2)
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS work(since INTEGER, name TEXT, part INTEGER, answer BLOB, cost TEXT, "
                "paid TEXT, PRIMARY KEY(name, part)) STRICT"
            )

    def begin(self, since: int) -> None:
        """Forget all work but that which was done since event number `since` of the ledger."""
        with self._lock, self._clear_errors():
            self._since = since
            self._asked.clear()
            self._db.execute("DELETE FROM work WHERE since <> ?", (since,))

    def parts(self, call: str) -> tuple[str, dict[int, tuple[bytes, Cost]]]:
        """Equal calls of a session have names of their own: the second one was paid for, too."""
        with self._lock, self._clear_errors():
            self._asked[call] += 1
            name = f"{call}.{self._asked[call]}"
            rows = self._db.execute("SELECT part, answer, cost FROM work WHERE name = ? ORDER BY part", (name,))
            return name, {part: (answer, json.loads(cost)) for part, answer, cost in rows}

    def record(self, name: str, part: int, answer: bytes, cost: Cost, paid: Cost) -> None:
        row = (self._since, name, part, answer, json.dumps(cost), json.dumps(paid))
        with self._lock, self._clear_errors():
            self._db.execute("INSERT INTO work VALUES (?, ?, ?, ?, ?, ?)", row)

    def mark(self, paid: Cost) -> None:
        with clear_disk_errors(self.path):
            os.pwrite(self._file, json.dumps(paid).ljust(WIDTH).encode(), 0)

    def paid(self) -> Cost:
        with self._lock, self._clear_errors():
            rows = self._db.execute("SELECT paid FROM work ORDER BY rowid DESC LIMIT 1").fetchall()
        known = [json.loads(str(paid)) for (paid,) in rows]
        with suppress(ValueError):  # there is none yet, or a power failure took it
            known.append(json.loads(os.pread(self._file, WIDTH, 0)))
        return {name: max(one.get(name, 0) for one in known) for name in set().union(*known)}

    def close(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()
            os.close(self._file)

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except apsw.FullError as error:
            raise AutotrophError(f"journal {self.path}: disk full; free some space and resume the run") from error
        except (apsw.IOError, apsw.CantOpenError) as error:
            raise AutotrophError(
                f"journal {self.path}: {error}; check the disk and its free space, and resume the run"
            ) from error
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise AutotrophError(
                f"journal {self.path}: {error}; delete it and resume the run, which pays again for what it held"
            ) from error


def candidates(folder: Path) -> set[str]:
    """Artifacts that a run's journal names: a resumed run goes on with them."""
    path = folder / "journal.sqlite"
    if not path.is_file():
        return set()
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = db.execute("SELECT answer FROM work WHERE name GLOB ?", (f"{CANDIDATE} *",)).fetchall()
    finally:
        db.close()
    found = [json.loads(cast(bytes, answer))["policy"] for (answer,) in rows]
    return {policy[name] for policy in found for name in ("uri", "data")}
