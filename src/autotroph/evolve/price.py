"""The Price equation on archives: what the change of a mean is made of (Price 1970, 1972; arXiv:1802.08024).

With traits z of A ancestors, w the number of descendants of each, and d what a trait has changed by on the way, as the
mean over an ancestor's descendants,

    change of the mean = Cov(w, z) / mean(w) + E(w d) / mean(w),

and where the ancestors form groups, Cov(w, z) = Cov(W, Z) between the groups' means, weighted by their sizes, plus the
mean of the covariances within them, by the same weights. It is algebra, and holds exactly for whatever groups; what
it tells is how the change divides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from autotroph.core.errors import AutotrophError
from autotroph.evolve.archive import Archive


@dataclass(frozen=True)
class Terms:
    """Parts of a change: by selection `between` groups and `within` them, and by what was passed on otherwise."""

    between: float
    within: float
    transmitted: float

    @property
    def total(self) -> float:
        return self.between + self.within + self.transmitted


@dataclass(frozen=True)
class Descent:
    """A ancestors with their traits, and D descendants, each with its own and the place of its one ancestor."""

    trait_A: np.ndarray
    trait_D: np.ndarray
    ancestor_D: np.ndarray

    @property
    def fitness_A(self) -> np.ndarray:
        """Descendants of each ancestor."""
        return np.bincount(self.ancestor_D, minlength=len(self.trait_A)).astype(float)

    @property
    def passed_A(self) -> np.ndarray:
        """Mean change of the trait from an ancestor to its descendants; 0 for one without any."""
        sums = np.bincount(self.ancestor_D, self.trait_D - self.trait_A[self.ancestor_D], len(self.trait_A))
        return np.asarray(sums / np.maximum(self.fitness_A, 1))

    @property
    def change(self) -> float:
        """Of the mean trait, from all ancestors to all descendants."""
        return float(self.trait_D.mean() - self.trait_A.mean())


def price(trait_A: np.ndarray, group_A: np.ndarray, fitness_A: np.ndarray, passed_A: np.ndarray) -> Terms:
    """The terms of the equation, nested for groups. Raises AutotrophError where nobody has a descendant."""
    if not len(trait_A) or not fitness_A.sum() > 0:
        raise AutotrophError("price: nobody has a descendant; give ancestors and their fitness")
    mean = fitness_A.mean()
    _, place_A = np.unique(group_A, return_inverse=True)
    sizes_G = np.bincount(place_A)
    trait_G, fitness_G = np.bincount(place_A, trait_A) / sizes_G, np.bincount(place_A, fitness_A) / sizes_G
    between = np.average((fitness_G - mean) * (trait_G - trait_A.mean()), weights=sizes_G)
    within = ((fitness_A - fitness_G[place_A]) * (trait_A - trait_G[place_A])).mean()
    return Terms(float(between / mean), float(within / mean), float((fitness_A * passed_A).mean() / mean))


def descent(archive: Archive, before: int) -> tuple[Descent, np.ndarray]:
    """Nodes with outcomes on all tasks: those among the first `before` are the ancestors, all are descendants.

    A node that was there before descends from itself, a later one from the first of its first parents that was. Also
    the ancestors' numbers in the archive. Raises AutotrophError where a node descends from none of them.
    """
    nodes = np.flatnonzero(archive.complete)
    ancestors = nodes[nodes < before]
    places = {int(node): place for place, node in enumerate(ancestors)}
    found = [next((places[line] for line in archive.line(int(node)) if line in places), None) for node in nodes]
    if None in found or not len(nodes):
        raise AutotrophError("price: a node has no evaluated ancestor; evaluate the root first")
    means = archive.means
    return Descent(means[ancestors], means[nodes], np.array(found)), ancestors


def islands(archive: Archive, nodes: np.ndarray) -> np.ndarray:
    """The island of each node [M], by its tag."""
    return np.asarray(archive.column("tag")[nodes])


def clades(archive: Archive, nodes: np.ndarray) -> np.ndarray:
    """The child of a root that each node [M] descends from, by its number; a root's own."""
    lines = [list(archive.line(int(node))) for node in nodes]
    return np.array([line[-2] if len(line) > 1 else line[0] for line in lines])


Grouping = Callable[[Archive, np.ndarray], np.ndarray]
GROUPS: Mapping[str, Grouping] = MappingProxyType({"islands": islands, "clades": clades})
