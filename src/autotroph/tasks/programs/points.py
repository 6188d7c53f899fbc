"""Two problems about points: the smallest triangle, and the largest distance beside the smallest.

Both are of AlphaEvolve's list (arXiv:2506.13131, B.8 to B.10), and neither depends on scale or place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from autotroph.core.task import Task
from autotroph.tasks.programs.exact import ratio, scaled, squared_distance, twice_area, twice_hull_area
from autotroph.tasks.programs.family import ProgramFamily, Record, Refused, listed, numbers

REGIONS = {1: (11, "triangle"), 2: (13, "convex")}
SPREADS = {1: (16, 2), 2: (14, 3)}

HEILBRONN_STARTER = """import random


def solve(n, region):
    \"\"\"Points drawn at random.\"\"\"
    rng = random.Random(0)
    points = []
    while len(points) < n:
        x, y = rng.random(), rng.random()
        if x + y < 0.999:
            points.append([x, y])
    return points
"""

SPREAD_STARTER = """import random


def solve(n, dimensions):
    \"\"\"Points drawn at random.\"\"\"
    rng = random.Random(0)
    return [[rng.random() for _ in range(dimensions)] for _ in range(n)]
"""


class Heilbronn(ProgramFamily):
    """Level 1: 11 points in a triangle, here the one with the corners (0, 0), (1, 0) and (0, 1), to which any other is
    affine; 2: 13 points anywhere, in the smallest convex region around them.

    A value is the smallest triangle's area as a share of the region's. A triangulation of all n points has at least
    n - 2 triangles, none of which overlap, so that no value is over 1 / (n - 2); a score is the share of that.
    """

    name = "heilbronn"
    levels = range(1, 3)
    exact = True
    goal = (
        "Write solve(n, region), which returns n points as a list of [x, y]. Make the smallest of the areas of all "
        "triangles between three of them as large as possible, as a share of the area of the region. Where region is "
        '"triangle" the points must lie in the triangle x >= 0, y >= 0, x + y <= 1, checked exactly; where it is '
        '"convex" the region is their own convex hull.'
    )
    starter: Mapping[str, str] = {"main.py": HEILBRONN_STARTER}
    records: Mapping[int, Record] = {
        1: Record(0.0365, "AlphaEvolve, arXiv:2506.13131"),
        2: Record(0.0309, "AlphaEvolve, arXiv:2506.13131"),
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        n, region = REGIONS[level]
        return self.posed_again(level, f"{n} points in a {region} region whose smallest triangle is largest")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return REGIONS[task.level]

    def measure(self, task: Task, output: Any) -> float:
        return smallest_triangle(output, *REGIONS[task.level])

    def score(self, task: Task, value: float) -> float:
        return value * (REGIONS[task.level][0] - 2)

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """Points (i, i^2): twice the area of i, j, k is (j - i)(k - i)(k - j), at least 2; twice that of the hull of
        0 to m is (m^3 - m) / 3."""
        n, region = REGIONS[task.level]
        if region == "triangle":
            return [([[i / 32, i * i / 512] for i in range(n)], 2 / (32 * 512))]
        return [([[i, i * i] for i in range(n)], 6 / ((n - 1) ** 3 - (n - 1)))]


def smallest_triangle(output: Any, n: int, region: str) -> float:
    """The least area of a triangle as a share of the region's, of n points; exact up to the last rounding."""
    points, k = read(output, n, 2)
    if region == "triangle" and any(x < 0 or y < 0 or x + y > 1 << k for x, y in points):
        raise Refused("a point outside the triangle")
    whole = 1 << 2 * k if region == "triangle" else twice_hull_area(points)
    if whole == 0:
        raise Refused("all points are on one line")
    return ratio(min(abs(twice_area(*three)) for three in combinations(points, 3)), whole)


class DistanceRatio(ProgramFamily):
    """Level 1: 16 points in the plane; 2: 14 in space.

    A value is the square of the largest distance divided by that of the smallest; lower is better. Balls of half the
    smallest distance s around the points do not overlap and lie in a set of diameter D + s, whose volume is at most
    that of a ball (isodiametric inequality), so that D / s is at least n^(1/d) - 1; a score is the square of that
    divided by the value.
    """

    name = "distance_ratio"
    levels = range(1, 3)
    exact = True
    goal = (
        "Write solve(n, dimensions), which returns n points, each a list of so many coordinates. Make the largest "
        "distance between two of them, divided by the smallest, as small as possible."
    )
    starter: Mapping[str, str] = {"main.py": SPREAD_STARTER}
    records: Mapping[int, Record] = {
        1: Record(12.889, "AlphaEvolve, arXiv:2506.13131"),
        2: Record(4.165, "AlphaEvolve, arXiv:2506.13131"),
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        n, d = SPREADS[level]
        return self.posed_again(level, f"{n} points in {d} dimensions with the least largest by smallest distance")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return SPREADS[task.level]

    def measure(self, task: Task, output: Any) -> float:
        return squared_spread(output, *SPREADS[task.level])

    def score(self, task: Task, value: float) -> float:
        n, d = SPREADS[task.level]
        return float((n ** (1 / d) - 1) ** 2 / value)

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """A grid of 4 x 4, and part of one of 3 x 3 x 3."""
        if task.level == 1:
            return [([[i % 4, i // 4] for i in range(16)], 18.0)]
        return [([[i % 3, i // 3 % 3, i // 9] for i in range(14)], 9.0)]


def squared_spread(output: Any, n: int, dimensions: int) -> float:
    """(largest / smallest distance)^2 of n points, exact up to the last rounding."""
    points, _ = read(output, n, dimensions)
    squares = [squared_distance(p, q) for p, q in combinations(points, 2)]
    if min(squares) == 0:
        raise Refused("two points are the same")
    return ratio(max(squares), min(squares))


def read(output: Any, n: int, dimensions: int) -> tuple[list[tuple[int, ...]], int]:
    """n points in integers, and k: they are in units of 2^-k."""
    flat, k = scaled([number for point in listed(output, n) for number in numbers(point, dimensions)])
    return [tuple(flat[i : i + dimensions]) for i in range(0, n * dimensions, dimensions)], k
