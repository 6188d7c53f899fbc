"""From logits to tokens: the sampling distribution, and draws from it that depend on their row alone."""

from __future__ import annotations

import torch
from torch import Tensor

from autotroph.core.protocols import SamplingParams


def log_distribution(logits_BV: Tensor, params: SamplingParams) -> Tensor:
    """Log-probabilities of the sampling distribution [B, V]: temperature, then top-k, top-p and min-p."""
    if params.temperature == 0:
        greedy = torch.full_like(logits_BV, float("-inf"))
        return greedy.scatter_(1, logits_BV.argmax(1, keepdim=True), 0.0)
    logits_BV = logits_BV / params.temperature
    if 0 < params.top_k < logits_BV.shape[1]:
        least = logits_BV.topk(params.top_k, dim=1).values[:, -1:]
        logits_BV = logits_BV.masked_fill(logits_BV < least, float("-inf"))
    if params.top_p < 1:
        ordered, index = logits_BV.sort(dim=1, descending=True)
        mass = ordered.softmax(1)
        outside = mass.cumsum(1) - mass >= params.top_p
        logits_BV = logits_BV.masked_fill(outside.scatter(1, index, outside), float("-inf"))
    if params.min_p > 0:
        least = logits_BV.amax(1, keepdim=True) + torch.tensor(params.min_p).log()
        logits_BV = logits_BV.masked_fill(logits_BV < least, float("-inf"))
    return logits_BV.log_softmax(1)


def is_plain(params: SamplingParams) -> bool:
    """Whether the sampling distribution is the model's own."""
    shape = (params.temperature, params.top_k, params.top_p, params.min_p, params.min_tokens)
    return shape == (1.0, 0, 1.0, 0.0, 0)


def uniform(seed_B: Tensor, step_B: Tensor) -> Tensor:
    """A number in (0, 1) for each row: a hash (the SplitMix64 finaliser) of its seed and its step, 24 bits of it."""
    x = seed_B * -7046029254386353131 + (step_B + 1) * -4658895280553007687
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        x = (x ^ ((x >> shift) & ((1 << (64 - shift)) - 1))) * factor
    return (((x >> 40) & 0xFFFFFF).float() + 0.5) / (1 << 24)


def draw(logp_BV: Tensor, uniform_B: Tensor) -> Tensor:
    """The token [B] at which each row's cumulative distribution passes its number; never one of probability 0."""
    mass_BV = logp_BV.exp().cumsum(1)
    return (mass_BV < (uniform_B * mass_BV[:, -1])[:, None]).sum(1)
