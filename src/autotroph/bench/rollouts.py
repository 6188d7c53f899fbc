"""Sampling: tokens a second of our engine and of `transformers.generate`, same weights, prompts and lengths."""

from __future__ import annotations

import random
from collections.abc import Sequence

from autotroph.bench import peers
from autotroph.bench.case import Case, measured
from autotroph.bench.work import TOKENIZER, fourteen_million, million, sampling, sequences
from autotroph.models.transformer import Transformer

PROMPTS, TOKENS, SAMPLES = 256, 64, 16


def run(n: int) -> list[Case]:
    drawn = [random.Random(i).randint(TOKENS // 16, 2 * TOKENS) for i in range(PROMPTS)]
    short, long = sequences(PROMPTS, 16, 16), sequences(PROMPTS // 4, 200, 200)
    grouped = [prompt for prompt in long for _ in range(SAMPLES)]
    fixed, range_ = [TOKENS] * PROMPTS, f"{TOKENS // 16}-{2 * TOKENS}"
    return [
        _case(f"{PROMPTS} prompts, {TOKENS} tokens each, 1M parameters", million(), short, fixed, n),
        _case(f"{PROMPTS} prompts, {range_} tokens each, 1M parameters", million(), short, drawn, n),
        _case(
            f"{len(long)} prompts of 200 tokens, {SAMPLES} samples of {TOKENS} each, 1M parameters",
            million(),
            grouped,
            [TOKENS] * len(grouped),
            n,
        ),
        _case(f"{PROMPTS} prompts, {TOKENS} tokens each, 14M parameters", fourteen_million(), short, fixed, n),
    ]


def _case(name: str, model: Transformer, prompts: Sequence[Sequence[int]], limits: Sequence[int], n: int) -> Case:
    with peers.saved(model, TOKENIZER) as folder:
        peer = peers.generate(folder, prompts, limits, TOKENIZER)
        return measured(name, "tokens/s", sampling(model, prompts, limits), peer, "transformers.generate", n)
