"""A sampler whose completions are kept before they are used, and that holds to the caps of its meter."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import get_args

import numpy as np
import torch
from safetensors.numpy import load, save

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import Sampler, SamplingParams, Tokenizer
from autotroph.core.trace import Completion, Stop
from autotroph.models.transformer import Transformer

LONGEST = 60.0
"""Seconds of sampling that a crash may take: no more rows are sampled at once than are thought to need so long."""

SLOW = 1e9
"""Floating-point operations a second that any machine does, until more is known."""


class Recorded:
    """Implements `core.protocols.Sampler` by another one, which counts on a meter of its own.

    A call that an interrupted session has made, in whole or in part, is replayed. `identity` says which weights answer:
    a row depends on them, its prompt, the params and its seed alone, so cutting a call changes no row.
    """

    def __init__(self, sampler: Sampler, meter: Meter, identity: str, flops_per_token: int):
        self._sampler, self._identity, self._flops_per_token = sampler, identity, flops_per_token
        self.meter, self._rate = meter, SLOW

    @property
    def policy(self) -> Policy:
        return self._sampler.policy

    @property
    def tokenizer(self) -> Tokenizer:
        return self._sampler.tokenizer

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """One completion for each prompt, in order. Raises BudgetExceeded where a cap leaves no room for a row."""
        if not prompts:
            return []
        name, parts = self.meter.replayed(_digest(self._identity, prompts, params, seeds))
        done = [completion for answer in parts.values() for completion in unpacked(answer)]
        worst = self._flops_per_token * (max(map(len, prompts)) + params.max_tokens)
        while len(done) < len(prompts):
            rows = self._rows(len(prompts) - len(done), params.max_tokens, worst)
            now = slice(len(done), len(done) + rows)
            with self.meter.unit(tokens=rows * params.max_tokens, flops=rows * worst):
                begun, before = time.monotonic(), self._sampler.meter.counters()
                found = self._sampler.sample(prompts[now], params, seeds[now])
                self._rate = rows * worst / (time.monotonic() - begun)
                after = self._sampler.meter.counters()
                cost = {counter: after[counter] - before[counter] for counter in ("tokens", "flops")}
                self.meter.spend(**cost)
                self.meter.record(name, len(done), packed(found), cost)
            done += found
        return done

    def _rows(self, waiting: int, tokens: int, flops: int) -> int:
        """How many rows to sample at once, of so many tokens and operations at most: at least one."""
        seconds = min(LONGEST, self.meter.left("seconds") / 2)
        fit = (self.meter.left("tokens") / tokens, self.meter.left("flops") / flops, seconds * self._rate / flops)
        return max(1, int(min(waiting, *fit)))


def fingerprint(model: Transformer) -> str:
    """Of weights that are being trained: the sum of each tensor's bits, which one rounding changes."""
    words = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    sums = [p.detach().view(words[p.element_size()]).sum(dtype=torch.int64) for p in model.parameters()]
    return " ".join(map(str, torch.stack(sums).tolist()))


def _digest(identity: str, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]) -> str:
    digest = hashlib.blake2b(f"{identity}\n{params.model_dump_json()}\n".encode(), digest_size=16)
    digest.update(_column(map(len, prompts), np.int64))
    digest.update(_column(chain.from_iterable(prompts), np.int64))
    digest.update(_column(seeds, np.int64))
    return digest.hexdigest()


def _column(values: Iterable[float], kind: type) -> np.ndarray:
    return np.fromiter(values, kind)


STOPS = get_args(Stop)


def packed(completions: Sequence[Completion]) -> bytes:
    """Completions as bytes, each float exactly as it is."""
    return save(
        {
            "length": _column((len(one.ids) for one in completions), np.int32),
            "ids": _column(chain.from_iterable(one.ids for one in completions), np.int32),
            "logprobs": _narrow(chain.from_iterable(one.logprobs for one in completions)),
            "raws": _column((len(one.raw) for one in completions), np.int32),
            "raw": _narrow(chain.from_iterable(one.raw for one in completions)),
            "stop": _column((STOPS.index(one.stop) for one in completions), np.uint8),
            "told": _column((one.entropy is not None for one in completions), np.bool_),
            "entropy": _narrow(one.entropy or 0.0 for one in completions),
            "certainty": _narrow(one.certainty for one in completions),
        }
    )


def unpacked(answer: bytes) -> list[Completion]:
    column = {name: values.tolist() for name, values in load(answer).items()}
    found, at, raw_at = [], 0, 0
    for i, (length, raws) in enumerate(zip(column["length"], column["raws"], strict=True)):
        own, raw = slice(at, at + length), slice(raw_at, raw_at + raws)
        found.append(
            Completion(
                tuple(column["ids"][own]),
                tuple(column["logprobs"][own]),
                STOPS[column["stop"][i]],
                column["entropy"][i] if column["told"][i] else None,
                tuple(column["raw"][raw]),
                column["certainty"][i],
            )
        )
        at, raw_at = own.stop, raw.stop
    return found


def _narrow(values: Iterable[float]) -> np.ndarray:
    """In fp32 where that holds them exactly, as it does what comes from a model."""
    wide = _column(values, np.float64)
    small = wide.astype(np.float32)
    return small if np.array_equal(small, wide) else wide
