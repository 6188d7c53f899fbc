"""What the decisions of people in a ledger come to, recomputed: for `autotroph verify`."""

from __future__ import annotations

from collections.abc import Iterator

from autotroph.core.decision import Decision
from autotroph.oversight.approvals import mismatch, misplaced
from autotroph.oversight.overseer import Mode, answered, awaits
from autotroph.oversight.proposal import Proposal
from autotroph.oversight.signals import pace
from autotroph.store.ledger import Event
from autotroph.store.record import CycleRecord


class Asked:
    """Goes through a ledger: what a person was asked about, and what that one has answered."""

    def __init__(self) -> None:
        self.pending: Event | None = None
        self._answer: Event | None = None
        self._past: list[CycleRecord] = []

    def decided(self, event: Event, root: str) -> Iterator[str]:
        """What is wrong with a person's decision. `root`: over the events before it."""
        if problem := misplaced(event, root):
            yield problem
        if event.kind == "answer":
            if self.pending is None:
                yield "nothing waited for it"
            elif problem := mismatch(event, self.pending):
                yield problem
            else:
                self._answer = event

    def ruled(self, decision: Decision) -> Decision:
        """A decision of the gate, as it was answered."""
        return decision if self._answer is None else answered(decision, self._answer.data)

    def cycle(self, record: CycleRecord, mode: Mode) -> Iterator[str]:
        """What is wrong with a cycle: a promotion that a person had to approve, its signals."""
        if awaits(mode, record) and self._answer is None:
            yield f"it is promoted without an approval, and the mode is '{mode}'"
        if self.pending is not None and self._answer is not None:
            asked = Proposal.of_json(self.pending.data["proposal"]).record
            if asked.model_copy(update={"decision": self.ruled(asked.decision)}) != record:
                yield "it is not what a person was asked about and has answered"
        if list(pace([*self._past, record])) != [signal for signal in record.signals if signal.name == "pace"]:
            yield "its signals do not follow from its figures"
        self.pending = self._answer = None
        self._past.append(record)
