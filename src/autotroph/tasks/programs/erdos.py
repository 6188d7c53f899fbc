"""Erdos's minimum overlap problem, its upper bound by step functions (Haugland, arXiv:1609.08000)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autotroph.core.task import Task
from autotroph.tasks.programs.exact import MOST, convolution, ratio, steps
from autotroph.tasks.programs.family import ProgramFamily, Record, Refused, numbers

LOWER = 0.379005
"""No overlap is smaller (White, arXiv:2201.05704)."""

STARTER = """def solve():
    \"\"\"The constant function.\"\"\"
    return [0.5] * 50
"""


class ErdosMinimumOverlap(ProgramFamily):
    """A value is the largest overlap, over all shifts, of a function with what it leaves free; lower is better.

    A score is the proven lower bound divided by the value.
    """

    name = "erdos_minimum_overlap"
    levels = range(1, 2)
    exact = True
    goal = (
        "Write solve(), which returns the steps of a function h from [0, 2] to [0, 1] whose integral is 1: a list of "
        f"up to {MOST} numbers in [0, 1], for parts of equal length, with a mean of 1/2. Make the largest of the "
        "overlaps, over all shifts x, as small as possible: the integral of h(t) (1 - h(t + x)) over all t with both "
        "t and t + x in [0, 2]. The steps are scaled to an integral of exactly 1; none may exceed 1 after it."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}
    records: Mapping[int, Record] = {
        1: Record(0.380876, "TTT-Discover, arXiv:2601.16175; AlphaEvolve, arXiv:2506.13131: 0.380924")
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        return self.posed_again(level, "A step function with the smallest maximal overlap (Erdos)")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return ()

    def measure(self, task: Task, output: Any) -> float:
        return overlap(output)

    def score(self, task: Task, value: float) -> float:
        return LOWER / value

    def known(self, task: Task) -> list[tuple[Any, float]]:
        return [([0.5], 0.5), ([0.5] * 7, 0.5), ([0.0, 1.0, 1.0, 0.0], 0.5)]


def overlap(output: Any) -> float:
    """The largest overlap of a step function h of n steps, exact up to the last rounding.

    Between shifts by whole steps it is linear, so the largest is at one of these: the sum of h_i (1 - h_(i+k)) times
    2 / n. With m the sum of the steps as they were given, h_i = given_i n / (2 m).
    """
    values = numbers(output)
    given = steps(values)
    n, whole = len(given), sum(given)
    if not 0 < n <= MOST:
        raise Refused(f"{n} steps; 1 to {MOST} are asked for")
    if min(values) < 0 or max(values) > 1:
        raise Refused("a step outside [0, 1]")
    if whole == 0 or max(given) * n > 2 * whole:
        raise Refused("scaled to an integral of 1, a step exceeds 1")
    # in units of (n / 2m)^2: h_i is given_i * 2m/n, and so is everything times n: given_i * (2m - n given_j)
    free = [2 * whole - n * value for value in given]
    return ratio(max(convolution(given, free[::-1])), 2 * whole * whole)
