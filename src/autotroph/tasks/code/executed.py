"""What families share whose answers are programs: they run in the jail, and are judged here by what came out of it."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import Any, TypeVar

from autotroph.core.task import Task
from autotroph.sandbox import Answer, Calls, Jail, Limits, verdict
from autotroph.tasks.family import Family

Trial = tuple[Task, str, Sequence[tuple[Any, ...]]]
"""A task, an answer, and arguments to call it with."""
Answers = tuple[Answer, ...]
LIMITS = Limits(wall=2.0, cpu=2.0)


@cache
def jail() -> Jail:
    """The one of this process, whose workers start when they are first needed."""
    return Jail()


@cache
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="verify")


Value = TypeVar("Value")


def together(jobs: Sequence[Callable[[], Value]]) -> list[Value]:
    """What each of them gives, in order; as many at a time as there are cores."""
    return list(pool().map(lambda job: job(), jobs))


class Executed(Family):
    """A family whose answers are programs: it says which one an answer stands for.

    The `meta` of a task has `shown` and `cases`: arguments of a call, and the value that it has to give. Whoever
    answers sees the first and not the second. Arguments go to the jail, values never do.
    """

    entry = "f"
    """The function that is called."""

    @abstractmethod
    def program(self, task: Task, answer: str) -> str | None:
        """Source that defines `entry`; None for an answer that is not to be run at all."""

    def generated(self, task: Task, n: int) -> list[tuple[Any, ...]]:
        """Arguments of calls whose values nobody knows, the same ones each time; none where the family has no way."""
        return []

    def retry(self, task: Task, answer: str) -> Task:
        """What to ask after an answer that fails what is shown. Here: the same once more."""
        return task

    def visible(self, task: Task) -> Task:
        """The task judged on what it shows, on which whoever answers may try an answer."""
        return replace(task, meta={**task.meta, "cases": task.meta["shown"]})

    def verify(self, task: Task, answer: str) -> float | None:
        """1 where the program gives the value of every case, else 0; None for a task without cases."""
        return self.verify_all([(task, answer)])[0]

    def verify_all(self, pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
        tried = [(task, answer, [given for given, _ in task.meta["cases"]]) for task, answer in pairs]
        wanted = [[value for _, value in task.meta["cases"]] for task, _ in pairs]
        return [judged(*one) for one in zip(self.answers(tried), wanted, strict=True)]

    def behaviours(self, pairs: Sequence[tuple[Task, str]], n: int = 24) -> list[str | None]:
        """What each answer does on generated arguments, as a text that is equal for equal behaviour.

        None for what cannot be run, or does not get to the end.
        """
        tried = [(task, answer, self.generated(task, n)) for task, answer in pairs]
        return [
            repr([(one.value, one.error) for one in found]) if found and len(found) == len(arguments) else None
            for (*_, arguments), found in zip(tried, self.answers(tried), strict=True)
        ]

    def answers(self, tried: Sequence[Trial]) -> list[Answers]:
        """What each program gives for its arguments, in order: as many as it gets to."""
        return together([partial(self.alone, *trial) for trial in tried])

    def alone(self, task: Task, answer: str, arguments: Sequence[tuple[Any, ...]]) -> Answers:
        """What one program gives, in a child of its own."""
        program = self.program(task, answer)
        return () if program is None else jail().run(program, Calls(self.entry, arguments), LIMITS).answers


def judged(found: Answers, wanted: Sequence[Any]) -> float | None:
    """1 for just the wanted values, else 0; None where nothing is wanted."""
    if not wanted:
        return None
    pairs = zip(found, wanted, strict=False)
    same = all(answer.error is None and verdict.same(answer.value, value) for answer, value in pairs)
    return float(same and len(found) == len(wanted))
