"""Reward-weighted supervised fine-tuning (Peters and Schaal 2007; with rewards 0 and 1, RFT at every step)."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import scores
from autotroph.optimize.loss import Surrogate


class WeightedSFT:
    """Likelihood of a trace, weighted by its reward.

    No group method: what a trace weighs depends on it alone. Rewards of 0 are exact zeros; negative ones are refused,
    for a likelihood that is driven down has no lower end.
    """

    loss = Surrogate()

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        scored = [one for group in groups for one in scores(group)]
        if any(reward < 0 for _, reward in scored):
            raise AutotrophError("weighted_sft: a reward is negative; shift rewards to 0 and above, or use reinforce")
        return [Signal(trace, likelihood=reward) for trace, reward in scored if reward > 0]
