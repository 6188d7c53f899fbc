"""HyperAgents: parents by how they stand to the best, until they have had many children."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finish_or_expand
from autotroph.evolve.protocols import Choice, Left


@dataclass(frozen=True)
class HyperAgents:
    """Weight of a parent: sigmoid(sharpness (score - mean of the `top` best)) exp(-(children / many)^3).

    The formula of the released code, facebookresearch/HyperAgents. Where all weights vanish, all are alike.
    """

    name = "hyperagents"
    sharpness: float = 10.0
    top: int = 3
    many: float = 8.0

    def weigh(self, scores_M: np.ndarray, children_M: np.ndarray) -> np.ndarray:
        middle = np.sort(scores_M)[-self.top :].mean()
        weights_M: np.ndarray = expit(self.sharpness * (scores_M - middle)) * np.exp(-((children_M / self.many) ** 3))
        return weights_M

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        return finish_or_expand(archive, self.weigh, rng)
