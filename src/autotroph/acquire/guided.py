"""Hit-guided exploration: half of the answers to a task go on from inside the other half (MARGE, arXiv:2505.12500)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autotroph.core.protocols import RewardFn, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.guided import go_on, start_of
from autotroph.models.rollout import rollout, row_seed
from autotroph.rewards.measure import is_scored
from autotroph.rewards.scoring import scored


@dataclass(frozen=True)
class HitGuided:
    """A `core.protocols.Rollout`: n - n // 2 answers to each task from its prompt, and n // 2 that go on from an
    intermediate state of one of them, its guide, after a share of its tokens drawn uniformly.

    The guide is a right answer where at most `hard` of the first ones are right, and else a wrong one, so that the
    task's rate of success is moved towards the middle, where its group says most. Tasks that lack such a guide are
    tried from their prompt again. `guide="any"`: it is drawn from all of them, whatever they are worth. `reward` tells
    right (1) from wrong.
    """

    reward: RewardFn
    hard: float = 0.5
    guide: Literal["hit", "any"] = "hit"

    def __call__(
        self, tasks: Sequence[Task], sampler: Sampler, params: SamplingParams, n: int, seed: int
    ) -> list[Group]:
        first = rollout(tasks, sampler, params, n - n // 2, seed)
        judged = scored(first, [self.reward], sampler.meter)
        states = [(group.task, self._state(group, sampler, seed)) for group in judged]
        guided = go_on(states, sampler, params, n // 2, row_seed(seed, "go on"))
        return [Group(a.task, a.traces + b.traces) for a, b in zip(first, guided, strict=True)]

    def judged(self, n: int) -> int:
        """Verifier calls for n answers to a task."""
        return (n - n // 2) * self.reward.verifier_calls

    def _state(self, group: Group, sampler: Sampler, seed: int) -> Sequence[int]:
        rng = random.Random(row_seed(seed, group.task.key, "guide"))
        guides = self.guides(group)
        if not guides:
            return sampler.tokenizer.prompt(group.task.prompt)
        guide = rng.choice(guides)
        return start_of(guide, rng.randrange(sum(guide.sampled)))

    def guides(self, group: Group) -> list[Trace]:
        """The scored traces of a group from which one may go on."""
        values = [(trace, value) for trace in group.traces if is_scored(value := trace.rewards.get(self.reward.name))]
        if self.guide == "any" or not values:
            return [trace for trace, _ in values]
        hits = sum(value == 1 for _, value in values)
        wanted = hits <= self.hard * len(values)
        return [trace for trace, value in values if (value == 1) == wanted]
