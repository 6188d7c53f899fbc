"""REINFORCE (Williams 1992) with the mean reward of the step as its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import EPSILON, scores
from autotroph.optimize.loss import Surrogate


class REINFORCE:
    """Advantage of a trace: its reward minus the mean reward of all traces of the step, whatever their tasks.

    No group method: one trace a task is enough, and a group of equal rewards speaks where other groups differ from it.
    Steps whose rewards are all equal are exact zeros.
    """

    loss = Surrogate()

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        scored = [one for group in groups for one in scores(group)]
        baseline = fmean(reward for _, reward in scored) if scored else 0.0
        signals = [Signal(trace, reward - baseline) for trace, reward in scored]
        return signals if any(abs(reward - baseline) > EPSILON for _, reward in scored) else []
