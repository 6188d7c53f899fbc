"""Darwin Gödel Machine: parents by their score, and fewer children first (arXiv:2505.22954)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finish_or_expand
from autotroph.evolve.protocols import Choice, Left


@dataclass(frozen=True)
class DGM:
    """Weight of a parent: sigmoid(sharpness (score - middle)) / (1 + children)."""

    name = "dgm"
    sharpness: float = 10.0
    middle: float = 0.5

    def weigh(self, scores_M: np.ndarray, children_M: np.ndarray) -> np.ndarray:
        weights_M: np.ndarray = expit(self.sharpness * (scores_M - self.middle)) / (1 + children_M)
        return weights_M

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        return finish_or_expand(archive, self.weigh, rng)
