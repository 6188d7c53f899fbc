"""Kahneman-Tversky optimisation (arXiv:2402.01306): each answer is wanted or not; no pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from autotroph.core.protocols import Signal
from autotroph.core.trace import Group
from autotroph.optimize.algo.scores import scores
from autotroph.optimize.loss import Loss, Tokens


@dataclass(frozen=True)
class Prospect:
    """Mean over the traces of 1 - sigmoid(sign beta (m - z)), m = log policy / reference of a trace.

    z, where a gain begins, is KL(policy || reference), at least 0 and without a gradient: the mean m of the step,
    whose traces are the policy's own (the paper, which learns from others', takes prompts with other prompts' answers).
    """

    beta: float
    coupled: bool = True
    reference: bool = True

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        moved_S = tokens.against_reference()
        start = moved_S.detach().mean().clamp(min=0)
        return {"preference": (1 - (tokens.field("sign") * self.beta * (moved_S - start)).sigmoid()).mean()}


class KTO:
    """Wanted is a trace whose reward is at least `bar`. No group method: each trace counts by itself."""

    loss: Loss

    def __init__(self, beta: float = 0.1, bar: float = 0.5):
        self.loss, self.bar = Prospect(beta), bar

    def signals(self, groups: Sequence[Group]) -> list[Signal]:
        scored = [one for group in groups for one in scores(group)]
        return [Signal(trace, sign=1.0 if reward >= self.bar else -1.0) for trace, reward in scored]
