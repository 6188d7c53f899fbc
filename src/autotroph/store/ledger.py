"""The run's history: an append-only, hash-chained list of events in SQLite, with a Merkle root over all of them.

An event that `append` has returned from is on the disk (WAL, synchronous=FULL). One process writes; anybody may read.
The chain lies beside what it protects: whoever can write the file can make a chain anew. The root is printed and kept
in the report, so that it also lies where the ledger's writer does not come again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from autotroph.core.errors import AutotrophError
from autotroph.store import merkle
from autotroph.store.lock import Lock
from autotroph.store.signing import TreeHead

GENESIS = "0" * 64
FORMAT = 2
"""The database's user_version; 0 had the time of an event outside of its hash."""
CHECKPOINT = 200
"""Pages of the write-ahead log at which it begins anew: a file that does not grow is synced sooner."""
TABLE = (
    "event(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, hash TEXT NOT NULL)"
    " STRICT"
)
NAME = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
encoded = json.JSONEncoder(sort_keys=True, allow_nan=False).encode
HASHED = "CAST(seq || char(10) || at || char(10) || kind || char(10) || data AS BLOB)"
"""`entry`, as the database puts it together from a row."""


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: microseconds since 1970, UTC. `hash`: of the chain up to here."""

    seq: int
    at: int
    kind: str
    data: dict[str, Any]
    hash: str


class Stored(NamedTuple):
    """An event as it lies there: `entry` is what is hashed, and `hash` what the chain is said to come to."""

    seq: int
    entry: bytes
    hash: str

    @property
    def kind(self) -> bytes:
        return self.entry.split(b"\n", 3)[2]

    @property
    def leaf(self) -> bytes:
        return merkle.leaf_hash(self.entry)

    def event(self) -> Event:
        """What was hashed, read. Raises ValueError where that is no event."""
        _, at, kind, text = self.entry.split(b"\n", 3)
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError(f"a JSON {type(data).__name__}")
        return Event(self.seq, int(at), kind.decode(), data, self.hash)


def entry(seq: int, at: int, kind: str, data: str) -> bytes:
    """What a leaf of the Merkle tree stands for; `data` is the event's JSON text as stored."""
    return f"{seq}\n{at}\n{kind}\n{data}".encode()


def chain_hash(previous: str, leaf: bytes) -> str:
    """SHA-256 over the previous hash of the chain, its 64 digits, and this event's leaf hash."""
    return hashlib.sha256(previous.encode() + leaf).hexdigest()


