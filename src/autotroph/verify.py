"""Whether a run is what its ledger says: the chain, the root, every artifact that an entry names, every decision.

Nothing that a run folder holds is taken on trust, and nothing in it is run. What cannot be checked counts as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from math import isclose
from pathlib import Path
from typing import Any

import apsw
from pydantic import ValidationError

from autotroph.core.decision import Decision
from autotroph.core.errors import AutotrophError
from autotroph.evaluate import evidence
from autotroph.evaluate.gate import PairedGate
from autotroph.loop import answers, held, opened_at
from autotroph.models.checkpoint import content_hash
from autotroph.state import hash_rows
from autotroph.store import merkle
from autotroph.store.artifacts import Artifacts
from autotroph.store.ledger import Event
from autotroph.store.record import CycleRecord
from autotroph.store.run import Run

DERIVED = {"looks", "reuse", "guardrails"}
"""Settings of a gate that a recipe works out; the others are as they were configured."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`event`: the line of the ledger that is wrong; None: the ledger as a whole."""

    event: int | None
    what: str

    def __str__(self) -> str:
        return f"event {self.event}: {self.what}" if self.event is not None else f"ledger: {self.what}"


@dataclass
class Findings:
    """What was checked, and what is wrong with it."""

    root: str = ""
    events: int = 0
    artifacts: int = 0
    decisions: int = 0
    faults: list[Fault] = field(default_factory=list)

    def blame(self, event: int | None, what: str) -> None:
        self.faults.append(Fault(event, what))


def verify(folder: Path, root: str | None = None) -> Findings:
    """Check a run, also against the `root` that was printed at its end.

    Raises AutotrophError where there is no run, or where `root` is none.
    """
    if root is not None and not re.fullmatch("[0-9a-f]{64}", root):
        raise AutotrophError(f"root {root!r}: not 64 hexadecimal digits; give the root that the run printed at its end")
    found = Findings()
    with Run(folder, write=False) as run:
        try:
            _check_chain(run, root, found)
            _Replay(run, found).all()
        except apsw.Error as error:
            found.blame(None, f"the database is damaged: {error}")
    found.faults.sort(key=lambda fault: -1 if fault.event is None else fault.event)
    return found


def _check_chain(run: Run, root: str | None, found: Findings) -> None:
    leaves = run.ledger.leaves()
    found.events, found.root = len(leaves), merkle.root(leaves).hex()
    found.faults += [Fault(seq, what) for seq, what in run.ledger.faults()]
    if root is None or root == found.root:
        return
    earlier = next((n for n, one in enumerate(merkle.roots(leaves), 1) if one.hex() == root), None)
    if earlier is None:
        found.blame(None, f"its root is {found.root}, and no beginning of it has the root that was given")
    else:
        found.blame(earlier, f"the given root ends before it: {len(leaves) - earlier} events were added since")


