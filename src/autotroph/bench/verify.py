"""Verification: answers a second that each kind of verifier scores, gold and wrong ones in turn."""

from __future__ import annotations

from itertools import cycle, islice

from autotroph.bench.case import Case, Work, measured
from autotroph.core.protocols import TaskFamily
from autotroph.tasks.registry import task_family

FAMILIES = {"addition": 8, "multiplication": 3, "copy": 8, "maze": 3, "reasoning_gym:chain_sum": 1}
"""Name -> level. The last one is scored by the library's own scorer in a worker process."""

ANSWERS = 2000


def run(n: int) -> list[Case]:
    return [
        measured(f"{name}, level {level}", "answers/s", verifying(task_family(name), level), n=n)
        for name, level in FAMILIES.items()
    ]


def verifying(family: TaskFamily, level: int) -> Work:
    tasks = family.generate(level, 100, seed=0)
    pairs = list(islice(cycle([(task, answer) for task in tasks for answer in (task.answer or "", "?")]), ANSWERS))

    def work() -> float:
        for task, answer in pairs:
            family.verify(task, answer)
        return float(len(pairs))

    return work
