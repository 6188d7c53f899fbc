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
from autotroph.sandbox import Calls, Jail, Limits, verdict
from autotroph.tasks.family import Family

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
        return together([partial(self.judged, *pair) for pair in pairs])

    def judged(self, task: Task, answer: str) -> float | None:
        """What `verify` says."""
        cases, program = task.meta["cases"], self.program(task, answer)
        if not cases or program is None:
            return 0.0 if cases else None
        return float(verdict.pairs(jail(), program, self.entry, cases, LIMITS).passed)

    def behaviours(self, pairs: Sequence[tuple[Task, str]], n: int = 24) -> list[str | None]:
        """What each answer does on generated arguments, as a text that is equal for equal behaviour.

        None for what cannot be run, or does not get to the end.
        """
        return together([partial(self.behaviour, *pair, n) for pair in pairs])

    def behaviour(self, task: Task, answer: str, n: int) -> str | None:
        program, arguments = self.program(task, answer), self.generated(task, n)
        if program is None or not arguments:
            return None
        outcome = jail().run(program, Calls(self.entry, arguments), LIMITS)
        return repr([(one.value, one.error) for one in outcome.answers]) if outcome.status == "ok" else None
