"""The run's history: an append-only, hash-chained list of events in SQLite, with a Merkle root over all of them.

An event that `append` has returned from is on the disk (WAL, synchronous=FULL). One process writes; anybody may read.
The chain lies beside what it protects: whoever can write the file can make a chain anew. The root is printed and kept
in the report, so that it also lies where the ledger's writer does not come again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from autotroph.core.errors import AutotrophError
from autotroph.store import merkle
from autotroph.store.lock import Lock

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    kind: str
    data: dict[str, Any]
    hash: str


def chain_hash(previous: str, seq: int, kind: str, data: str) -> str:
    """SHA-256 over the previous hash and this event's content; `data` is its JSON text as stored."""
    return hashlib.sha256(previous.encode() + b"\n" + entry(seq, kind, data)).hexdigest()


def entry(seq: int, kind: str, data: str) -> bytes:
    """What a leaf of the Merkle tree stands for; `data` is the event's JSON text as stored."""
    return f"{seq}\n{kind}\n{data}".encode()


class Ledger:
    """Events of one run. Opened for writing it holds a lock that dies with its process."""

    def __init__(self, path: Path, *, write: bool = False):
        self.path = path
        self._lock = Lock(path.with_suffix(".lock")) if write else None
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if write else apsw.SQLITE_OPEN_READONLY
        try:
            self._db = apsw.Connection(str(path), flags=flags)
            self._db.set_busy_timeout(5000)
            if write:
                self._db.pragma("journal_mode", "wal")
                self._db.pragma("synchronous", 2)
                self._db.wal_checkpoint()  # a killed process may have left events that are read, and not on the disk
                self._db.execute(
                    "CREATE TABLE IF NOT EXISTS event"
                    "(seq INTEGER PRIMARY KEY, at REAL, kind TEXT, data TEXT, hash TEXT) STRICT"
                )
            self._head = next((event.hash for event in self._select("ORDER BY seq DESC LIMIT 1")), GENESIS)
        except apsw.Error as error:
            self.close()
            raise self._refused(error) from error

    def append(self, kind: str, data: dict[str, Any]) -> Event:
        """Write one event durably. Raises AutotrophError when the disk refuses; nothing is half written then."""
        text = json.dumps(data, sort_keys=True, allow_nan=False)
        seq = len(self)
        event = Event(seq, kind, json.loads(text), chain_hash(self._head, seq, kind, text))
        try:
            self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (seq, time.time(), kind, text, event.hash))
        except apsw.Error as error:
            raise self._refused(error) from error
        self._head = event.hash
        return event

    def events(self, kind: str | None = None) -> Iterator[Event]:
        """Events in order, all of them or those of one kind."""
        return self._select("ORDER BY seq") if kind is None else self._select("WHERE kind = ? ORDER BY seq", kind)

    def last(self, kind: str) -> Event | None:
        return next(self._select("WHERE kind = ? ORDER BY seq DESC LIMIT 1", kind), None)

    def numbers(self) -> list[int]:
        """Of all events; a sound ledger has 0 to n-1."""
        return [int(str(seq)) for (seq,) in self._db.execute("SELECT seq FROM event ORDER BY seq")]

    def event(self, seq: int) -> Event:
        """Raises ValueError where its text is no JSON object."""
        found = next(self._select("WHERE seq = ?", seq))
        if not isinstance(found.data, dict):
            raise ValueError(f"event {seq} is a JSON {type(found.data).__name__}")
        return found

    def leaves(self) -> list[bytes]:
        """Leaf hashes of the Merkle tree, one an event."""
        rows = self._db.execute("SELECT seq, kind, data FROM event ORDER BY seq")
        return [merkle.leaf_hash(entry(seq, kind, data)) for seq, kind, data in rows]

    def root(self) -> str:
        """The Merkle root over all events (RFC 9162), in hexadecimal."""
        return merkle.root(self.leaves()).hex()

    def faults(self) -> Iterator[tuple[int, str]]:
        """Recompute the chain: (number, what is wrong) of every event that does not fit the one before it."""
        previous: str | None = GENESIS
        expected = 0
        for seq, kind, data, stored in self._db.execute("SELECT seq, kind, data, hash FROM event ORDER BY seq"):
            if seq != expected:
                yield (
                    expected,
                    "it was removed" if seq == expected + 1 else f"it and those up to {seq - 1} were removed",
                )
                previous = None
            if previous is not None and chain_hash(previous, seq, kind, data) != stored:
                yield seq, "it was altered, or moved here"
            previous, expected = stored, seq + 1

    def check(self) -> None:
        """Raises AutotrophError naming the first event that does not fit the chain."""
        for seq, _ in self.faults():
            raise AutotrophError(f"ledger {self.path}: event {seq} was altered, dropped or moved; do not trust it")

    def __len__(self) -> int:
        newest = self._db.execute("SELECT max(seq) FROM event").fetchall()[0][0]
        return 0 if newest is None else int(str(newest)) + 1

    def close(self, *, orderly: bool = True) -> None:
        """`orderly`: whether the process has stopped of its own will; else its end counts as a crash."""
        if hasattr(self, "_db"):
            self._db.close()
        if self._lock is not None:
            self._lock.release(orderly=orderly)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.close(orderly=foreseen(error))

    def _refused(self, error: apsw.Error) -> AutotrophError:
        """What SQLite says, and the way out."""
        reason, way = str(error), "is this a run folder?"
        if isinstance(error, apsw.FullError):
            reason, way = "disk full", "free some space and resume the run"
        elif isinstance(error, apsw.IOError | apsw.CantOpenError):
            way = "check the disk and its free space, and resume the run"
        return AutotrophError(f"ledger {self.path}: {reason}; {way}")

    def _select(self, clause: str, *bindings: str | int) -> Iterator[Event]:
        rows = self._db.execute(f"SELECT seq, kind, data, hash FROM event {clause}", bindings)
        return (Event(seq, kind, json.loads(data), digest) for seq, kind, data, digest in rows)


def foreseen(error: BaseException | None) -> bool:
    """Whether a process that ends with this error has stopped, by a rule or a person; None: it came to its end."""
    return error is None or isinstance(error, AutotrophError | KeyboardInterrupt)
