"""Whether a run is what its ledger says: the chain, the root, signatures, every artifact that an entry names, and all
that follows from other entries or from stored results.

Nothing that a run holds is taken on trust, and nothing in it is run. What cannot be checked counts as wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import apsw
from pydantic import ValidationError

from autotroph.core.decision import Report
from autotroph.core.errors import AutotrophError
from autotroph.evaluate import evidence
from autotroph.evaluate.figures import of_reports
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.monitors import turned
from autotroph.evaluate.recompute import alarms_due, alike, decision_faults, refinement_faults
from autotroph.loop import answers, held, mastered, opened_at
from autotroph.oversight.approvals import DECISIONS
from autotroph.oversight.replay import Asked
from autotroph.store import merkle
from autotroph.store.artifacts import Artifacts, digest
from autotroph.store.bundle import unpacked
from autotroph.store.ledger import Chain, Event, Stored
from autotroph.store.record import Alarm, CycleRecord
from autotroph.store.run import Run
from autotroph.store.signing import TreeHead, is_signed

DERIVED = {"looks", "reuse", "guardrails", "exact"}
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
    signed: int = 0
    """Events up to the last valid signature, itself among them."""
    faults: list[Fault] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    """Policies that a light bundle was exported without."""

    def blame(self, event: int | None, what: str) -> None:
        self.faults.append(Fault(event, what))


def verify(path: Path, root: str | None = None, key: str | None = None) -> Findings:
    """Check a run's folder or its bundle, also against the `root` that was printed at its end, and the public `key`
    that has to have signed it, up to its last event.

    Raises AutotrophError where there is no run, or a bundle is not what `export` makes, or `root` is none.
    """
    if root is not None and not re.fullmatch("[0-9a-f]{64}", root):
        raise AutotrophError(f"root {root!r}: not 64 hexadecimal digits; give the root that the run printed at its end")
    found = Findings()
    with ExitStack() as opened:
        folder = opened.enter_context(unpacked(path)) if path.is_file() else path
        run = opened.enter_context(Run(folder, write=False))
        light = path.is_file() and not run.policies.root.exists()
        try:
            with run.ledger.frozen():
                _check(run, root, key, light, found)
        except apsw.Error as error:
            found.blame(None, f"the database is damaged: {error}")
    found.faults.sort(key=lambda fault: -1 if fault.event is None else fault.event)
    return found


def _check(run: Run, root: str | None, key: str | None, light: bool, found: Findings) -> None:
    """One walk along the ledger: chain, tree, and what each event says."""
    chain, replay = Chain(), _Replay(run, found, light)
    for stored in run.ledger.stored():
        leaf = stored.leaf
        found.faults += [Fault(seq, what) for seq, what in chain.faults(stored, leaf)]
        replay.event(stored)
        replay.tree.append(leaf)
    for seq in run.ledger.broken_kinds():
        found.blame(seq, "its kind goes over more than one line")
    found.events, found.root, found.signed = len(replay.tree), replay.tree.root().hex(), replay.signed
    if root is not None and root != found.root:
        _check_root(run, root, found)
    if key is not None:
        if replay.signer != key:
            found.blame(0, f"it is signed by {replay.signer or 'nobody'}, and the key that was given is {key}")
        elif found.signed < found.events:
            found.blame(found.signed, "neither it nor what follows is signed")


def _check_root(run: Run, root: str, found: Findings) -> None:
    roots = merkle.roots(stored.leaf for stored in run.ledger.stored())
    earlier = next((n for n, one in enumerate(roots, 1) if one.hex() == root), None)
    if earlier is None:
        found.blame(None, f"its root is {found.root}, and no beginning of it has the root that was given")
    else:
        found.blame(earlier, f"the given root ends before it: {found.events - earlier} events were added since")


class _Replay:
    """Goes through the events as the run did, with the champion and the trainee that follow from them.

    Events of other kinds than those of `_checks` say nothing that follows from anything.
    """

    def __init__(self, run: Run, found: Findings, light: bool):
        self.run, self.found, self.light = run, found, light
        self.tree = merkle.Frontier()
        self.first = self.champion = self.trainee = ""
        self.signer: str | None = None
        self.signed = self.level = 0
        self.verdicts: list[str] = []
        self.config: dict[str, Any] = {}
        self.knobs: dict[str, float] = {}
        self.spent: dict[str, float] = {}
        self.seen: set[bytes] = set()
        self.asked = Asked()
        self._checks = {
            b"start": self._start,
            b"base": self._base,
            b"gap": self._gap,
            b"cycle": self._cycle,
            b"end": self._end,
            b"signature": self._signature,
            b"pending": self._pending,
            **{kind.encode(): self._decided for kind in DECISIONS},
        }

    def event(self, stored: Stored) -> None:
        check = self._checks.get(stored.kind)
        if check is None:
            return
        try:
            self._order(stored)
            check(stored.event())
        except Exception as error:  # a forger may write anything: what cannot be checked is wrong
            self.found.blame(stored.seq, f"it cannot be read: {_one_line(error)}")

    def _order(self, stored: Stored) -> None:
        kind, once = stored.kind, {b"start", b"base", b"gap", b"end"}
        if (kind == b"start") != (stored.seq == 0):
            self.found.blame(stored.seq, "a run begins with start, and that once")
        elif kind in once & self.seen or (kind == b"cycle" and b"end" in self.seen):
            self.found.blame(stored.seq, f"no {kind.decode()} is due after those before it")
        self.seen.add(kind)

    def _start(self, event: Event) -> None:
        self.config, self.first, self.signer = event.data["config"], event.hash, event.data["signer"]

    def _base(self, event: Event) -> None:
        self.champion = self.trainee = event.data["policy"]["id"]
        self.level = event.data["taught"]
        self._policy(event.seq, "base", event.data["policy"], self.champion)
        self._artifact(event.seq, "policy", self.run.policies, self.champion)
        self._meter(event)

    def _gap(self, event: Event) -> None:
        self._meter(event)

    def _pending(self, event: Event) -> None:
        self.asked.pending = event
        self._meter(event)

    def _decided(self, event: Event) -> None:
        for what in self.asked.decided(event, self.tree.root().hex()):
            self.found.blame(event.seq, what)

    def _cycle(self, event: Event) -> None:
        record, state = CycleRecord.model_validate(event.data["record"]), event.data["state"]
        blame, decision = self.found.blame, record.decision
        if record.cycle != len(self.verdicts):
            blame(event.seq, f"it is cycle {record.cycle}, and cycle {len(self.verdicts)} is next")
        for name, given in (("record", record.champion), ("decision", decision.champion)):
            if given != self.champion:
                blame(event.seq, f"its {name} names champion {given}, and {self.champion} was promoted last")
        self._artifact(event.seq, "policy", self.run.policies, record.candidate)
        alarms = self._alarms(event.seq, record)
        if "ruling" in event.data:
            self._ruling(event.seq, record, event.data["ruling"], alarms)
            self._mastery(event.seq, record, event.data["rows"], event.data["ruling"]["tried"])
        else:
            blame(event.seq, "no per-task results were kept, so that its decision cannot be recomputed")
        for what in refinement_faults(decision):
            blame(event.seq, f"its refinement does not follow from its scores: {what}")
        for what in self.asked.cycle(record, self.config.get("oversight", "automatic")):
            blame(event.seq, what)
        self.verdicts.append(decision.verdict)
        self.trainee = self.champion if decision.verdict == "roll back" else record.candidate
        self.champion = record.candidate if decision.promoted else self.champion
        self.level = record.mastered if decision.promoted else self.level
        self.knobs = turned(self.knobs, alarms)
        for name, due in (("champion", self.champion), ("trainee", self.trainee)):
            self._policy(event.seq, name, state[name], due)
        for name, value in (("cycle", record.cycle + 1), ("level", self.level), ("knobs", self.knobs)):
            if not alike(state[name], value):
                blame(event.seq, f"it goes on with {name} {state[name]}, and that should be {value}")
        self._meter(event)

    def _alarms(self, seq: int, record: CycleRecord) -> tuple[Alarm, ...]:
        """Those that are due; whoever drops one to be promoted is held by it all the same."""
        due = alarms_due(record, self.config, self.knobs)
        shown, expected = ([alarm.model_dump() for alarm in alarms] for alarms in (record.alarms, due))
        if not alike(shown, expected):
            names = [", ".join(alarm.monitor for alarm in alarms) or "none" for alarms in (record.alarms, due)]
            self.found.blame(
                seq, f"its alarms do not follow from its figures: {names[0]}; due: {names[1]}, with limit and response"
            )
        return due

    def _ruling(self, seq: int, record: CycleRecord, ruling: dict[str, Any], alarms: tuple[Alarm, ...]) -> None:
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
        reports = self._evidence(seq, ruling["evidence"], record.decision.champion, record.candidate)
        if reports is None:
            return
        due = self.asked.ruled(held(gate.decide(*reports, record.cycle + 1, answered), alarms, record.nothing))
        self.found.decisions += 1
        for what in decision_faults(record.decision, due):
            blame(seq, f"its decision does not follow from its per-task results: {what}")
        for side, given, report in zip(
            evidence.SIDES, (record.champion_accuracy, record.candidate_accuracy), reports, strict=True
        ):
            self._accuracy(seq, side, given, report)
        for name, value in of_reports(*reports).items():
            if not alike(record.metrics.get(name), value):
                blame(seq, f"its {name} is {record.metrics.get(name)}, by its per-task results {value}")

    def _mastery(self, seq: int, record: CycleRecord, rows: Any, tried: Mapping[str, int]) -> None:
        """Levels follow from how many tasks were tried and of how many a row was kept."""
        if not self._artifact(seq, "rows", self.run.rows, rows):
            return
        counts = {int(level): n for level, n in tried.items()}
        found = list(_rows_of(record.champion, self.run.rows.path(rows) / "rows.jsonl")) if counts else []
        kept: dict[int, int] = {}
        for level in dict(found).values():
            kept[level] = kept.get(level, 0) + 1
        due = {
            "level": max(counts, default=self.level),
            "mastered": mastered(counts, kept, self.level, self.config.get("mastery", 0.0)),
            "kept": float(len(found)),
        }
        given = {"level": record.level, "mastered": record.mastered, "kept": record.metrics.get("kept")}
        for name, value in due.items():
            if given[name] != value:
                self.found.blame(seq, f"its {name} is {given[name]}, by its rows {value}")

    def _end(self, event: Event) -> None:
        reports = self._evidence(event.seq, event.data["evidence"], "", "")
        for name, report in zip(("base", "champion"), reports or (), strict=False):
            given = {int(level): found for level, found in event.data[f"{name}_accuracy"].items()}
            self._accuracy(event.seq, name, given, report)
        self._meter(event)

    def _signature(self, event: Event) -> None:
        head = TreeHead(*(event.data[name] for name in ("run", "size", "root", "at")))
        due = TreeHead(self.first, event.seq, self.tree.root().hex(), head.at)
        for name, value in asdict(due).items():
            if (given := getattr(head, name)) != value:
                self.found.blame(event.seq, f"what was signed has {name} {given}, and that should be {value}")
        if self.signer is None or not is_signed(head, self.signer, event.data["signature"]):
            self.found.blame(event.seq, f"its signature is not by {self.signer or 'a key that start names'}")
        elif head == due:
            self.signed = event.seq + 1

    def _evidence(self, seq: int, name: Any, champion: str, candidate: str) -> tuple[Report, Report] | None:
        if not self._artifact(seq, "evidence", self.run.evidence, name):
            return None
        return evidence.read(self.run.evidence.path(name), champion, candidate)

    def _accuracy(self, seq: int, whose: str, given: Mapping[int, Any], report: Report) -> None:
        if not alike(given, report.accuracy()):
            self.found.blame(seq, f"the accuracy of its {whose} does not follow from its per-task results")

    def _policy(self, seq: int, name: str, given: Mapping[str, Any], due: str) -> None:
        """Both what a policy is called and where its weights are read from."""
        for what in {given["id"], given["uri"]} - {due}:
            self.found.blame(seq, f"{name} {what} goes on from it, and that should be {due}")

    def _meter(self, event: Event) -> None:
        """What was spent is never less than before."""
        counted = dict(event.data["meter"])
        lost = counted.pop("lost")
        spent = {name: value + lost.get(name, 0.0) for name, value in counted.items()}
        for name, value in spent.items():
            if value < self.spent.get(name, 0.0):
                self.found.blame(event.seq, f"it has spent {value} {name}, and {self.spent[name]} were spent before it")
        self.spent = spent

    def _artifact(self, seq: int, kind: str, store: Artifacts, name: Any) -> bool:
        """Whether the artifact is there and has the content that its name says."""
        if not isinstance(name, str) or not re.fullmatch("[0-9a-f]{64}", name):
            self.found.blame(seq, f"{kind} {name!r} is no artifact's name")
            return False
        if name not in store:
            if self.light and store is self.run.policies:
                self.found.absent.append(name)
            else:
                self.found.blame(seq, f"{kind} {name} is missing")
            return False
        self.found.artifacts += 1
        try:
            actual = digest(store.path(name))
        except (OSError, ValueError) as error:
            self.found.blame(seq, f"{kind} {name} cannot be read: {_one_line(error)}")
            return False
        if actual != name:
            self.found.blame(seq, f"{kind} {name} was altered: its content hashes to {actual}")
        return actual == name


def _rows_of(policy: str, path: Path) -> Iterator[tuple[str, int]]:
    """(task's key, its level) of every row that the policy answered."""
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            if row["trace"]["policy"] == policy:
                yield row["task"]["key"], row["task"]["level"]


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
