"""No archive: the newest agent makes the next one, whatever became of it (the ablation of arXiv:2505.22954)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class Latest:
    """A chain: the only parent is the last node."""

    name = "latest"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        return unfinished(archive) or Expand((len(archive) - 1,))
