"""Cap sets: sets of vectors over {0, 1, 2} of which no three lie on a line (FunSearch, Nature 625, 468, 2024)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autotroph.core.task import Task
from autotroph.tasks.programs.family import ProgramFamily, Record, Refused, integers, listed

LARGEST = {1: 2, 2: 4, 3: 9, 4: 20, 5: 45, 6: 112}
"""Proven sizes of the largest cap sets (Potechin 2008 for n = 6)."""

STARTER = """import itertools


def priority(vector, n):
    \"\"\"Vectors of higher priority are tried first.\"\"\"
    return 0.0


def solve(n):
    \"\"\"Every vector, best first, that makes no line with two that are taken.\"\"\"
    vectors = sorted(itertools.product(range(3), repeat=n), key=lambda v: -priority(v, n))
    taken, blocked = [], set()
    for vector in vectors:
        if vector not in blocked:
            blocked.update(tuple(-(a + b) % 3 for a, b in zip(vector, other)) for other in taken)
            taken.append(vector)
    return [list(vector) for vector in taken]
"""


class CapSet(ProgramFamily):
    """Level n: vectors of n numbers. The starter is a greedy search with a priority function to be rewritten; what is
    judged is the set itself.

    A value is the size of the set. Three parallel hyperplanes hold all vectors, so that no cap set is over three times
    the size of the largest one of a dimension less; a score is the share of the bound that follows.
    """

    name = "cap_set"
    levels = range(1, 9)
    exact = True
    goal = (
        "Write solve(n), which returns a list of different vectors, each a list of n integers out of 0, 1, 2. No three "
        "of them may add up to 0 modulo 3 in every coordinate. Make the list as long as possible."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}
    records: Mapping[int, Record] = {
        **{n: Record(float(size), "proven to be the largest") for n, size in LARGEST.items()},
        7: Record(236.0, "Calderbank and Fishburn 1994"),
        8: Record(512.0, "FunSearch, Nature 625, 468 (2024)"),
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        return self.posed_again(level, f"A cap set in {level} dimensions")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.level,)

    def measure(self, task: Task, output: Any) -> float:
        return float(cap_size(output, task.level))

    def score(self, task: Task, value: float) -> float:
        return value / bound(task.level)

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """All vectors of 0 and 1: where three of them add up to 0 or 3 in every coordinate, they are the same."""
        n = task.level
        return [([[number >> i & 1 for i in range(n)] for number in range(2**n)], 2.0**n)]


def bound(n: int) -> int:
    return LARGEST[n] if n in LARGEST else 3 * bound(n - 1)


def cap_size(output: Any, n: int) -> int:
    """How many vectors there are. Raises Refused where two are the same or three are on a line."""
    if len(listed(output)) > bound(n):
        raise Refused(f"{len(output)} vectors; no cap set has over {bound(n)}")
    vectors = [integers(vector, n, below=3) for vector in output]
    rows, powers = np.array(vectors, dtype=np.int64).reshape(-1, n), 3 ** np.arange(n)
    taken = np.zeros(3**n, dtype=bool)
    taken[rows @ powers] = True
    if taken.sum() < len(rows):
        raise Refused("a vector is there twice")
    for i, row in enumerate(rows):
        if taken[-(row + rows[:i]) % 3 @ powers].any():
            raise Refused(f"{vectors[i]} is on a line with two others")
    return len(vectors)
