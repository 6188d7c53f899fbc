"""No archive: the newest agent makes the next one, whatever became of it (the ablation of arXiv:2505.22954)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import ROOT, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class Latest:
    """A chain: the only parent is the last node. `steps`: edits after which it begins again at the root; 0: never."""

    name = "latest"
    steps: int = 0

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        made = len(archive) - 1 + archive.expanding
        return Expand((ROOT if self.steps and made % self.steps == 0 else len(archive) - 1,))
