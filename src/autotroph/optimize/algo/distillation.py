"""Distillation: on-policy (arXiv:2306.13649), and from the average of one's own steps (arXiv:1703.01780)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.loss import Loss, Surrogate, Tokens


@dataclass(frozen=True)
class ReverseKL:
    """KL(policy || reference) at the tokens that the policy sampled: R (log policy - log reference), R their ratio.

    The difference is a cost without a gradient of its own: what is descended is the policy gradient of that cost.
    """

    coupled: bool = False
    reference: bool = True

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        assert tokens.reference_N is not None, "a loss asks for a reference: give the optimiser one"
        ratio_N = (tokens.logp_N - tokens.old_N).exp()
        cost_N = (tokens.logp_N - tokens.reference_N).detach()
        return {"distillation": (tokens.column("kl") * ratio_N * cost_N).sum() / tokens.counts["kl"]}


class OnPolicyDistillation:
    """Own samples, all of them, drawn to the reference; no reward is read."""

    loss: Loss = ReverseKL()

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        return [Signal(trace, kl=1.0) for group in groups for trace in group.kept]


class EMATeacher:
    """What was kept is learnt, while the policy is drawn to its teacher, the average of its steps, on the same tokens.

    The surrogate's KL term has the gradient (1 - teacher / policy) of each token's log-probability.
    """

    loss: Loss = Surrogate()

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        return [Signal(trace, likelihood=1.0, kl=self.weight) for group in groups for trace in group.kept]
