"""The ledger and the artifacts: durable, exclusive, tamper-evident."""

import errno
import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.store import merkle
from autotroph.store.artifacts import Artifacts
from autotroph.store.disk import clear_disk_errors
from autotroph.store.ledger import TABLE, Chain, Ledger, entry
from autotroph.store.run import Run


def filled(path: Path, n: int = 5) -> Path:
    with Ledger(path / "ledger.sqlite", write=True) as ledger:
        for i in range(n):
            ledger.append("event", {"i": i})
    return path / "ledger.sqlite"


def test_events_come_back_in_order(tmp_path) -> None:
    with Ledger(filled(tmp_path)) as ledger:
        assert [event.data["i"] for event in ledger.events()] == [0, 1, 2, 3, 4]
        assert ledger.last("event").data == {"i": 4}
        assert ledger.last("other") is None
        ledger.check()


def test_events_are_chained_and_the_root_is_over_all_of_them(tmp_path) -> None:
    with Ledger(filled(tmp_path, 2)) as ledger:
        events = list(ledger.events())
        leaves = [hashlib.sha256(b'\0%d\n%d\nevent\n{"i": %d}' % (e.seq, e.at, e.seq)).digest() for e in events]
        first = hashlib.sha256(b"0" * 64 + leaves[0]).hexdigest()
        second = hashlib.sha256(first.encode() + leaves[1]).hexdigest()
        assert [event.hash for event in events] == [first, second]
        assert ledger.root() == hashlib.sha256(b"\1" + leaves[0] + leaves[1]).hexdigest()


def test_an_event_and_the_growth_since_can_be_proven_with_roots_alone(tmp_path) -> None:
    path = filled(tmp_path)
    with Ledger(path) as ledger:
        then = bytes.fromhex(ledger.root())
    with Ledger(path, write=True) as ledger:
        ledger.append("event", {"i": 5})
        now, leaves = bytes.fromhex(ledger.root()), ledger.leaves()
        at = next(event.at for event in ledger.events() if event.seq == 2)
    third, tree = merkle.leaf_hash(entry(2, at, "event", '{"i": 2}')), merkle.Tree(leaves)
    assert merkle.includes(now, 6, third, 2, tree.inclusion(2))
    assert merkle.grew(then, 5, now, 6, tree.consistency(5))


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE event SET data = '{\"i\": 9}' WHERE seq = 2",
        "UPDATE event SET kind = 'other' WHERE seq = 0",
        "UPDATE event SET at = at + 1 WHERE seq = 1",
        "DELETE FROM event WHERE seq = 1",
        "UPDATE event SET hash = (SELECT hash FROM event WHERE seq = 0) WHERE seq = 3",
    ],
)
def test_every_change_of_history_is_found(tmp_path, attack: str) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute(attack)
    with Ledger(path) as ledger, pytest.raises(AutotrophError, match="altered, dropped or moved"):
        ledger.check()


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("UPDATE event SET data = '{}' WHERE seq = 2", [(2, "it was altered, or moved here")]),
        ("DELETE FROM event WHERE seq = 1", [(1, "it was removed")]),
        ("DELETE FROM event WHERE seq IN (1, 2)", [(1, "it and those up to 2 were removed")]),
    ],
)
def test_the_event_that_is_wrong_is_named_and_no_other(tmp_path, attack: str, found: list) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute(attack)
    chain = Chain()
    with Ledger(path) as ledger:
        assert [fault for stored in ledger.stored() for fault in chain.faults(stored, stored.leaf)] == found


def test_a_ledger_of_an_older_format_is_called_so(tmp_path) -> None:
    """As it was before the time of an event was part of its hash."""
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE event(seq INTEGER PRIMARY KEY, at REAL, kind TEXT, data TEXT, hash TEXT) STRICT")
    for write in (False, True):
        with pytest.raises(AutotrophError, match="of an older format") as refused:
            Ledger(path, write=write)
        assert "\n" not in str(refused.value)


def test_a_view_in_the_place_of_the_table_is_no_ledger(tmp_path) -> None:
    """It could say one thing when it is hashed and another when it is read."""
    path = filled(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE event RENAME TO kept")
        db.execute(
            "CREATE VIEW event AS SELECT seq, at, iif(random() > 0, kind, 'other') AS kind, data, hash FROM kept"
        )
    with pytest.raises(AutotrophError, match="not those of a ledger"):
        Ledger(path)


def test_the_table_is_the_one_that_readers_expect(tmp_path) -> None:
    with sqlite3.connect(filled(tmp_path)) as db:
        assert db.execute("SELECT sql FROM sqlite_schema").fetchall() == [(f"CREATE TABLE {TABLE}",)]


def test_one_writer_at_a_time(tmp_path) -> None:
    with Ledger(tmp_path / "ledger.sqlite", write=True), pytest.raises(AutotrophError, match="another process"):
        Ledger(tmp_path / "ledger.sqlite", write=True)
    Ledger(tmp_path / "ledger.sqlite", write=True).close()


def test_a_reader_cannot_write(tmp_path) -> None:
    with Ledger(filled(tmp_path)) as ledger, pytest.raises(Exception, match="readonly"):
        ledger.append("event", {})


def test_acknowledged_events_survive_a_kill(tmp_path) -> None:
    """A child appends, prints each acknowledged number and is killed in the middle; nothing it printed is lost."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom autotroph.store.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]), write=True)\n"
        "for i in range(10**6):\n    ledger.append('event', {'i': i})\n    print(i, flush=True)\n"
    )
    path = tmp_path / "ledger.sqlite"
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(50)]
    child.kill()
    acknowledged += [int(line) for line in child.stdout.read().splitlines() if line]
    child.wait()
    with Ledger(path, write=True) as ledger:
        ledger.check()
        assert [event.data["i"] for event in ledger.events()][: len(acknowledged)] == acknowledged


def test_artifacts_appear_whole_or_not_at_all(tmp_path) -> None:
    store = Artifacts(tmp_path / "a")

    def half(folder: Path) -> None:
        (folder / "x").write_text("1")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        store.put(half, lambda folder: "name")
    assert list((tmp_path / "a").iterdir()) == []
    assert store.put(lambda folder: (folder / "x").write_text("1"), lambda folder: "name").name == "name"
    assert "name" in store
    with pytest.raises(AutotrophError, match="other"):
        store.path("other")


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk full"), (errno.EIO, "check the disk"), (errno.EACCES, "can be written")],
)
def test_disk_errors_are_one_line(tmp_path, code: int, words: str) -> None:
    with pytest.raises(AutotrophError, match=words), clear_disk_errors(tmp_path):
        raise OSError(code, "x")


def test_a_full_disk_is_reported_and_loses_nothing() -> None:
    """A real full device."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    def build(folder: Path) -> None:
        with open("/dev/full", "w") as file:
            file.write("x" * 10000)

    with pytest.raises(AutotrophError, match="disk full"):
        Artifacts(Path("/tmp")).put(build, lambda folder: "never")
    assert "never" not in Artifacts(Path("/tmp"))


def test_a_used_run_folder_is_refused_and_left_alone(tmp_path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(AutotrophError, match="exists"):
        Run.create(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_without_a_run_is_refused(tmp_path) -> None:
    with pytest.raises(AutotrophError, match=r"ledger\.sqlite"):
        Run.open(tmp_path)
