"""Identity preference optimisation (arXiv:2310.12036): DPO whose margin has an end."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autotroph.optimize.algo.dpo import margins
from autotroph.optimize.algo.pairs import Paired
from autotroph.optimize.loss import Tokens


@dataclass(frozen=True)
class SquaredMargin:
    """Mean over the pairs of (h - 1 / (2 tau))^2, h as in DPO: it grows to where it is wanted and no further."""

    tau: float
    coupled: bool = True
    reference: bool = True

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        return {"preference": (margins(tokens) - 1 / (2 * self.tau)).square().mean()}


class IPO(Paired):
    def __init__(self, tau: float = 0.1):
        self.loss = SquaredMargin(tau)
