"""Preferences that go in a circle: rock, paper, scissors, where no answer is best and a mixture is."""

from __future__ import annotations

import random
from collections.abc import Mapping

from autotroph.core.task import Task
from autotroph.tasks.procedural import Procedural

ANSWERS = "rps"
EDGES: Mapping[int, Mapping[str, float]] = {
    1: {"rs": 1.0, "pr": 1.0, "sp": 1.0},
    2: {"rs": 1.0, "pr": 0.25, "sp": 0.25},
}
"""Level -> (preferred and other answer) -> M: the first is preferred with probability (1 + M) / 2."""


class Preferences(Procedural):
    """Rock, paper or scissors, each alike at level 1; at level 2 rock beats scissors surely, the others barely.

    A prompt is a number, whose first digit is the level, and behind it the same level again as so many marks:
    "24711??". Against the others' mixture x the share of wins of every answer is 1/2 for the minimax winner, which is
    (1, 1, 1) / 3 at level 1 and (1, 4, 1) / 6 at level 2: an answer is as frequent as the two others beat each other.
    For the gold answer a rival is drawn: it is what is preferred to that.
    """

    name = "preferences"
    levels = range(1, 3)
    alphabet = "0123456789?" + ANSWERS

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        number = f"{level}{rng.randrange(10_000):04}"
        return number + "?" * level, ANSWERS[int(number) * 7 // 3 % 3]

    def prefers(self, task: Task, one: str, other: str) -> float:
        """Probability that `one` is preferred; what is no answer at all loses to any that is."""
        if one not in (*ANSWERS,) or other not in (*ANSWERS,):
            return (1 + (one in (*ANSWERS,)) - (other in (*ANSWERS,))) / 2
        return (1 + self.edge(task.level, one, other)) / 2

    def edge(self, level: int, one: str, other: str) -> float:
        edges = EDGES[level]
        return edges.get(one + other, 0.0) - edges.get(other + one, 0.0)

    def minimax(self, level: int) -> dict[str, float]:
        """The mixture that no answer is preferred to."""
        edges = EDGES[level]
        weights = {"r": edges["sp"], "p": edges["rs"], "s": edges["pr"]}
        return {answer: weight / sum(weights.values()) for answer, weight in weights.items()}

    def worst(self, level: int, shares: Mapping[str, float]) -> float:
        """Share of wins of a mixture of answers against the one that does best against it; 1/2 for the winner."""
        return min(
            sum(p * (1 + self.edge(level, answer, rival)) / 2 for answer, p in shares.items()) for rival in ANSWERS
        )

    def max_answer(self, level: int) -> int:
        return 1
