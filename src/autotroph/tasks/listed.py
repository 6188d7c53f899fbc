"""Families whose tasks are a fixed list."""

from __future__ import annotations

import random

from autotroph.core.task import Split, Task, stable_hash
from autotroph.tasks.family import Family


class Listed(Family):
    """A family that has all its tasks in `tasks`."""

    static = True
    tasks: list[Task]

    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        """At most n tasks of a level and split, in random order. Raises AutotrophError for a level outside `levels`."""
        self.check_level(level)
        rows = [task for task in self.tasks if task.level == level and task.split == split]
        rng = random.Random(stable_hash(self.name, str(level), str(seed), split))
        return rng.sample(rows, min(n, len(rows)))
