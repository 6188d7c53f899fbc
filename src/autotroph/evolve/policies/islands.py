"""Islands with elites, in OpenEvolve's proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive, weighted
from autotroph.evolve.policies.shared import ROOT, finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class Islands:
    """Islands take turns. A parent on one is any of its nodes (share `explore`), one of its elites (share `exploit`) or
    one drawn by its score (the rest).

    Each island begins with the root. Its elites are the best node of each cell, at most `elite` of them; a node's cell
    is the task on which it stands out most from the island's mean. OpenEvolve's cells are of code length and diversity,
    which an archive does not know. Every `interval` children an island, the best `rate` of each are lent to both its
    neighbours on a ring, until the next such moment; a guest is not lent on. OpenEvolve copies them for good.
    """

    name = "islands"
    islands: int = 5
    explore: float = 0.2
    exploit: float = 0.7
    elite: int = 100
    interval: int = 50
    rate: float = 0.1

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        island = (len(archive) - 1 + archive.expanding) % self.islands
        members = self.members(archive, island)
        draw = rng.random()
        if draw < self.explore:
            parent = rng.choice(members)
        elif draw < self.explore + self.exploit:
            parent = rng.choice(self.elites(archive, members))
        else:
            parent = members[weighted(scores(archive, members), rng)]
        return Expand((int(parent),), tag=island)

    def members(self, archive: Archive, island: int) -> np.ndarray:
        """Finished nodes of an island, the root and its guests included."""
        nodes = finished(archive)
        own = nodes[(archive.column("tag")[nodes] == island) | (nodes == ROOT)]
        children = self.islands * self.interval
        moment = (len(archive) - 1) // children * children + 1
        sides = {(island - 1) % self.islands, (island + 1) % self.islands} - {island} if moment > 1 else set()
        guests = [self.lent(archive, nodes[(nodes > ROOT) & (nodes < moment)], side) for side in sides]
        return np.unique(np.concatenate([own, *guests]))

    def lent(self, archive: Archive, nodes: np.ndarray, island: int) -> np.ndarray:
        """The best of an island among these nodes."""
        own = nodes[archive.column("tag")[nodes] == island]
        count = max(1, int(self.rate * len(own)))
        best: np.ndarray = own[np.argsort(-scores(archive, own), kind="stable")[:count]]
        return best

    def elites(self, archive: Archive, members: np.ndarray) -> np.ndarray:
        """The best node of each cell, best first."""
        table = np.nan_to_num(archive.table[members])
        cells = np.argmax(table - table.mean(axis=0), axis=1)
        order = np.argsort(-scores(archive, members), kind="stable")
        _, first = np.unique(cells[order], return_index=True)
        return members[order[np.sort(first)]][: self.elite]
