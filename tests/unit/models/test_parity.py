"""Greedy decoding of a thousand prompts, token for token what `transformers.generate` gives, in each family."""

import random
from pathlib import Path

import pytest
import torch
from published import random_model

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.models import checkpoint
from autotroph.models.engine import Engine
from autotroph.models.fused import kernels_for
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig

TOKENIZER = TextTokenizer.characters("abcdefghijklmnopqrstuvwxyz0123456789")
SHAPE = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "head_dim": 16,
}
FAMILIES = {
    "llama": ModelConfig(**SHAPE, num_attention_heads=4, num_key_value_heads=1, rope_theta=1e4),
    "qwen2": ModelConfig(**SHAPE, num_attention_heads=4, num_key_value_heads=2, rope_theta=1e6, attention_bias=True),
    "qwen3": ModelConfig(**SHAPE, num_attention_heads=4, num_key_value_heads=2, rope_theta=1e6, qk_norm=True),
}
PROMPTS, TOKENS = 1000, 24


@pytest.mark.parametrize("family", FAMILIES)
def test_a_thousand_greedy_answers_are_those_of_transformers(family: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    model = random_model(FAMILIES[family])
    checkpoint.save([model], TOKENIZER, tmp_path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    rng = random.Random(1)
    length = [rng.randint(1, 20) for _ in range(PROMPTS)]
    prompts = [[rng.randrange(4, len(TOKENIZER)) for _ in range(count)] for count in length]
    assert kernels_for(model) is not None
    ours = Engine(model, TOKENIZER, Policy("test", "weights", "nowhere"), Meter()).sample(
        prompts, SamplingParams(temperature=0, max_tokens=TOKENS), range(PROMPTS)
    )
    longest = max(length)
    ids = torch.tensor([[TOKENIZER.pad_id] * (longest - len(prompt)) + prompt for prompt in prompts])
    with torch.inference_mode():
        done = theirs.generate(
            ids, attention_mask=(ids != TOKENIZER.pad_id).long(), do_sample=False, max_new_tokens=TOKENS
        )[:, longest:]
    mismatched = 0
    for mine, other in zip(ours, done.tolist(), strict=True):
        end = other.index(TOKENIZER.eos_id) + 1 if TOKENIZER.eos_id in other else TOKENS
        mismatched += list(mine.ids) != other[:end]
    assert mismatched == 0
    assert len({completion.ids for completion in ours}) > PROMPTS / 2
