"""Mate choice: who is chosen first picks its mate by a preference of its own, which it has inherited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import ROOT, finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left

MOST = 52
"""Tasks that a preference can speak of: it is kept as a whole number in a tag, which is a float."""


@dataclass(frozen=True)
class MateChoice:
    """After arXiv:2303.17441. The living are the last `population` finished nodes. The first parent is the best of a
    tournament among them; of another `suitors`, drawn without regard to their scores, it takes the nearest to its ideal
    mate. Mean outcomes decide nothing else.

    An ideal is one bit a task, what the ideal mate comes to on it; the distance is the mean of |outcome - bit|. It is
    inherited as a genome is: each bit from one of the parents by chance, and with chance `mutation` over the number of
    tasks another one. In the paper an ideal is a tree of the genome's own kind; a policy knows outcomes alone. It is in
    a node's tag, so that the archive remembers it. `mates`: "random" for a mate without any preference, "drawn" for an
    ideal that is drawn anew for every mating and so cannot evolve.
    """

    name = "mate_choice"
    population: int = 40
    tournament: int = 3
    suitors: int = 5
    mutation: float = 1.0
    mates: Literal["preferred", "random", "drawn"] = "preferred"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        living = finished(archive)[-self.population :]
        if len(archive) <= self.population:
            return Expand((ROOT,), int(packed(rng.integers(2, size=self.spoken(archive)))))
        entrants = rng.choice(living, self.tournament)
        first = int(entrants[np.argmax(scores(archive, entrants))])
        mate = self.mate(archive, first, rng.choice(living, self.suitors), rng)
        return Expand((first, mate), self.inherited(archive, (first, mate), rng))

    def mate(self, archive: Archive, first: int, suitors: np.ndarray, rng: np.random.Generator) -> int:
        """Of these nodes [M] the nearest to the ideal of the first, the earliest of several."""
        if self.mates == "random":
            return int(suitors[0])
        size = self.spoken(archive)
        ideal_T = self.ideal(archive, first) if self.mates == "preferred" else rng.integers(2, size=size)
        distance_M = np.abs(np.nan_to_num(archive.table[suitors, :size]) - ideal_T).mean(axis=1)
        return int(suitors[np.argmin(distance_M)])

    def ideal(self, archive: Archive, node: int) -> np.ndarray:
        """What the node's ideal mate comes to on each task [T], 0 or 1."""
        return unpacked(archive.nodes[node].tag, self.spoken(archive))

    def inherited(self, archive: Archive, parents: tuple[int, int], rng: np.random.Generator) -> int:
        """A child's ideal, as its tag."""
        size = self.spoken(archive)
        ideals_2T = np.stack([self.ideal(archive, parent) for parent in parents])
        ideal_T = ideals_2T[rng.integers(2, size=size), np.arange(size)]
        return packed(ideal_T ^ (rng.random(size) < self.mutation / size))

    def spoken(self, archive: Archive) -> int:
        """Tasks that an ideal speaks of."""
        return min(archive.tasks, MOST)


def packed(bits_T: np.ndarray) -> int:
    return sum(int(bit) << place for place, bit in enumerate(bits_T))


def unpacked(number: int, size: int) -> np.ndarray:
    return np.array([number >> place & 1 for place in range(size)])
