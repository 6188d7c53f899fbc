"""The rows that one worker is sampling: those that have ended leave, waiting ones enter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.models.batching import alike
from autotroph.models.graphs import GraphDecoding
from autotroph.models.results import Results
from autotroph.models.sampling import choose
from autotroph.models.threads import check_in
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import KVCache, Transformer

ROWS = 512
"""Most rows at a time of one worker."""

PREFILL, STRETCH = 1 << 15, 1.1
"""Most prompt tokens that pass the model at once, and length of the longest as a multiple of the shortest."""


@dataclass(frozen=True)
class Request:
    """A prompt, and the rows of the call that go on from it."""

    prompt: tuple[int, ...]
    rows: list[int]


@dataclass(frozen=True)
class Job:
    """What all workers of a call share. `spin_NM`: the number in (0, 1) by which row n draws its token m; `limit_N`:
    most tokens of each row; `memory`: bytes that one worker's cache may take."""

    model: Transformer
    tokenizer: TextTokenizer
    policy: Policy
    meter: Meter
    params: SamplingParams
    spin_NM: Tensor
    limit_N: Tensor
    results: Results
    memory: int
    flops_per_token: int

    @property
    def is_end_V(self) -> Tensor:
        ends = torch.zeros(self.model.config.vocab_size, dtype=torch.bool, device=self.spin_NM.device)
        ends[[*self.tokenizer.stop_ids, *self.params.stop]] = True
        return ends

    def spend(self, passed: int, chosen: int = 0) -> None:
        """Meter tokens that passed the model, and those that were drawn."""
        self.meter.spend(tokens=chosen, flops=passed * self.flops_per_token)

    def damaged(self) -> AutotrophError:
        return AutotrophError(f"policy {self.policy.id}: logits are not finite; its weights are damaged")

    def too_small(self, positions: int, each: int) -> AutotrophError:
        return AutotrophError(
            f"a row of {positions} tokens needs {each / 2**20:.1f} MB of cache and {self.memory / 2**20:.1f} MB are "
            "allowed; give more memory, shorter prompts or a lower max_tokens"
        )


