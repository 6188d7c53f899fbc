"""Whether a sampler draws from the very model that is trained: its log-probabilities beside the trainer's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Sampler, SamplingParams
from autotroph.core.trace import Trace
from autotroph.models.transformer import Transformer

MEAN, WORST = 0.05, 1.0
"""Bounds in nats, wide enough for a sampler in bf16. They find other weights, not ones that are a small step behind."""


class Drift(NamedTuple):
    """Absolute differences of log-probabilities, in nats, over so many sampled tokens."""

    mean: float
    worst: float
    tokens: int


def check_drift(sampler_N: Tensor, trainer_N: Tensor, mean: float = MEAN, worst: float = WORST) -> Drift:
    """Of the same N sampled tokens, [N] each; what was sampled at a temperature or truncated differs by that as well.

    Raises AutotrophError where there are no tokens, and beyond either bound, which what is not finite always is.
    """
    if len(sampler_N) != len(trainer_N) or not len(sampler_N):
        raise AutotrophError(
            f"drift: {len(sampler_N)} sampled and {len(trainer_N)} trained tokens; give the same ones, and at least one"
        )
    gap_N = (sampler_N.cpu().double() - trainer_N.cpu().double()).abs()
    drift = Drift(float(gap_N.mean()), float(gap_N.max()), len(gap_N))
    if not (drift.mean <= mean and drift.worst <= worst):
        raise AutotrophError(
            f"drift: sampler and trainer differ by {drift.mean:.3g} nats on average (bound {mean:g}) and by up to "
            f"{drift.worst:.3g} (bound {worst:g}) on {drift.tokens} tokens; give the sampler the trainer's weights, "
            "and sample at temperature 1 without truncation"
        )
    return drift


def probe(
    sampler: Sampler,
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    tokens: int = 32,
    mean: float = MEAN,
    worst: float = WORST,
) -> Drift:
    """`check_drift` on fresh samples of at most so many tokens, and what the model makes of them, one row at a time."""
    opened = [list(prompt) or [sampler.tokenizer.bos_id] for prompt in prompts]
    done = sampler.sample(opened, SamplingParams(max_tokens=tokens), range(len(opened)))
    sampled = [logp for one in done for logp in one.logprobs]
    trained = [_logprobs(model, prompt, one.ids) for prompt, one in zip(opened, done, strict=True)]
    return check_drift(torch.tensor(sampled), torch.cat(trained) if trained else torch.empty(0), mean, worst)


ROWS = 16
"""Rows that pass the model at once."""


@torch.inference_mode()
def trace_logprobs(model: Transformer, traces: Sequence[Trace]) -> list[float]:
    """What the model makes of every token that was sampled, trace after trace."""
    found: list[float] = []
    for begin in range(0, len(traces), ROWS):
        rows = traces[begin : begin + ROWS]
        longest = max(len(trace.ids) for trace in rows)
        ids_BT = torch.tensor([[*trace.ids, *[0] * (longest - len(trace.ids))] for trace in rows])
        sampled_BT = torch.tensor([[*trace.sampled, *[False] * (longest - len(trace.ids))] for trace in rows])
        ids_BT, chosen_BT = ids_BT.to(model.lm_head.weight.device), sampled_BT[:, 1:]
        logits_NV = model.logits(model(ids_BT[:, :-1])[chosen_BT])
        found += logits_NV.log_softmax(1).gather(1, ids_BT[:, 1:][chosen_BT][:, None])[:, 0].tolist()
    return found


@torch.inference_mode()
def _logprobs(model: Transformer, prompt: Sequence[int], answer: Sequence[int]) -> Tensor:
    """Of the answer's tokens [N]."""
    ids = torch.tensor([*prompt, *answer], device=model.lm_head.weight.device)
    logits = model.logits(model(ids[None, :-1])[0, len(prompt) - 1 :])
    return logits.log_softmax(1).gather(1, ids[len(prompt) :, None])[:, 0].cpu()
