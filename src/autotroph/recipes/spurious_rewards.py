"""Spurious rewards: GRPO on a reward that is chance.

Source: Spurious Rewards: Rethinking Training Signals in RLVR (arXiv:2506.10947).

Every answer is rewarded with probability 1/2, whatever it says. Each step's answers are learnt `updates` times; from
the second time on the ratio r of the policy to the one that sampled is not 1, and min(r A, clip(r, 1 - c, 1 + c) A)
pulls back unevenly: what the policy does already with more than 1 / (1 + c) can never be clipped for growing. Chance so
moves a policy to its prior, and accuracy rises or falls with what the prior was worth; without clipping it does not.
The reward says nothing of all that. The monitor of the KL from the base does: it warns of a policy that moves.

Scaled down: an embedded model with two habits instead of Qwen2.5-Math, which writes code in 65% of its answers. The
claim is tried where its expectation can be simulated: a softmax policy over two strategies (`evaluate/clipping.py`).
"""

from __future__ import annotations

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.core.protocols import RewardFn, SamplingParams
from autotroph.evaluate.claim import Claim
from autotroph.evaluate.clipping import Drift
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.monitors import Limit, Monitors
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes.bases import SkillConfig, practise
from autotroph.recipes.habits import HabitualBase
from autotroph.rewards.chance import Chance
from autotroph.select.dedup import ExactDedup

SOURCE = "arXiv:2506.10947"


class Config(SkillConfig):
    task: str = "copy"
    level: int | None = Field(4, ge=0, description="level that is practised and measured; none: the lowest")
    cycles: int = Field(2, ge=1, description="most cycles")
    share: float = Field(0.5, ge=0, le=1, description="probability of a reward")
    clip: float = Field(0.2, gt=0, lt=1, description="of the probability ratio, both ways")
    clipped: bool = Field(True, description="off: the ratio is not clipped")
    updates: int = Field(4, ge=1, description="times that each step's answers are learnt")
    steps: int = Field(15, ge=1, description="steps a cycle")
    tasks: int = Field(500, ge=1, description="different tasks that a cycle draws its prompts from")
    prompts: int = Field(8, ge=1, description="prompts a step")
    samples: int = Field(8, ge=2, description="answers to each prompt")
    rate: float = Field(1.0, gt=0, description="learning rates, as a share of the learner's")
    base: HabitualBase = HabitualBase(backwards=0.35, rope_theta=10000.0, train=PretrainConfig(steps=300, rows=2000))
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=1.0)
    gate: PairedGate = PairedGate(off=True)
    monitors: Monitors = Monitors(kl_base=Limit(high=0.05))


def build(config: Config) -> Loop:
    family = config.family()
    levels = config.levels(family)
    params = SamplingParams(max_tokens=max(family.max_answer(level) for level in levels) + 1)
    low, high = (config.clip, config.clip) if config.clipped else (UNBOUND, UNBOUND)
    chance: RewardFn = Chance(config.share)
    return practise(
        config,
        family,
        taught=levels,
        measured=levels[-1:],
        source=Bare(family, levels[-1:], config.tasks, config.known(family, levels)),
        filters=[ExactDedup()],
        optimize=GRO(
            GRPO(True, low, high),
            rollout_for(family),
            params,
            config.samples,
            [chance],
            config.learner,
            config.steps,
            config.prompts,
            config.rate,
            "constant",
            config.lora,
            updates=config.updates,
        ),
        cycles=config.cycles,
        gap=config.gap(family, levels[-1:], params.temperature, "verifier"),
    )


UNBOUND = 1e9
"""Of a clip that never binds."""

CLAIM = Claim(
    says="random rewards move a policy to the strategy of its prior, through the bias of clipping",
    reported="code in 65% of answers at first, over 90% with random rewards and clipping, no rise without clipping",
    measure="log-odds of the majority's strategy after training on chance, less those of the prior, nats",
    ours=Drift(),
    baseline=Drift(updates=1, batches=480),
    control=Drift(clip=float("inf")),
    against="one update on each batch, as many updates in all: the ratio is 1, and nothing is clipped",
    without="clipping",
    seeds=5,
    note="simulated: 20,000 policies of two strategies, prior 65%. What rises is the mean of the log-odds, and in how "
    "many policies the majority has grown; its mean share does not, for chance also spreads policies out. A first "
    "trial with 3,000 policies could not tell: +0.072 (-0.011 to 0.156).",
)
