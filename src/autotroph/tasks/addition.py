"""Addition of two n-digit numbers, the length-generalisation task of arXiv:2502.01612."""

from __future__ import annotations

import random
from typing import Literal

from autotroph.core.task import Task
from autotroph.tasks.procedural import Procedural
from autotroph.tasks.rephrase import rephrasing


class Addition(Procedural):
    """Level n: two operands of exactly n digits, each digit uniform on 0-9, so that the length tells the level.

    The answer is padded with zeros to n + 1 digits. `reversed` writes every number with its least significant digit
    first, which makes each digit of the answer a function of a few neighbours: 123 + 456 is "321+654=" -> "9750".
    `forward` writes them as people do: "123+456=" -> "0579".
    """

    levels = range(1, 101)
    alphabet = "0123456789+="

    def __init__(self, order: Literal["reversed", "forward"] = "reversed") -> None:
        self.name = "addition" if order == "reversed" else "addition_forward"
        self.step = -1 if order == "reversed" else 1

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        a, b = rng.randrange(10**level), rng.randrange(10**level)
        step = self.step
        return f"{a:0{level}}"[::step] + "+" + f"{b:0{level}}"[::step] + "=", f"{a + b:0{level + 1}}"[::step]

    def rephrase(self, task: Task) -> Task | None:
        """The operands the other way round."""
        a, b = task.prompt[:-1].split("+")
        if a == b:
            return None
        return rephrasing(task, Task.of(self.name, f"{b}+{a}=", task.answer, task.level))

    def recheck(self, task: Task, answer: str) -> float | None:
        """Adds column by column, as on paper."""
        columns = zip(*(part[:: -self.step] for part in task.prompt[:-1].split("+")), strict=True)
        digits, carry = "", 0
        for a, b in columns:
            carry, digit = divmod(int(a) + int(b) + carry, 10)
            digits += str(digit)
        return float(answer[:: -self.step] == digits + str(carry))

    def max_answer(self, level: int) -> int:
        return level + 1
