"""The best of several answers, by a reward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.protocols import RewardFn, Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.models.rollout import rollout
from autotroph.rewards.measure import is_scored
from autotroph.rewards.scoring import scored


@dataclass
class BestOfN:
    """The sample with the highest reward; the first among equals, and an unscored one only where none is scored.

    With a verifier as the reward this is pass@n, an upper bound that needs the answers; with a reward that policies may
    see it is a refinement. The answer carries its reward.
    """

    reward: RewardFn
    params: SamplingParams
    n: int = 8
    rollout: Rollout = rollout
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"best@{self.n}"

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        groups = self.rollout(tasks, sampler, self.params, self.n, seed)
        return [max(group.traces, key=_rank) for group in scored(groups, [self.reward], sampler.meter)]


def _rank(trace: Trace) -> tuple[bool, float]:
    reward = trace.reward
    return (True, reward) if is_scored(reward) else (False, -math.inf)
