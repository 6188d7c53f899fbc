"""Proximal policy optimisation (arXiv:1707.06347) with a critic and generalised advantages (arXiv:1506.02438)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, pstdev

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.critic import Critic
from autotroph.optimize.algo.scores import EPSILON, scores
from autotroph.optimize.loss import Surrogate


def advantages(values: Sequence[float], reward: float, smoothing: float) -> list[float]:
    """Of each token, where the reward comes after the last one: the sum of smoothing^l delta_(t + l), delta_t the
    change of value from before the token to after it; nothing is discounted."""
    deltas = [after - before for before, after in pairwise([*values, reward])]
    found = [0.0]
    for delta in reversed(deltas):
        found.append(delta + smoothing * found[-1])
    return found[:0:-1]


class PPO:
    """Advantages per token by a critic that learns from the same steps, brought to mean 0 and spread 1.

    No group method: one trace a task is enough. The critic begins with each cycle: `optimize.gro.GRO` takes a copy of
    the algorithm as it was built. Steps in which nothing differs from what was expected are exact zeros.
    """

    loss = Surrogate()

    def __init__(self, smoothing: float = 0.95, clip: float = 0.2):
        self.smoothing, self.clip, self.critic = smoothing, clip, Critic()

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        scored = [one for group in groups for one in scores(group)]
        if not scored:
            return []
        traces = [trace for trace, _ in scored]
        values = self.critic.values(traces)
        found = [advantages(v, reward, self.smoothing) for v, (_, reward) in zip(values, scored, strict=True)]
        self.critic.fit(traces, [[a + b for a, b in zip(*own, strict=True)] for own in zip(found, values, strict=True)])
        flat = [advantage for own in found for advantage in own]
        mean, spread = fmean(flat), pstdev(flat)
        if spread < EPSILON:
            return []
        scaled = [[(advantage - mean) / spread for advantage in own] for own in found]
        return [Signal(t, own, 0.0, 0.0, self.clip, self.clip) for t, own in zip(traces, scaled, strict=True)]
