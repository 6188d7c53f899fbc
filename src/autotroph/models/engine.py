"""The sampler: continuous batching over one transformer.

Every row has a slot of a cache that is allocated once. Rows that have ended leave, waiting ones enter; a prompt passes
the model once, however many samples are asked of it. A draw is a pure function of (row seed, step), so that a row's
result does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.trace import Completion
from autotroph.models.batch import Job, Request, TorchBatch
from autotroph.models.fused import FusedBatch, Layers, kernels_for
from autotroph.models.results import Results
from autotroph.models.sampling import uniform
from autotroph.models.threads import in_parallel
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import Transformer

MEMORY = 1 << 30
"""Bytes of all caches."""

ALONE = 16
"""Rows for which a core is better used alone: with fewer of them, products are shared by all cores."""


def compute_dtype() -> torch.dtype:
    """bf16 where the processor multiplies it natively (about twice the rate of fp32 products), fp32 elsewhere."""
    if torch.cuda.is_available():
        return torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


class Engine:
    """Samples from one policy; implements `core.protocols.Sampler`. `memory`: bytes that its caches may take."""

    def __init__(
        self, model: Transformer, tokenizer: TextTokenizer, policy: Policy, meter: Meter, memory: int = MEMORY
    ):
        self.model, self.tokenizer, self.policy = model.eval(), tokenizer, policy
        self.meter, self.memory = meter, memory
        self.flops_per_token = 2 * model.size

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        seeds: Sequence[int],
        limits: Sequence[int] | None = None,
    ) -> list[Completion]:
        """One completion for each prompt, in order. A prompt without tokens is opened with <bos>.

        `limits`: most tokens of each row, at most `params.max_tokens`, which holds where they are not given. Raises
        AutotrophError where the cache has no room for a single row, and on logits that are not finite.
        """
        if not prompts:
            return []
        rows: dict[tuple[int, ...], list[int]] = {}
        for row, prompt in enumerate(prompts):
            rows.setdefault(tuple(prompt) or (self.tokenizer.bos_id,), []).append(row)
        requests = sorted((Request(*one) for one in rows.items()), key=lambda one: (len(one.prompt), one.rows))
        device = self.model.lm_head.weight.device
        results = Results(len(prompts), params.max_tokens, device)
        step_M = torch.arange(params.max_tokens, device=device)
        spin_NM = uniform(torch.tensor(seeds, device=device)[:, None], step_M)
        limit_N = torch.tensor(limits or [params.max_tokens] * len(prompts), device=device).clamp(max=params.max_tokens)
        workers = torch.get_num_threads() if device.type == "cpu" else 1
        shards = dealt(requests, max(1, min(workers, len(prompts) // ALONE)))
        job = Job(
            self.model, self.tokenizer, self.policy, self.meter, params, spin_NM, limit_N, results,
            self.memory // len(shards), self.flops_per_token,
        )  # fmt: skip
        kernels = kernels_for(self.model)
        layers = None if kernels is None else Layers(self.model, kernels)
        in_parallel(
            lambda shard: (TorchBatch(job, shard) if layers is None else FusedBatch(job, shard, layers)).run(),
            shards,
            workers=len(shards),
        )
        return results.completions()


def dealt(requests: list[Request], workers: int) -> list[list[Request]]:
    """Requests dealt to at most so many workers, each in turn to whoever has the fewest rows.

    One with more rows than a worker's share is dealt in parts, each of which passes its prompt.
    """
    share = -(-sum(len(request.rows) for request in requests) // workers)
    parts = [
        Request(request.prompt, request.rows[i : i + share])
        for request in requests
        for i in range(0, len(request.rows), share)
    ]
    shards: list[list[Request]] = [[] for _ in range(min(workers, len(parts)))]
    loads = [0] * len(shards)
    for part in parts:
        least = loads.index(min(loads))
        shards[least].append(part)
        loads[least] += len(part.rows)
    return shards
