"""The drift between sampler and trainer is nothing where they are one model, and is found where they are not."""

import copy
import sys

import pytest
import torch

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, Signal
from autotroph.core.task import Task
from autotroph.models.drift import check_drift, probe
from autotroph.models.engine import Engine
from autotroph.models.rollout import rollout
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.models.vllm import VLLMSampler
from autotroph.optimize.learner import Learner, LearnerConfig, logprobs
from autotroph.optimize.packing import Sheet, rows_of

TOKENIZER = TextTokenizer.characters("0123456789+=")
POLICY = Policy("test", "weights", "nowhere")
PROMPTS = [TOKENIZER.encode(f"{a}+{b}=") for a in range(4) for b in range(4)] + [[]]
TASKS = [Task.of("sum", f"{a}+1=", str(a + 1)) for a in range(6)]


def model() -> Transformer:
    shape = ModelConfig(
        vocab_size=len(TOKENIZER), hidden_size=32, intermediate_size=48, num_hidden_layers=2, head_dim=16
    )
    made = Transformer(shape).initialise(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.2)
    return made


def engine(one: Transformer) -> Engine:
    return Engine(one, TOKENIZER, POLICY, Meter())


def sheet(sampler: Engine, params: SamplingParams) -> Sheet:
    groups = rollout(TASKS, sampler, params, n=6, seed=0)
    return Sheet.of(list(rows_of([Signal(trace, advantage=1.0) for group in groups for trace in group.traces])))


def test_by_hand() -> None:
    drift = check_drift(torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([-1.1, -2.0, -2.8]), mean=0.11, worst=0.21)
    assert drift == (pytest.approx(0.1), pytest.approx(0.2), 3)
    for bounds in ({"mean": 0.09, "worst": 1.0}, {"mean": 1.0, "worst": 0.19}):
        with pytest.raises(AutotrophError, match=r"differ by 0\.1 nats .* up to 0\.2 .* 3 tokens"):
            check_drift(torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([-1.1, -2.0, -2.8]), **bounds)


@pytest.mark.parametrize("wrong", [float("nan"), float("-inf")])
def test_what_is_not_finite_is_beyond_any_bound(wrong: float) -> None:
    with pytest.raises(AutotrophError, match="differ"):
        check_drift(torch.tensor([-1.0, wrong]), torch.tensor([-1.0, -1.0]))


def test_nothing_sampled_proves_nothing() -> None:
    with pytest.raises(AutotrophError, match="0 sampled"):
        probe(engine(model()), model(), [])


def test_engine_and_learner_do_not_drift() -> None:
    learner = Learner(model(), LearnerConfig(), Meter(), dtype=torch.float32)
    found = sheet(engine(model()), SamplingParams(max_tokens=12))
    drift = check_drift(found.old_N, logprobs(learner.model, found).detach())
    assert drift.worst < 1e-4
    assert drift.tokens == len(found.old_N) > 100


def test_another_temperature_is_found() -> None:
    found = sheet(engine(model()), SamplingParams(max_tokens=12, temperature=0.5))
    with pytest.raises(AutotrophError, match="sample at temperature 1"):
        check_drift(found.old_N, logprobs(model(), found).detach())


def test_a_probe_of_the_same_and_of_rounded_weights_passes() -> None:
    assert probe(engine(model()), model(), PROMPTS).worst < 1e-4
    rounded = probe(engine(copy.deepcopy(model()).to(torch.bfloat16)), model(), PROMPTS)
    assert 1e-4 < rounded.worst < 1.0


def test_a_probe_finds_weights_of_before_training() -> None:
    """The sampler keeps the weights that it had; the learner goes on until they are others."""
    stale, trained = engine(model()), model()
    learner = Learner(trained, LearnerConfig(), Meter(), dtype=torch.float32)
    traces = [trace for group in rollout(TASKS, stale, SamplingParams(max_tokens=12), 6, 0) for trace in group.traces]
    for _ in range(10):
        learner.step([Signal(trace, likelihood=1.0) for trace in traces[:12]])
    with pytest.raises(AutotrophError, match="give the sampler the trainer's weights"):
        probe(stale, trained, PROMPTS)
    assert probe(engine(trained), trained, PROMPTS).worst < 1e-4


def test_without_vllm_its_sampler_says_what_to_install(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(AutotrophError, match=r"pip install 'autotroph\[vllm\]'"):
        VLLMSampler(model(), TOKENIZER, POLICY, Meter(), tmp_path)
