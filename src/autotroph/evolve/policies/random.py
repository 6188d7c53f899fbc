"""Random search: every finished node is as likely a parent as any other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finish_or_expand
from autotroph.evolve.protocols import Choice, Left


@dataclass(frozen=True)
class Random:
    """A baseline: outcomes decide nothing but the final pick."""

    name = "random"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        return finish_or_expand(archive, lambda scores_M, children_M: np.ones(len(scores_M)), rng)
