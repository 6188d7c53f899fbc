"""Three inequalities for autoconvolutions, their bounds by step functions (AlphaEvolve, arXiv:2506.13131, B.1 to B.3).

f lives on [-1/4, 1/4] and has n equal steps a_1 .. a_n of length 1 / 2n; c is the convolution of a with itself. Then
f * f is linear between multiples of 1 / 2n, where it is c_k / 2n, and the integral of f is the sum of a over 2n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from autotroph.core.task import Task
from autotroph.tasks.programs.exact import MOST, convolution, ratio, steps
from autotroph.tasks.programs.family import ProgramFamily, Record, Refused, numbers

LOWER = {1: 1.28, 3: 1.0}
"""No value is smaller. 1: Cloninger and Steinerberger, arXiv:1403.7988. 3: the mean of f * f over its support, which
has length 1, is the square of the integral of f."""

STARTER = """def solve(inequality):
    \"\"\"The constant function.\"\"\"
    return [1.0] * 50
"""


class Autocorrelation(ProgramFamily):
    """Level n: the n-th inequality. Values: max f*f / (integral of f)^2, lower is better; |f*f|_2^2 / (|f*f|_1
    |f*f|_inf), higher is better and never over 1 (Hoelder); max |f*f| / (integral of f)^2, lower is better.

    Scores: a proven lower bound divided by the value; for the second the value itself.
    """

    name = "autocorrelation"
    levels = range(1, 4)
    exact = True
    goal = (
        "Write solve(inequality), which returns the steps of a function f on [-1/4, 1/4]: a list of up to "
        f"{MOST} numbers for parts of equal length. With g the convolution of f with itself: for inequality 1, f is "
        "not negative, and max g / (integral of f)^2 is to be small; for 2, f is not negative, and the integral of g^2 "
        "/ (integral of g * max g) is to be large; for 3, f may be negative, and max |g| / (integral of f)^2 is to be "
        "small."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}
    records: Mapping[int, Record] = {
        1: Record(1.50286, "TTT-Discover, arXiv:2601.16175; AlphaEvolve, arXiv:2506.13131: 1.5053"),
        2: Record(0.901564, "Boyer and Li, arXiv:2506.16750; AlphaEvolve, arXiv:2506.13131: 0.8962"),
        3: Record(1.4557, "AlphaEvolve, arXiv:2506.13131"),
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        return self.posed_again(level, f"A step function for autocorrelation inequality {level}")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.level,)

    def measure(self, task: Task, output: Any) -> float:
        values = numbers(output)
        if not 0 < len(values) <= MOST:
            raise Refused(f"{len(values)} steps; 1 to {MOST} are asked for")
        if task.level != 3 and min(values) < 0:
            raise Refused("a step below 0")
        given = steps(values)
        if sum(given) == 0:
            raise Refused("the integral of f is 0")
        c = convolution(given, given)
        return flatness(c, sum(given)) if task.level == 2 else peak(c, sum(given), len(given))

    def score(self, task: Task, value: float) -> float:
        return value if task.level == 2 else LOWER[task.level] / value

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """The constant function, whose f * f is a triangle of height 1 / 2 over its square; and one with a gap."""
        constant, gap = {1: (2.0, 3.0), 2: (2 / 3, 1 / 2), 3: (2.0, 3.0)}[task.level]
        return [([1.0] * n, constant) for n in (1, 2, 50)] + [([0.25, 0.0, 0.25], gap)]


def peak(c: Sequence[int], whole: int, n: int) -> float:
    """max |f * f| / (integral of f)^2 = 2n max |c| / (sum of a)^2."""
    return ratio(2 * n * max(map(abs, c)), whole * whole)


def flatness(c: Sequence[int], whole: int) -> float:
    """|f*f|_2^2 / (|f*f|_1 |f*f|_inf); the square of a linear piece from y to z has the mean (y y + y z + z z) / 3."""
    squares = 2 * sum(y * y for y in c) + sum(y * z for y, z in pairwise(c))
    return ratio(squares, 3 * whole * whole * max(c))
