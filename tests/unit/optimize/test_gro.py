"""On-policy optimisation: what several updates on one batch cost and change; figures of another part beside its own."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import pytest

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, View
from autotroph.core.trace import Group
from autotroph.models.engine import Engine
from autotroph.models.rollout import rollout
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.reported import Reported
from autotroph.rewards.chance import Chance
from autotroph.tasks.registry import task_family

COPY = task_family("copy")


class Alone:
    """A view of a run whose trainee is an untaught model; it keeps nothing of what is published."""

    def __init__(self) -> None:
        self.meter, self.trainee = Meter(), Policy("base", "weights", "nowhere")
        self._tokenizer = TextTokenizer.characters(COPY.alphabet)

    def seed(self, purpose: str) -> int:
        return len(purpose)

    def load(self, policy: Policy) -> Any:
        shape = ModelConfig(vocab_size=len(self._tokenizer), hidden_size=16, intermediate_size=16, head_dim=4)
        return Transformer(shape).initialise(0), self._tokenizer

    def engine(self, model: Any, tokenizer: Any) -> Engine:
        return Engine(model, tokenizer, self.trainee, Meter())

    def publish(self, *made: Any) -> Policy:
        return Policy("candidate", "weights", "nowhere")


def practised(updates: int) -> tuple[dict[str, float], int]:
    view = Alone()
    optimize = GRO(GRPO(), rollout, SamplingParams(max_tokens=4), 8, [Chance()], LearnerConfig(), 1, 4, updates=updates)
    _, metrics = optimize([Group(task) for task in COPY.generate(3, 4, seed=0)], cast(View, view))
    return metrics, view.meter.trained_tokens


def test_every_update_on_a_batch_is_paid_and_from_the_second_on_the_policy_is_another() -> None:
    (once, cost), (thrice, more) = practised(1), practised(3)
    assert more == 3 * cost > 0
    assert once["kl"] == pytest.approx(0.0, abs=1e-4)
    assert thrice["kl"] > 10 * abs(once["kl"])


def test_figures_of_a_part_stand_beside_those_of_training() -> None:
    class Part:
        metrics: ClassVar = {"temperature": 0.7}

    def optimize(groups: Any, view: Any) -> Any:
        return Policy("candidate", "weights", "nowhere"), {"loss": 1.0}

    _, metrics = Reported(cast(Any, optimize), Part())([], cast(View, None))
    assert metrics == {"loss": 1.0, "temperature": 0.7}
