"""What the ledger withstands and what it costs.

    .venv/bin/python bench/ledger.py mutations   10,000 forgeries of real runs, against the printed root
    .venv/bin/python bench/ledger.py million     a million events verified; proofs in a tree of as many
    .venv/bin/python bench/ledger.py append      durable events a second, beside bare SQLite
    .venv/bin/python bench/ledger.py demo        the ledger's share of `make demo`, which has to have run

Each writes its part of bench/results/ledger.json; ten minutes in all on a machine that does nothing else. Forgeries
need no durable disk: TMPDIR=/dev/shm makes them quicker.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import apsw

from autotroph.evaluate.intervals import rate_below
from autotroph.loop import Recorder, run_loop
from autotroph.recipes import registry
from autotroph.store import merkle
from autotroph.store.artifacts import digest
from autotroph.store.ledger import GENESIS, TABLE, Ledger, chain_hash, entry
from autotroph.store.run import Run, machine
from autotroph.verify import Findings, verify

RESULTS = Path(__file__).parent / "results" / "ledger.json"
MUTATIONS, MILLION, PROOFS, APPENDED, REPEATS = 10_000, 1_000_000, 10_000, 5_000, 5
SMALL: dict[str, Any] = {
    "task": "addition",
    "taught": 2,
    "target": 4,
    "rounds": 3,
    "ahead": 1,
    "per_round": 50,
    "reach": 0.0,
    "mastery": 0.0,
    "gold_per_level": 1000,
    "steps": 60,
    "sealed": 20,
    "final_sealed": 20,
    "members": 1,
    "entropy": 0,
    "filter": "none",
    "gap_samples": 0,
    "rival_tasks": 16,
    "monitors": {"tasks": 8},
    "base": {"hidden": 16, "train": {"steps": 60, "rows": 2000}},
}
"""A base that has barely begun, and three rounds in which it goes on; some of them are promoted."""

Row = list[Any]
"""seq, at, kind, data, hash."""


def main(parts: Sequence[str]) -> None:
    every = {"mutations": mutations, "million": million, "append": append, "demo": demo}
    for part in parts or every:
        figures = every[part]()
        print(json.dumps(figures, indent=1), flush=True)
        known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
        RESULTS.write_text(json.dumps({**known, "machine": machine(), part: figures}, indent=1) + "\n")


def made(recipe: str, settings: dict[str, Any], folder: Path) -> Path:
    """A real run."""
    found = registry.find(recipe)
    config = found.configure(settings)
    with Run.create(folder, {"recipe": recipe, "config": config.model_dump(mode="json")}) as run:
        run_loop(run, found.build(config), Recorder())
    return folder


# Forgeries: each changes a copy of a run and says which events could be named for it, if any.


@dataclass
class Copy:
    """A run to forge, beside its honest events and those of another run."""

    folder: Path
    rows: list[Row]
    other: list[Row]
    rng: random.Random

    @property
    def some(self) -> int:
        return self.rng.randrange(len(self.rows))

    def file(self, *stores: str) -> Path:
        """Any that is not empty."""
        files = sorted(path for store in stores for path in (self.folder / store).glob("*/*"))
        return self.rng.choice([path for path in files if path.stat().st_size])

    def naming(self, artifact: str) -> set[int]:
        return {row[0] for row in self.rows if artifact in row[3]}


Forgery = Callable[[Copy], set[int]]


def flipped(text: str, rng: random.Random) -> str:
    """With one bit of one character turned, still text."""
    at = rng.randrange(len(text))
    while True:
        char = chr(ord(text[at]) ^ 1 << rng.randrange(7))
        if char.isprintable() or char in "\n\t":
            return text[:at] + char + text[at + 1 :]


def number(copy: Copy) -> set[int]:
    """An event gets another number, one that is free."""
    i = copy.some
    new = copy.rng.choice([-1, len(copy.rows) + copy.rng.randrange(5)])
    copy.rows[i][0] = new
    return {i, new}


def time_of(copy: Copy) -> set[int]:
    i = copy.some
    copy.rows[i][1] ^= 1 << copy.rng.randrange(50)
    return {i}


def text_of(column: int, copy: Copy) -> set[int]:
    i = copy.some
    copy.rows[i][column] = flipped(copy.rows[i][column], copy.rng)
    return {i}


def dropped(copy: Copy) -> set[int]:
    """Some events in the middle; those at the end are `truncated`."""
    first = copy.rng.randrange(len(copy.rows) - 1)
    many = copy.rng.randrange(1, len(copy.rows) - first)
    del copy.rows[first : first + many]
    return {first}


def truncated(copy: Copy) -> set[int]:
    del copy.rows[copy.rng.randrange(1, len(copy.rows)) :]
    return set()


def inserted(copy: Copy) -> set[int]:
    """A copy of an event of this run or of another, somewhere; those after it are renumbered."""
    i, row = copy.some, list(copy.rng.choice(copy.rows + copy.other))
    copy.rows.insert(i, row)
    renumber(copy.rows)
    return {i, i + 1}


def reordered(copy: Copy) -> set[int]:
    i, j = sorted(copy.rng.sample(range(len(copy.rows)), 2))
    copy.rows[i], copy.rows[j] = copy.rows[j], copy.rows[i]
    renumber(copy.rows)
    return {i, j}


def swapped_tail(copy: Copy) -> set[int]:
    """From some event on, those of another run."""
    i = copy.rng.randrange(1, len(copy.rows))
    copy.rows[i:] = [list(row) for row in copy.other[i:]]
    return {i}


def figure(copy: Copy) -> set[int]:
    """One number or word somewhere in an event becomes another."""
    i = copy.some
    data = json.loads(copy.rows[i][3])
    holder, key = copy.rng.choice(list(leaves(data)))
    value = holder[key]
    if isinstance(value, bool) or value is None:
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = value + copy.rng.choice([-1, 1, 0.5])
    else:
        holder[key] = flipped(value, copy.rng) if value else "x"
    copy.rows[i][3] = json.dumps(data, sort_keys=True)
    return {i}


def rebuilt(forgery: Forgery, copy: Copy) -> set[int]:
    """Whatever was done, with numbers and chain made anew: nothing in the ledger itself is out of place."""
    forgery(copy)
    renumber(copy.rows)
    previous = GENESIS
    for row in copy.rows:
        row[4] = previous = chain_hash(previous, merkle.leaf_hash(entry(*row[:4])))
    return set()


def byte_of(store: str, copy: Copy) -> set[int]:
    path = copy.file(store)
    content = bytearray(path.read_bytes())
    content[copy.rng.randrange(len(content))] ^= 1 << copy.rng.randrange(8)
    path.write_bytes(content)
    return copy.naming(path.parent.name)


def cut(copy: Copy) -> set[int]:
    path = copy.file("policies", "rows", "evidence")
    path.write_bytes(path.read_bytes()[: -1 - copy.rng.randrange(100)])
    return copy.naming(path.parent.name)


def lost(copy: Copy) -> set[int]:
    path = copy.file("policies", "rows", "evidence")
    path.unlink() if copy.rng.random() < 0.5 else shutil.rmtree(path.parent)
    return copy.naming(path.parent.name)


def added(copy: Copy) -> set[int]:
    path = copy.file("policies", "rows", "evidence")
    path.with_name("another").write_text("x")
    return copy.naming(path.parent.name)


def exchanged(copy: Copy) -> set[int]:
    """Two artifacts bear each other's names."""
    one = copy.file("policies", "evidence").parent
    two = copy.rng.choice([path for path in one.parent.iterdir() if path != one])
    aside = one.rename(one.with_name("aside"))
    two.rename(one)
    aside.rename(two)
    return copy.naming(one.name) | copy.naming(two.name)


