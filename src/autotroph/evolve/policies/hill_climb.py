"""Hill climbing: the best node so far is the parent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class HillClimb:
    """A child takes its parent's place where its mean outcome is higher, not where it is the same."""

    name = "hill_climb"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        nodes = finished(archive)
        return Expand((int(nodes[np.argmax(scores(archive, nodes))]),))
