"""EvoScale: samples in iterations, each conditioned on the best of the iteration before (arXiv:2505.23604)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import ROOT, finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class EvoScale:
    """A budget of samples is spent `batch` at a time. Those of the first iteration are edits of the root; those of each
    later one are conditioned on the `kept` finished nodes of highest mean outcome among the samples of the one before:
    each edits one of them, drawn by chance, and has the others as further parents. Nothing of an older iteration is
    kept. The source trains its model to better its own samples, and needs no scores then; here outcomes select.
    `selects` off: those that condition are drawn by chance.
    """

    name = "evoscale"
    batch: int = 40
    kept: int = 4
    selects: bool = True

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        samples = self.conditioning(archive, len(archive) - 1 + archive.expanding, rng)
        return Expand(tuple(int(node) for node in rng.permutation(samples)))

    def conditioning(self, archive: Archive, sample: int, rng: np.random.Generator) -> np.ndarray:
        """The nodes that this sample is conditioned on, the best first. Sample s is node s + 1."""
        iteration, nodes = sample // self.batch, finished(archive)
        before = nodes[(nodes > (iteration - 1) * self.batch) & (nodes <= iteration * self.batch)]
        if not iteration or not len(before):
            return np.array([ROOT])
        order = np.argsort(-scores(archive, before), kind="stable") if self.selects else rng.permutation(len(before))
        chosen: np.ndarray = before[order[: self.kept]]
        return chosen
