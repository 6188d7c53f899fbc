"""Which rows a batch is made of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Algorithm, Signal
from autotroph.core.trace import Group

Pool = tuple[bool, int]
"""(self-made, level): rows of one kind and one level, most of them of one length."""


@dataclass(frozen=True)
class Mixture:
    """Batches in which every pool has a part, in proportion to its level, because longer rows are learnt later.

    (arXiv:2502.01612 gives half of every batch to the newest rows and the rest to all others equally.) A batch is
    `draws` pools with an equal share of its rows from each: few pools keep rows of one length together.
    """

    pools: dict[Pool, list[Signal]]
    draws: int = 4
    real_floor: float = 0.0
    """Least expected share of rows that are not self-made, where there are any; met by raising all of their pools."""

    @classmethod
    def of(cls, groups: Sequence[Group], algorithm: Algorithm, real_floor: float = 0.0) -> Mixture:
        """Raises AutotrophError when nothing was kept that could be learnt from."""
        pools: dict[Pool, list[Signal]] = {}
        for group in groups:
            for signal in algorithm.signals([group]):
                pools.setdefault((signal.trace.depth > 0, group.task.level), []).append(signal)
        if not pools:
            raise AutotrophError("selection kept no rows to train on; loosen the filter or sample more per round")
        return cls(pools, real_floor=real_floor)

    def batch(self, rows: int, rng: random.Random, hardest: int | None = None) -> list[Signal]:
        """`rows` signals, none of a level above `hardest`."""
        pools = [pool for pool in self.pools if hardest is None or pool[1] <= hardest]
        drawn = rng.choices(pools, self.weights(pools), k=self.draws)
        return [signal for pool in drawn for signal in rng.choices(self.pools[pool], k=rows // self.draws)]

    @property
    def self_made_share(self) -> float:
        """Expected share of self-made rows in a batch."""
        weights = self.weights(list(self.pools))
        return sum(weight for weight, pool in zip(weights, self.pools, strict=True) if pool[0]) / sum(weights)

    @property
    def depth(self) -> int:
        """Most generations of self-made data behind any row."""
        return max(signal.trace.depth for pool in self.pools.values() for signal in pool)

    def weights(self, pools: Sequence[Pool]) -> list[float]:
        """Relative chances of the pools to be drawn."""
        level = [float(max(pool[1], 1)) for pool in pools]
        real = sum(weight for weight, pool in zip(level, pools, strict=True) if not pool[0])
        wanted = self.real_floor / (1 - self.real_floor) * (sum(level) - real)
        raised = max(1.0, wanted / real) if real else 1.0
        return [weight if pool[0] else weight * raised for weight, pool in zip(level, pools, strict=True)]
