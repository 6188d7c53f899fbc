"""Sharpening: learn to say at once the likeliest of one's own answers.

Source: Self-Improvement in Language Models: The Sharpening Mechanism (arXiv:2412.01951).

A policy's own likelihood is the reward, r(y|x) = log pi_base(y|x), and nothing from outside: what is gained is mass on
what the policy held likeliest all along, which sampling finds rarely. SFT-sharpening learns the best of N samples,
which is the likeliest answer, of probability p*, with chance 1 - (1 - p*)^N. RLHF-sharpening maximises
E[r] - beta KL(policy || base), whose optimum is pi_base^(1 + 1/beta); its later samples come from what it has learnt,
so that it needs fewer where the base covers the best answer poorly (large E[1/p*]).

A base is briefly taught on gold rows, some of which have the answer to another task. Each cycle the champion answers
`tasks` tasks `samples` times each, and the likeliest answer becomes a training row. The gate looks at drawn answers.

Scaled down: a model of well under 5M parameters. The claim about RLHF-sharpening is tried where everything is known: a
log-linear policy with 16 features for 100 answers to each of 100 prompts, whose likeliest answers have 2% on average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from autotroph.acquire.refined import Refined
from autotroph.core.protocols import SamplingParams
from autotroph.evaluate.claim import Claim, Trial
from autotroph.evaluate.softmax import Softmax, rl_sharpened, sft_sharpened
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.gro import Replayed
from autotroph.recipes.bases import BaseConfig, SkillConfig, practise
from autotroph.recipes.label_free import NOISY, one_level
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.drawn import Drawn
from autotroph.rewards.confidence import LogLikelihood
from autotroph.select.guard import Guard

SOURCE = "arXiv:2412.01951"


class Config(SkillConfig):
    tasks: int = Field(500, ge=1, description="tasks that the champion answers in a cycle")
    samples: int = Field(8, ge=2, description="answers to each task, of which the likeliest is learnt")
    steps: int = Field(40, ge=1, description="training steps a cycle")
    batch: int = Field(128, ge=2, description="rows a step")
    base: BaseConfig = NOISY
    guard: Guard = Guard(real_floor=0.0)


def build(config: Config) -> Loop:
    family = config.family()
    levels, rollout = one_level(family, config.level), rollout_for(family)
    params = SamplingParams(max_tokens=max(map(family.max_answer, levels)) + 1)
    likeliest = BestOfN(LogLikelihood(), params, config.samples, rollout)
    loop = practise(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Refined(family, levels, config.tasks, likeliest),
        filters=[],
        optimize=Replayed(SFT(), config.learner, config.steps, config.batch, lora=config.lora),
        cycles=config.cycles,
        gap=config.gap(family, levels, params.temperature, "certainty"),
    )
    return replace(loop, stages=replace(loop.stages, refiner=Drawn(params, rollout)))


@dataclass(frozen=True)
class Sharpened:
    """A side: mass on each prompt's likeliest answer, mean over the prompts, in percent, after sharpening.

    All sides draw as often from a policy. `beside`: the mass before, and the same where coverage is good.
    """

    method: str
    sharpness: float = 0.3
    samples: int = 16

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        base = Softmax.drawn(100, 100, 16, self.sharpness, np.random.default_rng(seed))
        rng = np.random.default_rng([seed, 1])
        if self.method == "sft":
            policy = sft_sharpened(base, self.samples, 1000, 1.0, rng)
        else:
            policy = rl_sharpened(base, self.samples, 4, 0.02, 10.0, rng, self.method == "shuffled")
        beside = {"base": mass(base, base)}
        if self.sharpness < 1:
            beside["well covered"] = replace(self, sharpness=1.0, samples=64)(seed, {}).value
        return Trial(mass(policy, base), {"samples": 100.0 * self.samples}, beside=beside)


def mass(policy: Softmax, base: Softmax) -> float:
    best_X1 = base.probabilities_XY.argmax(1)[:, None]
    return 100 * float(np.take_along_axis(policy.probabilities_XY, best_X1, 1).mean())


CLAIM = Claim(
    says="RLHF-sharpening needs fewer samples than SFT-sharpening where the base covers its best answers poorly",
    reported="a theorem (4.2 against 3.1), no figure",
    measure="mass on the likeliest answer after 16 samples a prompt, percent",
    ours=Sharpened("rl"),
    baseline=Sharpened("sft"),
    control=Sharpened("shuffled"),
    against="SFT on the likeliest of as many samples",
    without="telling whose likelihood it is: they are dealt anew in each group",
    counter="samples",
    note="SFT is trained until nothing changes. `well covered` beside each trial: the same from 64 samples of a base "
    "whose best answers have 8%.",
    seeds=10,
)
