"""Synthesis: tasks harder than any that the champion has mastered, answered by the champion itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autotroph.core.estimate import Range, Work
from autotroph.core.protocols import SamplingParams, TaskFamily, View
from autotroph.core.task import Provenance
from autotroph.core.trace import Group
from autotroph.models.episode import rollout_for
from autotroph.models.lengths import Lengths


@dataclass(frozen=True)
class Harder:
    """`n` train tasks, spread over the `ahead` levels above `view.level`, with `samples` answers of every member of the
    champion to each.

    Whether an answer is right is for selection to guess; the family's gold answers serve the report alone. With one
    sample answers are greedy; with more they are drawn at `temperature`. Source: arXiv:2502.01612.
    """

    family: TaskFamily
    n: int
    ahead: int = 1
    samples: int = 1
    temperature: float = 0.7

    def propose(self, view: View) -> list[Group]:
        hardest = min(view.level + self.ahead, self.family.levels[-1])
        levels, seed = range(view.level + 1, hardest + 1), view.seed("synthesis")
        origin = Provenance(f"synthesis from level {view.level}", depth=view.champion.depth + 1)
        tasks = [
            replace(task, provenance=origin)
            for level in levels
            for task in self.family.generate(level, -(-self.n // len(levels)), seed)
        ]
        params = SamplingParams(
            temperature=view.knobs.get("temperature", self.temperature) if self.samples > 1 else 0,
            max_tokens=self.family.max_answer(hardest) + 1,
        )
        rollout = rollout_for(self.family)
        answers = [
            rollout(tasks, view.sampler(view.champion, member), params, self.samples, view.seed(f"answers {member}"))
            for member in range(view.champion.members)
        ]
        return [
            Group(task, tuple(trace for group in groups for trace in group.traces))
            for task, *groups in zip(tasks, *answers, strict=True)
        ]

    def estimate(self, lengths: Lengths) -> Work:
        """Every member answers, on levels above those that were taught; the report looks at what is kept."""
        top = min(max(lengths.levels) + self.ahead, self.family.levels[-1])
        levels = range(min(lengths.taught + 1, top), top + 1)
        fewest = min(len(lengths.tasks(self.n, [level])) for level in levels)
        rows = (self.n + self.ahead) * lengths.members * self.samples
        tried = lengths.somewhere(Range(fewest, self.n + self.ahead), self.samples, levels) * lengths.members
        return tried + Work(verifier_calls=Range(0, rows))
