"""Online bin packing by a priority function (FunSearch, Nature 625, 468, 2024; instances as in Beasley's OR-Library).

What a program returns is the priority of every case that can come up, as a table, so that it sees no instance and can
look at no item ahead of its turn.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from autotroph.core.task import Task, stable_hash
from autotroph.tasks.programs.family import ProgramFamily, Record, listed, numbers

UNIFORM, WEIBULL = (150, 20, 100), (100, 1, 100)
"""Capacity, smallest and largest item."""
SIZES = {1: (120, UNIFORM), 2: (250, UNIFORM), 3: (500, UNIFORM), 4: (1000, UNIFORM), 5: (1000, WEIBULL)}
ITEMS_A_TASK = 1000
"""Small instances are put together to about so many items a task: of a single one the excess is mostly luck."""

STARTER = """def priority(item, left, capacity):
    \"\"\"Of a bin where `left` will be left once the item is in it; the bin with the highest one is taken.\"\"\"
    return 0.0


def solve(capacity, smallest, largest):
    return [
        [priority(item, left, capacity) for left in range(capacity - item + 1)]
        for item in range(smallest, largest + 1)
    ]
"""


class BinPacking(ProgramFamily):
    """Levels 1 to 4: 120, 250, 500 and 1000 items of sizes uniform in 20 to 100, bins of 150 (as OR1 to OR4); level 5:
    1000 items of Weibull sizes (shape 3, scale 45), bins of 100. A task is one or several such instances, drawn anew
    for every seed, and a sealed one is never among those of training.

    A value is how many bins are used over the lower bound of Martello and Toth (1990), as a share of it; lower is
    better, and 0 is proven to be optimal. A score is the bound divided by the bins used.
    """

    name = "bin_packing"
    levels = range(1, 6)
    goal = (
        "Write solve(capacity, smallest, largest), which returns a table of priorities: for each item size from "
        "smallest to largest a list of numbers, one for each space 0 to capacity - item that can be left in a bin once "
        "the item is in it. Items come one at a time, and each goes into the bin of the highest priority of those that "
        "it fits in, an empty one included, the earliest of several. Make the number of bins as small as possible."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}
    records: Mapping[int, Record] = {
        level: Record(excess, "FunSearch, Nature 625, 468 (2024), on OR-Library's own instances")
        for level, excess in {1: 0.0530, 2: 0.0419, 3: 0.0311, 4: 0.0247}.items()
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        n, shape = SIZES[level]
        kind = "Weibull" if shape == WEIBULL else "uniform"
        rng = random.Random(stable_hash(self.name, str(level), str(seed)))
        while True:
            number = rng.getrandbits(64)
            count = max(1, ITEMS_A_TASK // n)
            prompt = f"{count} x {n} items of {kind} sizes into bins of {shape[0]}, number {number}"
            yield Task.of(self.name, prompt, None, level, meta={"number": number})

    def instances(self, task: Task) -> list[list[int]]:
        n, shape = SIZES[task.level]
        rng = random.Random(stable_hash(self.name, "items", task.prompt))
        return [[_item(shape, rng) for _ in range(n)] for _ in range(max(1, ITEMS_A_TASK // n))]

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return SIZES[task.level][1]

    def measure(self, task: Task, output: Any) -> float:
        capacity, smallest, largest = SIZES[task.level][1]
        rows = listed(output, largest - smallest + 1)
        table = [numbers(row, capacity - item + 1) for item, row in enumerate(rows, smallest)]
        found = self.instances(task)
        used = sum(bins(items, capacity, table, smallest) for items in found)
        return used / sum(lower_bound(items, capacity) for items in found) - 1

    def score(self, task: Task, value: float) -> float:
        return 1 / (1 + value)


def best_fit(capacity: int, smallest: int, largest: int) -> list[list[float]]:
    """The table of best fit: the fuller a bin will be, the better."""
    return [[-float(left) for left in range(capacity - item + 1)] for item in range(smallest, largest + 1)]


def bins(items: Sequence[int], capacity: int, table: Sequence[Sequence[float]], smallest: int) -> int:
    """How many bins the items take that come in this order. `table`: [size - smallest][left] -> priority."""
    waiting: list[list[int]] = [[] for _ in range(capacity + 1)]  # by the space that is left: numbers of bins, a heap
    made = 0
    for item in items:
        row = table[item - smallest]
        best = row[capacity - item], -made, capacity
        for left, bins_here in enumerate(waiting[item:]):
            if bins_here:
                best = max(best, (row[left], -bins_here[0], item + left))
        _, number, space = best
        if -number == made:
            made += 1
        else:
            heappop(waiting[space])
        heappush(waiting[space - item], -number)
    return made


def lower_bound(items: Sequence[int], capacity: int) -> int:
    """L2 of Martello and Toth: no packing has fewer bins, even of items that are all known before.

    For each a up to half the capacity: items over capacity - a are alone with respect to items of at least a; those
    over half are in a bin each; what is left over in these takes some of the rest of at least a.
    """
    ordered = sorted(items)
    sums = [0]
    for item in ordered:
        sums.append(sums[-1] + item)
    n, half, most = len(ordered), bisect_left(ordered, capacity // 2 + 1), 0
    for a in {0, *(item for item in ordered if 2 * item <= capacity)}:
        low, high = bisect_left(ordered, a), bisect_left(ordered, capacity - a + 1)
        room = (high - half) * capacity - (sums[high] - sums[half])
        rest = sums[half] - sums[low] - room
        most = max(most, n - half + max(0, -(-rest // capacity)))
    return most


def _item(shape: tuple[int, int, int], rng: random.Random) -> int:
    _, smallest, largest = shape
    if shape == WEIBULL:
        return min(largest, max(smallest, round(rng.weibullvariate(45, 3))))
    return rng.randint(smallest, largest)
