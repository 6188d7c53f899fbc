"""The sampler: continuous batching over one transformer.

Every row has a slot of a cache that is allocated once. Rows that have ended leave, waiting ones enter; a prompt passes
the model once, however many samples are asked of it. A draw is a pure function of (row seed, step), so that a row's
result does not depend on its neighbours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.trace import Completion
from autotroph.models.batching import alike
from autotroph.models.fused import FusedDecoding, kernels_for
from autotroph.models.native import LANES
from autotroph.models.sampling import Choice, choose, uniform
from autotroph.models.threads import check_in, in_parallel
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import KVCache, Transformer

ROWS, MEMORY = 512, 1 << 30
"""Most rows at a time of one worker, and bytes of all caches."""

ALONE = 16
"""Rows for which a core is better used alone: with fewer of them, products are shared by all cores."""

PREFILL, STRETCH = 1 << 15, 1.1
"""Most prompt tokens that pass the model at once, and length of the longest as a multiple of the shortest."""


def compute_dtype() -> torch.dtype:
    """bf16 where the processor multiplies it natively (about twice the rate of fp32 products), fp32 elsewhere."""
    if torch.cuda.is_available():
        return torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


@dataclass(frozen=True)
class Request:
    """A prompt, and the rows of the call that go on from it."""

    prompt: tuple[int, ...]
    rows: list[int]


class Results:
    """What the rows of one call have come to: tokens and their log-probabilities [N, M], sums over tokens [N]."""

    def __init__(self, rows: int, tokens: int, device: torch.device):
        self.token = torch.zeros(rows, tokens, dtype=torch.long, device=device)
        self.logp = torch.zeros(rows, tokens, device=device)
        self.raw = torch.zeros(rows, tokens, device=device)
        self.entropy = torch.zeros(rows, device=device)
        self.certainty = torch.zeros(rows, device=device)
        self.length = torch.zeros(rows, dtype=torch.long, device=device)
        self.stopped = torch.zeros(rows, dtype=torch.bool, device=device)

    def note(self, row_B: Tensor, step_B: Tensor | int, choice: Choice, is_end_V: Tensor) -> Tensor:
        """Write down each row's token of a step; returns which of them are ends [B]."""
        self.token[row_B, step_B] = choice.token
        self.logp[row_B, step_B] = choice.logp
        self.raw[row_B, step_B] = choice.raw
        self.entropy[row_B] += choice.entropy
        self.certainty[row_B] -= choice.mean + log(len(is_end_V))
        self.length[row_B] = step_B + 1
        self.stopped[row_B] = stopped_B = is_end_V[choice.token]
        return stopped_B

    def completions(self) -> list[Completion]:
        columns = (self.token, self.logp, self.raw, self.entropy / self.length, self.certainty / self.length)
        return [
            Completion(
                tuple(token[:length]), tuple(logp[:length]), "stop" if stopped else "length", entropy,
                tuple(raw[:length]), certainty,
            )
            for token, logp, raw, entropy, certainty, length, stopped in zip(
                *(column.tolist() for column in (*columns, self.length, self.stopped)), strict=True
            )
        ]  # fmt: skip


class Engine:
    """Samples from one policy; implements `core.protocols.Sampler`. `memory`: bytes that its caches may take."""

    def __init__(
        self, model: Transformer, tokenizer: TextTokenizer, policy: Policy, meter: Meter, memory: int = MEMORY
    ):
        self.model, self.tokenizer, self.policy = model.eval(), tokenizer, policy
        self.meter, self.memory = meter, memory
        self.flops_per_token = 2 * sum(parameter.numel() for parameter in model.parameters())

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
        share = self.memory // len(shards)
        in_parallel(
            lambda shard: Batch(self, shard, params, spin_NM, limit_N, results, share).run(),
            shards,
            workers=len(shards),
        )
        return results.completions()


