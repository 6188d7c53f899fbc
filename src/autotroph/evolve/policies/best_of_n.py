"""Best of N: children of the root, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import ROOT, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class BestOfN:
    """A baseline: no child is ever edited again."""

    name = "best_of_n"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        return unfinished(archive) or Expand((ROOT,))
