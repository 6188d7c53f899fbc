"""Group relative policy optimisation (arXiv:2402.03300; without the division by std, Dr. GRPO, arXiv:2503.20783)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.loss import Surrogate

EPSILON = 1e-6


class GRPO:
    """Advantage of a trace: its reward minus the mean reward of its group, divided by the group's standard deviation
    where `normalise`.

    Traces without a reward take no part, neither in the mean nor in the loss. A group whose rewards are all equal (a
    group of one among them) says nothing and gives no signal. Clipping is asymmetric as in DAPO (arXiv:2503.14476).
    """

    loss = Surrogate()

    def __init__(self, normalise: bool = True, clip_low: float = 0.2, clip_high: float = 0.28, kl: float = 0.0):
        self.normalise, self.clip_low, self.clip_high, self.kl = normalise, clip_low, clip_high, kl

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        signals = []
        for group in groups:
            scored = [(trace, trace.reward) for trace in group.kept]
            rewards = [reward for _, reward in scored if reward is not None]
            spread = pstdev(rewards) if rewards else 0.0
            if spread < EPSILON:
                continue
            mean, scale = fmean(rewards), spread if self.normalise else 1.0
            signals += [
                Signal(trace, (reward - mean) / scale, 0.0, self.kl, self.clip_low, self.clip_high)
                for trace, reward in scored
                if reward is not None
            ]
        return signals
