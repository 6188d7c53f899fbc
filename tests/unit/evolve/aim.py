"""A problem, a mutator and policies that are as small as can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from autotroph.core.task import Task
from autotroph.evolve.archive import Archive
from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.protocols import Choice, Edit, Evaluate, Expand, Left, Parent, Surroundings
from autotroph.tasks.programs.family import ProgramFamily, Refused


class Aim(ProgramFamily):
    """Give the number 7: a score of 1, and a tenth less for each step that it is away."""

    name = "aim"
    levels = range(1, 2)
    goal = "return 7"
    starter: ClassVar = {
        "main.py": "from numbers_of_mine import X\n\ndef solve(asked):\n    return X\n",
        "numbers_of_mine.py": "X = 0\n",
    }
    exact = True

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.meta["asked"],)

    def measure(self, task: Task, output: Any) -> float:
        if type(output) is not int:
            raise Refused("a whole number is asked for")
        return float(output)

    def score(self, task: Task, value: float) -> float:
        return 1 - abs(value - 7) / 10

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        return self.posed_again(level, "give the number", {"asked": 1})


class Noisy(Aim):
    """The same, asked with many different numbers that change nothing."""

    name, exact = "noisy_aim", False

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        for number in range(10_000):
            yield Task.of(self.name, f"give the number {seed} {number}", None, level, meta={"asked": number})


class Step:
    """Adds one to the number, or takes it away; now and then it makes nothing."""

    name, parents = "step", 1

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        if around.rng.random() < 0.1:
            raise NoEdit("no idea")
        found = re.search(r"-?\d+", parents[0].candidate.text("numbers_of_mine.py"))
        assert found is not None
        by = around.rng.choice((1, -1))
        return Edit(parents[0].candidate.edited({"numbers_of_mine.py": f"X = {int(found[0]) + by}\n"}), f"by {by}")


class Climb:
    """Tries every node on everything, then makes a child of the best one."""

    name = "climb"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if len(waiting := np.flatnonzero(archive.begun < archive.tasks)):
            return Evaluate(int(waiting[0]))
        return Expand((archive.best(0.0),))
