"""What recipes share that practise on-policy, against their own group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from autotroph.core.protocols import Curriculum, RewardFn, Rollout, SamplingParams, TaskFamily
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.recipes.bases import SkillConfig
from autotroph.rewards.verifiable import Verifiable


class OnPolicyConfig(SkillConfig):
    steps: int = Field(40, ge=1, description="on-policy steps a cycle")
    tasks: int = Field(2000, ge=1, description="different tasks that a cycle draws its prompts from")
    prompts: int = Field(32, ge=1, description="prompts a step")
    samples: int = Field(8, ge=2, description="answers to each prompt")
    rate: float = Field(1.0, gt=0, description="learning rates, as a share of the learner's")
    schedule: Literal["constant", "wsd", "cosine", "infinite"] = Field(
        "constant", description="of the rates in a cycle"
    )
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=1.0)

    def practised(
        self,
        family: TaskFamily,
        levels: Sequence[int],
        curriculum: Callable[[], Curriculum] | None = None,
        reward: RewardFn | None = None,
        rollout: Rollout | None = None,
    ) -> GRO:
        """GRPO on answers of these levels, rewarded by the family's verifier unless another reward is given."""
        params = SamplingParams(max_tokens=max(family.max_answer(level) for level in levels) + 1)
        return GRO(
            GRPO(),
            rollout or rollout_for(family),
            params,
            self.samples,
            [reward or Verifiable.of(family)],
            self.learner,
            self.steps,
            self.prompts,
            self.rate,
            self.schedule,
            self.lora,
            curriculum=curriculum,
        )
