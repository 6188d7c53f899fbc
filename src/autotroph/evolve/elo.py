"""Elo ratings, and a tournament of ideas that are proposed, matched by a noisy judge, and evolved.

Elo (1978): expected score E = 1 / (1 + 10^((R_b - R_a) / 400)), and after a match R_a rises by K (score - E), R_b falls
by as much. arXiv:2502.18864 rates hypotheses so, each beginning at 1200; K is not told there, as far as was read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from autotroph.core.errors import AutotrophError

START = 1200.0
K = 32.0


def expected(rating: float, other: float) -> float:
    """Score that a player is expected to make against another one, in (0, 1)."""
    return float(1 / (1 + 10 ** ((other - rating) / 400)))


def rated(ratings: list[float], one: int, other: int, score: float, k: float = K) -> None:
    """What a match makes of two ratings, in place; `score` of the first: 1 won, 1/2 drawn, 0 lost."""
    if not 0 <= score <= 1:
        raise AutotrophError(f"elo: a score of {score}; give one from 0, lost, to 1, won")
    change = k * (score - expected(ratings[one], ratings[other]))
    ratings[one] += change
    ratings[other] -= change


Judge = Callable[[float, float, np.random.Generator], bool]
"""Whether the first of two ideas, with these true qualities, wins."""


def judge(noise: float) -> Judge:
    """Each side's quality is seen with its own error, N(0, noise)."""
    return lambda one, other, rng: bool(one - other + noise * np.sqrt(2) * rng.standard_normal() > 0)


def coin(one: float, other: float, rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)


def proposed(parent: float | None, heredity: float, rng: np.random.Generator) -> float:
    """True quality of a new idea, N(0, 1), or of an edit, h parent + N(0, 1 - h^2): without selection that is N(0, 1),
    too, so that edits alone lead nowhere."""
    share = 0.0 if parent is None else heredity
    return float(share * (parent or 0.0) + np.sqrt(1 - share**2) * rng.standard_normal())


@dataclass
class Tournament:
    """Ideas with a hidden quality, N(0, 1) where they are new. A round: `born` ideas come in, every other one new and
    every other one an edit of one of the `top` by rating, and each plays `matches`, against the nearest in rating of
    those that have been drawn for it."""

    decide: Judge
    rng: np.random.Generator
    born: int = 4
    top: int = 3
    matches: int = 12
    heredity: float = 0.9
    quality: list[float] = field(default_factory=list)
    ratings: list[float] = field(default_factory=list)
    played: int = 0

    @property
    def calls(self) -> int:
        """Ideas that were made, and matches."""
        return len(self.quality) + self.played

    def round(self) -> None:
        first = len(self.quality)
        for number in range(self.born):
            self.enter(new=number % 2 == 0 or not first)
        for _ in range(self.matches):
            for idea in range(first, len(self.quality)):
                self.match(idea)

    def enter(self, new: bool) -> None:
        parent = None if new else self.quality[int(self.rng.choice(self.leaders(self.top)))]
        self.quality.append(proposed(parent, self.heredity, self.rng))
        self.ratings.append(START)

    def match(self, idea: int) -> None:
        """Against that one of the leaders and of three others by chance whose rating is the nearest."""
        drawn = self.rng.integers(len(self.quality), size=3)
        others = [int(one) for one in (*self.leaders(self.top), *drawn) if one != idea]
        if others:
            other = min(others, key=lambda one: abs(self.ratings[one] - self.ratings[idea]))
            won = self.decide(self.quality[idea], self.quality[other], self.rng)
            rated(self.ratings, idea, other, float(won))
            self.played += 1

    def leaders(self, count: int) -> list[int]:
        """The ideas with the highest ratings, best first."""
        return [int(one) for one in np.argsort(-np.array(self.ratings), kind="stable")[:count]]
