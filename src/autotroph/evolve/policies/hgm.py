"""Huxley-Gödel Machine: expands whose clade does well, evaluates who does well (arXiv:2510.21614)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import ROOT
from autotroph.evolve.protocols import Choice, Evaluate, Expand, Left


@dataclass(frozen=True)
class HGM:
    """Expands where evaluations^growth >= nodes - 1, those that are pending counted on both sides; else evaluates.

    Who is expanded is drawn by Thompson sampling, Beta(c (1 + S), c (1 + F)), over the pooled outcomes of its clade
    (clade metaproductivity); who is evaluated by the same draw over its own outcomes. c = (B / (B - N))^cooling: the
    draws sharpen as the budget B is spent. A clade without any outcome is not expanded. With `pooled` off a node's own
    outcomes stand for its clade's: what the machine is without its mechanism.

    The released code adds descendants' outcomes to a node's own list whenever it estimates a clade (tree.py), so that
    they count again and again; the paper's sums are taken here.
    """

    name = "hgm"
    growth: float = 0.6
    cooling: float = 1.0
    pooled: bool = True

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        sharper = (left.total / max(left.evaluations, 1)) ** self.cooling
        waiting = np.flatnonzero(archive.begun < archive.tasks)
        if self.expands(archive) or not len(waiting):
            of = "clade_" if self.pooled else ""
            clades = np.flatnonzero(archive.column(f"{of}trials"))
            if not len(clades):
                return Expand((ROOT,))
            sums = archive.column(f"{of}successes")[clades], archive.column(f"{of}trials")[clades]
            return Expand((int(clades[drawn(*sums, sharper, rng)]),))
        sums = archive.column("successes")[waiting], archive.column("trials")[waiting]
        return Evaluate(int(waiting[drawn(*sums, sharper, rng)]))

    def expands(self, archive: Archive) -> bool:
        return bool(archive.begun.sum() ** self.growth >= len(archive) - 1 + archive.expanding)


def drawn(successes_M: np.ndarray, trials_M: np.ndarray, sharper: float, rng: np.random.Generator) -> int:
    """Where the highest of M draws from Beta(c (1 + successes), c (1 + failures)) stands, c being `sharper`."""
    return int(np.argmax(rng.beta(sharper * (1 + successes_M), sharper * (1 + trials_M - successes_M))))
