"""What the benchmarks work on: shapes of models, prompts, and our own side of each comparison."""

from __future__ import annotations

import random
from collections.abc import Sequence

from autotroph.bench.case import Work
from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer

TOKENIZER = TextTokenizer.characters("0123456789+=")
POLICY = Policy("bench", "weights", "none")


def million() -> Transformer:
    """A Llama of about a million parameters, with one key-value head."""
    return _llama(hidden_size=128, intermediate_size=384, layers=4, heads=4, keys=1)


def fourteen_million() -> Transformer:
    """The model of arXiv:2502.01612."""
    return _llama(hidden_size=384, intermediate_size=1536, layers=6, heads=6, keys=6)


def _llama(hidden_size: int, intermediate_size: int, layers: int, heads: int, keys: int) -> Transformer:
    shape = ModelConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        head_dim=hidden_size // heads,
        rope_theta=10000.0,
    )
    return Transformer(shape).initialise(0)


def sequences(count: int, shortest: int, longest: int, seed: int = 0) -> list[list[int]]:
    """Token ids without special ones, of lengths drawn evenly."""
    rng = random.Random(seed)
    return [[rng.randrange(4, len(TOKENIZER)) for _ in range(rng.randint(shortest, longest))] for _ in range(count)]


def sampling(model: Transformer, prompts: Sequence[Sequence[int]], limits: Sequence[int]) -> Work:
    """Our engine on all prompts; row i has `limits[i]` tokens."""
    engine = Engine(model.to(compute_dtype()), TOKENIZER, POLICY, Meter())
    params = SamplingParams(min_tokens=max(limits), max_tokens=max(limits))

    def work() -> float:
        return float(sum(len(one.ids) for one in engine.sample(prompts, params, range(len(prompts)), limits)))

    return work
