"""A tournament with Elo ratings: whoever leads a league of candidates is edited or combined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.elo import START, rated
from autotroph.evolve.policies.shared import finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class EloTournament:
    """After arXiv:2502.18864, with outcomes for a judge: on a task the higher one wins, equal ones draw.

    The league is the best half and the newest half of `league` finished nodes. All pairs of it meet once, in the order
    in which they came, each on the next task; nothing is evaluated for that. Parents are two of the `top` by rating,
    by chance, the second to be combined with the first where the mutator can.
    """

    name = "elo_tournament"
    league: int = 16
    top: int = 4

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        nodes = self.members(archive)
        order = nodes[np.argsort(-self.ratings(archive, nodes), kind="stable")]
        parents = rng.permutation(order[: self.top])[:2]
        return Expand(tuple(int(parent) for parent in parents))

    def members(self, archive: Archive) -> np.ndarray:
        nodes, half = finished(archive), self.league // 2
        best = nodes[np.argsort(-scores(archive, nodes), kind="stable")[:half]]
        return np.union1d(best, nodes[-half:])

    def ratings(self, archive: Archive, nodes: np.ndarray) -> np.ndarray:
        """Of each of these nodes [M], after every pair has met once."""
        table_MT = np.nan_to_num(archive.table[nodes])
        found, number = [START] * len(nodes), 0
        for one in range(len(nodes)):
            for other in range(one):
                task = number % archive.tasks
                sign = np.sign(table_MT[one, task] - table_MT[other, task])
                rated(found, one, other, float(1 + sign) / 2)
                number += 1
        return np.array(found)
