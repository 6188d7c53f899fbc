"""Novelty: how far an answer is from the others of its group."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.trace import Group


@dataclass
class Novelty:
    """1 minus the mean overlap of an answer with the other ones of its group; None where the rollout failed or there is
    no other.

    Overlap of two texts: of their characters' n-grams, twice those that both have over all of them (Dice). A part for
    combinations: by itself it pays for noise.
    """

    verifier_calls: ClassVar[int] = 0
    n: int = 2
    name: str = "novelty"

    def score(self, group: Group) -> Group:
        counts = [None if t.error is not None else self._grams(t.text) for t in group.traces]

        def novelty(place: int) -> float | None:
            own = counts[place]
            others = [other for i, other in enumerate(counts) if i != place and other is not None]
            if own is None or not others:
                return None
            return 1 - sum(overlap(own, other) for other in others) / len(others)

        return Group(group.task, tuple(t.scored(self.name, novelty(i)) for i, t in enumerate(group.traces)))

    def _grams(self, text: str) -> Counter[str]:
        return Counter(text[i : i + self.n] for i in range(max(1, len(text) - self.n + 1)))


def overlap(one: Counter[str], other: Counter[str]) -> float:
    """Dice's coefficient of two multisets, 0 to 1."""
    return 2 * (one & other).total() / (one.total() + other.total())
