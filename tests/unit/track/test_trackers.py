"""Trackers that raise, hang, die, dawdle or fill their log, each in its real process beside a ledger that goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tracked import add_cycle, add_end, begun

from autotroph.core.errors import AutotrophError
from autotroph.store.run import Run
from autotroph.store.runs import state_of
from autotroph.track.sink import home, parse
from autotroph.track.trackers import Trackers

SINKS = '''
import ctypes, os, sys, time

class Notes:
    """Writes down what it is told."""
    def __init__(self, folder):
        self.notes = open(f"{type(self).__name__}.txt", "a", buffering=1)
    def begin(self, run, config, step):
        print(f"begin {step}", file=self.notes)
        return step
    def log(self, step, at, metrics):
        print(f"log {step} {metrics['spent/tokens']:g}", file=self.notes)
    def end(self, state):
        print(f"end {state}", file=self.notes)

class Raises(Notes):
    def log(self, step, at, metrics):
        if step == 1:
            raise ConnectionError("nobody there")
        super().log(step, at, metrics)

class Refuses(Notes):
    def begin(self, run, config, step):
        raise PermissionError("no key")

class Hangs(Notes):
    def log(self, step, at, metrics):
        if step == 1:
            time.sleep(10000)

class Holds(Notes):
    """Has a child, and neither of them heeds SIGTERM."""
    def begin(self, run, config, step):
        import signal, subprocess
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10000)"])
        print(child.pid, file=self.notes)
        return sum(iter(int, 1))

class Dies(Notes):
    def log(self, step, at, metrics):
        ctypes.string_at(0)

class Quits(Notes):
    def end(self, state):
        os._exit(7)

class Talks(Notes):
    def log(self, step, at, metrics):
        for _ in range(2000):
            print("x" * 1000)
        super().log(step, at, metrics)
'''
DOCS = Path(__file__).parents[3] / "docs" / "tracking.md"
BAD_IMPORT = "import ctypes\nctypes.string_at(0)\n"


@pytest.fixture(autouse=True)
def sinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sinks.py").write_text(SINKS)
    (tmp_path / "crash.py").write_text(BAD_IMPORT)
    monkeypatch.chdir(tmp_path)


def tracked(folder: Path, *names: str, grace: float = 100.0) -> list[str]:
    """Three cycles and an end beside trackers; returns what was said of them."""
    said: list[str] = []
    with Trackers(names, said.append, grace) as trackers, begun(folder) as run:
        trackers.start(folder)
        for cycle in range(3):
            add_cycle(run, cycle)
        add_end(run)
    assert state_of(folder) == "finished"
    return said


def notes(name: str) -> list[str]:
    return Path(f"{name}.txt").read_text().splitlines()


def test_a_tracker_is_told_everything_and_nothing_is_said(tmp_path: Path) -> None:
    assert tracked(tmp_path / "r", "sinks:Notes") == []
    assert notes("Notes") == ["begin 0", "log 0 100", "log 1 200", "log 2 300", "log 3 1000", "end finished"]


FAILURES = {
    "sinks:Raises": "1 of 4 steps delivered: ConnectionError: nobody there",
    "sinks:Refuses": "0 of 4 steps delivered: PermissionError: no key",
    "sinks:Dies": "0 of 4 steps delivered: it was ended by signal 11",
    "sinks:Quits": "4 of 4 steps delivered: exit code 7",
    "crash:Any": "0 of 4 steps delivered: it was ended by signal 11",
    "nowhere:Any": "0 of 4 steps delivered: ModuleNotFoundError: No module named 'nowhere'",
}


def test_trackers_that_fail_are_told_of_after_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    said = tracked(folder, *FAILURES)
    assert len(said) == len(FAILURES)
    for line, (name, words) in zip(said, FAILURES.items(), strict=True):
        assert line.startswith(f"tracker {name}: {words}")
        assert f"see {home(folder, name) / 'log'}, then `autotroph track {folder} --to {name}`" in line


def test_a_tracker_that_hangs_is_given_a_moment_and_ended(tmp_path: Path) -> None:
    begin = time.monotonic()
    (said,) = tracked(tmp_path / "r", "sinks:Hangs", grace=4.0)
    assert "of 4 steps delivered: not done 4 s after the run's end" in said
    assert 4.0 <= time.monotonic() - begin < 60


def test_what_a_tracker_has_started_ends_with_it(tmp_path: Path) -> None:
    said: list[str] = []
    with Trackers(["sinks:Holds"], said.append, 0.1) as trackers, begun(tmp_path / "r"):
        trackers.start(tmp_path / "r")
        deadline = time.monotonic() + 100
        while not (Path("Holds.txt").is_file() and notes("Holds")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert lives(int(notes("Holds")[0]))
    assert len(said) == 1
    deadline = time.monotonic() + 100
    while lives(int(notes("Holds")[0])):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lives(process: int) -> bool:
    """Whether there is such a process, and it is none that has ended and waits for somebody to ask how."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def test_a_tracker_that_talks_neither_blocks_nor_shows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert tracked(tmp_path / "r", "sinks:Talks") == []
    assert notes("Talks")[-1] == "end finished"
    assert capfd.readouterr() == ("", "")
    assert (home(tmp_path / "r", "sinks:Talks") / "log").stat().st_size > 8 * 10**6


