"""Who stands over a run while it runs: the kill switch's request, red lines, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, Protocol

from autotroph.core.decision import Decision
from autotroph.core.errors import ApprovalNeeded, Interrupted, RedLine
from autotroph.evaluate.monitors import turned
from autotroph.oversight import approvals, redline, request, signals
from autotroph.oversight.artifacts import Content, named_in
from autotroph.oversight.code import Code
from autotroph.oversight.files import Files
from autotroph.oversight.processes import Census, marked, supported
from autotroph.oversight.proposal import Proposal
from autotroph.oversight.session import Session
from autotroph.state import State
from autotroph.store.record import CycleRecord
from autotroph.store.run import Run
from autotroph.store.sources import colour

Mode = Literal["automatic", "approve", "approve on yellow"]

LOOKED_AT = ("gate", "final")
"""Stages before which everything protected is looked at; the other time is before a cycle is committed."""


class Told(Protocol):
    """Who is told of a cycle."""

    def cycle(self, record: CycleRecord) -> None: ...


class Overseer:
    """Looks at a session of a run: before its decisions, before each commit, and at each safe point."""

    def __init__(self, run: Run, loop: Any):
        self.run, self.loop = run, loop
        config = run.start["config"]
        self._files, self._red, self._yellow = Files(config), Code("red"), Code("yellow")
        self._session, self._content = Session(run, loop), Content(run)

    def resume(self) -> None:
        """What an earlier session has left. Raises RedLine, or ApprovalNeeded where the code is another one."""
        self._look()
        approvals.check_places(self.run)
        approved, budget = self.run.ledger.last("code"), self.run.ledger.last("budget")
        for event in filter(None, (approved, budget)):
            approvals.check_here(self.run, event)
        code = approved.data["code"] if approved else self.run.start.get("code", {})
        now = self._files.parts
        if differing := sorted(name for name in code.keys() | now if code.get(name) != now.get(name)):
            raise ApprovalNeeded(
                f"run {self.run.folder}: it was begun with other code in {', '.join(differing)}; look at what has "
                f"changed, then `autotroph approve {self.run.folder} --code`"
            )
        self._content.check([named for event in self.run.ledger.events() for named in named_in(event)])

    def look(self) -> None:
        """Raises RedLine where anything protected is no more what it was."""
        self._look()
        for name, path in self._files.changed():
            if colour(name) == "red":
                raise RedLine("code", f"{name} was changed", [path])
        for name in self._red.changed():
            raise RedLine("code", f"{name} was patched")
        self._session.check()
        self._content.check([])

    def _look(self) -> None:
        if problem := self.run.ledger.tampering():
            found = self.run.folder.glob("ledger.*")
            raise RedLine("ledger", problem, found)

    def safe_point(self) -> None:
        """Raises Interrupted where a person has asked for the end."""
        asked = request.read(self.run.folder)
        if asked is not None and asked.for_me:
            self.run.ledger.append("stop", request.event(asked, now=False))
            request.withdraw(self.run.folder)
            raise Interrupted(
                f"on request of {asked.by}{f' ({asked.reason})' if asked.reason else ''}; "
                f"`autotroph resume {self.run.folder}` goes on"
            )

    def commit(self, state: State, proposal: Proposal, watch: Told) -> State:
        """Commit a cycle, or leave it for a person. Raises ApprovalNeeded then, RedLine where it may not be."""
        self.look()
        self._session.check_state(state)
        record, loop = proposal.record, self.loop
        if dict(proposal.knobs) != turned(state.knobs, record.alarms) or not proposal.knobs.keys() <= loop.knobs.keys():
            raise RedLine("policy", f"knobs {dict(proposal.knobs)} are none that the declared monitors have turned")
        past = [CycleRecord.model_validate(event.data["record"]) for event in self.run.ledger.events("cycle")]
        record = record.model_copy(update={"signals": signals.raised(past, record, self._touched())})
        proposal = replace(proposal, record=record)
        if awaits(loop.oversight, record):
            approvals.pend(self.run, proposal, state.meter.snapshot())
            raise ApprovalNeeded(approvals.waiting(self.run, proposal))
        return self._commit(state, proposal, watch)

    def settle(self, state: State, watch: Told) -> State:
        """Commit what an earlier session has left for a person, as that one decided.

        Raises ApprovalNeeded where nobody has, RedLine for a decision that does not belong there.
        """
        asked = approvals.pending(self.run.ledger)
        if asked is None:
            return state
        answer, proposal = approvals.given(self.run, asked), Proposal.of_json(asked.data["proposal"])
        decision = answered(proposal.record.decision, answer.data)
        record = proposal.record.model_copy(update={"decision": decision})
        return self._commit(state, replace(proposal, record=record), watch)

    def _commit(self, state: State, proposal: Proposal, watch: Told) -> State:
        self._content.check(proposal.artifacts)
        watch.cycle(proposal.record)
        return state.commit(proposal.candidate, proposal.record, proposal.knobs, proposal.ruling)

    def _touched(self) -> list[str]:
        return [name for name, _ in self._files.changed()] + self._yellow.changed()


def awaits(mode: Mode, record: CycleRecord) -> bool:
    """Whether a cycle's promotion waits for a person."""
    return record.decision.promoted and (mode == "approve" or (mode == "approve on yellow" and bool(record.signals)))


def answered(decision: Decision, answer: dict[str, Any]) -> Decision:
    """The gate's decision after a person's: promoted as it was, or held."""
    if answer["answer"] == "approve":
        return decision
    why = f" ({answer['reason']})" if answer["reason"] else ""
    return replace(decision, verdict="hold", reason=f"rejected by {answer['by']}{why}; else: {decision.reason}")


@contextmanager
def overseen(run: Run, loop: Any) -> Iterator[Overseer]:
    """Oversight of one session: its processes are marked, and a red line locks the run.

    Raises Locked where the run is locked already, RedLine and ApprovalNeeded as `Overseer.resume` does.
    """
    redline.refuse_locked(run)
    asked = request.read(run.folder)
    if asked is not None and not asked.for_me:
        request.withdraw(run.folder)
    bystanders = {one.pid for one in Census(run.folder.resolve()).take()[1]} if supported() else set()
    with marked(run.folder):
        try:
            overseer = Overseer(run, loop)
            overseer.resume()
            yield overseer
        except RedLine as line:
            kept = redline.lock(run, line, bystanders)
            raise RedLine(
                line.rule, f"{line.what}; the run is locked, what was found is in {kept}", line.found
            ) from None