class Batch:
    """The rows that one worker is sampling: the first `len(self)` slots of its cache, and what belongs to each.

    `row`: the place of a slot's row in the results; `hidden`: what the model made of its last token.
    """

    def __init__(
        self,
        engine: Engine,
        requests: list[Request],
        params: SamplingParams,
        spin_NM: Tensor,
        limit_N: Tensor,
        results: Results,
        memory: int,
    ):
        self.engine, self.model, self.params, self.results = engine, engine.model, params, results
        self.spin_NM, self.limit_N = spin_NM, limit_N
        self.waiting = deque(requests)
        self.is_end_V = torch.zeros(self.model.config.vocab_size, dtype=torch.bool, device=spin_NM.device)
        self.is_end_V[[*engine.tokenizer.stop_ids, *params.stop]] = True
        weight = self.model.lm_head.weight
        positions = max(len(request.prompt) for request in requests) + params.max_tokens - 1
        kernels = kernels_for(self.model)
        lanes = 1 if kernels is None else LANES
        each = KVCache.bytes_for(self.model.config, positions, weight.dtype, lanes)
        self.slots = min(ROWS, sum(len(request.rows) for request in requests), memory // each)
        if self.slots == 0:
            raise AutotrophError(
                f"a row of {positions} tokens needs {each / 2**20:.1f} MB of cache and {memory / 2**20:.1f} MB are "
                "allowed; give more memory, shorter prompts or a lower max_tokens"
            )
        self.cache = self.model.cache(self.slots, positions, lanes)
        self.fused = None if kernels is None else FusedDecoding(self.model, kernels, self.cache)
        self.row = limit_N.new_empty(0)
        self.hidden = weight.new_empty(0, self.model.config.hidden_size)

    def __len__(self) -> int:
        return len(self.row)

    @torch.inference_mode()
    def run(self) -> None:
        while self.waiting or len(self):
            check_in()
            if self.waiting and self.slots - len(self) >= max(1, self.slots // 8):
                self._admit()
            going = self._choose()
            if len(self):
                self.hidden = self._advance(going)
                self._spend(len(self))

    def _begin(self, ids_BT: Tensor, begin: int) -> Tensor:
        if self.fused is not None:
            return self.fused.prefill(ids_BT, begin)
        cache = self.cache.rows(begin, begin + len(ids_BT))
        cache.length_B.zero_()
        return self.model(ids_BT, cache=cache)

    def _advance(self, token_B: Tensor) -> Tensor:
        if self.fused is not None:
            return self.fused(token_B)
        return self.model(token_B[:, None], cache=self.cache.rows(0, len(token_B)))[:, -1]

    def _admit(self) -> None:
        """Fill the free slots with waiting rows."""
        entering: list[Request] = []
        free = self.slots - len(self)
        while self.waiting and free:
            request = self.waiting.popleft()
            if len(request.rows) > free:
                self.waiting.appendleft(Request(request.prompt, request.rows[free:]))
            entering.append(Request(request.prompt, request.rows[:free]))
            free -= len(entering[-1].rows)
        lengths = [len(request.prompt) for request in entering]
        for batch in alike(lengths, len(entering), PREFILL, STRETCH):
            self._prefill(sorted((entering[i] for i in batch), key=lambda request: -len(request.rows)))

    def _prefill(self, requests: list[Request]) -> None:
        """Pass prompts of similar lengths through the model, padded on the right, and copy each to all its rows."""
        begin, count = len(self), len(requests)
        length = torch.tensor([len(request.prompt) for request in requests], device=self.row.device)
        longest = int(length.max())
        ids = [
            [*request.prompt, *[self.engine.tokenizer.pad_id] * (longest - len(request.prompt))] for request in requests
        ]
        states = self._begin(torch.tensor(ids, device=self.row.device), begin)
        self.cache.length_B[begin : begin + count] = length
        self._spend(count * longest)
        hidden = states[torch.arange(count, device=self.row.device), length - 1]
        rows, parts, place = [request.rows[0] for request in requests], [hidden], begin + count
        for copy in range(1, len(requests[0].rows)):
            more = [request.rows[copy] for request in requests if len(request.rows) > copy]
            self.cache.copy(slice(begin, begin + len(more)), slice(place, place + len(more)))
            rows, place = rows + more, place + len(more)
            parts.append(hidden[: len(more)])
        self.row = torch.cat((self.row, torch.tensor(rows, device=self.row.device)))
        self.hidden = torch.cat((self.hidden, *parts))

    def _choose(self) -> Tensor:
        """Draw a token for every row, note it, and let those go that have ended; returns the tokens of the others."""
        results, row_B = self.results, self.row
        step_B, logits_BV = results.length[row_B], self.model.lm_head(self.hidden)
        early_B = step_B < self.params.min_tokens
        choice = choose(logits_BV, self.params, self.spin_NM[row_B, step_B], early_B, self.is_end_V)
        if choice is None:
            raise AutotrophError(f"policy {self.engine.policy.id}: logits are not finite; its weights are damaged")
        stopped_B = results.note(row_B, step_B, choice, self.is_end_V)
        self.engine.meter.spend(tokens=len(self))
        return self._let_go(choice.token, stopped_B | (step_B + 1 == self.limit_N[row_B]))

    def _let_go(self, token_B: Tensor, ended_B: Tensor) -> Tensor:
        """Close the gaps that ended rows leave with the last rows; returns the tokens of those that stay."""
        staying = len(self) - int(ended_B.sum())
        if staying == len(self):
            return token_B
        gap = torch.nonzero(ended_B[:staying])[:, 0]
        last = staying + torch.nonzero(~ended_B[staying:])[:, 0]
        if len(gap):
            self.cache.copy(last, gap)
            for column in (self.row, token_B):
                column[gap] = column[last]
        self.row, self.hidden = self.row[:staying], self.hidden[:staying]
        return token_B[:staying]

    def _spend(self, tokens: int) -> None:
        self.engine.meter.spend(flops=self.engine.flops_per_token * tokens)


def dealt(requests: list[Request], workers: int) -> list[list[Request]]:
    """Requests dealt to at most so many workers, each in turn to whoever has the fewest rows."""
    shards: list[list[Request]] = [[] for _ in range(min(workers, len(requests)))]
    loads = [0] * len(shards)
    for request in requests:
        least = loads.index(min(loads))
        shards[least].append(request)
        loads[least] += len(request.rows)
    return shards
