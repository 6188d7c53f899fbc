"""Refined answers as data: what the champion says after more inference, for it to learn to say at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.estimate import Range, Work
from autotroph.core.protocols import Refiner, TaskFamily, View
from autotroph.core.trace import Group
from autotroph.models.lengths import Lengths


@dataclass(frozen=True)
class Refined:
    """`n` train tasks spread over `levels`, each with the one answer that `refiner` picks among the champion's samples.

    Whether it is right nobody asks.
    """

    family: TaskFamily
    levels: Sequence[int]
    n: int
    refiner: Refiner

    def propose(self, view: View) -> list[Group]:
        each, seed = -(-self.n // len(self.levels)), view.seed("refined")
        tasks = [task for level in self.levels for task in self.family.generate(level, each, seed)]
        answers = self.refiner.answer(tasks, view.sampler(view.champion), view.seed("refined answers"))
        return [Group(task, (answer,)) for task, answer in zip(tasks, answers, strict=True)]

    def estimate(self, lengths: Lengths) -> Work:
        """The report looks at every answer that is kept."""
        tasks = lengths.tasks(self.n, self.levels)
        longest = max(self.family.max_answer(level) for level in self.levels) + 1
        return lengths.sampled(tasks, self.refiner.n, longest) + Work(verifier_calls=Range(0, len(tasks)))
