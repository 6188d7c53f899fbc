"""Group relative policy optimisation (arXiv:2402.03300; without the division by std, Dr. GRPO, arXiv:2503.20783)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import telling
from autotroph.optimize.loss import Loss, Surrogate


class GRPO:
    """Advantage of a trace: its reward minus the mean reward of its group, divided by the group's standard deviation
    where `normalise`.

    Traces without a reward take no part, neither in the mean nor in the loss. A group whose rewards are all equal (a
    group of one among them) says nothing and gives no signal. Every token weighs the same, whatever its trace's length.
    """

    loss: Loss = Surrogate()

    def __init__(self, normalise: bool = True, clip_low: float = 0.2, clip_high: float = 0.2, kl: float = 0.0):
        self.normalise, self.clip_low, self.clip_high, self.kl = normalise, clip_low, clip_high, kl

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        signals = []
        for scored in telling(groups):
            rewards = [reward for _, reward in scored]
            mean, scale = fmean(rewards), pstdev(rewards) if self.normalise else 1.0
            signals += [
                Signal(trace, (reward - mean) / scale, 0.0, self.kl, self.clip_low, self.clip_high)
                for trace, reward in scored
            ]
        return signals
