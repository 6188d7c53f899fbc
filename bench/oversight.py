"""The kill switch on real runs with unruly children, and what oversight takes of a run's time.

    .venv/bin/python bench/oversight.py [--runs 20] [--stops 200]

Writes bench/results/oversight.json. A stop is a whole `autotroph stop RUN --now`, from call to return, on a run that
has started the children of tests/e2e/unruly.py; afterwards the process table is searched for any of them. "runs" are
whole ones, whose verifier did that; "stops" are processes that hold a run's lock and call the same verifier themselves,
which spares the model. Each is forked from a process that has loaded the package.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

from autotroph.cli.main import invoke
from autotroph.loop import Loop, Observer, Recorder, cycle
from autotroph.oversight.overseer import Overseer
from autotroph.oversight.processes import Census, look, marked
from autotroph.oversight.proposal import Proposal
from autotroph.recipes import registry
from autotroph.state import State
from autotroph.store.run import Run, machine
from autotroph.tasks.worker import load

UNRULY = Path(__file__).parents[1] / "tests" / "e2e" / "unruly.py"
RUN = ["--base-train-steps", "1", "--base-train-rows", "20", "--base-hidden", "16", "--base-layers", "1"]
STALLED = 1.0
"""Seconds for which this process did not run, after which a stop is repeated and counted as that."""
PRACTISED: dict[str, dict[str, Any]] = {
    "length_generalisation": {"rounds": 3},
    "rejection_sampling": {"task": "addition", "level": 3, "cycles": 3},
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--stops", type=int, default=200)
    given = options.parse_args()
    target = Path(__file__).parent / "results" / "oversight.json"
    found = {
        "machine": machine(),
        "runs": stopped(given.runs, whole_run),
        "stops": stopped(given.stops, driver_alone),
        "overhead": [overhead(*one) for one in PRACTISED.items()],
    }
    target.write_text(json.dumps(found, indent=1) + "\n")


def whole_run(work: Path) -> None:
    rows = [json.dumps({"prompt": f"{n}+1=", "answer": str(n + 1)}) for n in range(200)]
    (work / "tasks.jsonl").write_text("\n".join(rows))
    task = ["--task", f"jsonl:{work / 'tasks.jsonl'}", "--verifier", f"{UNRULY}:verify"]
    invoke(["run", "rejection_sampling", *task, *RUN, "--out", str(work / "run")])


def driver_alone(work: Path) -> None:
    with Run.create(work / "run", {"recipe": "rejection_sampling", "config": {}}), marked(work / "run"):
        load(f"{UNRULY}:verify")("", "", None)


def stopped(times: int, start: Callable[[Path], None]) -> dict[str, Any]:
    """Seconds of each stop, and the processes that were left."""
    commands, pulls, killed, left, load, repeated = [], [], [], 0, [], 0
    while len(commands) < times:
        with tempfile.TemporaryDirectory(prefix="stop-") as work, Heart() as heart:
            command, pull, ended, remaining = one_stop(Path(work), start)
        left += remaining
        if heart.longest > STALLED:
            repeated += 1
            continue
        commands.append(command)
        pulls.append(pull)
        killed.append(ended)
        load.append(os.getloadavg()[0])
        print(f"{len(commands)}: {command:.2f} s, of which {pull:.2f} s for {ended} processes; left {left}", flush=True)
    return {
        "n": times,
        "command_seconds": quantiles(commands),
        "kill_seconds": quantiles(pulls),
        "processes_killed": {"least": min(killed), "median": median(killed), "most": max(killed)},
        "left": left,
        "repeated": repeated,
        "load_average": {"median": median(load), "most": max(load)},
    }


class Heart:
    """The longest time for which this process, too, did not run: a machine that stood still says nothing of a stop."""

    def __enter__(self) -> Heart:
        self.longest, self._over = 0.0, Event()
        self._thread = Thread(target=self._beat, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        before = time.monotonic()
        while not self._over.wait(0.02):
            now = time.monotonic()
            self.longest, before = max(self.longest, now - before), now


def quantiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in at.items()} | {
        "most": ordered[-1]
    }


def one_stop(work: Path, start: Callable[[Path], None]) -> tuple[float, float, int, int]:
    """(seconds of the command, seconds of the killing, processes killed, processes left)."""
    theirs, folder = work / "unruly", work / "run"
    theirs.mkdir()
    os.environ["UNRULY"] = str(theirs)
    if (driver := os.fork()) == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        start(work)
        os._exit(1)
    while not (theirs / "ready").exists():
        time.sleep(0.01)
    pids = [int(path.suffix[1:]) for path in theirs.glob("*.*")]
    begun = time.monotonic()
    command = [sys.executable, "-m", "autotroph", "stop", str(folder), "--now"]
    said = subprocess.run(command, capture_output=True, text=True)
    seconds = time.monotonic() - begun
    assert said.returncode == 0, said.stderr
    drivers, others = Census(folder.resolve()).take()
    left = {one.pid for one in (*drivers, *others)} | {
        pid for pid in pids if (one := look(pid)) is not None and one.alive
    }
    os.waitpid(driver, 0)
    words = said.stdout.split()
    return seconds, float(words[4]), int(words[1]), len(left)


def overhead(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Share of oversight in each cycle: all that stands between it and its commit, and the look before its gate."""
    recipe = registry.find(name)
    config = recipe.configure(settings)
    shares: list[float] = []

    class Timed(Overseer):
        spent = 0.0

        def look(self) -> None:
            begun = time.perf_counter()
            super().look()
            self.spent += time.perf_counter() - begun

    start = {"recipe": name, "config": config.model_dump(mode="json")}
    with tempfile.TemporaryDirectory(prefix="overhead-") as work, Run.create(Path(work) / "r", start) as run:
        loop: Loop = recipe.build(config)
        state = State.begin(run, *loop.base(Recorder()))
        overseer = Timed(run, loop)
        begun = time.perf_counter()
        overseer.resume()
        resumed = time.perf_counter() - begun

        def commit(state: State, proposal: Proposal, watch: Observer) -> State:
            overseer.look()  # as before the gate
            begun, looked = time.perf_counter(), overseer.spent
            after = overseer.commit(state, proposal, watch)
            overseer.spent = looked + time.perf_counter() - begun
            return after

        while not loop.finished(state):
            begun, overseer.spent = time.perf_counter(), 0.0
            state = cycle(state, loop, Recorder(), commit)
            shares.append(overseer.spent / (time.perf_counter() - begun))
    return {"recipe": name, "settings": settings, "share_of_cycle": shares, "resume_seconds": resumed}


if __name__ == "__main__":
    main()