class _Replay:
    """Goes through the events as the run did, with the champion and the trainee that follow from them."""

    def __init__(self, run: Run, found: Findings):
        self.run, self.found = run, found
        self.champion = self.trainee = ""
        self.verdicts: list[str] = []
        self.config: dict[str, Any] = {}

    def all(self) -> None:
        for seq in self.run.ledger.numbers():
            try:
                self._event(self.run.ledger.event(seq))
            except (ValueError, KeyError, TypeError) as error:  # ValidationError is a ValueError
                self.found.blame(seq, f"it cannot be read: {_one_line(error)}")

    def _event(self, event: Event) -> None:
        if event.kind == "start":
            self.config = event.data["config"]
        elif event.kind == "base":
            self.champion = self.trainee = event.data["policy"]["id"]
            self._artifact(event.seq, "policy", self.run.policies, self.champion, content_hash)
        elif event.kind == "cycle":
            self._cycle(event)

    def _cycle(self, event: Event) -> None:
        record = CycleRecord.model_validate(event.data["record"])
        blame, decision = self.found.blame, record.decision
        if record.cycle != len(self.verdicts):
            blame(event.seq, f"it is cycle {record.cycle}, and cycle {len(self.verdicts)} is next")
        for name, given in (("record", record.champion), ("decision", decision.champion)):
            if given != self.champion:
                blame(event.seq, f"its {name} names champion {given}, and {self.champion} was promoted last")
        self._artifact(event.seq, "policy", self.run.policies, record.candidate, content_hash)
        self._artifact(event.seq, "rows", self.run.rows, event.data["rows"], hash_rows)
        if "ruling" in event.data:
            self._ruling(event.seq, record, event.data["ruling"])
        else:
            blame(event.seq, "no per-task results were kept, so that its decision cannot be recomputed")
        self.verdicts.append(decision.verdict)
        self.trainee = self.champion if decision.verdict == "roll back" else record.candidate
        self.champion = record.candidate if decision.promoted else self.champion
        for name, due in (("champion", self.champion), ("trainee", self.trainee)):
            if (given := event.data["state"][name]["id"]) != due:
                blame(event.seq, f"{name} {given} goes on from it, and by its verdict that is {due}")

    def _ruling(self, seq: int, record: CycleRecord, ruling: dict[str, Any]) -> None:
        """Ask the gate again, and compare."""
        gate, blame = PairedGate.model_validate(ruling["gate"]), self.found.blame
        for name, value in PairedGate.model_validate(self.config["gate"]):
            if name not in DERIVED and getattr(gate, name) != value:
                blame(seq, f"its gate has {name} {getattr(gate, name)}, and the run was configured with {value}")
        answered = answers(self.verdicts[opened_at(record.cycle, gate.reuse) :])
        if ruling["answered"] != answered:
            blame(
                seq, f"its gate was told of {ruling['answered']} answers of this sealed set, and there were {answered}"
            )
        name = ruling["evidence"]
        if not self._artifact(seq, "evidence", self.run.evidence, name, evidence.digest):
            return
        reports = evidence.read(self.run.evidence.path(name), record.decision.champion, record.candidate)
        due = held(gate.decide(*reports, record.cycle + 1, answered), record.alarms)
        self.found.decisions += 1
        for what in _differences(record.decision, due):
            blame(seq, f"its decision does not follow from its per-task results: {what}")
        for side, given, report in zip(
            evidence.SIDES, (record.champion_accuracy, record.candidate_accuracy), reports, strict=True
        ):
            if not _alike(given, report.accuracy()):
                blame(seq, f"the accuracy of its {side} does not follow from its per-task results")

    def _artifact(self, seq: int, kind: str, store: Artifacts, name: Any, digest: Callable[[Path], str]) -> bool:
        """Whether the artifact is there and has the content that its name says."""
        if not isinstance(name, str) or not re.fullmatch("[0-9a-f]+", name):
            self.found.blame(seq, f"{kind} {name!r} is no artifact's name")
            return False
        if name not in store:
            self.found.blame(seq, f"{kind} {name} is missing")
            return False
        self.found.artifacts += 1
        try:
            actual = digest(store.path(name))
        except (OSError, UnicodeError) as error:
            self.found.blame(seq, f"{kind} {name} cannot be read: {_one_line(error)}")
            return False
        if actual != name:
            self.found.blame(seq, f"{kind} {name} was altered: its content hashes to {actual}")
        return actual == name


def _differences(given: Decision, due: Decision) -> Iterator[str]:
    """Fields that differ; the refinement is no part of a verdict."""
    ours, theirs = (asdict(replace(decision, refinement=None)) for decision in (given, due))
    for name, value in ours.items():
        if not _alike(value, theirs[name]):
            yield f"{name} is {value!r}, recomputed {theirs[name]!r}"


def _alike(one: Any, two: Any) -> bool:
    """Equal, floats to nine digits: on another machine the last ones of a p-value may differ."""
    if isinstance(one, float) and isinstance(two, float):
        return isclose(one, two, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_alike(value, two[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(_alike, one, two))
    return bool(one == two)


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
