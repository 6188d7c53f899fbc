"""The real command line in forked children of one warm process, and what they acknowledge.

A child acknowledges what it was itself told is durable: an event that `append` returned, an artifact that `put`
returned, an answer that is recorded, the report. It says so on a pipe, and in the shim's log.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import apsw
from shim import Trap, kill_after, mark

from autotroph.cli.live import Live
from autotroph.cli.main import invoke
from autotroph.core.errors import AutotrophError
from autotroph.report import html
from autotroph.store.artifacts import Artifacts
from autotroph.store.journal import Journal
from autotroph.store.ledger import Ledger
from autotroph.store.run import Run
from autotroph.verify import verify

Say = Callable[[dict[str, Any]], None]

SMALL = """
recipe = "rejection_sampling"
task = "copy"
level = 2
cycles = 2
tasks = 20
samples = 1
steps = 12
batch = 32
gold_per_level = 30
sealed = 30
final_sealed = 6
gap_tasks = 4
gap_samples = 2
rival_tasks = 4
rival_answers = 2
monitors.tasks = 0
learner.average = 1.0
base = {hidden = 32, layers = 1, heads = 2, train = {steps = 40, rows = 200}}
"""
"""A run of two cycles of about 0.2 s, of which the first one is promoted: every kind of event and artifact."""


@dataclass
class Ended:
    """How a child ended, what it acknowledged before, and what it wrote to stderr."""

    code: int
    """Exit code, or minus the signal."""
    said: list[dict[str, Any]]
    stderr: str
    seconds: float
    computed: float
    """Seconds of CPU time."""

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


@dataclass
class Acknowledged:
    """What children have acknowledged of one run so far."""

    events: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Number -> kind and hash."""
    artifacts: set[str] = field(default_factory=set)
    paid: set[tuple[int, str]] = field(default_factory=set)
    """(event since which, name and part) of every answer that was recorded."""
    report: bool = False
    repeated: list[str] = field(default_factory=list)
    """Stages that began although their end had been acknowledged."""

    def add(self, said: dict[str, Any]) -> None:
        if "event" in said:
            if said["event"] in self.events:
                self.repeated.append(f"event {said['event']} was appended again")
            self.events[said["event"]] = (said["kind"], said["hash"])
        elif "artifact" in said:
            self.artifacts.add(said["artifact"])
        elif "paid" in said:
            work = (said["since"], said["paid"])
            if work in self.paid:
                self.repeated.append(f"{said['paid']} was paid again")
            self.paid.add(work)
        elif "stage" in said:
            cycles = sum(kind == "cycle" for kind, _ in self.events.values())
            over = any(kind == "end" for kind, _ in self.events.values())
            if said["cycle"] < cycles or over:
                self.repeated.append(f"{said['stage']} of cycle {said['cycle']} began again")
        self.report |= "report" in said

    def lost(self, folder: Path) -> list[str]:
        """What is no longer there."""
        roots = folder, folder.parent / "cache"  # the base is kept there, where it is trained by the run
        there = {name for root in roots for name in self.artifacts if (root / name).is_dir()}
        lost = [f"artifact {name}" for name in sorted(self.artifacts - there)]
        if self.events:
            with Ledger(folder / "ledger.sqlite") as ledger:
                written = {event.seq: (event.kind, event.hash) for event in ledger.events()}
            for seq, event in self.events.items():
                if written.get(seq) != event:
                    lost.append(f"event {seq}, {event[0]}")
            if max(written, default=-1) == max(self.events):
                lost += self._unpaid(folder, max(self.events))
            if self.report and not any(kind == "end" for kind, _ in written.values()):
                lost.append("the end of a run whose report was written")
        if self.report and not (folder / "report.html").read_text().rstrip().endswith("</html>"):
            lost.append("the report")
        return lost

    def _unpaid(self, folder: Path, since: int) -> list[str]:
        """Recorded answers of the unfinished cycle that are not in the journal; a later event has no use for them."""
        due = {name for event, name in self.paid if event == since}
        if not due:
            return []
        journal = apsw.Connection(str(folder / "journal.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        with closing(journal):
            there = {f"{name} {part}" for name, part in journal.execute("SELECT name, part FROM work")}
        return [f"a paid answer, {name}" for name in sorted(due - there)]


def child(work: Callable[[Say], int], trap: Trap | None = None, life: float | None = None) -> Ended:
    """Fork, do the work there, and wait; SIGKILL ends it after so many seconds of computing."""
    receive, send = os.pipe()
    with tempfile.TemporaryFile() as errors:
        begun = time.monotonic()
        process = os.fork()
        if process == 0:
            _be(work, trap, life, send, errors.fileno())
        os.close(send)
        with os.fdopen(receive, "rb") as pipe:
            lines = pipe.read().splitlines(keepends=True)
        _, status, used = os.wait4(process, 0)
        errors.seek(0)
        return Ended(
            os.waitstatus_to_exitcode(status),
            [json.loads(line) for line in lines if line.endswith(b"\n")],
            errors.read().decode(),
            time.monotonic() - begun,
            used.ru_utime + used.ru_stime,
        )


def _be(work: Callable[[Say], int], trap: Trap | None, life: float | None, send: int, errors: int) -> None:
    """The child: never returns."""
    code = 70
    try:
        os.dup2(errors, 1)
        os.dup2(errors, 2)

        def say(what: dict[str, Any]) -> None:
            line = json.dumps(what)
            if trap is not None:
                mark(line)
            os.write(send, line.encode() + b"\n")

        if trap is not None:
            trap.arm()
        if life is not None:
            kill_after(life)
        code = work(say)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def acknowledging(say: Say) -> None:
    """From now on this process says what it is told is durable, and which stages it begins."""
    append, put, write, stage, record = Ledger.append, Artifacts.put, html.write, Live.stage, Journal.record

    def told_append(ledger: Ledger, *what: Any) -> Any:
        event = append(ledger, *what)
        say({"event": event.seq, "kind": event.kind, "hash": event.hash})
        return event

    def told_put(store: Artifacts, *what: Any) -> Path:
        path = put(store, *what)
        say({"artifact": f"{path.parent.name}/{path.name}"})
        return path

    def told_write(*what: Any) -> None:
        write(*what)
        say({"report": True})

    def told_stage(live: Live, cycle: int, name: str) -> None:
        say({"stage": name, "cycle": cycle})
        stage(live, cycle, name)

    def told_record(journal: Journal, name: str, part: int, *what: Any) -> None:
        record(journal, name, part, *what)
        say({"paid": f"{name} {part}", "since": journal._since})

    Journal.record = told_record  # type: ignore[method-assign]
    Ledger.append, Artifacts.put, html.write, Live.stage = told_append, told_put, told_write, told_stage  # type: ignore[method-assign,assignment]


def command(arguments: Sequence[str], cache: Path, say: Say) -> int:
    """`autotroph ARGUMENTS` in this process."""
    os.environ["AUTOTROPH_CACHE"] = str(cache)
    acknowledging(say)
    return invoke(arguments)


class Bench:
    """A folder to work in, the settings of a run, and its base in a cache; `cold`: each run trains its own."""

    def __init__(self, folder: Path, settings: str = SMALL, *, cold: bool = False):
        self.folder, self.cache, self.cold = folder, folder / "cache", cold
        self.settings = folder / "settings.toml"
        self.settings.write_text(settings)
        self.runs = 0

    def fresh(self) -> Path:
        """A folder for a run that is not there yet, in a folder of its own."""
        self.runs += 1
        place = self.folder / f"place-{self.runs}"
        place.mkdir()
        return place / "run"

    def trap(self, run: Path, *what: Any) -> Trap:
        """One for everything in the place of a run, with a log beside it."""
        return Trap(run.parent, run.parent.with_suffix(".log"), *what)

    def start(self, run: Path, trap: Trap | None = None, life: float | None = None) -> Ended:
        return self._command(["run", str(self.settings), "--out", str(run)], run, trap, life)

    def resume(self, run: Path, trap: Trap | None = None, life: float | None = None) -> Ended:
        return self._command(["resume", str(run)], run, trap, life)

    def go_on(self, run: Path, trap: Trap | None = None, life: float | None = None) -> Ended:
        """Resume a run that has begun; begin one that has not, as its own error advises."""
        if begun(run):
            return self.resume(run, trap, life)
        clear(run)
        return self.start(run, trap, life)

    def _command(self, arguments: list[str], run: Path, trap: Trap | None, life: float | None) -> Ended:
        cache = run.parent / "cache" if self.cold else self.cache
        return child(partial(command, arguments, cache), trap, life)


def begun(run: Path) -> bool:
    """Whether the run's first event is there; if not, opening it has to say so."""
    try:
        with Run.open(run, write=False):
            return True
    except AutotrophError:
        return False


def clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".log").unlink(missing_ok=True)


def decisions(run: Path) -> dict[str, Any]:
    """What may not differ between a run and the same one interrupted: champion, verdicts, figures, sealed results."""
    with Run.open(run, write=False) as opened:
        record = opened.record()
    cycles = [
        {
            "champion": cycle.champion,
            "candidate": cycle.candidate,
            "verdict": cycle.decision.verdict,
            "p_value": cycle.decision.p_value,
            "flips": {str(level): [flips.gained, flips.lost] for level, flips in cycle.decision.levels.items()},
            "accuracy": [cycle.champion_accuracy, cycle.candidate_accuracy],
            "loss": cycle.metrics.get("loss"),
        }
        for cycle in record.cycles
    ]
    ends = [record.base_accuracy, record.champion_accuracy, record.refined]
    return {"champion": record.champion, "finished": record.finished, "cycles": cycles, "ends": ends}


def unsound(run: Path) -> list[str]:
    """What `autotroph verify` finds wrong."""
    return [str(fault) for fault in verify(run).faults]


def warm_up(bench: Bench) -> None:
    """One run in this very process, so that its children find everything loaded. It stays without threads."""
    os.environ["AUTOTROPH_CACHE"] = str(bench.cache)
    run = bench.fresh()
    before = os.dup(2)
    with tempfile.TemporaryFile() as quiet:
        os.dup2(quiet.fileno(), 2)
        try:
            assert invoke(["run", str(bench.settings), "--out", str(run)]) == 0
        finally:
            os.dup2(before, 2)
            os.close(before)
    clear(run.parent)
    tasks = len(os.listdir("/proc/self/task"))
    assert tasks == 1, f"{tasks} threads: forking is only safe with one"
