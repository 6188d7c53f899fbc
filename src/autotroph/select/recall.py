"""Spaced repetition: what was solved is asked again after a while, and the longer, the more often it was solved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import View
from autotroph.core.reject import is_live, reject_groups
from autotroph.core.trace import Group
from autotroph.rewards.measure import is_scored


@dataclass
class Recall:
    """Rejects a task, "not due", that was solved in its last s rounds, the latest one less than `interval`^s ago.

    Solved: its mean reward in a round was at least `solved`. Rounds are those of the view's history, so that nothing
    has to be kept here. `metrics`: share of the tasks that are due.
    """

    interval: float = 2.0
    solved: float = 1.0
    dropped: dict[str, int] = field(default_factory=dict, init=False)
    metrics: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise AutotrophError(f"recall: the interval {self.interval} is below 1 round; use 1 or more")

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        due = due_rounds(list(view.history()), self.interval, self.solved)
        now = sum(1 for _ in view.history())
        early = [is_live(group) and due.get(group.task.key, 0.0) > now for group in groups]
        remaining, self.dropped = reject_groups(groups, ("not due" if one else None for one in early))
        self.metrics = {"due": 1 - sum(early) / max(1, sum(map(is_live, groups)))}
        return remaining


def due_rounds(rounds: Sequence[Sequence[Group]], interval: float, solved: float) -> dict[str, float]:
    """The round in which each task that was tried is due again, by its key; a failed one is at once."""
    streak: defaultdict[str, int] = defaultdict(int)
    due: dict[str, float] = {}
    for now, groups in enumerate(rounds):
        scores: defaultdict[str, list[float]] = defaultdict(list)
        for group in groups:
            scores[group.task.key] += [reward for trace in group.traces if is_scored(reward := trace.reward)]
        for key, found in scores.items():
            if found:
                streak[key] = streak[key] + 1 if sum(found) / len(found) >= solved else 0
                due[key] = now + interval ** streak[key] if streak[key] else now
    return due
