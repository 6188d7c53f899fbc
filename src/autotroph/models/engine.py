"""The sampler: many prompts through one transformer at a time.

Prompts of similar lengths form batches, padded on the left; rows that have finished leave them. Randomness is a pure
function of (row seed, position, token), so a row's result does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.trace import Completion
from autotroph.models.batching import alike
from autotroph.models.threads import check_in, in_parallel, workers_for
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import KVCache, Transformer

ROWS, TOKENS, STRETCH = 512, 1 << 16, 1.25
"""Most rows and prompt tokens of a batch, and the length of its longest prompt as a multiple of its shortest."""


def compute_dtype() -> torch.dtype:
    """bf16 where the processor multiplies it natively (about twice the rate of fp32 products), fp32 elsewhere."""
    if torch.cuda.is_available():
        return torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def gumbel(seeds_B: Tensor, step: int, tokens: int) -> Tensor:
    """Gumbel noise [B, V], each entry a hash (the SplitMix64 finaliser) of its row's seed, the step and the token."""
    column = torch.arange(tokens, device=seeds_B.device) + step * tokens
    x = seeds_B[:, None] * -7046029254386353131 + column * -4658895280553007687
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        x = (x ^ ((x >> shift) & ((1 << (64 - shift)) - 1))) * factor
    uniform = (((x >> 40) & 0xFFFFFF).float() + 0.5) / (1 << 24)
    return -(-uniform.log()).log()


def truncated(logits_BV: Tensor, params: SamplingParams) -> Tensor:
    """Log-probabilities of the sampling distribution [B, V]: temperature, then top-k, then top-p."""
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
    return logits_BV.log_softmax(1)


class Engine:
    """Samples from one policy; implements `core.protocols.Sampler`."""

    def __init__(self, model: Transformer, tokenizer: TextTokenizer, policy: Policy, meter: Meter):
        self.model, self.tokenizer, self.policy, self.meter = model.eval(), tokenizer, policy, meter
        self.flops_per_token = 2 * sum(parameter.numel() for parameter in model.parameters())

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """One completion for each prompt, in order. A prompt without tokens is opened with <bos>."""
        batches = alike([len(prompt) for prompt in prompts], ROWS, TOKENS, STRETCH)
        done = in_parallel(
            lambda rows: self._batch([prompts[row] for row in rows], params, [seeds[row] for row in rows]),
            batches,
            workers=workers_for(self.model),
        )
        order = [row for rows in batches for row in rows]
        completions = dict(zip(order, (one for batch in done for one in batch), strict=True))
        return [completions[row] for row in range(len(prompts))]

    @torch.inference_mode()
    def _batch(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """Sample prompts of similar lengths to their ends."""
        hidden_BC, cache = self._prefill(prompts, params.max_tokens)
        seeds_B = torch.tensor(seeds)
        chosen = torch.zeros(len(prompts), params.max_tokens, dtype=torch.long)
        logprob = torch.zeros(len(prompts), params.max_tokens)
        entropy = torch.zeros(len(prompts), params.max_tokens)
        length = torch.full((len(prompts),), params.max_tokens)
        live = torch.arange(len(prompts))
        for step in range(params.max_tokens):
            check_in()
            logits_BV = self.model.logits(hidden_BC)
            if not bool(torch.isfinite(logits_BV).all()):
                raise AutotrophError(f"policy {self.policy.id}: logits are not finite; its weights are damaged")
            raw_BV = logits_BV.log_softmax(1)
            logp_BV = truncated(logits_BV, params)
            noisy = logp_BV + gumbel(seeds_B[live], step, logp_BV.shape[1]) if params.temperature else logp_BV
            token_B = noisy.argmax(1)
            chosen[live, step] = token_B
            logprob[live, step] = logp_BV.gather(1, token_B[:, None])[:, 0]
            entropy[live, step] = -(raw_BV.exp() * raw_BV).sum(1)
            ended = token_B == self.tokenizer.eos_id
            length[live[ended]] = step + 1
            self.meter.spend(tokens=len(live))
            if bool(ended.any()):
                going = torch.nonzero(~ended)[:, 0]
                live, token_B = live[going], token_B[going]
                cache.take(going)
            if not len(live):
                break
            if step + 1 < params.max_tokens:
                hidden_BC = self.model(token_B[:, None], cache)[:, -1]
                self.meter.spend(flops=self.flops_per_token * len(live))
        mean_entropy = entropy.sum(1) / length
        completions = []
        for i, count in enumerate(length.tolist()):
            ids = tuple(chosen[i, :count].tolist())
            stop = "stop" if ids[-1] == self.tokenizer.eos_id else "length"
            completions.append(Completion(ids, tuple(logprob[i, :count].tolist()), stop, float(mean_entropy[i])))
        return completions

    def _prefill(self, prompts: Sequence[Sequence[int]], room: int) -> tuple[Tensor, KVCache]:
        """Each different prompt passes the model once: hidden states [B, C] after the prompts, and their cache with
        `room` for new tokens."""
        opened = [tuple(prompt) or (self.tokenizer.bos_id,) for prompt in prompts]
        place = {prompt: i for i, prompt in enumerate(dict.fromkeys(opened))}
        longest = max(map(len, place))
        starts = [longest - len(prompt) for prompt in place]
        ids_UT = torch.tensor([[self.tokenizer.pad_id] * (longest - len(prompt)) + list(prompt) for prompt in place])
        cache = self.model.cache(len(prompts), longest + room)
        if any(starts):
            cache.starts_B = torch.tensor(starts)
        hidden_BC = self.model(ids_UT, cache)[:, -1]
        self.meter.spend(flops=self.flops_per_token * ids_UT.numel())
        if len(place) < len(prompts):
            rows = torch.tensor([place[prompt] for prompt in opened])
            cache.take(rows)
            hidden_BC = hidden_BC[rows]
        return hidden_BC, cache
