"""Majority voting over the answers to one task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.protocols import View
from autotroph.core.reject import level_of, reject_traces
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import majority, votes


@dataclass
class MajorityVote:
    """Keeps the first trace with the group's most common text, if enough of the asked samples gave it.

    Enough is `threshold` of all traces of the group, so those that failed or were rejected before count against it
    (arXiv:2502.01612: 0.7 of 5 models trained from different seeds, that is 4). Reasons: "agreed" for the winner's
    other copies, "minority", and "no majority" for all where the share is too small or the first place is shared.

    Where fewer than `coverage` of a level's groups find a majority, the level is beyond the voters, and those who agree
    do so by mistake more often than elsewhere: none is kept, for the reason "beyond reach". The demand halves with
    every round that the champion has been `waiting`, for a run that keeps nothing learns nothing; what a bolder round
    makes is still the gate's to refuse. A group of one is not counted.
    """

    threshold: float = 0.7
    coverage: float = 0.0

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        voted = [self._vote(group) for group in groups]
        elected: dict[tuple[str, int], list[bool]] = defaultdict(list)
        for group in voted:
            if len(group.traces) > 1:
                elected[level_of(group)].append(bool(group.kept))
        demand = self.coverage * 0.5**view.waiting
        beyond = {level for level, found in elected.items() if sum(found) < demand * len(found)}
        return [
            group.reject("beyond reach") if len(group.traces) > 1 and level_of(group) in beyond else group
            for group in voted
        ]

    def _vote(self, group: Group) -> Group:
        # Whom an earlier vote rejected still votes: a second vote then elects the same trace.
        ballot = votes(trace for trace in group.traces if trace.rejected in (None, "agreed", "minority"))
        winner = majority(ballot)
        if winner is None or ballot[winner] / len(group.traces) < self.threshold:
            return group.reject("no majority")
        elected: list[Trace] = []

        def reason(trace: Trace) -> str | None:
            if trace.text != winner:
                return "minority"
            if elected or trace.error is not None:
                return "agreed"
            elected.append(trace)
            return None

        return reject_traces(group, reason)
