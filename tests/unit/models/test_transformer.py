"""The decoder computes what `transformers` computes, with and without a cache."""

import json

import pytest
import torch
from published import random_model
from pydantic import ValidationError

from autotroph.core.errors import AutotrophError
from autotroph.models import checkpoint
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig
from autotroph.store.artifacts import digest

TOKENIZER = TextTokenizer.characters("0123456789+=")
SHAPE = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "head_dim": 8,
}
FAMILIES = {
    "llama": ModelConfig(**SHAPE, num_key_value_heads=1, rope_theta=1e4),
    "llama-untied": ModelConfig(**SHAPE, num_key_value_heads=4, rope_theta=5e5, tie_word_embeddings=False),
    "qwen2": ModelConfig(**SHAPE, num_key_value_heads=2, rope_theta=1e6, attention_bias=True),
    "qwen3": ModelConfig(**SHAPE, num_key_value_heads=2, rope_theta=1e6, qk_norm=True),
    "smollm3": ModelConfig(**SHAPE, num_key_value_heads=2),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_equal_transformers(name: str, tmp_path) -> None:
    transformers = pytest.importorskip("transformers")
    model = random_model(FAMILIES[name])
    checkpoint.save([model], TOKENIZER, tmp_path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert theirs.config.model_type == name.split("-")[0]
    ids = torch.randint(0, len(TOKENIZER), (3, 21), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, ours = theirs(ids).logits, model.logits(model(ids))
    assert torch.allclose(ours, expected, atol=2e-5)
    assert ours.std() > 0.1


@pytest.mark.parametrize("name", FAMILIES)
def test_cached_decoding_equals_one_pass(name: str) -> None:
    model = random_model(FAMILIES[name])
    ids = torch.randint(0, len(TOKENIZER), (4, 17), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        whole = model(ids)
        cache = model.cache(rows=4, positions=17)
        parts = [model(ids[:, :9], cache=cache)] + [model(ids[:, i : i + 1], cache=cache) for i in range(9, 17)]
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)


def test_several_new_tokens_on_a_filled_cache_are_causal() -> None:
    model = random_model(FAMILIES["llama"])
    ids = torch.randint(0, len(TOKENIZER), (2, 12), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        cache = model.cache(rows=2, positions=12)
        parts = [model(ids[:, :5], cache=cache), model(ids[:, 5:], cache=cache)]
        assert torch.allclose(torch.cat(parts, 1), model(ids), atol=1e-5)


def test_explicit_and_fused_attention_agree() -> None:
    model = random_model(FAMILIES["qwen3"])
    ids = torch.randint(0, len(TOKENIZER), (1, 300), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        long = model(ids)[:, :200]
        assert torch.allclose(long, model(ids[:, :200]), atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_checkpoint_round_trip_keeps_weights_and_id(name: str, tmp_path) -> None:
    model = random_model(FAMILIES[name])
    checkpoint.save([model], TOKENIZER, tmp_path / "a")
    loaded, tokenizer = checkpoint.load(tmp_path / "a")
    checkpoint.save([loaded], tokenizer, tmp_path / "b")
    assert loaded.config == model.config
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    for key, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[key])


def test_members_and_the_state_of_their_learners_come_back(tmp_path) -> None:
    models = [random_model(FAMILIES["smollm3"], seed) for seed in range(3)]
    states = [{"done": torch.tensor(7 + i)} for i in range(3)]
    checkpoint.save(models, TOKENIZER, tmp_path, states)
    assert checkpoint.members(tmp_path) == 3
    for member, model in enumerate(models):
        loaded, _ = checkpoint.load(tmp_path, member)
        assert torch.equal(loaded.lm_head.weight, model.lm_head.weight)
        assert checkpoint.load_training(tmp_path, member) == states[member]
    before = digest(tmp_path)
    checkpoint.save(models, TOKENIZER, tmp_path, [*states[:2], {"done": torch.tensor(0)}])
    assert digest(tmp_path) != before


def test_truncated_checkpoint_is_refused_in_one_line(tmp_path) -> None:
    checkpoint.save([random_model(FAMILIES["llama"])], TOKENIZER, tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AutotrophError, match="damaged") as caught:
        checkpoint.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_checkpoint_of_another_shape_is_refused(tmp_path) -> None:
    checkpoint.save([random_model(FAMILIES["llama"])], TOKENIZER, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 64}))
    with pytest.raises(AutotrophError, match=r"gate_proj.*\(48, 32\).*\(64, 32\)"):
        checkpoint.load(tmp_path)


def test_missing_checkpoint_names_the_file(tmp_path) -> None:
    with pytest.raises(AutotrophError, match=r"no config\.json"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"num_key_value_heads": 3}, {"qk_norm": True}, {"rope_theta": 1e4, "qk_norm": True, "attention_bias": True}],
)
def test_shapes_that_no_family_has_are_refused(change: dict) -> None:
    with pytest.raises(ValidationError):
        ModelConfig(**SHAPE, **change)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="hiden_size"):
        ModelConfig(**SHAPE, hiden_size=3)
