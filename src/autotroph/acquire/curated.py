"""Curation: tasks that exist, with their gold answers: the real data that keeps a loop from feeding on itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.protocols import TaskFamily, Tokenizer, View
from autotroph.core.task import Task
from autotroph.core.trace import Group
from autotroph.models.episode import gold_for


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


@dataclass(frozen=True)
class Bare:
    """`n` train tasks without answers, spread over the levels: for algorithms that sample their own."""

    family: TaskFamily
    levels: Sequence[int]
    n: int

    def propose(self, view: View) -> list[Group]:
        each = -(-self.n // len(self.levels))
        seed = view.seed("tasks")
        return [Group(task) for level in self.levels for task in self.family.generate(level, each, seed)]
