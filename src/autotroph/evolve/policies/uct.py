"""UCT with a bonus for early depth and a penalty for late depth: which state of a program is edited next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class UCT:
    """After arXiv:2410.20285. The node that is edited has the highest

        V + exploration sqrt(ln N(parent) / N) + bonus exp(-decay (d - 1)) - penalty sqrt(d)

    among all finished ones: V is its own value estimate, here its mean outcome; N, backed up along first parents, the
    nodes of its clade; d its depth, 0 for the root, whose first square root is 0. So a good state whose edits come to
    nothing loses its lead, and the search goes back to another one. As in the released code (moatless-tree-search,
    selector.py), V is not averaged along the path. Its values run to 100, with exploration 1 and .8 for decay and
    penalty; ours run to 1, and what is added to V is a hundredth. The paper's weight of the bonus was not read; ours is
    that of the exploration. `estimates` off: values are drawn by lot at every choice.
    """

    name = "uct"
    exploration: float = 0.01
    bonus: float = 0.01
    decay: float = 0.8
    penalty: float = 0.008
    estimates: bool = True

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        nodes, (visits_N, depth_N) = finished(archive), visits_and_depths(archive)
        parents = archive.column("parent")[nodes].astype(int)
        above_M = np.where(parents < 0, 1.0, visits_N[parents])
        value_M = scores(archive, nodes) if self.estimates else rng.random(len(nodes))
        return Expand((int(nodes[np.argmax(self.uct(value_M, visits_N[nodes], above_M, depth_N[nodes]))]),))

    def uct(self, value_M: np.ndarray, visits_M: np.ndarray, above_M: np.ndarray, depth_M: np.ndarray) -> np.ndarray:
        """Of M nodes, from their values, their visits, those of their parents, and their depths [M]."""
        exploration_M = self.exploration * np.sqrt(np.log(above_M) / visits_M)
        early_M = self.bonus * np.exp(-self.decay * (depth_M - 1))
        found: np.ndarray = value_M + exploration_M + early_M - self.penalty * np.sqrt(depth_M)
        return found


def visits_and_depths(archive: Archive) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of each node's clade, itself included [N], and first parents above it [N]."""
    parents = archive.column("parent").astype(int)
    visits_N, depth_N = np.ones(len(parents)), np.zeros(len(parents))
    for node, parent in enumerate(parents):
        if parent >= 0:
            depth_N[node] = depth_N[parent] + 1
    for node in range(len(parents) - 1, -1, -1):
        if parents[node] >= 0:
            visits_N[parents[node]] += visits_N[node]
    return visits_N, depth_N
