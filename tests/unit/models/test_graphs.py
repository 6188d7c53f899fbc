"""Decoding of fixed shapes, as CUDA graphs replay it, computes what the model computes; recorded only where there is
CUDA, run as it is elsewhere."""

import pytest
import torch
from published import random_model

from autotroph.models.graphs import POSITIONS, GraphDecoding
from autotroph.models.transformer import ModelConfig

SHAPES = {
    "llama": {"num_attention_heads": 4, "num_key_value_heads": 1, "rope_theta": 1e4},
    "qwen2": {"num_attention_heads": 2, "num_key_value_heads": 2, "rope_theta": 1e4, "attention_bias": True},
    "qwen3": {"num_attention_heads": 4, "num_key_value_heads": 2, "rope_theta": 1e6, "qk_norm": True},
    "no positions": {"num_attention_heads": 2, "num_key_value_heads": 2},
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", SHAPES)
@torch.inference_mode()
def test_steps_of_fixed_shapes_equal_the_models(shape: str, device: str) -> None:
    """Rows that leave and whose free places are written to, over the border at which more positions are looked at."""
    config = ModelConfig(vocab_size=21, hidden_size=32, intermediate_size=48, head_dim=16, **SHAPES[shape])
    model = random_model(config, spread=0.1).to(device)
    generator = torch.Generator().manual_seed(0)
    room = POSITIONS + 20
    plain, fixed = model.cache(7, room), model.cache(7, room)
    decoding = GraphDecoding(model, fixed)
    prompt = torch.randint(0, 21, (7, POSITIONS - 6), generator=generator).to(device)
    for cache in (plain, fixed):
        model(prompt, cache=cache)
        cache.length_B -= torch.arange(7, device=device)
    for step in range(20):
        count = 7 - step // 4
        ids = torch.randint(0, 21, (count,), generator=generator).to(device)
        expected = model(ids[:, None], cache=plain.rows(0, count))[:, -1]
        torch.testing.assert_close(decoding(ids), expected, atol=1e-4, rtol=0)
        assert plain.length_B[:count].tolist() == fixed.length_B[:count].tolist()
    assert set(decoding._replays) == {(7, POSITIONS), (7, room), (4, room)}


@torch.inference_mode()
def test_a_free_row_that_was_full_is_not_written_beyond_its_end() -> None:
    model = random_model(ModelConfig(vocab_size=21, hidden_size=16, intermediate_size=16, head_dim=16))
    cache = model.cache(4, 5)
    decoding = GraphDecoding(model, cache)
    model(torch.ones(4, 3, dtype=torch.long), cache=cache)
    cache.length_B[:] = torch.tensor([3, 3, 3, 5])
    decoding(torch.ones(3, dtype=torch.long))
    assert cache.length_B.tolist() == [4, 4, 4, 0]
