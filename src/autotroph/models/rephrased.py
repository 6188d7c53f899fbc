"""Rollouts of questions and of their rephrasings, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autotroph.core.protocols import Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group


@dataclass(frozen=True)
class WithRephrasings:
    """A `Rollout` of as many prompts as it is given, half of which are rephrasings of the other half: it answers the
    first tasks that have one, each beside its own."""

    rollout: Rollout
    rephrase: Callable[[Task], Task | None]

    def __call__(
        self, tasks: Sequence[Task], sampler: Sampler, params: SamplingParams, n: int, seed: int
    ) -> list[Group]:
        pairs = [(task, twin) for task in tasks if (twin := self.rephrase(task)) is not None]
        both = [one for pair in pairs[: len(tasks) // 2] for one in pair]
        return self.rollout(both, sampler, params, n, seed)
