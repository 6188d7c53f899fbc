"""The kernels compute what torch computes, on shapes of all three families and at the edges."""

import copy
from pathlib import Path

import pytest
import torch
from published import random_model

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.models import native, sampling
from autotroph.models.engine import Engine
from autotroph.models.fused import FusedPasses, Layers, kernels_for
from autotroph.models.native import kernels
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer

SHAPES = {
    "llama": {"num_attention_heads": 5, "num_key_value_heads": 1, "head_dim": 48, "rope_theta": 1e4},
    "qwen2": {"num_attention_heads": 6, "num_key_value_heads": 6, "rope_theta": 1e4, "attention_bias": True},
    "qwen3": {"num_attention_heads": 8, "num_key_value_heads": 2, "rope_theta": 1e6, "qk_norm": True},
    "no positions": {"num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 16},
}
LENGTHS = [1, 2, 15, 16, 17, 40, 130]
BF16 = pytest.mark.skipif(
    not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()),
    reason="the processor multiplies no bf16: there are no kernels for it",
)
TOKENIZER = TextTokenizer.characters("0123456789+=")


def model(**shape: object) -> Transformer:
    torch.manual_seed(0)
    return random_model(
        ModelConfig(vocab_size=len(TOKENIZER), hidden_size=64, intermediate_size=96, **shape), spread=0.1
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), pytest.param(torch.bfloat16, 0.1, marks=BF16)])
@pytest.mark.parametrize("shape", SHAPES)
@torch.inference_mode()
def test_sampled_tokens_have_the_probabilities_that_the_model_gives_them(
    shape: str, dtype: torch.dtype, tolerance: float
) -> None:
    """Prompts and answers of lengths on both sides of the kernels' blocks; fp32 to rounding, bf16 to its own."""
    transformer = model(**SHAPES[shape]).to(dtype)
    assert kernels_for(transformer) is not None
    prompts = [torch.randint(4, 16, (length,)).tolist() for length in LENGTHS for _ in range(5)]
    limits = [1 + 7 * i % 70 for i in range(len(prompts))]
    params = SamplingParams(min_tokens=70, max_tokens=70)
    engine = Engine(transformer, TOKENIZER, Policy("test", "weights", "nowhere"), Meter())
    for prompt, done in zip(prompts, engine.sample(prompts, params, range(len(prompts)), limits), strict=True):
        ids = torch.tensor([[*prompt, *done.ids]])
        logits = transformer.logits(transformer(ids[:, :-1]))[0, len(prompt) - 1 :]
        theirs = logits.log_softmax(-1).gather(1, ids[0, len(prompt) :, None])[:, 0]
        torch.testing.assert_close(torch.tensor(done.raw), theirs, atol=tolerance, rtol=0)
        assert float(logits.std()) > 0.1


def test_sizes_that_are_no_multiple_of_a_vector_are_left_to_torch() -> None:
    assert kernels_for(model(num_attention_heads=4, num_key_value_heads=4, head_dim=8)) is None


