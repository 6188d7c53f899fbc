"""Minimising functions with many minima, drawn at random."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from autotroph.core.task import Task, stable_hash
from autotroph.sandbox.outcome import Limits
from autotroph.tasks.programs.family import ProgramFamily, Refused, numbers

DIMENSIONS = {1: 2, 2: 5, 3: 10, 4: 20}
REACH = 5.0
"""A coordinate lies between -REACH and REACH."""
PROBES = 100
"""Random points, the best of which is worth a score of 1/2."""

STARTER = """import math
import random


def value(problem, x):
    total = sum(q * t * t for q, t in zip(problem["bowl"], x))
    for a, w, p in zip(problem["heights"], problem["waves"], problem["phases"]):
        total += a * (1 - math.cos(sum(u * t for u, t in zip(w, x)) + p))
    return total


def solve(problem):
    \"\"\"The best of a few points drawn at random.\"\"\"
    rng = random.Random(0)
    reach, n = problem["reach"], len(problem["bowl"])
    points = [[rng.uniform(-reach, reach) for _ in range(n)] for _ in range(10)]
    return min(points, key=lambda x: value(problem, x))
"""


class FunctionMinimisation(ProgramFamily):
    """Levels 1 to 4: functions of 2, 5, 10 and 20 variables: a bowl and, for each variable, four waves (`function`).

    A value is the function's at the point that is returned: never below 0, lower is better. A score is r / (r + value),
    where r is the least value at 100 points drawn at random. Calls cannot leave the jail, so a program is given the
    function's coefficients, and its budget of evaluations is the time that it has,
    two seconds. The function is
    evaluated in floats, summed exactly.
    """

    name = "function_minimisation"
    levels = range(1, 5)
    limits = Limits(wall=2.0, cpu=1.0)
    goal = (
        "Write solve(problem), which returns a point x, a list of as many numbers as problem['bowl'], each between "
        "-problem['reach'] and problem['reach']. Make f(x) as small as possible: the sum of bowl_i x_i^2 and, for each "
        "wave w with its height a and phase p, of a (1 - cos(w . x + p)). There are many local minima, every function "
        "is new, and there is about a second for each."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        rng = random.Random(stable_hash(self.name, str(level), str(seed)))
        while True:
            number = rng.getrandbits(64)
            yield Task.of(self.name, f"A function of {DIMENSIONS[level]} variables, number {number}", None, level)

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (problem(DIMENSIONS[task.level], random.Random(stable_hash(self.name, task.prompt))),)

    def measure(self, task: Task, output: Any) -> float:
        [given] = self.arguments(task)
        x = numbers(output, len(given["bowl"]))
        if max(map(abs, x)) > REACH:
            raise Refused(f"a coordinate outside [-{REACH}, {REACH}]")
        return function(given, x)

    def score(self, task: Task, value: float) -> float:
        probed = chance(DIMENSIONS[task.level], stable_hash(self.name, task.prompt))
        return probed / (probed + value)


@lru_cache(1000)
def chance(n: int, seed: str) -> float:
    """The least value of a function at points drawn at random. Above 0: so is the bowl, everywhere but at one point."""
    rng = random.Random(seed)
    given = problem(n, rng)
    return min(function(given, [rng.uniform(-REACH, REACH) for _ in range(n)]) for _ in range(PROBES))


def problem(n: int, rng: random.Random) -> dict[str, Any]:
    """Coefficients of a function of n variables, three digits each."""

    def drawn(count: int, low: float, high: float) -> list[float]:
        return [round(rng.uniform(low, high), 3) for _ in range(count)]

    waves = [[round(rng.gauss(0, 1.5 / math.sqrt(n)), 3) for _ in range(n)] for _ in range(4 * n)]
    return {
        "reach": REACH,
        "bowl": drawn(n, 0.02, 0.2),
        "heights": drawn(4 * n, 0.1, 1.0),
        "waves": waves,
        "phases": drawn(4 * n, -math.pi, math.pi),
    }


def function(given: Mapping[str, Any], x: Sequence[float]) -> float:
    """The sum of bowl_i x_i^2 and of a (1 - cos(w . x + p)) over all waves; no term is below 0."""
    bowl = (q * t * t for q, t in zip(given["bowl"], x, strict=True))
    waves = zip(given["heights"], given["waves"], given["phases"], strict=True)
    swell = (a * (1 - math.cos(math.fsum(u * t for u, t in zip(w, x, strict=True)) + p)) for a, w, p in waves)
    return math.fsum((*bowl, *swell))
