"""Packing: a trace in a shared row is worth what it is worth alone."""

from __future__ import annotations

import random

import pytest
import torch

from autotroph.core.budget import Meter
from autotroph.core.protocols import Signal
from autotroph.core.trace import Trace
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.learner import Learner, LearnerConfig, logprobs
from autotroph.optimize.packing import Row, Sheet, rows_of

SHAPE = ModelConfig(vocab_size=12, hidden_size=16, intermediate_size=32, num_hidden_layers=2, head_dim=4)
ROTARY = SHAPE.model_copy(update={"rope_theta": 10000.0, "num_key_value_heads": 2})


def signal(prompt: tuple[int, ...], answer: tuple[int, ...], environment: int = -1, **weights: float) -> Signal:
    """A trace whose answer holds one token, at index `environment`, that the policy did not sample."""
    sampled = (False,) * len(prompt) + tuple(i != environment for i in range(len(answer)))
    logprobs = tuple(-1.0 if chosen else 0.0 for chosen in sampled)
    return Signal(Trace("k", "p", prompt + answer, sampled, logprobs, "", "stop"), **weights)


def model(shape: ModelConfig) -> Transformer:
    """Not as initialised: there attention adds nothing yet, and no mask or position could be wrong."""
    transformer, generator = Transformer(shape).initialise(0), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return transformer


def mixed(seed: int) -> list[Signal]:
    """Ten prompts with up to six answers each, one token short or longer than the prompt."""
    rng = random.Random(seed)
    signals = []
    for length in rng.choices(range(1, 12), k=10):
        prompt = tuple(rng.randrange(12) for _ in range(length))
        for _ in range(rng.randint(1, 6)):
            answer = tuple(rng.randrange(12) for _ in range(rng.randint(1, 15)))
            weights = {"advantage": rng.gauss(0, 1)} if rng.random() < 0.5 else {"likelihood": 1.0}
            signals.append(
                signal(prompt, answer, rng.randrange(-8, len(answer) - 1) if len(answer) > 1 else -1, **weights)
            )
    rng.shuffle(signals)
    return signals


@pytest.mark.parametrize("shape", [SHAPE, ROTARY], ids=["no positions", "rotary"])
def test_a_branch_has_the_log_probabilities_that_its_trace_has_alone(shape: ModelConfig) -> None:
    transformer = model(shape)
    signals = mixed(1)
    rows = list(rows_of(signals))
    assert len(rows) < len(signals)
    sheet = Sheet.of(rows)
    together = logprobs(transformer, sheet)
    for i, one in enumerate(sheet.signals):
        alone = Sheet.of(list(rows_of([one])))
        assert alone.branch_RT is None
        torch.testing.assert_close(together[sheet.signal_N == i], logprobs(transformer, alone), atol=1e-4, rtol=0)


def test_shared_rows_train_as_separate_ones_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained() -> dict[str, torch.Tensor]:
        learner = Learner(model(ROTARY), LearnerConfig(), Meter(), dtype=torch.float32)
        learner.step(mixed(2))
        return learner.masters

    shared = trained()
    monkeypatch.setattr(
        "autotroph.optimize.learner.rows_of", lambda signals: [row for one in signals for row in rows_of([one])]
    )
    for name, master in trained().items():
        torch.testing.assert_close(shared[name], master, atol=2e-4, rtol=0)


def test_rows_hold_each_trace_once_and_stay_near_twice_their_prompt() -> None:
    signals = mixed(3)
    rows = list(rows_of(signals))
    assert sorted(id(s) for row in rows for s in row.signals) == sorted(map(id, signals))
    assert all(len(row) < 2 * row.shared or len(row.signals) == 1 for row in rows)
    assert len(Row(4, [signal((1, 2, 3, 4), (5, 6)), signal((1, 2, 3, 4), (7,))])) == 5


def test_a_trace_without_a_sampled_token_is_left_out() -> None:
    assert list(rows_of([signal((1, 2), ())])) == []


def test_signals_that_weigh_nothing_give_no_gradient_and_no_error() -> None:
    learner = Learner(Transformer(SHAPE).initialise(0), LearnerConfig(), Meter(), dtype=torch.float32)
    metrics = learner.step([signal((1, 2), (3, 4)), signal((5,), (6,), advantage=0.0)])
    assert metrics["gradient_norm"] == 0
