"""Interaction: a policy tries tasks within its reach, answered at once or played turn by turn, and is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autotroph.core.estimate import Range, Work
from autotroph.core.protocols import RewardFn, SamplingParams, TaskFamily, View
from autotroph.core.trace import Group
from autotroph.models.episode import rollout_for
from autotroph.models.lengths import Lengths
from autotroph.rewards.scoring import scored


@dataclass(frozen=True)
class Interaction:
    """`n` train tasks spread over `levels`, each tried `samples` times by `author`; `reward` scores every try."""

    family: TaskFamily
    levels: Sequence[int]
    n: int
    reward: RewardFn
    samples: int = 4
    temperature: float = 1.0
    author: Literal["champion", "base"] = "champion"

    def propose(self, view: View) -> list[Group]:
        each, seed = -(-self.n // len(self.levels)), view.seed("interaction")
        tasks = [task for level in self.levels for task in self.family.generate(level, each, seed)]
        longest = max(self.family.max_answer(level) for level in self.levels) + 1
        params = SamplingParams(temperature=view.knobs.get("temperature", self.temperature), max_tokens=longest)
        sampler = view.sampler(view.champion if self.author == "champion" else view.base)
        tried = rollout_for(self.family)(tasks, sampler, params, self.samples, view.seed("tries"))
        return scored(tried, [self.reward], view.meter)

    def estimate(self, lengths: Lengths) -> Work:
        """The report looks at every try that is kept."""
        tasks = lengths.tasks(self.n, self.levels)
        rows = len(tasks) * self.samples
        longest = max(self.family.max_answer(level) for level in self.levels) + 1
        asked = self.reward.verifier_calls * rows
        return lengths.sampled(tasks, self.samples, longest) + Work(verifier_calls=Range(asked, asked + rows))
