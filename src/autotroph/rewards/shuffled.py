"""A reward that says nothing any more: the control of every claim about a reward."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.protocols import RewardFn
from autotroph.core.task import stable_hash
from autotroph.core.trace import Group, Trace
from autotroph.rewards.asked import ask


@dataclass
class Shuffled:
    """Another reward, dealt anew among the traces of each group.

    Every group keeps its scores, and with them the size of its advantages; which trace has which is left to chance, by
    a draw that depends on the group alone.
    """

    reward: RewardFn

    def __post_init__(self) -> None:
        self.name = f"shuffled {self.reward.name}"

    @property
    def verifier_calls(self) -> int:
        return self.reward.verifier_calls

    def score(self, group: Group) -> Group:
        return self.score_all([group])[0]

    def score_all(self, groups: Sequence[Group]) -> list[Group]:
        return [self._dealt(before, after) for before, after in zip(groups, ask(self.reward, groups), strict=True)]

    def _dealt(self, before: Group, after: Group) -> Group:
        scores = [own(trace, was) for trace, was in zip(after.traces, before.traces, strict=True)]
        drawn = repr([(trace.ids, trace.logprobs) for trace in before.traces])
        random.Random(stable_hash(before.task.key, drawn)).shuffle(scores)
        return Group(
            before.task, tuple(t.scored(self.name, value) for t, value in zip(before.traces, scores, strict=True))
        )


def own(trace: Trace, before: Trace) -> float | None:
    """What a reward has added to a trace, the sum of its parts."""
    values = [value for name, value in trace.rewards.items() if name not in before.rewards]
    return None if not values or None in values else sum(value for value in values if value is not None)
