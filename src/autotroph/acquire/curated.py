"""Curation: tasks that exist, with their gold answers: the real data that keeps a loop from feeding on itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.errors import AutotrophError
from autotroph.core.estimate import Work
from autotroph.core.protocols import TaskFamily, Tokenizer, View
from autotroph.core.task import Task
from autotroph.core.trace import Group
from autotroph.models.episode import gold_for
from autotroph.models.lengths import Lengths


def gold_groups(tasks: Sequence[Task], family: TaskFamily, tokenizer: Tokenizer) -> list[Group]:
    return [Group(task, (gold_for(task, family, tokenizer),)) for task in tasks]


@dataclass(frozen=True)
class Curated:
    """`per_level` train tasks of each level with gold traces of depth 0, drawn afresh each cycle."""

    family: TaskFamily
    levels: Sequence[int]
    per_level: int

    def propose(self, view: View) -> list[Group]:
        tokenizer = view.sampler(view.champion).tokenizer
        seed = view.seed("curated")
        return [
            group
            for level in self.levels
            for group in gold_groups(self.family.generate(level, self.per_level, seed), self.family, tokenizer)
        ]

    def estimate(self, lengths: Lengths) -> Work:
        return Work()


@dataclass(frozen=True)
class Given:
    """The same tasks every cycle, with their gold traces."""

    family: TaskFamily
    tasks: Sequence[Task]

    def propose(self, view: View) -> list[Group]:
        return gold_groups(self.tasks, self.family, view.sampler(view.champion).tokenizer)

    def estimate(self, lengths: Lengths) -> Work:
        return Work()


@dataclass(frozen=True)
class Bare:
    """`n` train tasks without answers, spread over the levels: for algorithms that sample their own.

    `known`: tasks that are left out. A policy that was taught their answers is rewarded for remembering them. `seed`:
    with it they are the same ones in every cycle.
    """

    family: TaskFamily
    levels: Sequence[int]
    n: int
    known: Sequence[Task] = ()
    seed: int | None = None

    def propose(self, view: View) -> list[Group]:
        each, known = -(-self.n // len(self.levels)), {task.key for task in self.known}
        seed = view.seed("tasks") if self.seed is None else self.seed
        groups: list[Group] = []
        for level in self.levels:
            tasks = self.family.generate(level, each + len(known), seed)
            groups += [Group(task) for task in tasks if task.key not in known][:each]
        if not groups:
            raise AutotrophError(
                f"task '{self.family.name}': the base was taught every train task of levels {list(self.levels)}, which "
                "leaves none to practise; lower --base-train-rows or raise --level"
            )
        return groups

    def estimate(self, lengths: Lengths) -> Work:
        return Work()