def renamed(copy: Copy) -> set[int]:
    """A score is turned, and the evidence's name, the event that holds it and the chain are made to fit."""
    path = copy.file("evidence")
    lines = path.read_text().splitlines(keepends=True)
    i = copy.rng.randrange(len(lines))
    row = json.loads(lines[i])
    row["score"] = 1.0 - row["score"]
    lines[i] = json.dumps(row, sort_keys=True) + "\n"
    path.write_text("".join(lines))
    old = path.parent.name
    new = path.parent.rename(path.parent.with_name(digest(path.parent))).name
    for event in copy.rows:
        event[3] = event[3].replace(old, new)
    return rebuilt(lambda copy: set(), copy)


IN_PLACE: dict[str, Forgery] = {
    "number": number,
    "time": time_of,
    "kind, one bit": partial(text_of, 2),
    "data, one bit": partial(text_of, 3),
    "hash, one bit": partial(text_of, 4),
    "data, one figure": figure,
    "dropped": dropped,
    "truncated": truncated,
    "inserted or duplicated": inserted,
    "reordered": reordered,
    "tail of another run": swapped_tail,
}
FORGERIES: dict[str, Forgery] = {
    **IN_PLACE,
    **{
        f"{name}, chain made anew": partial(rebuilt, forgery)
        for name, forgery in IN_PLACE.items()
        if name not in ("number", "hash, one bit")
    },
    **{f"{store}, one bit": partial(byte_of, store) for store in ("policies", "rows", "evidence")},
    "artifact cut": cut,
    "artifact or file of it lost": lost,
    "file added to an artifact": added,
    "artifacts exchanged": exchanged,
    "score turned, name and chain made anew": renamed,
}


