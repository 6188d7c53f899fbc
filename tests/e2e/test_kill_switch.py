"""`autotroph stop`: at a safe point, or every process of the run at once, and nobody else's."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import heeds_ctrl_c
from overseen import copy, opened

from autotroph.cli.main import invoke
from autotroph.core.errors import Interrupted
from autotroph.oversight import processes, request, switch
from autotroph.store.lock import Lock
from autotroph.store.run import Run
from autotroph.store.runs import state_of

pytestmark = pytest.mark.skipif(not processes.supported(), reason="needs Linux's /proc")

HERE = Path(__file__).parent
SOON = 20.0
"""Seconds that a busy machine may take to start something."""


def wait(until: Any) -> None:
    deadline = time.monotonic() + 5 * SOON
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    found = processes.look(pid)
    return found is not None and found.alive


@pytest.fixture
def bystanders(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Somebody who reads the ledger, somebody of another run, and somebody with nothing to do with it."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "read.txt").write_text("")
    reading = f"import fcntl, time; f = open({str(tmp_path / 'r' / 'ledger.lock')!r}, 'a'); print(1, flush=True); "
    reading += "time.sleep(1000)"
    started = [
        subprocess.Popen([sys.executable, "-c", reading], stdout=subprocess.PIPE),
        subprocess.Popen(["sleep", "1000"], env={**os.environ, processes.MARK: str(tmp_path / "r2")}),
        subprocess.Popen(["sleep", "1000"], start_new_session=True),
    ]
    assert started[0].stdout is not None
    started[0].stdout.readline()
    yield started
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def unruly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """A run whose verifier has started children that do what they can to outlive it; (its folder, theirs)."""
    theirs = tmp_path / "unruly"
    theirs.mkdir()
    rows = [json.dumps({"prompt": f"{n}+1=", "answer": str(n + 1)}) for n in range(200)]
    (tmp_path / "tasks.jsonl").write_text("\n".join(rows))
    monkeypatch.setenv("UNRULY", str(theirs))
    command = [sys.executable, "-m", "autotroph", "run", "rejection_sampling"]
    command += ["--task", f"jsonl:{tmp_path / 'tasks.jsonl'}"]
    command += ["--verifier", f"{HERE / 'unruly.py'}:verify", "--base-train-steps", "1", "--base-train-rows", "20"]
    command += ["--base-hidden", "16", "--base-layers", "1", "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as driver:
        wait(lambda: (theirs / "ready").exists() or driver.poll() is not None)
        assert driver.poll() is None
        try:
            yield tmp_path / "run", theirs
        finally:
            switch.pull(tmp_path / "run")


def test_every_process_of_a_run_is_gone_in_two_seconds_and_nobody_elses(
    unruly: tuple[Path, Path], bystanders: list[subprocess.Popen[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, theirs = unruly
    pids = {path.name: int(path.suffix[1:]) for path in theirs.glob("*.*")}
    assert {name.split(".")[0] for name in pids} == {
        "deaf", "daemon", "stopped", "headless", "reviver", "bomb", "vandal"
    }  # fmt: skip
    assert all(map(alive, pids.values()))
    begun = time.monotonic()
    pulled = switch.pull(folder)
    assert time.monotonic() - begun < 2, pulled
    assert pulled.left == ()
    assert pulled.killed > len(pids) + 2
    assert not [name for name, pid in pids.items() if alive(pid)]
    census = processes.Census(folder.resolve())
    assert census.take() == ([], [])
    assert all(one.poll() is None for one in bystanders)
    with Run.open(folder):
        pass
    assert invoke(["stop", str(folder), "--now"]) == 2
    assert "it has no process" in capsys.readouterr().err


DRIVER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from autotroph.store.run import Run
from autotroph.oversight.processes import marked
with Run(Path(sys.argv[1]), write=True), marked(Path(sys.argv[1])):
    print("driving", flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def driven(half: tuple[Path, Any], tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A run with a process that hangs."""
    folder = copy(half[0], tmp_path / "driven")
    command = [sys.executable, "-c", DRIVER, str(folder), str(HERE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heeds_ctrl_c) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "driving\n"
        yield folder, process
        process.kill()


@pytest.mark.parametrize("state", ["hung", "frozen", "lock deleted", "lock rewritten", "folder moved"])
def test_now_needs_nothing_of_the_process_and_is_written_down(
    driven: tuple[Path, subprocess.Popen[str]], state: str, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    folder, process = driven
    lock = folder / "ledger.lock"
    if state == "frozen":
        process.send_signal(signal.SIGSTOP)
    elif state == "lock deleted":
        lock.unlink()
    elif state == "lock rewritten":
        lock.write_text(f"{bystanders[2].pid}\n")
    elif state == "folder moved":
        folder = folder.rename(folder.with_name("moved"))
    assert invoke(["stop", str(folder), "--now", "--by", "Ada", "--reason", "enough"]) == 0
    assert process.wait(timeout=SOON) == -signal.SIGKILL
    assert bystanders[2].poll() is None
    assert state_of(folder) == "stopped"
    with Run.open(folder, write=False) as run:
        last = run.ledger.last("stop")
    assert last is not None
    assert last.data == {"by": "Ada", "reason": "enough", "to": [], "now": True}


def test_a_process_that_only_has_the_number_is_not_shot(
    half: tuple[Path, Any], tmp_path: Path, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    """A lock file of a process that is no more, and a line of the table whose number another one has by now."""
    folder = copy(half[0], tmp_path / "stale")
    (folder / "ledger.lock").write_text(f"{bystanders[2].pid}\n")
    assert switch.pull(folder).killed == 0
    now = processes.look(bystanders[2].pid)
    assert now is not None
    before = processes.Process(now.pid, now.parent, now.group, now.session, now.state, now.threads, now.started - 1)
    processes.send(before, signal.SIGKILL)
    time.sleep(0.1)
    assert bystanders[2].poll() is None
    processes.send(now, signal.SIGKILL)
    assert bystanders[2].wait(timeout=SOON) == -signal.SIGKILL


def session(folder: Path, deaf: bool) -> None:
    """In the place of a run's process: safe points without end. `deaf`: it does not see a request."""
    if deaf:
        request.read = lambda folder: None
    with contextlib.suppress(Interrupted), opened(folder, None) as on:
        while True:
            on.overseer.safe_point()
            time.sleep(0.02)


@pytest.mark.parametrize("tampered", [False, True])
def test_a_request_is_obeyed_at_a_safe_point_and_cannot_be_taken_away(
    half: tuple[Path, Any], tmp_path: Path, tampered: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy(half[0], tmp_path / "r")
    process = multiprocessing.get_context("fork").Process(target=session, args=(folder, tampered))
    process.start()
    wait(lambda: request.drivers(folder))
    if tampered:
        threading.Thread(target=lambda: take_away(folder)).start()
    code = invoke(["stop", str(folder), "--reason", "lunch"])
    process.join(timeout=SOON)
    shown = capsys.readouterr()
    assert code == (5 if tampered else 0), shown
    assert state_of(folder) == "stopped"
    assert not (folder / "stop.json").exists()
    with Run.open(folder, write=False) as run:
        if tampered:
            assert run.ledger.last("red line").data["rule"] == "kill switch"
        else:
            assert run.ledger.last("stop").data["reason"] == "lunch"
    assert (folder / "locked.json").exists() is tampered


def take_away(folder: Path) -> None:
    wait((folder / "stop.json").exists)
    (folder / "stop.json").unlink()


def test_nothing_to_stop(half: tuple[Path, Any], capsys: pytest.CaptureFixture[str]) -> None:
    for flags in ([], ["--now"]):
        assert invoke(["stop", str(half[0]), *flags]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_caller_is_spared_and_its_mark_is_taken_back(half: tuple[Path, Any], tmp_path: Path) -> None:
    folder = copy(half[0], tmp_path / "r")
    with opened(folder, half[1]):
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        assert switch.pull(folder).killed == 1
        assert child.wait(timeout=SOON) == -signal.SIGKILL
        with pytest.raises(Exception, match="another process"):
            Lock(folder / "ledger.lock")
    assert processes.MARK not in os.environ
    assert not processes.adopts()
