"""Group relative policy optimisation: practise on a verifiable task, and be judged against one's own group.

Source: DeepSeekMath (arXiv:2402.03300), DeepSeek-R1 (arXiv:2501.12948); with --algorithm, those of docs/algorithms.md.

A base is briefly taught on gold rows of the task; it practises on other tasks, for on those it would be rewarded for
remembering. Each cycle takes `steps` on-policy steps: `prompts` tasks, `samples` answers to each, advantage = reward
minus the group's mean, over its standard deviation, clipped policy gradient. The reward is the task's own verifier. The
gate promotes on fresh sealed tasks.

Scaled down: a model of well under 5M parameters and groups of 8 instead of 64; no reference KL unless asked for.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.core.protocols import SamplingParams
from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.registry import ALGORITHMS, OnPolicy
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.recipes.bases import SkillConfig, practise
from autotroph.recipes.sides import Practised, pooled, pooled_accuracy
from autotroph.rewards.chance import Chance
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.dedup import ExactDedup

SOURCE = "arXiv:2402.03300"


class Config(SkillConfig):
    steps: int = Field(60, ge=1, description="on-policy steps a cycle")
    tasks: int = Field(2000, ge=1, description="different tasks that a cycle draws its prompts from")
    prompts: int = Field(32, ge=1, description="prompts a step")
    samples: int = Field(8, ge=2, description="answers to each prompt")
    updates: int = Field(1, ge=1, description="times that each step's answers are learnt")
    algorithm: OnPolicy = Field("grpo", description="what is made of the rewards")
    reward: Literal["verifier", "chance"] = Field("verifier", description="of an answer; chance: half of them, blindly")
    rate: float = Field(0.3, gt=0, description="learning rates, as a share of the base's")
    schedule: Literal["constant", "wsd", "cosine", "infinite"] = Field("wsd", description="of the rates in a cycle")
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=1.0)


def build(config: Config) -> Loop:
    family, algorithm = config.family(), ALGORITHMS[config.algorithm]
    levels = config.levels(family)
    params = SamplingParams(max_tokens=max(family.max_answer(level) for level in levels) + 1)
    return practise(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Bare(family, levels, config.tasks, config.known(family, levels)),
        filters=[ExactDedup()],
        optimize=GRO(
            algorithm.make(),
            rollout_for(family),
            params,
            config.samples,
            [Verifiable.of(family) if config.reward == "verifier" else Chance()],
            config.learner,
            config.steps,
            config.prompts,
            config.rate,
            config.schedule,
            config.lora,
            algorithm.reference,
            config.updates,
        ),
        cycles=config.cycles,
        gap=config.gap(family, levels, params.temperature, "verifier"),
    )


GROUND = {
    "task": "steps",
    "level": 2,
    "final_sealed": 300,
    "sealed": 20,
    "base": {"hidden": 32, "terse": 0.75, "train": {"steps": 1200, "settle": 1200, "rows": 3000}},
}
"""A base with two ways of answering. Three answers in four give the result at once, and are often wrong; the others
write their steps, and seldom are. The verifier looks at the result alone."""
SIDE = {**GROUND, "cycles": 8, "steps": 10, "prompts": 16, "rate": 1.0, "schedule": "constant"}
ONCE = {**GROUND, "author": "base", "steps": 40, "gold_per_level": 0, "guard": {"real_floor": 0}}

CLAIM = Claim(
    says="on-policy reinforcement from a group's rewards goes beyond fine-tuning on right answers of the first model",
    reported="GSM8K 82.9% -> 88.2%, MATH 46.8% -> 51.7% (DeepSeekMath-Instruct 7B); RFT: not read",
    measure="sealed accuracy, greedy, all tasks of one or two steps, %",
    ours=Practised("grpo", SIDE, pooled, points=pooled_accuracy),
    baseline=Practised("rejection_sampling", ONCE, pooled, points=pooled_accuracy),
    control=Practised("grpo", {**SIDE, "reward": "chance"}, pooled, points=pooled_accuracy),
    against="fine-tuning on right answers of the base alone (RFT), without gold rows",
    without="the verifier: half of the answers are rewarded, blindly",
    seeds=5,
    note="of the base's right answers most are given at once, right by chance as it were, and RFT keeps them in that "
    "proportion; who goes on sampling meets the better way more often the more it is followed.",
)
