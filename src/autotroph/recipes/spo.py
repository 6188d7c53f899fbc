"""Self-play preference optimisation: an answer's reward is its share of wins against the policy's other answers.

Source: SPO, a minimaximalist approach to RLHF (arXiv:2401.04056).

Preferences may go in a circle: then no score of single answers agrees with them, and a reward model that is fitted to
them (Bradley-Terry) sends the policy to one answer that others beat. Here every answer of a group is compared with the
others of the same prompt, r_i = mean over j != i of P(y_i is preferred to y_j), and the policy learns from that; the
average of the policies that it passes through approaches the minimax winner, the mixture that nothing is preferred to.
`distance` is the largest difference of a probability from the winner's, `worst` the share of wins against the answer
that does best against the average policy; `last_...` the same for the last policy. No mean score tells which of two
policies is better here, so the gate is off.

Scaled down: answers are one of three letters, preferred as rock, paper and scissors are, with a minimax winner that is
known. What the claim reads is a table in the model's place: the same samples, rewards, advantages and loss.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import RewardFn, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group
from autotroph.evaluate.claim import Claim, Trial
from autotroph.evaluate.gate import PairedGate
from autotroph.loop import Loop
from autotroph.models.rollout import rollout
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.shares import Shares
from autotroph.optimize.table import Table
from autotroph.recipes.bases import SkillConfig, practise
from autotroph.refine.sampled import Sampled
from autotroph.rewards.preference import BradleyTerry, Wins
from autotroph.rewards.scoring import scored
from autotroph.tasks.preferences import ANSWERS, Preferences

SOURCE = "arXiv:2401.04056"
Reward = Literal["wins", "bradley_terry", "shuffled"]


class Config(SkillConfig):
    task: str = Field("preferences", description="a family of preferences between answers")
    level: int | None = Field(2, ge=1, description="1: all alike, the winner is uniform; 2: it is not")
    cycles: int = Field(2, ge=1, description="cycles")
    steps: int = Field(100, ge=1, description="on-policy steps a cycle")
    tasks: int = Field(1000, ge=1, description="different prompts that a cycle draws from")
    prompts: int = Field(16, ge=1, description="prompts a step")
    samples: int = Field(8, ge=2, description="answers to each prompt, each compared with the others")
    reward: Reward = Field("wins", description="share of wins, a fitted score, or somebody else's share of wins")
    rate: float = Field(0.02, gt=0, description="learning rates, as a share of the base's")
    gate: PairedGate = PairedGate(off=True)
    learner: LearnerConfig = LearnerConfig(average=1.0)


def reward_of(kind: Reward, family: Preferences) -> RewardFn:
    if kind == "bradley_terry":
        return BradleyTerry(family.prefers, ANSWERS)
    return Wins(family.prefers, shuffled=kind == "shuffled")


def figures(family: Preferences, level: int, shares: Mapping[str, float]) -> dict[str, float]:
    winner = family.minimax(level)
    off = max(abs(shares[answer] - winner[answer]) for answer in ANSWERS)
    return {"distance": off, "worst": family.worst(level, shares)}


def build(config: Config) -> Loop:
    family = config.family()
    if not isinstance(family, Preferences):
        raise AutotrophError(f"task '{config.task}': it says nothing of what is preferred; use preferences")
    levels = [config.levels(family)[-1]]
    loop = practise(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Bare(family, levels, config.tasks),
        filters=[],
        optimize=GRO(
            GRPO(normalise=False),
            rollout,
            SamplingParams(max_tokens=2),
            config.samples,
            [reward_of(config.reward, family)],
            config.learner,
            config.steps,
            config.prompts,
            config.rate,
            "constant",
            config.lora,
            watch=Shares(
                [task.prompt for task in family.generate(levels[0], 8, config.seed, "dev")],
                ANSWERS,
                partial(figures, family, levels[0]),
            ),
        ),
        cycles=config.cycles,
    )
    return replace(loop, stages=replace(loop.stages, refiner=Sampled(2)))


@dataclass(frozen=True)
class Tabular:
    """A side: a table instead of the model, for so many samples in groups of 8, or as many as it is given."""

    reward: Reward
    steps: int = 2000
    groups: int = 8
    rate: float = 1.0
    level: int = 2

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, family, algorithm = time.monotonic(), Preferences(), GRPO(normalise=False)
        task, reward = Task.of(family.name, "?" * self.level, None, self.level), reward_of(self.reward, family)
        table = Table(family.alphabet, ANSWERS, algorithm, self.rate)
        shares = Shares([task.prompt], ANSWERS, partial(figures, family, self.level))
        size = 8 * self.groups
        steps = int(compute.get("samples", self.steps * size)) // size
        for step in range(steps):
            shares.add(table.probabilities(table.tokenizer.prompt(task.prompt)))
            traces = rollout([task], table, SamplingParams(max_tokens=2), size, seed * 1_000_003 + step)[0].traces
            groups = [Group(task, traces[i : i + 8]) for i in range(0, size, 8)]
            table.step(algorithm.signals(scored(groups, [reward], table.meter)))
        found = shares.figures()
        return Trial(100 * found["worst"], {"samples": size * steps}, time.monotonic() - began, (), found)


CLAIM = Claim(
    says="the average policy approaches the minimax winner under intransitive preferences",
    reported="not read",
    measure="share of wins of the average policy against the answer that does best against it, in points; 50 at most",
    ours=Tabular("wins"),
    baseline=Tabular("bradley_terry"),
    control=Tabular("shuffled"),
    against="the same policy gradient on the score of a fitted Bradley-Terry model",
    without="shares of wins, dealt out anew among the answers of a group",
    counter="samples",
    note="Three answers, a winner of (1, 4, 1) / 6; a softmax table in the model's place makes the average exact.",
)
