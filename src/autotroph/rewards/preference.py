"""Rewards from preferences between answers: one's share of wins, or a score that is fitted to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task, stable_hash
from autotroph.core.trace import Group
from autotroph.rewards.measure import votes

Prefers = Callable[[Task, str, str], float]
"""Probability that the first answer is preferred to the second."""


@dataclass
class Wins:
    """Share of wins against the other samples of the group (SPO, arXiv:2401.04056); the group's mean is 1/2.

    None where the rollout failed, or there is nobody to win against. `shuffled`: everybody gets somebody else's share
    at random: no preference is left in it. Raises AutotrophError on a preference outside [0, 1].
    """

    verifier_calls: ClassVar[int] = 1
    prefers: Prefers
    shuffled: bool = False
    name: str = "wins"

    def score(self, group: Group) -> Group:
        ballot = votes(group.traces)
        others = ballot.total() - 1
        shares = {
            text: (sum(n * self._preference(group.task, text, other) for other, n in ballot.items()) - 0.5) / others
            for text in ballot
            if others > 0
        }
        found = [None if trace.error else shares.get(trace.text) for trace in group.traces]
        if self.shuffled:
            random.Random(stable_hash(group.task.key, *(str(trace.logprobs) for trace in group.traces))).shuffle(found)
        scored = zip(group.traces, found, strict=True)
        return Group(group.task, tuple(trace.scored(self.name, share) for trace, share in scored))

    def _preference(self, task: Task, one: str, other: str) -> float:
        return checked(0.5 if one == other else self.prefers(task, one, other), self.name)


@dataclass
class BradleyTerry:
    """r of an answer, where P(a is preferred to b) = sigmoid(r_a - r_b) is fitted to all pairs of `answers`.

    No such score can go in a circle: of three answers that beat each other, the one with the most wins is best. None
    for an answer that is none of them.
    """

    verifier_calls: ClassVar[int] = 1
    prefers: Prefers
    answers: Sequence[str]
    name: str = "bradley_terry"
    _fits: dict[tuple[float, ...], list[float]] = field(default_factory=dict, init=False, repr=False)

    def score(self, group: Group) -> Group:
        pairs = [(a, b) for a in self.answers for b in self.answers if a != b]
        wins = tuple(checked(self.prefers(group.task, a, b), self.name) for a, b in pairs)
        if wins not in self._fits:
            self._fits[wins] = fitted(wins, len(self.answers))
        scores = dict(zip(self.answers, self._fits[wins], strict=True))
        found = [None if trace.error else scores.get(trace.text) for trace in group.traces]
        scored = zip(group.traces, found, strict=True)
        return Group(group.task, tuple(trace.scored(self.name, score) for trace, score in scored))


def fitted(wins: Sequence[float], n: int) -> list[float]:
    """Scores of n answers of greatest likelihood, their mean 0, for preferences of all ordered pairs (i, j), i != j.

    A weak normal prior keeps the score of what always wins finite.
    """
    first, second = np.array([(i, j) for i in range(n) for j in range(n) if i != j]).T

    def loss(r: np.ndarray) -> float:
        return float(-np.dot(wins, log_expit(r[first] - r[second])) + 1e-2 * np.dot(r, r))

    scores = minimize(loss, np.zeros(n)).x
    return list(map(float, scores - scores.mean()))


def checked(preference: float, name: str) -> float:
    if isnan(preference) or not 0 <= preference <= 1:
        raise AutotrophError(f"reward '{name}': a preference of {preference} is no probability; return one in [0, 1]")
    return preference
