"""Soft votes: an answer is worth the share of its group that gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import votes


@dataclass
class SoftVote:
    """Share of the group's answers that are equal to this one; None where the rollout failed.

    Its expectation is the chance that another sample agrees, so that no tie has to be broken and no minority is worth
    nothing.
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "soft_vote"

    def score(self, group: Group) -> Group:
        ballot = votes(group.traces)

        def share(trace: Trace) -> float | None:
            return None if trace.error is not None else ballot[trace.text] / ballot.total()

        return Group(group.task, tuple(trace.scored(self.name, share(trace)) for trace in group.traces))
