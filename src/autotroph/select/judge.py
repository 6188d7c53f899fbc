"""Selection by a judge: of the tries at a task, the one that no other has beaten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.protocols import Judge, View
from autotroph.core.reject import reject_traces
from autotroph.core.trace import Group, Trace
from autotroph.rewards.judge import winner


@dataclass(frozen=True)
class Judged:
    """Keeps the winner of a knock-out among a task's kept tries and rejects the others, "not preferred"."""

    judge: Judge

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        return [self._judged(group) if len(group.kept) > 1 else group for group in groups]

    def _judged(self, group: Group) -> Group:
        best = winner(group, self.judge)

        def reason(trace: Trace) -> str | None:
            return None if trace is best else "not preferred"

        return reject_traces(group, reason)
