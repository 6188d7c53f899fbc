"""Distillation of refined answers: a model learns to say at once what its own vote over many samples says.

Source: Large Language Models Can Self-Improve (arXiv:2210.11610).

A base is briefly taught on gold rows of the task. Each cycle the champion answers `tasks` tasks `samples` times each;
the answer that most samples agree on (with `--refiner best` the surest one) becomes a training row, whether it is right
or not: no gold label of these tasks is looked at. They are learnt beside gold rows of other tasks. The gate promotes on
fresh sealed tasks, by answers given at once.

Scaled down: a model of well under 5M parameters, 9 samples a task instead of 32; all votes are learnt, however close.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Curated
from autotroph.acquire.refined import Refined
from autotroph.acquire.replay import Mixed, Replay
from autotroph.core.protocols import Refiner, SamplingParams
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.gro import Replayed
from autotroph.recipes.bases import SkillConfig, practise
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.self_consistency import SelfConsistency
from autotroph.rewards.heuristic import Certainty

SOURCE = "arXiv:2210.11610"


class Config(SkillConfig):
    tasks: int = Field(1000, ge=1, description="tasks that the champion answers in a cycle")
    refiner: Literal["vote", "best"] = Field("vote", description="what picks among its samples: a vote, or certainty")
    samples: int = Field(9, ge=2, description="answers to each task, of which one is picked")
    temperature: float = Field(1.0, gt=0, description="of the samples")
    gold_per_level: int = Field(500, ge=0, description="gold rows of each level that every cycle sees")
    steps: int = Field(80, ge=1, description="training steps a cycle")
    batch: int = Field(128, ge=2, description="rows a step")


def build(config: Config) -> Loop:
    family = config.family()
    levels, rollout = config.levels(family), rollout_for(family)
    longest = max(family.max_answer(level) for level in levels) + 1
    params = SamplingParams(temperature=config.temperature, max_tokens=longest)
    vote: Refiner = SelfConsistency(params, config.samples, rollout)
    refiner = vote if config.refiner == "vote" else BestOfN(Certainty(), params, config.samples, rollout)
    return practise(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Mixed(
            [
                Curated(family, levels, config.gold_per_level),
                Replay(newest=True),
                Refined(family, levels, config.tasks, refiner),
            ]
        ),
        filters=[],
        optimize=Replayed(SFT(), config.learner, config.steps, config.batch, config.guard.real_floor),
        cycles=config.cycles,
        knobs={"real_floor": config.guard.real_floor},
        gap=config.gap(family, levels, config.temperature, "vote" if config.refiner == "vote" else "certainty"),
    )
