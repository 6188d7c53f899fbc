"""The answer that most samples agree on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.protocols import Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.rollout import rollout
from autotroph.rewards.measure import mean_logprob, votes


@dataclass
class SelfConsistency:
    """Majority vote over n samples (arXiv:2203.11171), by the whole text of the answer.

    Of the samples that gave the winning text the one with the highest mean log-probability answers; the same decides
    between texts with equally many votes. Failed rollouts do not vote.
    """

    params: SamplingParams
    n: int = 5
    rollout: Rollout = rollout
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"vote@{self.n}"

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        return [elect(group) for group in self.rollout(tasks, sampler, self.params, self.n, seed)]


def elect(group: Group) -> Trace:
    """The representative of the majority of a non-empty group."""
    ballot = votes(group.traces)

    def rank(trace: Trace) -> tuple[bool, int, float]:
        logprob = mean_logprob(trace)
        return trace.error is None, ballot[trace.text], -math.inf if logprob is None else logprob

    return max(group.traces, key=rank)
