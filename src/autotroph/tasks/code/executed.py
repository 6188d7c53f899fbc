"""What families share whose answers are programs: they run in the jail, and are judged here by what came out of it."""

from __future__ import annotations

import math
import os
import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

from autotroph.core.task import Task
from autotroph.sandbox import Answer, Calls, Jail, Limits, Outcome
from autotroph.tasks.family import Family

LIMITS = Limits(wall=2.0, cpu=2.0)
TOLERANCE = 1e-6
"""Relative and absolute, of floats."""


@cache
def jail() -> Jail:
    """The one of this process, whose workers start when they are first needed."""
    return Jail()


@cache
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="verify")


def executed(runs: Sequence[tuple[str, Calls]]) -> list[Outcome]:
    """Every program in a fresh child of a warm jail, several at a time."""
    return list(pool().map(lambda run: jail().run(*run, LIMITS), runs))


class Executed(Family):
    """A family whose answers are programs: it says which one an answer stands for.

    The `meta` of a task has `shown` and `cases`: arguments of a call, and the value that it has to give. Whoever answers
    sees the first and not the second. Arguments go to the jail, values never do.
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
        outcomes = self.outcomes([(task, answer, [given for given, _ in task.meta["cases"]]) for task, answer in pairs])
        return [
            score(outcome, [value for _, value in task.meta["cases"]])
            for (task, _), outcome in zip(pairs, outcomes, strict=True)
        ]

    def behaviours(self, pairs: Sequence[tuple[Task, str]], n: int = 24) -> list[str | None]:
        """What each answer does on generated arguments, as a text that is equal for equal behaviour.

        None for what cannot be run, or does not get to the end.
        """
        tried = [(task, answer, self.generated(task, n)) for task, answer in pairs]
        return [
            repr([(one.value, one.error) for one in outcome.answers]) if outcome and outcome.status == "ok" else None
            for outcome in self.outcomes(tried)
        ]

    def outcomes(self, tried: Sequence[tuple[Task, str, Sequence[tuple[Any, ...]]]]) -> list[Outcome | None]:
        """What came of each answer on its arguments, in order; None for one that is not to be run."""
        programs = [self.program(task, answer) for task, answer, _ in tried]
        runs = [
            (program, Calls(self.entry, arguments))
            for program, (*_, arguments) in zip(programs, tried, strict=True)
            if program is not None
        ]
        found = iter(executed(runs))
        return [None if program is None else next(found) for program in programs]


def score(outcome: Outcome | None, values: Sequence[Any]) -> float | None:
    """1 where a run gave exactly these values, else 0; None where there are none to give."""
    if not values:
        return None
    answers = () if outcome is None else outcome.answers
    return float(len(answers) == len(values) and all(map(right, answers, values)))


def right(answer: Answer, value: Any) -> bool:
    return answer.error is None and same(answer.value, value)


def measured(value: Any) -> bool:
    """Whether it is a number that floats can tell."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < sys.float_info.max


def near(found: float, value: float) -> bool:
    return math.isclose(found, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def same(found: Any, value: Any) -> bool:
    """Whether two values of plain data are the same: types, too, and numbers to `TOLERANCE` where one is a float."""
    if isinstance(value, float) or isinstance(found, float):
        return bool(found == value) or (measured(found) and measured(value) and near(found, value))
    if type(found) is not type(value):
        return False
    if isinstance(value, list | tuple):
        return len(found) == len(value) and all(map(same, found, value))
    if isinstance(value, Mapping):
        return found.keys() == value.keys() and all(same(found[key], value[key]) for key in value)
    return bool(found == value)
