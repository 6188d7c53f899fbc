"""Adapters: peft's own gradients, files that peft loads, a base that stays, and a run that goes on where it stopped."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.core.trace import Trace
from autotroph.models import checkpoint
from autotroph.models.fused import kernels_for
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize import learner as learners
from autotroph.optimize.learner import Learner, LearnerConfig
from autotroph.optimize.lora import LoRAConfig, LowRank

peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

TOKENIZER = TextTokenizer.characters("0123456789+=")
SHAPE = ModelConfig(
    vocab_size=len(TOKENIZER),
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=16,
    rope_theta=1e4,
    qk_norm=True,
)
CONFIG = LoRAConfig(rank=3, alpha=6.0)


@pytest.fixture(autouse=True, params=["kernels", "torch alone"])
def passes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs both ways of training. Fails, rather than skips, where there is no C compiler."""
    if request.param == "kernels":
        assert kernels_for(Transformer(SHAPE)) is not None
    else:
        monkeypatch.setattr(learners, "kernels_for", lambda model: None)


def base() -> Transformer:
    model, generator = Transformer(SHAPE).initialise(0), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model


def learner(model: Transformer, seed: int = 5, **config: Any) -> Learner:
    settings = LearnerConfig(**{"average": 1.0, "adam_lr": 0.02, **config})
    return Learner(model, settings, Meter(), dtype=torch.float32, parameters=LowRank(model, CONFIG, seed))


def signals(count: int = 24) -> list[Signal]:
    rows = [(4 + i % 7, 4 + i % 5, 4 + (i + 3) % 11, 4 + (2 * i) % 11, 2) for i in range(count)]
    return [
        Signal(Trace("t", "p", row, (False,) * 2 + (True,) * 3, (0.0,) * 5, "", "stop"), likelihood=1.0) for row in rows
    ]


def beside_their_base(folder: Path, adapters: Path) -> Any:
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return peft.PeftModel.from_pretrained(theirs, adapters, is_trainable=True)


def trained_for(steps: int, model: Transformer) -> Learner:
    one = learner(model)
    for _ in range(steps):
        one.step(signals())
    return one


def test_gradients_equal_those_of_peft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Qwen3 of transformers with the same adapters, in the middle of a training, where neither A nor B is zero."""
    checkpoint.save([base()], TOKENIZER, tmp_path / "base")
    ours = trained_for(3, base())
    ours.parameters.save(ours.masters, tmp_path / "adapters")
    theirs = beside_their_base(tmp_path / "base", tmp_path / "adapters")
    ids = torch.tensor([signal.trace.ids for signal in signals()])
    logp = theirs(ids[:, :-1]).logits.log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
    loss = -logp[:, 1:].mean()
    loss.backward()
    monkeypatch.setattr(ours, "_update", lambda: ours._gather() or 0.0)
    assert ours.step(signals())["loss"] == pytest.approx(loss.item(), abs=1e-5)
    found = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    assert len(found) == len(ours.masters) == 2 * 7 * 2
    for name, master in ours.masters.items():
        layer, factor = name.removesuffix(".lora_A").removesuffix(".lora_B"), name[-6:]
        expected = found[f"base_model.model.{layer.removesuffix('.weight')}.{factor}.default.weight"]
        assert float(expected.abs().max()) > 1e-4
        torch.testing.assert_close(master.grad, expected, atol=1e-6, rtol=1e-4)


def test_saved_adapters_give_the_merged_policy_in_peft_and_transformers(tmp_path: Path) -> None:
    checkpoint.save([base()], TOKENIZER, tmp_path / "base")
    ours = trained_for(8, base())
    ours.parameters.save(ours.averages, tmp_path / "adapters")
    ids = torch.tensor([signal.trace.ids for signal in signals()])
    model = ours.trained()
    with torch.no_grad():
        merged, untouched = model.logits(model(ids)), base().logits(base()(ids))
        theirs = beside_their_base(tmp_path / "base", tmp_path / "adapters")(ids).logits
    assert float((merged - theirs).abs().max()) < 1e-4
    assert float((merged - untouched).abs().max()) > 0.1
    sizes = sum(path.stat().st_size for path in (tmp_path / "adapters").glob("*.safetensors"))
    assert sizes < (tmp_path / "base" / "model.safetensors").stat().st_size


def test_only_the_blocks_matrices_move_and_only_by_their_rank() -> None:
    model = trained_for(8, base()).trained()
    for name, weight in base().named_parameters():
        change = model.get_parameter(name) - weight
        if weight.dim() == 2 and ".layers." in name:
            values = torch.linalg.svdvals(change)
            assert values[0] > 1e-3
            assert values[CONFIG.rank :].max() < 1e-5 * values[0] + 1e-6
        else:
            assert not bool(change.any()), name


def test_the_optimiser_holds_the_adapters_alone_and_the_sampled_weights_are_merged() -> None:
    ours = trained_for(4, base())
    adapters = sum(master.numel() for master in ours.masters.values())
    assert adapters < sum(parameter.numel() for parameter in ours.model.parameters())
    moments = [t for name, t in ours.optimizer.state_dict().items() if name.endswith(("exp_avg", "exp_avg_sq"))]
    assert sum(moment.numel() for moment in moments) == 2 * adapters
    for name, weight in ours.trained().named_parameters():
        assert torch.equal(ours.model.get_parameter(name), weight), name


def test_training_with_adapters_resumes_bit_for_bit(tmp_path: Path) -> None:
    """From a merged checkpoint and the learner's state, as a run does, with averages that are not the last step."""
    straight, first = learner(base(), average=0.1), learner(base(), average=0.1)
    for _ in range(6):
        straight.step(signals())
    for _ in range(3):
        first.step(signals())
    checkpoint.save([first.trained()], TOKENIZER, tmp_path, [first.state_dict()])
    second = learner(checkpoint.load(tmp_path)[0], seed=77, average=0.1)
    second.load_state_dict(checkpoint.load_training(tmp_path) or {})
    for _ in range(3):
        second.step(signals())
    for name, weight in straight.trained().named_parameters():
        assert torch.equal(weight, second.trained().get_parameter(name)), name


def test_a_state_of_another_kind_of_training_does_not_fit() -> None:
    whole = Learner(base(), LearnerConfig(), Meter()).state_dict()
    model = base()
    wider = Learner(model, LearnerConfig(), Meter(), parameters=LowRank(model, LoRAConfig(rank=4), 0)).state_dict()
    assert learner(base()).fits(learner(base()).state_dict())
    assert not learner(base()).fits(whole)
    assert not learner(base()).fits(wider)
    assert not Learner(base(), LearnerConfig(), Meter()).fits(wider)


def test_adapters_learn_and_begin_at_the_base() -> None:
    ours = learner(base())
    for name, weight in base().named_parameters():
        assert torch.equal(ours.trained().get_parameter(name), weight)
    losses = [ours.step(signals())["loss"] for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]


def test_seeds_draw_the_adapters() -> None:
    first, same, other = (LowRank(base(), CONFIG, seed).masters for seed in (1, 1, 2))
    name = next(iter(first))
    assert torch.equal(first[name], same[name])
    assert not torch.equal(first[name], other[name])


def test_without_peft_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(AutotrophError, match=r"pip install 'autotroph\[lora\]'"):
        LowRank(base(), CONFIG, 0)
