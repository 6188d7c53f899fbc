"""GEPA: parents from the front of those that lead some task, children that must beat them first (arXiv:2507.19457)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotroph.evolve.archive import Archive, weighted
from autotroph.evolve.policies.shared import ROOT, finished
from autotroph.evolve.protocols import Choice, Evaluate, Expand, Left


@dataclass(frozen=True)
class GEPA:
    """A child whose sum on its first `minibatch` tasks is above its parent's on the same ones is evaluated on the rest,
    any other is dropped. Parents are finished nodes, drawn by the number of tasks that they lead.

    Leaders of a task have the highest outcome on it. Leaders that another dominates (no worse on any task, better on
    one) are left out, as in the paper's Algorithm 2. The released code also drops a leader whose tasks others lead,
    none of which dominates it. It runs the parent on the minibatch anew; here its outcomes are known and cost nothing.
    With an archive that has no `turn`, the minibatch is always the same tasks.
    """

    name = "gepa"
    minibatch: int = 3

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        worthy = self.worthy(archive)
        if len(worthy):
            return Evaluate(int(worthy[-1]))
        nodes = finished(archive)
        led_M = self.led(np.nan_to_num(archive.table[nodes]))
        return Expand((int(nodes[weighted(led_M, rng)]),))

    def worthy(self, archive: Archive) -> np.ndarray:
        """Nodes to be evaluated further: those in their minibatch and those let past it; without any, those that now
        are."""
        begun = archive.begun
        waiting = np.flatnonzero(begun < archive.tasks)
        on_the_way: np.ndarray = waiting[(begun[waiting] != self.minibatch) | (waiting == ROOT)]
        if not len(on_the_way):
            judged = waiting[archive.column("trials")[waiting] == self.minibatch]
            on_the_way = judged[self.accepted(archive, judged)]
        return on_the_way

    def accepted(self, archive: Archive, nodes: np.ndarray) -> np.ndarray:
        """Which of these nodes are better than their first parents where both were tried, in their minibatch [M]."""
        parents = archive.column("parent")[nodes].astype(int)
        places = (nodes[:, None] * archive.turn + np.arange(self.minibatch)) % archive.tasks
        table = archive.table
        own, theirs = np.nan_to_num(table[nodes[:, None], places]), np.nan_to_num(table[parents[:, None], places])
        better: np.ndarray = own.sum(axis=1) > theirs.sum(axis=1)
        return better

    def led(self, table_MT: np.ndarray) -> np.ndarray:
        """How many tasks each node leads, 0 for those that are dominated [M]."""
        leads_MT = table_MT == table_MT.max(axis=0)
        led_M = leads_MT.sum(axis=1)
        leaders = np.flatnonzero(led_M)
        rows, same = np.unique(table_MT[leaders], axis=0, return_inverse=True)
        led_M[leaders[~undominated(rows)[same.reshape(-1)]]] = 0
        return np.asarray(led_M)


def undominated(rows_UT: np.ndarray) -> np.ndarray:
    """Which of U different rows no other row dominates: is at least as high everywhere, being different [U].

    A row that dominates another has the higher sum, so those with higher sums that stay are all that can do so.
    """
    stays_U = np.zeros(len(rows_UT), dtype=bool)
    for row in np.argsort(-rows_UT.sum(axis=1), kind="stable"):
        stays_U[row] = not (rows_UT[stays_U] >= rows_UT[row]).all(axis=1).any()
    return stays_U
