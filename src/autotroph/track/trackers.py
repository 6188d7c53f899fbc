"""The trackers of a run: started beside it, fed from its ledger, given a moment at its end, and never in its way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.store.ledger import Ledger
from autotroph.track.deliver import PATIENCE
from autotroph.track.sink import home

GRACE = 10.0
"""Seconds that trackers have after the end of a run."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one tracker. `steps`: those that were delivered, of `of` in the ledger."""

    name: str
    steps: int
    of: int
    problem: str | None

    def sentence(self, folder: Path) -> str:
        text = f"tracker {self.name}: {self.steps} of {self.of} steps delivered"
        if self.problem is None:
            return text
        return (
            f"{text}: {self.problem}; see {home(folder, self.name) / 'log'}, "
            f"then `autotroph track {folder} --to {self.name}` sends the rest"
        )


class Trackers:
    """One process a tracker. As a context it gives them `GRACE` seconds at its end, and tells `say` what was not
    delivered then."""

    def __init__(self, names: Sequence[str], say: Callable[[str], object], grace: float = GRACE):
        self._names, self._say, self._grace = names, say, grace
        self._folder = Path()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._problems: dict[str, str] = {}

    def start(self, folder: Path) -> None:
        """Begin to follow a run that has begun."""
        self._folder = folder
        for name in self._names:
            try:
                self._processes[name] = _start(folder, name)
            except OSError as error:
                self._problems[name] = f"not started: {error}"

    def wait(self, seconds: float | None) -> list[Delivery]:
        """Until all are done, or for so long; then they are killed."""
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            for name, process in self._processes.items():
                try:
                    process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self._problems[name] = f"not done {seconds:g} s after the run's end"
                else:
                    if problem := _problem(process.returncode, home(self._folder, name) / "log"):
                        self._problems[name] = problem
        finally:
            self._kill()
        return [self._delivery(name) for name in {**self._processes, **self._problems}]

    def __enter__(self) -> Trackers:
        return self

    def __exit__(self, *_: object) -> None:
        for delivery in self.wait(self._grace):
            if delivery.problem is not None:
                self._say(delivery.sentence(self._folder))

    def _kill(self) -> None:
        """With all that they have started."""
        for process in self._processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _delivery(self, name: str) -> Delivery:
        try:
            steps = int(json.loads((home(self._folder, name) / "progress.json").read_text())["step"])
        except (OSError, ValueError, KeyError):
            steps = 0
        try:
            with Ledger(self._folder / "ledger.sqlite") as ledger:
                of = sum(1 for kind in ("cycle", "end") for _ in ledger.events(kind))
        except (AutotrophError, ValueError) as error:
            return Delivery(name, steps, steps, str(error))
        return Delivery(name, steps, of, self._problems.get(name))


def _start(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C is for the run, and the tracker is told of its end."""
    where = home(folder, name)
    where.mkdir(parents=True, exist_ok=True)
    with (where / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "autotroph.track", str(folder), name],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _problem(code: int, log: Path) -> str | None:
    """Why a tracker's process ended before it was done."""
    if code == 0:
        return None
    if code == -signal.SIGALRM:
        return f"it hung for {PATIENCE} s"
    if code < 0:
        return f"it was ended by signal {-code} ({signal.strsignal(-code)})"
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        lines = []
    return next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {code}")
