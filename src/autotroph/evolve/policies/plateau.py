"""Switching on a plateau: another policy takes over where nothing has got better for a while."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.dgm import DGM
from autotroph.evolve.policies.hill_climb import HillClimb
from autotroph.evolve.policies.shared import finished
from autotroph.evolve.protocols import Choice, Left, SearchPolicy


@dataclass(frozen=True)
class Plateau:
    """`climbing` chooses, and `stuck` where the last `patience` finished nodes have not raised the highest lower bound,
    `z` standard errors below the mean. So it is a function of the archive alone, and goes back by itself. Our own.
    """

    name = "plateau"
    climbing: SearchPolicy = field(default_factory=HillClimb)
    stuck: SearchPolicy = field(default_factory=DGM)
    patience: int = 20
    z: float = 1.0

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        chosen = self.stuck if self.is_stuck(archive) else self.climbing
        return chosen.choose(archive, left, rng)

    def is_stuck(self, archive: Archive) -> bool:
        nodes = finished(archive)
        return len(nodes) - 1 - int(np.argmax(archive.lower(self.z)[nodes])) >= self.patience
