"""Sorting networks with few comparators, checked by the 0-1 principle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from autotroph.core.task import Task
from autotroph.tasks.programs.family import ProgramFamily, Record, Refused, integers, listed

FEWEST = {2: 1, 3: 3, 4: 5, 5: 9, 6: 12, 7: 16, 8: 19, 9: 25, 10: 29, 11: 35, 12: 39}
"""Proven: Codish et al., arXiv:1405.5754 (9, 10); Harder, arXiv:2012.04400 (11, 12)."""
BEST = {13: 45, 14: 51, 15: 56, 16: 60}
"""Smallest that are known."""

STARTER = """def solve(n):
    \"\"\"Bubble sort.\"\"\"
    return [[j, j + 1] for i in range(n) for j in range(n - 1 - i)]
"""


class SortingNetworks(ProgramFamily):
    """Level n: n channels. A value is the number of comparators; lower is better.

    A score is the fewest that a network can have divided by the value; where they are not known, a bound: one channel
    more takes at least ceil(log2 n) comparators more (Van Voorhis 1972).
    """

    name = "sorting_networks"
    levels = range(2, 17)
    exact = True
    goal = (
        "Write solve(n), which returns a sorting network of n channels as a list of comparators [i, j] with "
        "0 <= i < j < n, the first one applied first: it puts the smaller of the two values on channel i. Every input "
        "must come out in ascending order. Use as few comparators as possible."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}
    records: Mapping[int, Record] = {
        **{n: Record(float(size), "proven to be the fewest") for n, size in FEWEST.items()},
        **{n: Record(float(size), "Dobbelaere's list of the smallest known") for n, size in BEST.items()},
    }

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        return self.posed_again(level, f"A sorting network of {level} channels")

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.level,)

    def measure(self, task: Task, output: Any) -> float:
        return float(comparators(output, task.level))

    def score(self, task: Task, value: float) -> float:
        return fewest(task.level) / value

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """Insertion sort."""
        n = task.level
        return [([[j, j + 1] for i in range(1, n) for j in reversed(range(i))], n * (n - 1) / 2)]


def fewest(n: int) -> int:
    """No sorting network has fewer comparators."""
    return FEWEST[n] if n in FEWEST else fewest(n - 1) + (n - 1).bit_length()


def comparators(output: Any, n: int) -> int:
    """How many there are. Raises Refused where some input of zeros and ones is not sorted."""
    if len(listed(output)) > n * n:
        raise Refused(f"{len(output)} comparators; at most {n * n} are read")
    network = [integers(pair, 2, below=n) for pair in output]
    if any(i >= j for i, j in network):
        raise Refused("a comparator [i, j] with i >= j")
    if not sorts(network, n):
        raise Refused("it does not sort every input")
    return len(network)


def sorts(network: Sequence[Sequence[int]], n: int) -> bool:
    """Whether all 2^n inputs of zeros and ones come out sorted: then all others do, too (Knuth, TAOCP 3, 5.3.4).

    Bit b of channel c is what input number b has there, so that one comparator acts on all inputs at once.
    """
    channels = [_inputs(channel, n) for channel in range(n)]
    for i, j in network:
        channels[i], channels[j] = channels[i] & channels[j], channels[i] | channels[j]
    return all(low & ~high == 0 for low, high in pairwise(channels))


def _inputs(channel: int, n: int) -> int:
    """Bit b is bit `channel` of b, for all b below 2^n."""
    half = 1 << channel
    block = ((1 << half) - 1) << half
    for double in range(channel + 1, n):
        block |= block << (1 << double)
    return block
