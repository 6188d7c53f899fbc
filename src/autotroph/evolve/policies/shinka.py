"""ShinkaEvolve: parents by their score on the scale of all scores, and fewer children first (arXiv:2509.19349)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finish_or_expand
from autotroph.evolve.protocols import Choice, Left

FLAT = 1e-6
"""Least scale: where over half of the scores are the same, what differs from them weighs everything or nothing."""


@dataclass(frozen=True)
class Shinka:
    """Weight of a parent: sigmoid(sharpness (score - median) / MAD) / (1 + children), among the `elite` best nodes.

    MAD is the median of the distances to the median. `elite` is the size of the released code's archive, which keeps
    the best. Its two islands are left out here: `islands` has them.
    """

    name = "shinka"
    sharpness: float = 10.0
    elite: int = 40

    def weigh(self, scores_M: np.ndarray, children_M: np.ndarray) -> np.ndarray:
        weights_M = np.zeros(len(scores_M))
        best = np.argsort(-scores_M, kind="stable")[: self.elite]
        distances = scores_M[best] - np.median(scores_M[best])
        scale = max(float(np.median(np.abs(distances))), FLAT)
        weights_M[best] = expit(self.sharpness * distances / scale) / (1 + children_M[best])
        return weights_M

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        return finish_or_expand(archive, self.weigh, rng)