@pytest.mark.parametrize("vocabulary", [1, 15, 16, 17, 1000])
@pytest.mark.parametrize(
    "params",
    [
        *(SamplingParams(temperature=temperature) for temperature in (0.0, 0.5, 1.0, 3.0)),
        SamplingParams(top_k=5),
        SamplingParams(temperature=2.0, top_p=0.7),
        SamplingParams(min_p=0.1),
        SamplingParams(temperature=1.5, top_k=9, top_p=0.9, min_p=0.02),
    ],
    ids=str,
)
def test_choices_equal_those_of_torch(vocabulary: int, params: SamplingParams, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(vocabulary)
    rows = 400
    logits, spin = torch.randn(rows, vocabulary) * 4, torch.rand(rows).clamp(1e-6, 1 - 1e-6)
    early, is_end = torch.rand(rows) < 0.5, torch.zeros(vocabulary, dtype=torch.bool)
    is_end[: vocabulary // 3] = True
    arguments = logits, params, spin, early, is_end
    ours = sampling.choose(*arguments)
    monkeypatch.setattr(sampling, "kernels", lambda dtype: None)
    theirs = sampling.choose(*arguments)
    assert ours is not None
    assert theirs is not None
    same = ours.token == theirs.token
    assert float(same.float().mean()) > 0.99, "they may differ where a draw falls on a border, to rounding"
    assert not bool((early & is_end[ours.token]).any())
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(mine[same], other[same], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, 16, 18])
def test_a_logit_that_is_not_finite_is_noticed(bad: float, place: int) -> None:
    logits = torch.zeros(3, 19)
    logits[1, place] = bad
    no = torch.zeros(3, dtype=torch.bool)
    assert (
        sampling.choose(logits, SamplingParams(), torch.full((3,), 0.5), no, torch.zeros(19, dtype=torch.bool)) is None
    )


def test_without_a_compiler_there_are_no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    native.kernels.cache_clear()
    assert kernels(torch.float32) is None
    native.kernels.cache_clear()


def test_a_compiler_that_fails_means_no_kernels_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", "false")
    monkeypatch.setenv("AUTOTROPH_CACHE", str(tmp_path))
    native.kernels.cache_clear()
    assert kernels(torch.float32) is None
    assert list((tmp_path / "kernels").iterdir()) == []
    native.kernels.cache_clear()


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 2e-5), pytest.param(torch.bfloat16, 0.06, marks=BF16)]
)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [9, 130])
def test_gradients_equal_those_of_autograd(shape: str, dtype: torch.dtype, tolerance: float, count: int) -> None:
    """Of every weight, relative to its largest: long and short sequences, with and without branches."""
    ours = model(**SHAPES[shape]).to(dtype)
    theirs, found = copy.deepcopy(ours).float(), kernels_for(ours)
    assert found is not None
    fused = FusedPasses(ours, Layers(ours, found))
    branch = torch.tensor([0] * (count // 3) + [1] * (count // 3) + [2] * (count - 2 * (count // 3)))
    position = torch.cat([torch.arange(2 * (count // 3)), count // 3 + torch.arange(count - 2 * (count // 3))])
    for where in ((None, None), (position.expand(9, -1).contiguous(), branch.expand(9, -1).contiguous())):
        ids, slope = torch.randint(0, len(TOKENIZER), (9, count)), torch.randn(9, count, 64)
        mine, other = fused(ids, *where), theirs(ids, *where)
        torch.testing.assert_close(mine.float(), other, atol=5 * tolerance, rtol=0)
        (mine.float() * slope).sum().backward()
        (other * slope).sum().backward()
    for name, wanted in theirs.named_parameters():
        gradient = fused.gradients.get(name, ours.get_parameter(name).grad)
        assert wanted.grad is not None
        assert gradient is not None
        worst = float((gradient - wanted.grad).abs().max() / wanted.grad.abs().max())
        assert worst < tolerance, f"{name}: {worst:.1e} off"


@pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="the processor multiplies no bf16 without AMX")
def test_packed_products_without_amx_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_amx", lambda: False)
    native.kernels.cache_clear()
    found = kernels(torch.bfloat16)
    assert found is not None
    assert found.tiled
    assert found.blas is None
    test_gradients_equal_those_of_autograd("qwen3", torch.bfloat16, 0.06, 130)
    test_sampled_tokens_have_the_probabilities_that_the_model_gives_them("qwen3", torch.bfloat16, 0.1)
    native.kernels.cache_clear()


def test_a_pass_without_gradient_leaves_nothing_behind() -> None:
    transformer = model(**SHAPES["llama"])
    found = kernels_for(transformer)
    assert found is not None
    fused = FusedPasses(transformer, Layers(transformer, found))
    with torch.no_grad():
        for _ in range(3):
            fused(torch.randint(0, len(TOKENIZER), (4, 11)))
    assert len(fused._tapes) == 1
    assert not any(bool(gradient.any()) for gradient in fused.gradients.values())
