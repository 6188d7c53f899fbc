"""The datasets of the Reasoning Gym library (arXiv:2505.24760), each with the library's own scorer."""

from __future__ import annotations

import math
import random
from functools import cache

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Provenance, Task, split_of, stable_hash
from autotroph.tasks.family import ASCII, did_you_mean
from autotroph.tasks.procedural import Drawn
from autotroph.tasks.worker import Worker

SIZE = 10_000
"""Entries of each dataset at each level; a few datasets make them all at once or allow no more than twice as many."""

ATTEMPTS = 3
"""Entries in a row that may fail to be made before a level counts as broken."""


@cache
def dataset_names() -> tuple[str, ...]:
    """Every dataset of the library; "composite" is left out, as it needs a configuration."""
    from reasoning_gym.factory import DATASETS

    return tuple(sorted(set(DATASETS) - {"composite"}))


@cache
def curriculum_levels(dataset: str) -> range:
    """Level 1 is the lowest step of the dataset's curriculum; a dataset without one has level 1 only."""
    from reasoning_gym.factory import create_curriculum, has_curriculum

    if not has_curriculum(dataset):
        return range(1, 2)
    attributes = create_curriculum(dataset).attributes.values()
    return range(1, 1 + max(len(attribute.levels) for attribute in attributes))


class ReasoningGym(Drawn):
    """One dataset, as "reasoning_gym:<dataset>"; `levels` are the steps of its curriculum.

    The library runs in a worker process, because some of its generators and scorers take very long on unlucky input. A
    task holds only the index of its entry, which the worker creates again in order to score; `failures` counts
    timeouts and errors, which leave an answer unscored. Some scorers evaluate answers as Python or sympy expressions:
    the worker is no jail.

    `alphabet` is ASCII; about twenty datasets also write others (×, ∨, °, emoji), which need an unknown token.
    """

    patience = 200
    alphabet = ASCII

    def __init__(self, dataset: str, timeout: float = 10.0) -> None:
        if dataset not in dataset_names():
            hint = did_you_mean(dataset, {name: name for name in dataset_names()})
            raise AutotrophError(f"unknown reasoning_gym dataset '{dataset}'; {hint}")
        self.dataset = dataset
        self.name = f"reasoning_gym:{dataset}"
        self.levels = curriculum_levels(dataset)
        self.worker = Worker("autotroph.tasks.reasoning_gym_entry:grade", timeout)
        self._longest: dict[int, int] = {}

    @property
    def failures(self) -> dict[str, int]:
        return self.worker.failures

    def draw(self, level: int, rng: random.Random) -> Task:
        """Skips entries that the library fails to make in time; raises AutotrophError after several in a row."""
        for _ in range(ATTEMPTS):
            index = rng.randrange(SIZE)
            entry = self.worker.call(self.dataset, level, index)
            if entry is not None:
                question, gold, _ = entry
                key = stable_hash(self.name, question)
                meta = {"level": level, "index": index}
                return Task(key, self.name, question, gold, level, split_of(key), Provenance("procedural"), meta)
        raise AutotrophError(
            f"task '{self.name}': level {level} cannot be made: {self.worker.error}; use another --level"
        )

    def verify(self, task: Task, answer: str) -> float | None:
        """The library's score, which may be partial credit; None when its scorer raised, timed out or gave NaN."""
        entry = self.worker.call(self.dataset, task.meta["level"], task.meta["index"], answer)
        if entry is None or entry[0] != task.prompt or not math.isfinite(entry[2]):
            return None
        return min(max(float(entry[2]), 0.0), 1.0)

    def wrong_answers(self, task: Task) -> list[str]:
        """None that holds for every dataset: some admit other forms of the gold answer, or other answers."""
        return []

    def max_answer(self, level: int) -> int:
        """Twice the longest gold answer among 16 training tasks: an estimate, since the library states no bound."""
        if level not in self._longest:
            self._longest[level] = max(len(task.answer or "") for task in self.generate(level, 16, 0))
        return 2 * self._longest[level]

    def validate(self, samples: int = 2) -> None:
        """Proves on training tasks of the lowest and the highest level that gold answers exist and score 1.

        Wrong answers may earn partial credit, and levels of a curriculum may overlap: the library says which.
        """
        for level in {self.levels[0], self.levels[-1]}:
            tasks = self.generate(level, samples, 0)
            self.demand(tasks == self.generate(level, samples, 0), f"level {level} is not deterministic")
            for task in tasks:
                self.demand(task.answer is not None, f"{task.prompt!r} has no gold answer")
                score = self.verify(task, task.answer or "")
                self.demand(score == 1, f"the gold answer {task.answer!r} to {task.prompt!r} scores {score}, not 1")
