"""A deceptive problem of bits: modules that each pay for the wrong bits, until all of theirs are right."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from autotroph.core.task import Task, stable_hash
from autotroph.tasks.programs.family import ProgramFamily, integers

BITS = 4
"""Of a module."""


class Modules(ProgramFamily):
    """Level k: k + 1 modules of four bits, each a trap (Deb and Goldberg 1993) around a hidden word: with u bits as in
    the word a module is worth 1 where u = 4, and else (3 - u) / 4. So each right bit costs, but the last.

    A value is the mean of the modules. The words follow from `seed` and never enter the jail. A program that knew this
    file could compute them: this is a problem to compare searches on, not one to be proud of.
    """

    name = "modules"
    levels = range(1, 9)
    exact = True
    goal = (
        f"Write solve(modules), which returns a list of {BITS} * modules bits, 0 or 1. Each {BITS} of them that follow "
        "one another are compared with a hidden word; find the words by what is scored."
    )

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        bits = [0] * (BITS * (self.levels[-1] + 1))
        self.starter = {"main.py": f"BITS = {bits}\n\n\ndef solve(modules):\n    return BITS[: {BITS} * modules]\n"}

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        words = self.words(level + 1)
        prompt = f"{level + 1} modules of {BITS} hidden bits, number {self.seed}"
        return self.posed_again(level, prompt, {"words": words}, json.dumps(words))

    def words(self, modules: int) -> list[int]:
        """The bits of the hidden words; those of few modules are the first of those of many."""
        rng = random.Random(stable_hash(self.name, str(self.seed)))
        return [rng.randrange(2) for _ in range(BITS * modules)]

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.level + 1,)

    def measure(self, task: Task, output: Any) -> float:
        words = task.meta["words"]
        return worth(integers(output, len(words), below=2), words)

    def score(self, task: Task, value: float) -> float:
        return value

    def known(self, task: Task) -> list[tuple[Any, float]]:
        words = task.meta["words"]
        return [(words, 1.0), ([1 - bit for bit in words], 0.75)]


def worth(bits: Sequence[int], words: Sequence[int]) -> float:
    """The mean worth of the modules."""
    same = [bit == word for bit, word in zip(bits, words, strict=True)]
    right = [sum(same[i : i + BITS]) for i in range(0, len(same), BITS)]
    return sum(1.0 if u == BITS else (BITS - 1 - u) / BITS for u in right) / len(right)
