"""Circles without overlap whose radii have the largest sum (AlphaEvolve, arXiv:2506.13131, B.12 and B.13)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from autotroph.core.task import Task
from autotroph.tasks.programs.exact import ratio, scaled, squared_distance
from autotroph.tasks.programs.family import ProgramFamily, Record, Refused, listed, numbers

SIZES = {1: (26, "square"), 2: (32, "square"), 3: (21, "rectangle")}

STARTER = """import math


def solve(n, shape):
    \"\"\"Circles of one size on a grid in the unit square.\"\"\"
    side = math.ceil(math.sqrt(n))
    r = 0.5 / side - 1e-9
    centres = [((i + 0.5) / side, (j + 0.5) / side) for i in range(side) for j in range(side)]
    return [[x, y, r] for x, y in centres[:n]]
"""


class CirclePacking(ProgramFamily):
    """Level 1: 26 circles in the unit square; 2: 32; 3: 21 in a rectangle of perimeter 4, placed anywhere.

    A value is the sum of radii. The circles cover at most an area of 1, so that by Cauchy's inequality no sum is over
    sqrt(n / pi); a score is the share of that.
    """

    name = "circle_packing"
    levels = range(1, 4)
    exact = True
    goal = (
        "Write solve(n, shape), which returns n circles as a list of [x, y, r]. They may touch and must not overlap. "
        'Where shape is "square" they lie in the unit square from (0, 0) to (1, 1); where it is "rectangle" they lie '
        "in some rectangle, parallel to the axes, whose width and height add up to at most 2. Make the sum of the "
        "radii as large as possible. Borders and overlaps are checked exactly, without any tolerance: "
        "shrink what only just fits."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}
    records: Mapping[int, Record] = {
        1: Record(2.63586, "AlphaEvolve, arXiv:2506.13131; 2.63598 is reported since"),
        2: Record(2.937, "AlphaEvolve, arXiv:2506.13131"),
        3: Record(2.3658, "AlphaEvolve, arXiv:2506.13131"),
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        n, shape = SIZES[level]
        place = "the unit square" if shape == "square" else "a rectangle of perimeter 4"
        return self.posed_again(level, f"{n} circles in {place} with the largest sum of radii")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return SIZES[task.level]

    def measure(self, task: Task, output: Any) -> float:
        n, shape = SIZES[task.level]
        return packed(output, n, shape)

    def score(self, task: Task, value: float) -> float:
        return value / math.sqrt(SIZES[task.level][0] / math.pi)

    def known(self, task: Task) -> list[tuple[Any, float]]:
        n, _ = SIZES[task.level]
        return [([[(i % 8 + 0.5) / 8, (i // 8 + 0.5) / 8, 1 / 16] for i in range(n)], n / 16)]


def packed(output: Any, n: int, shape: str) -> float:
    """The sum of the radii of n circles. Raises Refused where two overlap or one sticks out, by however little: all is
    compared in integers. Only the sum is rounded, to the nearest float."""
    circles = [numbers(circle, 3) for circle in listed(output, n)]
    flat, k = scaled([number for circle in circles for number in circle])
    exact = [flat[i : i + 3] for i in range(0, 3 * n, 3)]
    if any(r <= 0 for _, _, r in exact):
        raise Refused("a radius that is not above 0")
    lowest = [min(circle[axis] - circle[2] for circle in exact) for axis in (0, 1)]
    highest = [max(circle[axis] + circle[2] for circle in exact) for axis in (0, 1)]
    if shape == "square" and (min(lowest) < 0 or max(highest) > 1 << k):
        raise Refused("a circle sticks out of the unit square")
    if sum(highest) - sum(lowest) > 2 << k:
        raise Refused("the rectangle around the circles has a perimeter over 4")
    for (i, one), (j, other) in combinations(enumerate(exact), 2):
        if squared_distance(one[:2], other[:2]) < (one[2] + other[2]) ** 2:
            raise Refused(f"circles {i} and {j} overlap")
    return ratio(sum(r for _, _, r in exact), 1 << k)
