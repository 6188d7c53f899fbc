"""What families share whose answers are programs: they are run in the jail, and judged here by what came out of it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from autotroph.core.task import Task
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import Calls, Limits, Outcome
from autotroph.tasks.family import Family

LIMITS = Limits(wall=2.0, cpu=2.0)


@cache
def jail() -> Jail:
    """The one jail of this process, started when the first answer is run."""
    return Jail()


class Executed(Family):
    """A family that says which program an answer stands for, and on what it is tried.

    A task's `meta` has `shown` and `cases`: pairs of an input and the value there, the first seen by who answers, the
    second not. An input goes to the jail, a value never does.
    """

    entry = "f"
    """The function that is called on each input."""

    @abstractmethod
    def program(self, task: Task, answer: str) -> str | None:
        """Source that defines `entry`; None for an answer that is not to be run at all."""

    @abstractmethod
    def generated_inputs(self, task: Task, n: int) -> list[Any]:
        """Inputs that nobody gave a value for, the same at every call."""

    def verify(self, task: Task, answer: str) -> float | None:
        return self.verify_all([(task, answer)])[0]

    def verify_all(self, pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
        """1 where an answer gives the value of every case, else 0; None for a task without cases."""
        runs = self.run([(task, answer, [a for a, _ in task.meta["cases"]]) for task, answer in pairs])
        return [self._judged(task, outcome) for (task, _), outcome in zip(pairs, runs, strict=True)]

    def behaviours(self, pairs: Sequence[tuple[Task, str]], n: int = 24) -> list[str | None]:
        """What each answer does on generated inputs: equal texts, equal behaviour. None for what does not run."""
        runs = self.run([(task, answer, self.generated_inputs(task, n)) for task, answer in pairs])
        return [outcome and repr([(one.value, one.error) for one in outcome.answers]) for outcome in runs]

    def visible(self, task: Task) -> Task:
        """The same task, judged on what it shows: an answer may be tried on that by who gives it."""
        return replace(task, meta={**task.meta, "cases": task.meta["shown"]})

    def retry(self, task: Task, answer: str) -> Task:
        """What to ask after an answer that failed: the same again, unless the family knows how to tell of a failure."""
        return task

    def run(self, requests: Sequence[tuple[Task, str, Sequence[Any]]]) -> list[Outcome | None]:
        """What came of each answer on its inputs, equal ones run once; None for one that is no program."""
        programs = [self.program(task, answer) for task, answer, _ in requests]
        ...