class Ledger:
    """Events of one run. Opened for writing it holds a lock that dies with its process.

    Raises AutotrophError for a file that is no ledger, or one of another format.
    """

    def __init__(self, path: Path, *, write: bool = False):
        self.path = path
        self._names = (str(path), f"{path}-wal")
        self._lock = Lock(path.with_suffix(".lock")) if write else None
        self._tree = merkle.Frontier()
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if write else apsw.SQLITE_OPEN_READONLY
        try:
            self._db = apsw.Connection(str(path), flags=flags)
            self._db.set_busy_timeout(5000)
            self._db.pragma("trusted_schema", False)
            if write:
                self._db.pragma("journal_mode", "wal")
                self._db.pragma("synchronous", 2)
                self._db.pragma("wal_autocheckpoint", CHECKPOINT)
                self._begin()
                self._db.wal_checkpoint()  # a killed process may have left events that are read, and not on the disk
            self._refuse_others()
            self._next, self._head = self._end()
            self._left: list[tuple[int, int, int] | None] = []  # no append looks: a looked at file is slower to write
            self._inode = path.stat().st_ino
        except (apsw.Error, UnicodeError) as error:
            self.close(orderly=False)
            raise self._refused(error) from error
        except AutotrophError:
            self.close()
            raise

    def append(self, kind: str, data: dict[str, Any]) -> Event:
        """Write one event durably; it comes back with `data` as given.

        Raises AutotrophError when the disk refuses; nothing is half written then.
        """
        text = encoded(data)
        seq, at = self._next, microseconds()
        digest = chain_hash(self._head, merkle.leaf_hash(entry(seq, at, kind, text)))
        try:
            self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (seq, at, kind, text, digest))
        except apsw.Error as error:
            raise self._refused(error) from error
        self._next, self._head = seq + 1, digest
        return Event(seq, at, kind, data, digest)

    def tampering(self) -> str | None:
        """What somebody else has done to the ledger while this writer had it; None where nobody did anything.

        All events are looked at, unless its files are as the last look left them.
        """
        if self._lock is not None and not self._lock.intact:
            return "the lock of its writer was taken away"
        if (left := self._files()) != self._left:
            if left[0] is None or left[0][0] != self._inode:
                return "the file was taken away, or replaced by another one"
            try:
                with Ledger(self.path) as found:  # this connection may remember what is no more on the disk
                    found.check()
                    if found._head != self._head:
                        return f"it ends with {found._head}, and what was written last is {self._head}"
            except (AutotrophError, apsw.Error) as error:
                return str(error)
            self._left = left
        newest = self._db.execute("SELECT hash FROM event ORDER BY seq DESC LIMIT 1").fetchall()
        return None if newest == [(self._head,)] else "its writer's memory of the last event is another one"

    def _files(self) -> list[tuple[int, int, int] | None]:
        """Inode, size and time of change of the database and of its write-ahead log; None for what is not there."""
        found: list[tuple[int, int, int] | None] = []
        for path in self._names:
            try:
                info = os.stat(path)
                found.append((info.st_ino, info.st_size, info.st_ctime_ns))
            except FileNotFoundError:
                found.append(None)
        return found

    def events(self, kind: str | None = None) -> Iterator[Event]:
        """Events in order, all of them or those of one kind."""
        return self._select("ORDER BY seq") if kind is None else self._select("WHERE kind = ? ORDER BY seq", kind)

    def since(self, seq: int, limit: int) -> list[Event]:
        """At most `limit` events from number `seq` on."""
        return list(self._select("WHERE seq >= ? ORDER BY seq LIMIT ?", seq, limit))

    def last(self, kind: str) -> Event | None:
        return next(self._select("WHERE kind = ? ORDER BY seq DESC LIMIT 1", kind), None)

    @property
    def newest(self) -> str | None:
        """Kind of the last event; None before there is one."""
        rows = self._db.execute("SELECT kind FROM event ORDER BY seq DESC LIMIT 1").fetchall()
        return str(rows[0][0]) if rows else None

    def stored(self, since: int = 0) -> Iterator[Stored]:
        """Every event as it lies there, but for the first `since`, for whoever takes nothing on trust."""
        columns = f"seq, {HASHED}, CAST(hash AS BLOB)"
        rows = self._db.execute(f"SELECT {columns} FROM event ORDER BY seq LIMIT -1 OFFSET ?", (since,))
        return (Stored(seq, content, _text(digest)) for seq, content, digest in rows)

    def broken_kinds(self) -> list[int]:
        """Events that would be read otherwise than they are hashed, line by line."""
        return [int(str(seq)) for (seq,) in self._db.execute("SELECT seq FROM event WHERE instr(kind, char(10))")]

    def frozen(self) -> AbstractContextManager[object]:
        """Inside of it the ledger stays as it was at the first look, whoever writes."""
        return self._db

    def names(self) -> set[str]:
        """Whatever could be an artifact's name in any event, of whichever kind."""
        texts: Iterator[Any] = (text for (text,) in self._db.execute("SELECT CAST(data AS BLOB) FROM event"))
        return {name.decode() for text in texts for name in NAME.findall(text)}

    def copy(self, target: Path) -> None:
        """Write the events, as they are at this moment, to a new file of their own."""
        self._db.execute("VACUUM INTO ?", (str(target),))

    def leaves(self) -> list[bytes]:
        """Leaf hashes of the Merkle tree, one an event."""
        return [stored.leaf for stored in self.stored()]

    def root(self) -> str:
        """The Merkle root over all events (RFC 9162), in hexadecimal."""
        for stored in self.stored(since=len(self._tree)):
            self._tree.append(stored.leaf)
        return self._tree.root().hex()

    def head(self) -> TreeHead:
        """All events so far, ready to be signed."""
        first = next(self._select("ORDER BY seq LIMIT 1"))
        return TreeHead(first.hash, len(self), self.root(), microseconds())

    def check(self) -> None:
        """Raises AutotrophError naming the first event that does not fit the chain."""
        chain = Chain()
        for stored in self.stored():
            for seq, _ in chain.faults(stored, stored.leaf):
                raise AutotrophError(f"ledger {self.path}: event {seq} was altered, dropped or moved; do not trust it")

    def __len__(self) -> int:
        return self._end()[0]

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

    def _begin(self) -> None:
        """Make the table where there is none."""
        with self._db:
            if not self._db.execute("SELECT 1 FROM sqlite_schema").fetchall():
                self._db.execute(f"CREATE TABLE {TABLE}")
                self._db.pragma("user_version", FORMAT)

    def _refuse_others(self) -> None:
        """A file from elsewhere may hold a view in the table's place, that says something else each time it is read."""
        found, tables = self._db.pragma("user_version"), self._db.execute("SELECT sql FROM sqlite_schema").fetchall()
        if found != FORMAT and tables:
            older = "an older" if isinstance(found, int) and found < FORMAT else "a newer"
            raise AutotrophError(
                f"ledger {self.path}: of {older} format ({found}, this version reads {FORMAT}); use the version that "
                "wrote it"
            )
        if tables != [(f"CREATE TABLE {TABLE}",)]:
            raise AutotrophError(f"ledger {self.path}: its tables are not those of a ledger; is this a run folder?")

    def _end(self) -> tuple[int, str]:
        """(number of the next event, hash of the last one)."""
        rows = self._db.execute("SELECT seq, CAST(hash AS BLOB) FROM event ORDER BY seq DESC LIMIT 1").fetchall()
        return next(((int(str(seq)) + 1, _text(digest)) for seq, digest in rows), (0, GENESIS))

    def _refused(self, error: apsw.Error | UnicodeError) -> AutotrophError:
        """What SQLite says, and the way out."""
        way, disk = "is this a run folder?", apsw.FullError | apsw.IOError | apsw.CantOpenError
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, disk):
            cause = cause.__context__  # of a rollback that had nothing to take back
        reason = str(cause or error)
        if isinstance(cause, apsw.FullError):
            reason, way = "disk full", "free some space and resume the run"
        elif cause is not None:
            way = "check the disk and its free space, and resume the run"
        return AutotrophError(f"ledger {self.path}: {reason}; {way}")

    def _select(self, clause: str, *bindings: str | int) -> Iterator[Event]:
        rows = self._db.execute(f"SELECT seq, at, kind, data, hash FROM event {clause}", bindings)
        return (Event(seq, at, kind, json.loads(data), digest) for seq, at, kind, data, digest in rows)


