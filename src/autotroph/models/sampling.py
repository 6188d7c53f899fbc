"""From logits to tokens: the sampling distribution, and draws from it that depend on their row alone."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from autotroph.core.protocols import SamplingParams
from autotroph.models.native import kernels


class Choice(NamedTuple):
    """Tokens and what the distributions say of them, [B] each."""

    token: Tensor
    logp: Tensor
    """In the distribution that they were drawn from."""
    raw: Tensor
    """In the model's own."""
    entropy: Tensor
    """Of the model's own, in nats."""
    mean: Tensor
    """Mean over the vocabulary of the model's log-probabilities."""


def choose(
    logits_BV: Tensor, params: SamplingParams, spin_B: Tensor, early_B: Tensor, is_end_V: Tensor
) -> Choice | None:
    """A token for each row, by the number in (0, 1) that is its own; None where a logit is not finite.

    Rows that are `early` get none that is an end.
    """
    native = kernels(logits_BV.dtype) if logits_BV.device.type == "cpu" else None
    if native is not None:
        found = native.choose(logits_BV, params, spin_B, early_B, is_end_V)
        return None if found is None else Choice(*found)
    logits_BV = logits_BV.float()
    raw_BV = logits_BV.log_softmax(1)
    if not bool(torch.isfinite(raw_BV).all()):
        return None
    logp_BV = log_distribution(logits_BV.masked_fill(early_B[:, None] & is_end_V, float("-inf")), params)
    token_B = logp_BV.argmax(1) if params.temperature == 0 else draw(logp_BV, spin_B)
    logp_B, raw_B = (one.gather(1, token_B[:, None])[:, 0] for one in (logp_BV, raw_BV))
    return Choice(token_B, logp_B, raw_B, -(raw_BV.exp() * raw_BV).sum(1), raw_BV.mean(1))


def log_distribution(logits_BV: Tensor, params: SamplingParams) -> Tensor:
    """Log-probabilities of the sampling distribution [B, V]: temperature, then top-k, top-p and min-p.

    Tokens that are as likely as the last one inside are inside.
    """
    if params.temperature == 0:
        greedy = torch.full_like(logits_BV, float("-inf"))
        return greedy.scatter_(1, logits_BV.argmax(1, keepdim=True), 0.0)
    logits_BV = logits_BV / params.temperature
    if 0 < params.top_k < logits_BV.shape[1]:
        least = logits_BV.topk(params.top_k, dim=1).values[:, -1:]
        logits_BV = logits_BV.masked_fill(logits_BV < least, float("-inf"))
    if params.top_p < 1:
        ordered = logits_BV.sort(dim=1, descending=True).values
        mass = ordered.softmax(1)
        inside = (mass.cumsum(1) - mass < params.top_p).sum(1, keepdim=True)
        logits_BV = logits_BV.masked_fill(logits_BV < ordered.gather(1, inside - 1), float("-inf"))
    if params.min_p > 0:
        least = logits_BV.amax(1, keepdim=True) + torch.tensor(params.min_p).log()
        logits_BV = logits_BV.masked_fill(logits_BV < least, float("-inf"))
    return logits_BV.log_softmax(1)


def uniform(seed: Tensor, step: Tensor) -> Tensor:
    """A number in (0, 1) for each seed and step: a hash (the SplitMix64 finaliser) of both, 24 bits of it."""
    x = seed * -7046029254386353131 + (step + 1) * -4658895280553007687
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        x = (x ^ ((x >> shift) & ((1 << (64 - shift)) - 1))) * factor
    return (((x >> 40) & 0xFFFFFF).float() + 0.5) / (1 << 24)


def draw(logp_BV: Tensor, uniform_B: Tensor) -> Tensor:
    """The token [B] at which each row's cumulative distribution passes its number; never one of probability 0."""
    mass_BV = logp_BV.exp().cumsum(1)
    return (mass_BV < (uniform_B * mass_BV[:, -1])[:, None]).sum(1)
