"""Simple preference optimisation (arXiv:2405.14734): pairs, no reference, log-probabilities per token."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from autotroph.optimize.algo.pairs import Paired
from autotroph.optimize.loss import Tokens


@dataclass(frozen=True)
class LengthNormalised:
    """Mean over the pairs of -log sigmoid(beta (better - worse) - gamma), each the mean of its tokens' logp."""

    beta: float
    gamma: float
    coupled: bool = True
    reference: bool = False

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        mean_S = tokens.per_trace(tokens.logp_N) / tokens.per_trace(torch.ones_like(tokens.logp_N))
        better_P, worse_P = tokens.pairs
        margin_P = self.beta * (mean_S[better_P] - mean_S[worse_P]) - self.gamma
        return {"preference": -F.logsigmoid(margin_P).mean()}


class SimPO(Paired):
    def __init__(self, beta: float = 2.0, gamma: float = 1.0):
        self.loss = LengthNormalised(beta, gamma)
