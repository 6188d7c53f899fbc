"""Negative-aware fine-tuning (arXiv:2505.18116): maximum likelihood that learns from wrong answers too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import Tensor

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import telling
from autotroph.optimize.loss import Loss, Tokens

Weight = Callable[[float], float]
"""Weight of a task, of the share of its answers that are right."""


def square_root(rate: float) -> float:
    """With it the on-policy gradient is GRPO's; with 1 - rate it is Dr. GRPO's."""
    return float(((1 - rate) / rate) ** 0.5)


@dataclass(frozen=True)
class ImplicitNegative:
    """-w (y log R + (1 - y) log((1 - q R) / (1 - q))) at each token, R its ratio, y its trace's reward, q = `rate`.

    If `policy` were that of the right answers, (old - q policy) / (1 - q) would be that of the wrong ones, whose
    likelihood is raised. Its ratio is kept above `floor` straight through: the gradient passes as if it were not.
    """

    floor: float = 1.0
    coupled: bool = False
    reference: bool = False

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        log_ratio_N, rate_N = tokens.logp_N - tokens.old_N, tokens.column("rate")
        right_N = (1 + tokens.column("sign")) / 2
        negative_N = (1 - rate_N * log_ratio_N.exp()) / (1 - rate_N)
        kept_N = negative_N + (negative_N.clamp(min=self.floor) - negative_N).detach()
        gain_N = right_N * log_ratio_N + (1 - right_N) * kept_N.log()
        return {"likelihood": -(tokens.column("advantage") * gain_N).sum() / tokens.counts["advantage"]}


class NFT:
    """Signals: `advantage` holds the task's weight, `rate` its mean reward, `sign` 2 y - 1. Rewards are in [0, 1].

    A group of equal rewards (one trace among them) gives no signal, as in the paper.
    """

    loss: Loss

    def __init__(self, weight: Weight = square_root, floor: float = 1.0):
        self.weight, self.loss = weight, ImplicitNegative(floor)

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        signals = []
        for scored in telling(groups):
            if not all(0 <= reward <= 1 for _, reward in scored):
                raise AutotrophError("nft: a reward is outside [0, 1]; it reads them as shares that are right")
            rate = fmean(reward for _, reward in scored)
            weight = self.weight(rate)
            signals += [Signal(trace, weight, sign=2 * reward - 1, rate=rate) for trace, reward in scored]
        return signals