def mutations() -> dict[str, Any]:
    """Every forgery about as often, on two runs in turn. `named`: an event that was tampered with is among the named
    ones, of those forgeries where one can be; `without root`: found out with no root to compare."""
    begun = time.monotonic()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as work:
        runs = [made("length_generalisation", {**SMALL, "seed": seed}, Path(work) / str(seed)) for seed in (0, 1)]
        honest = [events(run) for run in runs]
        roots = [sound(run) for run in runs]
        target = Path(work) / "forged"
        for i in range(MUTATIONS):
            name = list(FORGERIES)[i % len(FORGERIES)]
            which, rng = i // len(FORGERIES) % 2, random.Random(i)
            with forged(runs[which], target) as folder:
                copy = Copy(folder, [list(row) for row in honest[which]], honest[1 - which], rng)
                due = FORGERIES[name](copy)
                if copy.rows != honest[which]:
                    write(folder, copy.rows)
                found = verify(folder, roots[which])
            counts[name].update(outcome(found, due))
            if not found.faults or (due and not due & {fault.event for fault in found.faults}):
                print(name, i, due, [str(fault) for fault in found.faults], file=sys.stderr)
    total = sum((count for count in counts.values()), Counter())
    return {
        "runs": [dict(Counter(row[2] for row in rows)) for rows in honest],
        "seconds": round(time.monotonic() - begun, 1),
        "all": {**total, "missed_below": rate_below(total["n"] - total["caught"], total["n"])},
        "kinds": {name: dict(count) for name, count in counts.items()},
    }


def outcome(found: Findings, due: set[int]) -> Counter[str]:
    named = {fault.event for fault in found.faults}
    alone = [fault for fault in found.faults if "root" not in fault.what]
    return Counter(
        n=1,
        caught=int(bool(found.faults)),
        without_root=int(bool(alone)),
        nameable=int(bool(due)),
        named=int(bool(due & named)),
    )


def sound(run: Path) -> str:
    found = verify(run)
    assert not found.faults, found.faults
    return found.root


def events(run: Path) -> list[Row]:
    with closing(sqlite3.connect(run / "ledger.sqlite")) as db:
        return [list(row) for row in db.execute("SELECT seq, at, kind, data, hash FROM event ORDER BY seq")]


@contextmanager
def forged(run: Path, target: Path) -> Iterator[Path]:
    shutil.copytree(run, target)
    try:
        yield target
    finally:
        shutil.rmtree(target)


def write(folder: Path, rows: list[Row]) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
        db.execute("DELETE FROM event")
        db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", rows)


def renumber(rows: list[Row]) -> None:
    for seq, row in enumerate(rows):
        row[0] = seq


