"""Sampling: tokens a second of our engine and of `transformers.generate`, same weights, prompts and lengths."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import torch

from autotroph.bench.case import Case, Work, measured
from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.models import checkpoint
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer

PROMPTS, TOKENS, LENGTH = 256, 64, 16


def million(vocabulary: int) -> ModelConfig:
    """The shape of about a million parameters that the benchmarks share: a Llama with one key-value head."""
    return ModelConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=32,
        rope_theta=10000.0,
    )


def run(n: int) -> list[Case]:
    tokenizer = TextTokenizer.characters("0123456789+=")
    model = Transformer(million(len(tokenizer))).initialise(0)
    with torch.no_grad():
        model.lm_head.weight[tokenizer.eos_id] = 0.0  # seldom drawn, so that both sides sample to the limit
    rng = random.Random(0)
    prompts = [[rng.randrange(3, len(tokenizer)) for _ in range(LENGTH)] for _ in range(PROMPTS)]
    name = f"{PROMPTS} prompts of {LENGTH} tokens, {TOKENS} tokens each, 1M parameters"
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save([model], tokenizer, Path(folder))
        peer = _peer(Path(folder), prompts)
    return [measured(name, "tokens/s", _ours(model, tokenizer, prompts), peer, "transformers.generate", n)]


def _ours(model: Transformer, tokenizer: TextTokenizer, prompts: list[list[int]]) -> Work:
    engine = Engine(model.to(compute_dtype()), tokenizer, Policy("bench", "weights", "none"), Meter())

    def work() -> float:
        done = engine.sample(prompts, SamplingParams(max_tokens=TOKENS), range(len(prompts)))
        return float(sum(len(completion.ids) for completion in done))

    return work


def _peer(folder: Path, prompts: list[list[int]]) -> Work | None:
    """`transformers.generate` on the same checkpoint in the same dtype; None where it is not installed."""
    try:
        from transformers import AutoModelForCausalLM
    except ImportError:
        return None
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=compute_dtype()).eval()
    ids = torch.tensor(prompts)

    def work() -> float:
        with torch.inference_mode():
            out = model.generate(
                ids, do_sample=True, max_new_tokens=TOKENS, min_new_tokens=TOKENS, top_k=0, pad_token_id=0
            )
        return float(out[:, ids.shape[1] :].numel())

    return work
