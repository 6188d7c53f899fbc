"""Group sequence policy optimisation (arXiv:2507.18071)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.loss import Loss, Tokens


@dataclass(frozen=True)
class SequenceSurrogate:
    """Mean over the traces of -min(s A, clip(s) A), s = exp(mean of a trace's log ratios): one ratio for a trace."""

    coupled: bool = False
    reference: bool = False

    def __call__(self, tokens: Tokens) -> dict[str, Tensor]:
        lengths_S = tokens.per_trace(torch.ones_like(tokens.logp_N))
        ratio_S = (tokens.per_trace(tokens.logp_N - tokens.old_N) / lengths_S).exp()
        advantage_S = tokens.field("advantage")
        clipped_S = ratio_S.clamp(1 - tokens.field("clip_low"), 1 + tokens.field("clip_high"))
        gain_S = torch.minimum(ratio_S * advantage_S, clipped_S * advantage_S)
        return {"advantage": -gain_S.sum() / tokens.counts["traces"]}


class GSPO(GRPO):
    """GRPO's advantages; ratio, clipping and weight are those of whole traces.

    The paper clips at 3e-4 and 4e-4, for traces of thousands of tokens whose mean log ratio hardly moves; those here
    have ten, and as the noise of a mean falls with the root of their number, the clip is that much wider.
    """

    loss: Loss = SequenceSurrogate()

    def __init__(self, clip_low: float = 3e-2, clip_high: float = 4e-2):
        super().__init__(True, clip_low, clip_high)