class Batch(ABC):
    """`slots`: most rows at a time; `going`: how many there are now."""

    slots: int
    going: int = 0

    def __init__(self, job: Job, requests: list[Request]):
        self.job, self.model, self.params, self.waiting = job, job.model, job.params, deque(requests)
        self.is_end_V = job.is_end_V

    @torch.inference_mode()
    def run(self) -> None:
        while self.waiting or self.going:
            check_in()
            if self.waiting and self.slots - self.going >= self._worth_it():
                self._admit()
            self._advance()

    def _worth_it(self) -> int:
        """Free slots from which on it is worth while to let rows in."""
        return max(1, self.slots // 8)

    def _admit(self) -> None:
        """Fill the free slots with waiting rows, prompts of similar lengths at a time."""
        entering: list[Request] = []
        free = self.slots - self.going
        while self.waiting and free:
            request = self.waiting.popleft()
            if len(request.rows) > free:
                self.waiting.appendleft(Request(request.prompt, request.rows[free:]))
            entering.append(Request(request.prompt, request.rows[:free]))
            free -= len(entering[-1].rows)
        lengths = [len(request.prompt) for request in entering]
        for batch in alike(lengths, len(entering), PREFILL, STRETCH):
            self._enter([entering[i] for i in batch])

    def _padded(self, requests: list[Request]) -> tuple[Tensor, Tensor]:
        """Prompts [B, T], padded on the right, and their lengths [B]."""
        longest = max(len(request.prompt) for request in requests)
        pad, device = self.job.tokenizer.pad_id, self.job.limit_N.device
        ids = [[*request.prompt, *[pad] * (longest - len(request.prompt))] for request in requests]
        length = [len(request.prompt) for request in requests]
        return torch.tensor(ids, device=device), torch.tensor(length, device=device)

    @abstractmethod
    def _enter(self, requests: list[Request]) -> None:
        """Pass prompts through the model, and let their rows go on from there."""

    @abstractmethod
    def _advance(self) -> None:
        """Draw a token or more for every row, and let those go that have ended."""


class TorchBatch(Batch):
    """In slots of a cache of which the rows that go on are the first: the torch operators see one block.

    `row`: whose result a slot is; `hidden`: what the model made of its last token.
    """

    def __init__(self, job: Job, requests: list[Request]):
        super().__init__(job, requests)
        weight = self.model.lm_head.weight
        positions = max(len(request.prompt) for request in requests) + job.params.max_tokens - 1
        each = KVCache.bytes_for(self.model.config, positions, weight.dtype)
        self.slots = min(ROWS, sum(len(request.rows) for request in requests), job.memory // each)
        if self.slots == 0:
            raise job.too_small(positions, each)
        self.cache = self.model.cache(self.slots, positions)
        self.graphs = GraphDecoding(self.model, self.cache) if weight.device.type == "cuda" else None
        self.row = job.limit_N.new_empty(0)
        self.hidden = weight.new_empty(0, self.model.config.hidden_size)

    def _enter(self, requests: list[Request]) -> None:
        requests = sorted(requests, key=lambda request: -len(request.rows))
        begin, count = self.going, len(requests)
        ids_BT, length_B = self._padded(requests)
        cache = self.cache.rows(begin, begin + count)
        cache.length_B.zero_()
        states = self.model(ids_BT, cache=cache)
        cache.length_B.copy_(length_B)
        self.job.spend(ids_BT.numel())
        hidden = states[torch.arange(count, device=length_B.device), length_B - 1]
        rows, parts, place = [request.rows[0] for request in requests], [hidden], begin + count
        for copy in range(1, len(requests[0].rows)):
            more = [request.rows[copy] for request in requests if len(request.rows) > copy]
            self.cache.copy(slice(begin, begin + len(more)), slice(place, place + len(more)))
            rows, place = rows + more, place + len(more)
            parts.append(hidden[: len(more)])
        self.row = torch.cat((self.row, torch.tensor(rows, device=self.row.device)))
        self.hidden = torch.cat((self.hidden, *parts))
        self.going = len(self.row)

    def _advance(self) -> None:
        results, row_B = self.job.results, self.row
        step_B, logits_BV = results.length[row_B], self.model.lm_head(self.hidden)
        early_B = step_B < self.params.min_tokens
        choice = choose(logits_BV, self.params, self.job.spin_NM[row_B, step_B], early_B, self.is_end_V)
        if choice is None:
            raise self.job.damaged()
        stopped_B = results.note(row_B, step_B, choice, self.is_end_V)
        token_B = self._let_go(choice.token, stopped_B | (step_B + 1 == self.job.limit_N[row_B]))
        self.job.spend(len(token_B), chosen=len(row_B))
        if self.going:
            self.hidden = self._pass(token_B)

    def _pass(self, token_B: Tensor) -> Tensor:
        """Hidden states [B, C] after one more token of each row."""
        if self.graphs is not None:
            return self.graphs(token_B)
        return self.model(token_B[:, None], cache=self.cache.rows(0, self.going))[:, -1]

    def _let_go(self, token_B: Tensor, ended_B: Tensor) -> Tensor:
        """Close the gaps that ended rows leave with the last rows; returns the tokens of those that stay."""
        self.going -= int(ended_B.sum())
        if self.going < len(token_B):
            gap = torch.nonzero(ended_B[: self.going])[:, 0]
            last = self.going + torch.nonzero(~ended_B[self.going :])[:, 0]
            if len(gap):
                self.cache.copy(last, gap)
                for column in (self.row, token_B):
                    column[gap] = column[last]
            self.row, self.hidden = self.row[: self.going], self.hidden[: self.going]
        return token_B[: self.going]
