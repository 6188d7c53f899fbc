"""Mutators drawn by what has helped: the weight of each is times the chance that it helps, by the lessons so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotroph.evolve.cognition import taught
from autotroph.evolve.mutate.mixed import Mixed
from autotroph.evolve.mutate.syntax import Syntax
from autotroph.evolve.protocols import Edit, Mutator, Parent, Surroundings


@dataclass(frozen=True)
class Taught:
    """`parts`: mutators with the weights that they have while nothing is known; their names are those of the lessons in
    `around.briefing`."""

    parts: tuple[tuple[Mutator, float], ...]
    name: str = "taught"

    @property
    def parents(self) -> int:
        return max(mutator.parents for mutator, _ in self.parts)

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        mutators, weights = zip(*self.parts, strict=True)
        learnt = taught(weights, [one.name for one in mutators], around.briefing.lessons)
        return Mixed(tuple(zip(mutators, learnt, strict=True)), name=self.name).edit(parents, around)


def apart(parts: Sequence[tuple[Mutator, float]]) -> tuple[tuple[Mutator, float], ...]:
    """The same, `syntax` as one mutator for each kind of its edits, so that there can be a lesson of each."""
    found: list[tuple[Mutator, float]] = []
    for mutator, weight in parts:
        if not isinstance(mutator, Syntax):
            found.append((mutator, weight))
            continue
        total = sum(mutator.weights.values())
        for kind, own in mutator.weights.items():
            one = replace(mutator, weights={kind: 1.0}, name=f"{mutator.name}-{kind}")
            found.append((one, weight * own / total))
    return tuple(found)