class Chain:
    """Recomputes the chain, event by event."""

    def __init__(self) -> None:
        self._expected = 0
        self._previous: str | None = GENESIS

    def faults(self, stored: Stored, leaf: bytes) -> Iterator[tuple[int, str]]:
        """(number, what is wrong) where the event does not fit those before it."""
        if stored.seq < self._expected:  # numbers come in order, so that it is below 0
            yield stored.seq, "no event has such a number"
        elif stored.seq > self._expected:
            alone = stored.seq == self._expected + 1
            yield self._expected, "it was removed" if alone else f"it and those up to {stored.seq - 1} were removed"
        if stored.seq != self._expected:
            self._previous = None
        if self._previous is not None and chain_hash(self._previous, leaf) != stored.hash:
            yield stored.seq, "it was altered, or moved here"
        self._previous, self._expected = stored.hash, max(0, stored.seq + 1)


def _text(stored: Any) -> str:
    """Of a blob that somebody may have damaged."""
    return str(stored, errors="replace")


def microseconds() -> int:
    """Since 1970, UTC."""
    return time.time_ns() // 1000


def foreseen(error: BaseException | None) -> bool:
    """Whether a process that ends with this error has stopped, by a rule or a person; None: it came to its end."""
    return error is None or isinstance(error, AutotrophError | KeyboardInterrupt)
