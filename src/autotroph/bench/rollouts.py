"""Sampling: tokens a second of our engine and of `transformers.generate`, same weights, prompts and lengths."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from autotroph.bench import peers
from autotroph.bench.case import Case, measured
from autotroph.bench.work import TOKENIZER, fourteen_million, million, sampling, sequences
from autotroph.models.transformer import Transformer


def run(n: int) -> list[Case]:
    drawn = [random.Random(i).randint(4, 128) for i in range(256)]
    grouped = [prompt for prompt in sequences(64, 200, 200) for _ in range(16)]
    return [
        _case("256 prompts, 64 tokens each, 1M parameters", million, sequences(256, 16, 16), [64] * 256, n),
        _case("256 prompts, 4-128 tokens each, 1M parameters", million, sequences(256, 16, 16), drawn, n),
        _case("64 prompts of 200 tokens, 16 samples of 64 each, 1M parameters", million, grouped, [64] * 1024, n),
        _case("256 prompts, 64 tokens each, 14M parameters", fourteen_million, sequences(256, 16, 16), [64] * 256, n),
    ]


def _case(
    name: str, shape: Callable[[], Transformer], prompts: Sequence[Sequence[int]], limits: Sequence[int], n: int
) -> Case:
    model = shape()
    with peers.saved(model, TOKENIZER) as folder:
        peer = peers.generate(folder, prompts, limits, TOKENIZER)
        return measured(name, "tokens/s", sampling(model, prompts, limits), peer, "transformers.generate", n)