def leaves(tree: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every value in nested lists and mappings."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        if isinstance(value, dict | list):
            yield from leaves(value)
        else:
            yield tree, key


# Size and speed.


def million() -> dict[str, Any]:
    """`verify` of a ledger of a million events of about 300 bytes: chain, tree, root, and the order of its kinds."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        with Ledger(folder / "ledger.sqlite", write=True) as ledger:
            ledger.append("start", {"config": {}, "signer": None})
            with ledger._db:  # one transaction: how it came there is not what is measured
                for i in range(MILLION - 1):
                    ledger.append("completion", completion(i))
        root, seconds, cpu = verify(folder).root, [], []
        for _ in range(REPEATS):
            begun, used = time.perf_counter(), time.process_time()
            found = verify(folder, root)
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - used)
            assert (found.faults, found.events) == ([], MILLION)
        with Ledger(folder / "ledger.sqlite") as ledger:
            tree = merkle.Tree(ledger.leaves())
        size = (folder / "ledger.sqlite").stat().st_size
    return {
        "events": MILLION,
        "bytes": size,
        "load": os.getloadavg()[0],
        "seconds": spread(seconds),
        "cpu_seconds": spread(cpu),
        "proofs": proofs(tree, bytes.fromhex(found.root)),
    }


def spread(figures: Sequence[float]) -> dict[str, float]:
    return {"median": median(figures), "least": min(figures), "most": max(figures), "n": len(figures)}


def proofs(tree: merkle.Tree, root: bytes) -> dict[str, Any]:
    """Lengths of random proofs, each verified."""
    rng, n = random.Random(0), len(tree)
    rows = tree._rows[0]
    inclusion: Counter[int] = Counter()
    consistency: Counter[int] = Counter()
    for index in (0, n - 1, *(rng.randrange(n) for _ in range(PROOFS))):
        proof = tree.inclusion(index)
        assert merkle.includes(root, n, rows[index], index, proof)
        inclusion[len(proof)] += 1
    frontier, sizes = merkle.Frontier(), {1, n, *(rng.randrange(1, n) for _ in range(PROOFS))}
    for size, leaf in enumerate(rows, 1):
        frontier.append(leaf)
        if size in sizes:
            proof = tree.consistency(size)
            assert merkle.grew(frontier.root(), size, root, n, proof)
            consistency[len(proof)] += 1
    return {
        name: {"n": counts.total(), "most": max(counts), "lengths": dict(sorted(counts.items()))}
        for name, counts in (("inclusion", inclusion), ("consistency", consistency))
    }


def append() -> dict[str, Any]:
    """Durable one-event commits in turn with bare inserts of the same rows, on the disk of the temporary folder."""
    rounds = []
    with tempfile.TemporaryDirectory() as work:
        for i in range(REPEATS + 1):
            sides = (ledger_appends, bare_inserts, syncs)
            rounds += [[rate(side(Path(work) / f"{i}-{side.__name__}")) for side in sides]]
    ours, bare, disk = zip(*rounds[1:], strict=True)  # the first one warms up
    return {
        "events": APPENDED,
        "bytes": len(json.dumps(completion(0))),
        "a_second": {
            "ledger": spread([events for events, _ in ours]),
            "bare SQLite": spread([events for events, _ in bare]),
            "a page written over another and synced": spread([events for events, _ in disk]),
        },
        "a_second_of_cpu": {
            "ledger": spread([cpu for _, cpu in ours]),
            "bare SQLite": spread([cpu for _, cpu in bare]),
        },
        "ledger_to_bare": spread([one[0] / two[0] for one, two in zip(ours, bare, strict=True)]),
        "load": os.getloadavg()[0],
    }


def rate(work: Callable[[], None]) -> tuple[float, float]:
    """Events a second of wall-clock time, and of the processor's."""
    begun, used = time.perf_counter(), time.process_time()
    work()
    return APPENDED / (time.perf_counter() - begun), APPENDED / (time.process_time() - used)


def ledger_appends(folder: Path) -> Callable[[], None]:
    folder.mkdir()
    ledger = Ledger(folder / "ledger.sqlite", write=True)

    def work() -> None:
        with ledger:
            for i in range(APPENDED):
                ledger.append("completion", completion(i))

    return work


def bare_inserts(folder: Path) -> Callable[[], None]:
    """The same bytes in the same table, without a hash."""
    folder.mkdir()
    db = apsw.Connection(str(folder / "bare.sqlite"))
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", 2)
    db.execute(f"CREATE TABLE {TABLE}")

    def work() -> None:
        for i in range(APPENDED):
            text = json.dumps(completion(i), sort_keys=True)
            db.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?)", (i, time.time_ns() // 1000, "completion", text, GENESIS)
            )
        db.close()

    return work


def syncs(folder: Path) -> Callable[[], None]:
    """What the disk gives: a page written over another, and synced."""
    folder.mkdir()
    file = os.open(folder / "file", os.O_CREAT | os.O_RDWR)
    os.write(file, bytes(1 << 22))
    os.fsync(file)

    def work() -> None:
        for i in range(APPENDED):
            os.pwrite(file, b"x" * 4096, i % 1024 * 4096)
            os.fdatasync(file)
        os.close(file)

    return work


def completion(i: int) -> dict[str, Any]:
    """An event as the journal of an endpoint's answers would have it: about 300 bytes."""
    return {"index": i, "prompt": f"{i * 2654435761 % 2**64:016x}" * 4, "text": "the answer is 42. " * 9, "tokens": 57}


def demo(run: Path = Path("runs/length_generalisation-1")) -> dict[str, Any]:
    """What a run's ledger took of its time: its events are appended once more, durably, and after each cycle read as
    the loop reads them, in a fresh ledger."""
    with closing(sqlite3.connect(f"file:{run / 'ledger.sqlite'}?mode=ro", uri=True)) as db:
        found = [(at, kind, json.loads(data)) for at, kind, data in db.execute("SELECT at, kind, data FROM event")]
    assert found[-1][1] == "end", f"{run}: not finished"
    taken = found[-1][0] - found[0][0]
    wall = taken / 1e6 if isinstance(taken, int) else taken  # an older format had seconds
    seconds, cpu = [], []
    with tempfile.TemporaryDirectory() as work:
        for i in range(REPEATS):
            begun, used = time.perf_counter(), time.process_time()
            with Ledger(Path(work) / f"{i}.sqlite", write=True) as ledger:
                for _, kind, data in found:
                    ledger.append(kind, data)
                    if kind == "cycle":
                        for _ in range(2):  # the verdicts so far, and the rows of promoted cycles
                            list(ledger.events("cycle"))
                ledger.root()
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - used)
    sizes = [len(json.dumps(data)) for _, _, data in found]
    return {
        "events": dict(Counter(kind for _, kind, _ in found)),
        "bytes": {"all": sum(sizes), "largest": max(sizes)},
        "run_seconds": wall,
        "ledger_seconds": spread(seconds),
        "ledger_cpu_seconds": spread(cpu),
        "share": median(seconds) / wall,
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
