"""What recipes share that practise without labels: on-policy steps on a reward that asks no verifier."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.core.protocols import RewardFn, Rollout, SamplingParams, TaskFamily
from autotroph.evaluate.monitors import Limit, Monitors
from autotroph.evaluate.probes import Expected
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes.bases import BaseConfig, levels_up_to
from autotroph.recipes.bases import practise as practised
from autotroph.recipes.onpolicy import OnPolicyConfig
from autotroph.refine.drawn import Drawn
from autotroph.rewards.heuristic import FormatReward
from autotroph.rewards.shuffled import Shuffled
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.dedup import ExactDedup

NOISY = BaseConfig(rope_theta=10000.0, noise=0.3, train=PretrainConfig(steps=500, rows=8000))
"""A base that knows the task and has read much that is wrong: most of its mass is on right answers, the rest is spread.
Sharpening moves mass to what is held likeliest, and there is something to move."""


def one_level(family: TaskFamily, level: int | None) -> range:
    """The level alone, by default the family's second one."""
    return levels_up_to(family, family.levels[1] if level is None else level, "--level")[-1:]


class LabelFreeConfig(OnPolicyConfig):
    """A run that practises one level of a task and is told nothing of its answers."""

    level: int | None = Field(None, ge=0, description="the level that is taught, practised and measured; none: the 2nd")
    steps: int = Field(20, ge=1, description="on-policy steps a cycle")
    prompts: int = Field(32, ge=2, description="prompts a step")
    rate: float = Field(0.1, gt=0, description="learning rates, as a share of the learner's")
    reward: Literal["own", "verifier", "format", "shuffled"] = Field(
        "own",
        description="the recipe's own; or, to compare with: the verifier's, that for the right characters, the "
        "recipe's own dealt anew in each group",
    )
    exact: int = Field(
        0,
        ge=0,
        description="dev tasks on which accuracy is computed, not drawn, as dev_accuracy; 0: none",
    )
    base: BaseConfig = NOISY
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=0.2)

    def levels(self, family: TaskFamily) -> range:
        return one_level(family, self.level)

    def rewarded(self, family: TaskFamily, own: RewardFn) -> RewardFn:
        """What is practised on: the recipe's own reward, or what stands in its place."""
        longest = max(map(family.max_answer, self.levels(family)))
        instead: dict[str, RewardFn] = {
            "verifier": Verifiable.of(family),
            "format": FormatReward(f".{{{longest}}}"),
            "shuffled": Shuffled(own),
        }
        return instead.get(self.reward, own)


class ConfidenceConfig(LabelFreeConfig):
    """A run on one's own confidence, from a base that is competent already: it knows right from wrong by that alone."""

    base: BaseConfig = NOISY.model_copy(update={"noise": 0.2})


class VoteConfig(LabelFreeConfig):
    """A run on votes that is long and rough enough to see what comes after the gain."""

    cycles: int = Field(7, ge=1, description="most cycles, each judged by the gate")
    steps: int = Field(15, ge=1, description="on-policy steps a cycle")
    prompts: int = Field(16, ge=2, description="prompts a step")
    rate: float = Field(1.5, gt=0, description="learning rates, as a share of the learner's")
    threshold: float = Field(0.25, ge=0, le=1, description="share of a group from which its vote is a label")
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=1.0)
    monitors: Monitors = Monitors(kl_base=Limit(high=0.1))


OFTEN = {"final_sealed": 800}
"""Of a side: sealed tasks enough to see a few points."""


def practise(config: LabelFreeConfig, own: RewardFn, rollout: Rollout | None = None) -> Loop:
    """A loop of GRPO steps on a reward of the recipe's own, or on what the configuration puts in its place."""
    family = config.family()
    levels = config.levels(family)
    params = SamplingParams(max_tokens=max(map(family.max_answer, levels)) + 1)
    loop = practised(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Bare(family, levels, config.tasks, config.known(family, levels)),
        filters=[ExactDedup()],
        optimize=config.practised(family, levels, reward=config.rewarded(family, own), rollout=rollout),
        cycles=config.cycles,
        gap=config.gap(family, levels, params.temperature, "vote"),
    )
    drawn = Drawn(params, rollout_for(family))
    exact = (Expected(family, levels, config.exact),) if config.exact else ()
    return replace(loop, stages=replace(loop.stages, refiner=drawn, probes=(*loop.stages.probes, *exact)))
