"""Evolution of thought: beside who is edited, an elite and its ancestor, from whose difference to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from autotroph.evolve.archive import Archive
from autotroph.evolve.policies.shared import finished, scores, unfinished
from autotroph.evolve.protocols import Choice, Expand, Left


@dataclass(frozen=True)
class Thought:
    """After arXiv:2403.11446. The living are the best `population` finished nodes; who is edited is the better of
    `tournament` of them. Second and third parent are an elite and what it was made from.

    Elites are the best `elites` finished nodes with a mean above that of their first parent; one of them is drawn.
    While there is none but the one that is edited, that one is the only parent. What is made of the three is the
    mutator's: `replay`, or a model that is shown the difference. `edits`: "any" for an edit of any finished node,
    whatever came of it.
    """

    name = "thought"
    population: int = 40
    tournament: int = 2
    elites: int = 5
    edits: Literal["elites", "any"] = "elites"

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        if evaluate := unfinished(archive):
            return evaluate
        nodes = finished(archive)
        order = nodes[np.argsort(-scores(archive, nodes), kind="stable")]
        entrants = rng.choice(order[: self.population], self.tournament)
        first = int(entrants[np.argmax(scores(archive, entrants))])
        models = self.models(archive, order[order != first])
        if not len(models):
            return Expand((first,))
        elite = int(rng.choice(models))
        return Expand((first, elite, int(archive.column("parent")[elite])))

    def models(self, archive: Archive, nodes: np.ndarray) -> np.ndarray:
        """Of these nodes [M], best first, those whose edits may be replayed."""
        parents = archive.column("parent")[nodes].astype(int)
        edited: np.ndarray = nodes[parents >= 0]
        if self.edits == "any":
            return edited
        better = scores(archive, edited) > scores(archive, parents[parents >= 0])
        best: np.ndarray = edited[better][: self.elites]
        return best
