"""Direct preference optimisation (arXiv:2305.18290), on pairs of own answers."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from autotroph.optimize.algo.pairs import Paired
from autotroph.optimize.loss import Tokens


@dataclass(frozen=True)
class LogisticMargin:
    """Mean over the pairs of -log sigmoid(beta h), h the better one's log policy / reference minus the worse one's."""

    beta: float
    coupled: bool = True
    reference: bool = True

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        margin_P = margins(tokens)
        return {"preference": -F.logsigmoid(self.beta * margin_P).mean()}


def margins(tokens: Tokens) -> Tensor:
    """How much more the policy has moved to the better trace of each pair than to the worse one, in nats [P]."""
    better_P, worse_P = tokens.pairs
    moved_S = tokens.against_reference()
    return moved_S[better_P] - moved_S[worse_P]


class DPO(Paired):
    def __init__(self, beta: float = 0.1):
        self.loss = LogisticMargin(beta)