def test_the_ledger_is_not_slower_beside_a_tracker_that_hangs(tmp_path: Path) -> None:
    """Medians of durable appends, which take turns with one another: alone, and with a tracker that hangs."""
    with (
        Trackers(["sinks:Hangs"], print, 0.0) as trackers,
        begun(tmp_path / "b") as beside,
        begun(tmp_path / "a") as alone,
    ):
        trackers.start(tmp_path / "b")
        add_cycle(beside, 0)
        add_cycle(beside, 1)
        deadline = time.monotonic() + 100
        while not Path("Hangs.txt").is_file():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        taken: dict[Run, list[float]] = {alone: [], beside: []}
        for cycle in range(2, 200):
            for run, times in taken.items():
                begin = time.perf_counter()
                add_cycle(run, cycle)
                times.append(time.perf_counter() - begin)
        a, b = (sorted(times)[len(times) // 2] for times in taken.values())
    assert b < 2 * a


def test_after_a_failure_the_rest_is_delivered(tmp_path: Path) -> None:
    (said,) = tracked(tmp_path / "r", "sinks:Raises")
    assert "nobody there" in said
    (tmp_path / "sinks.py").write_text(SINKS.replace("raise ConnectionError", "ConnectionError"))
    trackers = Trackers(["sinks:Raises"], print)
    trackers.start(tmp_path / "r")
    (found,) = trackers.wait(100)
    assert (found.steps, found.of, found.problem) == (4, 4, None)
    assert notes("Raises") == [
        "begin 0",
        "log 0 100",
        "begin 1",
        "log 1 200",
        "log 2 300",
        "log 3 1000",
        "end finished",
    ]


def test_a_run_that_is_killed_is_told_to_have_crashed_and_its_successor_goes_on(tmp_path: Path) -> None:
    """The tracker outlives the run and tells of its end; a run that is resumed at once has another one."""
    code = (
        "import sys, time; from pathlib import Path; from tracked import add_cycle, begun;"
        "from autotroph.track.trackers import Trackers;"
        "run = begun(Path('r')); trackers = Trackers(['sinks:Notes'], print); trackers.start(Path('r'));"
        "add_cycle(run, 0); add_cycle(run, 1); print('ready', flush=True); time.sleep(1000)"
    )
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Trackers(["sinks:Notes"], print, 100.0) as trackers, Run.open(Path("r")) as run:
        trackers.start(Path("r"))
        add_cycle(run, 2)
        add_end(run)
    told = notes("Notes")
    assert [line for line in told if line.startswith("log")] == ["log 0 100", "log 1 200", "log 2 300", "log 3 1000"]
    assert told[-1] == "end finished"


def test_the_tracker_that_the_documentation_shows_works(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "shown.py").write_text(shown)
    assert tracked(tmp_path / "r", "shown:Printer") == []
    log = (home(tmp_path / "r", "shown:Printer") / "log").read_text()
    assert log.splitlines()[:1] == ["0 100.0"]
    assert log.splitlines()[-1] == "finished"


def test_names_are_checked_before_anything_is_started() -> None:
    assert parse("") == ()
    assert parse(" my.module:Mine , my.module:Mine") == ("my.module:Mine",)
    with pytest.raises(AutotrophError, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"):
        parse("tensorbord")


def test_a_package_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(AutotrophError, match=r"wandb is not installed; pip install 'autotroph\[wandb\]'"):
        parse("wandb")
