"""Multiplication of two n-digit numbers with worked steps, after arXiv:2502.01612."""

from __future__ import annotations

import random

from autotroph.core.task import Task
from autotroph.tasks.procedural import Procedural


def reverse(number: int, width: int) -> str:
    """Decimal digits, least significant first, zero-padded to a width."""
    return f"{number:0{width}}"[::-1]


class Multiplication(Procedural):
    """Level n: both factors have exactly n digits, each uniform on 0-9; every number is least significant digit first.

    The answer adds one partial product after another, each but the first followed by the running sum in parentheses,
    and ends with the product after "=": 12 x 34 is "21*43=" -> "840+0630(8040)=8040", that is 48, 48 + 360 (408), 408.
    The partial product of digit i has n + 1 + i digits (i of them the shift), the product 2n.

    Only the product counts: what follows the last "=" is compared with it, and the steps are not scored.
    """

    name = "multiplication"
    levels = range(1, 13)
    alphabet = "0123456789*+()="

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        a, b = rng.randrange(10**level), rng.randrange(10**level)
        steps, total = [], 0
        for i, digit in enumerate(reverse(b, level)):
            partial, width = a * int(digit) * 10**i, level + 1 + i
            total += partial
            steps.append(reverse(partial, width) + (f"({reverse(total, width)})" if i else ""))
        return f"{reverse(a, level)}*{reverse(b, level)}=", f"{'+'.join(steps)}={reverse(total, 2 * level)}"

    def verify(self, task: Task, answer: str) -> float | None:
        """1 when the digits after the last "=" of the answer (all of it where there is none) are the product's."""
        if task.answer is None:
            return None
        return float(answer.rpartition("=")[2] == task.answer.rpartition("=")[2])

    def equivalent_answers(self, task: Task) -> list[str]:
        """The product alone, with and without "="."""
        product = (task.answer or "").rpartition("=")[2]
        return [product, "=" + product]

    def recheck(self, task: Task, answer: str) -> float | None:
        """Multiplies the numbers of the prompt whole."""
        a, b = (int(factor[::-1]) for factor in task.prompt[:-1].split("*"))
        return float(answer[answer.rfind("=") + 1 :] == f"{a * b:0{2 * task.level}}"[::-1])

    def max_answer(self, level: int) -> int:
        partials = sum(level + 1 + i for i in range(level))
        sums = sum(level + 3 + i for i in range(1, level))
        return partials + sums + (level - 1) + 1 + 2 * level
