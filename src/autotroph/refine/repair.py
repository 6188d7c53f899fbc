"""Repair guided by execution: what fails the visible tests is answered again, for a number of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.protocols import ExecutedFamily, Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.rollout import rollout, row_seed
from autotroph.refine.greedy import Greedy
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable


@dataclass
class Repair:
    """The greedy answer where it passes what its task shows; else up to `rounds` samples to what the family asks after
    a failure (`retry`), the first that passes; where none does, the greedy answer again.

    After Self-Debug (arXiv:2304.05128), with the failing program as the only feedback. A family that has no way to tell
    of a failure asks the same again: resampling until the visible tests pass.
    """

    family: ExecutedFamily
    params: SamplingParams
    rounds: int = 4
    rollout: Rollout = rollout
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"repair@{self.rounds}"

    @property
    def n(self) -> int:
        """Samples of a task that never passes."""
        return 1 + self.rounds

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        answers = Greedy(self.params.max_tokens, self.rollout).answer(tasks, sampler, seed)
        failing = self._failing(tasks, dict(enumerate(answers)), sampler)
        for number in range(self.rounds):
            if not failing:
                break
            asked = [self.family.retry(tasks[place], trace.text) for place, trace in failing.items()]
            groups = self.rollout(asked, sampler, self.params, 1, row_seed(seed, f"repair {number}"))
            tried = {place: group.traces[0] for place, group in zip(failing, groups, strict=True)}
            failing = self._failing(tasks, tried, sampler)
            for place in tried.keys() - failing.keys():
                answers[place] = tried[place]
        return answers

    def _failing(self, tasks: Sequence[Task], answers: dict[int, Trace], sampler: Sampler) -> dict[int, Trace]:
        """Those of the answers, by the place of their task, that do not pass the visible tests."""
        groups = [Group(tasks[place], (trace,)) for place, trace in answers.items()]
        seen = Verifiable.visible(self.family)
        tested = scored(groups, [seen], sampler.meter)
        passed = [group.traces[0].rewards[seen.name] == 1 for group in tested]
        return {place: answers[place] for place, good in zip(answers, passed, strict=True) if not good}
