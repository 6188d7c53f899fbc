"""Generated families: a problem is drawn from a seeded generator, and its own content decides its split."""

from __future__ import annotations

import random
from abc import abstractmethod

from autotroph.core.task import Split, Task, stable_hash
from autotroph.tasks.family import Family


class Drawn(Family):
    """A family that needs to say only how one task of a level is drawn."""

    patience = 2000
    """Draws in a row without a new task of the wanted split after which a level counts as exhausted."""

    @property
    def drawn_as(self) -> str:
        """What, beside level, seed and split, decides which tasks are drawn."""
        return self.name

    @abstractmethod
    def draw(self, level: int, rng: random.Random) -> Task: ...

    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        """At most n different tasks, in the order drawn; fewer once `patience` draws in a row brought nothing new.

        Raises AutotrophError for a level outside `levels`.
        """
        self.check_level(level)
        rng = random.Random(stable_hash(self.drawn_as, str(level), str(seed), split))
        tasks: dict[str, Task] = {}
        fruitless = 0
        while len(tasks) < n and fruitless < self.patience:
            task = self.draw(level, rng)
            fruitless += 1
            if task.split == split and task.key not in tasks:
                tasks[task.key] = task
                fruitless = 0
        return list(tasks.values())

    def validate(self, samples: int = 8) -> None:
        """Family.validate, and: every level has training tasks, their texts longer than those of the level below."""
        super().validate(samples)
        below = 0.0
        for level in self.levels:
            tasks = self.generate(level, samples, 0)
            self.demand(bool(tasks), f"level {level} has no training task")
            length = sum(len(task.prompt) + len(task.answer or "") for task in tasks) / len(tasks)
            self.demand(
                length > below, f"level {level} does not differ from level {level - 1}: its texts are no longer"
            )
            below = length


class Procedural(Drawn):
    """A family whose tasks are a prompt and its gold answer."""

    @abstractmethod
    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        """One prompt and its gold answer."""

    def draw(self, level: int, rng: random.Random) -> Task:
        return Task.of(self.name, *self.problem(level, rng), level)
