"""Copying and reversing strings over ten letters."""

from __future__ import annotations

import random

from autotroph.core.task import Task
from autotroph.tasks.procedural import Procedural

LETTERS = "abcdefghij"


class Copy(Procedural):
    """Level n: a string of n letters, each uniform on a-j; "abc>" -> "abc"."""

    name = "copy"
    levels = range(1, 101)
    alphabet = LETTERS + ">"

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        text = "".join(rng.choices(LETTERS, k=level))
        return text + ">", text

    def recheck(self, task: Task, answer: str) -> float | None:
        return float(answer + ">" == task.prompt)

    def max_answer(self, level: int) -> int:
        return level


class Reverse(Copy):
    """Level n: a string of n letters, each uniform on a-j; "abc<" -> "cba"."""

    name = "reverse"
    alphabet = LETTERS + "<"

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        text = "".join(rng.choices(LETTERS, k=level))
        return text + "<", text[::-1]

    def recheck(self, task: Task, answer: str) -> float | None:
        return float("".join(reversed(answer)) + "<" == task.prompt)
