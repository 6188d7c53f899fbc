"""Signed ledgers: what a key's owner has signed is told from anything else."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.store.run import Run
from autotroph.store.signing import Signer, keygen, public_key
from autotroph.verify import verify

pytest.importorskip("cryptography")
START: dict[str, Any] = {"recipe": "grpo", "config": {}}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    keygen(tmp_path / "key")
    return tmp_path / "key"


def signed(folder: Path, key: Path, rounds: int = 2) -> str:
    """A run that signs after each of some events; returns its public key."""
    signer = Signer(key)
    with Run.create(folder, START, signer) as run:
        for i in range(rounds):
            run.ledger.append("note", {"i": i})
            run.sign()
    return signer.public


def faults(folder: Path, key: str | None = None) -> list[tuple[int | None, str]]:
    return [(fault.event, fault.what) for fault in verify(folder, key=key).faults]


def change(folder: Path, sql: str, *values: Any) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute(sql, values)


def test_a_key_is_its_owners_alone_and_never_replaced(key: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    public = (tmp_path / "key.pub").read_text().strip()
    assert Signer(key).public == public == public_key(public) == public_key(str(tmp_path / "key.pub"))
    with pytest.raises(AutotrophError, match="is there already"):
        keygen(key)
    key.chmod(0o640)
    with pytest.raises(AutotrophError, match="others can read it"):
        Signer(key)
    for bad in (tmp_path / "none", tmp_path / "key.pub"):
        bad.exists() and bad.chmod(0o600)
        with pytest.raises(AutotrophError, match="keygen"):
            Signer(bad)
    with pytest.raises(AutotrophError, match="neither 64 hexadecimal digits"):
        public_key("abc")


def test_a_signed_run_is_sound_up_to_its_last_event(key: Path, tmp_path: Path) -> None:
    public = signed(tmp_path / "r", key)
    found = verify(tmp_path / "r", key=public)
    assert (found.faults, found.events, found.signed) == ([], 5, 5)


def test_nothing_new_is_nothing_to_sign(key: Path, tmp_path: Path) -> None:
    signed(tmp_path / "r", key)
    with Run.open(tmp_path / "r", signer=Signer(key)) as run:
        run.sign()
        assert len(run.ledger) == 5


def test_another_key_is_told(key: Path, tmp_path: Path) -> None:
    signed(tmp_path / "r", key)
    other = keygen(tmp_path / "other")
    [(event, what)] = faults(tmp_path / "r", other)
    assert event == 0
    assert f"the key that was given is {other}" in what
    Run.create(tmp_path / "unsigned", START).close()
    assert faults(tmp_path / "unsigned", other)[0][1].startswith("it is signed by nobody")


def test_an_unsigned_end_is_named(key: Path, tmp_path: Path) -> None:
    public = signed(tmp_path / "r", key)
    with Run.open(tmp_path / "r", signer=Signer(key)) as run:
        run.ledger.append("note", {})
    assert faults(tmp_path / "r") == []
    assert faults(tmp_path / "r", public) == [(5, "neither it nor what follows is signed")]


@pytest.mark.parametrize("field", ["run", "size", "root", "at", "signature"])
def test_an_altered_signature_is_found(key: Path, tmp_path: Path, field: str) -> None:
    """Even with the chain made anew, which a hash alone cannot tell."""
    signer = Signer(key)
    with Run.create(tmp_path / "r", START, signer) as run:
        head = run.ledger.head()
        values = {"run": head.run, "size": head.size, "root": head.root, "at": head.at, "signature": signer.sign(head)}
        old = values[field]
        values[field] = old + 1 if isinstance(old, int) else ("1" if old[0] == "0" else "0") + old[1:]
        run.ledger.append("signature", values)
    assert {event for event, _ in faults(tmp_path / "r")} == {1}
    assert any("its signature is not by" in what for _, what in faults(tmp_path / "r"))


def test_a_signature_of_another_run_or_of_less_is_found(key: Path, tmp_path: Path) -> None:
    """Signatures by the right key, of something else."""
    signer = Signer(key)
    with Run.create(tmp_path / "a", START, signer) as one, Run.create(tmp_path / "b", START, signer) as two:
        head = one.ledger.head()
        for run in (one, two):
            run.ledger.append("note", {})
        for run in (one, two):
            data = {"run": head.run, "size": head.size, "root": head.root, "at": head.at}
            run.ledger.append("signature", {**data, "signature": signer.sign(head)})
    less, other = (dict.fromkeys(what.split(" ")[4] for _, what in faults(tmp_path / name)) for name in "ab")
    assert list(less) == ["size", "root"]
    assert list(other) == ["run", "size", "root"]


def test_what_was_signed_cannot_be_rewritten(key: Path, tmp_path: Path) -> None:
    """By whoever has the file and the code, and not the key."""
    public = signed(tmp_path / "honest", key)
    with Run.create(tmp_path / "r", START) as run:
        (text,) = run.ledger._db.execute("SELECT data FROM event").fetchone()
    change(tmp_path / "r", "DELETE FROM event")
    with Run(tmp_path / "r", write=True) as run:
        run.ledger.append("start", {**json.loads(text), "signer": public})
        run.ledger.append("note", {"i": 7})
        with Run.open(tmp_path / "honest", write=False) as honest:
            for event in honest.ledger.events("signature"):
                run.ledger.append("signature", event.data)
    assert {2, 3} <= {event for event, _ in faults(tmp_path / "r", public)}


def test_a_run_goes_on_with_its_own_key_alone(key: Path, tmp_path: Path) -> None:
    signed(tmp_path / "r", key)
    Run.create(tmp_path / "unsigned", START).close()
    keygen(tmp_path / "other")
    other = Signer(tmp_path / "other")
    for folder, signer in (("r", None), ("r", other), ("unsigned", other)):
        with Run.open(tmp_path / folder, signer=signer) as run, pytest.raises(AutotrophError, match="is not signed by"):
            run.check_signer()
    with Run.open(tmp_path / "r", signer=Signer(key)) as run:
        run.check_signer()


def test_a_key_in_the_runs_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    keygen(tmp_path / "r" / "key")
    with pytest.raises(AutotrophError, match="lies in the run's folder"):
        Run(tmp_path / "r", write=True, signer=Signer(tmp_path / "r" / "key"))
    assert not (tmp_path / "r" / "ledger.sqlite").exists()
