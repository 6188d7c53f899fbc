"""REINFORCE with a leave-one-out baseline (arXiv:2402.14740)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import telling
from autotroph.optimize.loss import Surrogate


class RLOO:
    """Advantage of a trace: its reward minus the mean reward of the others of its group, k / (k - 1) times what it is
    above the mean of all k: a baseline that does not depend on the trace leaves the gradient unbiased.

    A group of one has no others and gives no signal.
    """

    loss = Surrogate()

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        signals = []
        for scored in telling(groups):
            mean, k = fmean(reward for _, reward in scored), len(scored)
            signals += [Signal(trace, (reward - mean) * k / (k - 1)) for trace, reward in scored]
        return signals
