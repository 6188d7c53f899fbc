"""One-example RLVR: reinforcement from a single task.

Source: Reinforcement Learning for Reasoning in Large Language Models with One Training Example (arXiv:2504.20571).

GRPO, but every answer of every step is to the same task: `rows` of them a step, spread over `examples` tasks that never
change, advantage = (reward - mean) / standard deviation over the answers to one task. Where the policy is right always,
or never, the step teaches nothing. What carries over to other tasks is what the policy could do already: one example
tells it which of its habits is wanted.

Scaled down: no pretrained model with abilities that reinforcement could draw out, but an embedded one that has been
taught two habits, to answer and to answer backwards (`base.backwards` of the rows). The task is the first one of the
highest level, where the paper ranks 1,209 by the variance of their accuracy; no entropy bonus, no KL.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.core.protocols import RewardFn, SamplingParams
from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes.bases import SkillConfig, practise
from autotroph.recipes.habits import HabitualBase
from autotroph.recipes.sides import Practised
from autotroph.rewards.chance import Chance
from autotroph.rewards.verifiable import Verifiable

SOURCE = "arXiv:2504.20571"


class Config(SkillConfig):
    task: str = "copy"
    level: int | None = Field(4, ge=0, description="level that is practised and measured; none: the lowest")
    cycles: int = Field(1, ge=1, description="most cycles, each judged by the gate")
    examples: int = Field(1, ge=1, description="different tasks, the same in every cycle")
    reward: Literal["verifier", "chance"] = Field("verifier", description="who rewards; chance: answers do not matter")
    steps: int = Field(20, ge=1, description="on-policy steps a cycle")
    rows: int = Field(64, ge=2, description="answers a step")
    prompts: int = Field(8, ge=1, description="most tasks a step, which share its answers")
    rate: float = Field(1.0, gt=0, description="learning rates, as a share of the learner's")
    base: HabitualBase = HabitualBase(rope_theta=10000.0, train=PretrainConfig(steps=300, rows=2000))
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=1.0)


def build(config: Config) -> Loop:
    family = config.family()
    levels = config.levels(family)
    params = SamplingParams(max_tokens=max(family.max_answer(level) for level in levels) + 1)
    prompts = min(config.prompts, config.examples)
    reward: RewardFn = Verifiable.of(family) if config.reward == "verifier" else Chance()
    known = config.known(family, levels[-1:])
    return practise(
        config,
        family,
        taught=levels,
        measured=levels[-1:],
        source=Bare(family, levels[-1:], config.examples, known, config.seed),
        filters=[],
        optimize=GRO(
            GRPO(),
            rollout_for(family),
            params,
            config.rows // prompts,
            [reward],
            config.learner,
            config.steps,
            prompts,
            config.rate,
            "constant",
            config.lora,
        ),
        cycles=config.cycles,
        gap=config.gap(family, levels, params.temperature, "verifier"),
    )


SIDE = {"final_sealed": 300}

CLAIM = Claim(
    says="reinforcement on one example lifts accuracy as far as reinforcement on the full set",
    reported="MATH500 36.0% -> 73.6% from one example, 73.6% from 1,209 (Qwen2.5-Math-1.5B)",
    measure="sealed accuracy at the level of the example, greedy, %",
    ours=Practised("one_example", SIDE),
    baseline=Practised("one_example", {**SIDE, "examples": 1000}),
    control=Practised("one_example", {**SIDE, "reward": "chance"}),
    against="1,000 examples instead of one",
    without="the verdict: answers to the example are rewarded by chance",
    margin=10.0,
    within=True,
    note="the base has two habits, and the verifier wants the one that it seldom follows. It holds where the two sides "
    "are less than 10 points apart.",
)
