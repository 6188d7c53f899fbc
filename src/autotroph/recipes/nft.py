"""Negative-aware fine-tuning: supervised learning that reflects on wrong answers.

Source: Bridging Supervised Learning and Reinforcement Learning in Math Reasoning (arXiv:2505.18116).

Rejection sampling throws wrong answers away. With q the share of a task's answers that are right, the policy that
sampled is old = q right + (1 - q) wrong, so that whoever models the right ones by `policy` models the wrong ones by
(old - q policy) / (1 - q): maximum likelihood of both trains one policy. With R = policy / old at a token, y the
answer's reward and w(q) = sqrt((1 - q) / q) the loss is -w (y log R + (1 - y) log max(floor, (1 - q R) / (1 - q))),
the maximum straight through. At R = 1 its gradient is GRPO's, to the last digit; each step's answers are learnt twice
here, and from the second time on the two differ.

Scaled down: a model of well under 5M parameters, 2 updates on each step's answers instead of 16 minibatches.
"""

from __future__ import annotations

from pydantic import Field

from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.optimize.algo.registry import OnPolicy
from autotroph.recipes import grpo
from autotroph.recipes.sides import Practised, pooled, pooled_accuracy

SOURCE = "arXiv:2505.18116"


class Config(grpo.Config):
    algorithm: OnPolicy = Field("nft", description="what is made of the rewards")
    updates: int = Field(2, ge=1, description="times that each step's answers are learnt")


def build(config: Config) -> Loop:
    return grpo.build(config)


SIDE = {**grpo.SIDE, "cycles": 4}

CLAIM = Claim(
    says="learning from wrong answers too goes beyond rejection sampling, with supervised learning alone",
    reported="mean of six mathematical benchmarks, 7B: 31.6% -> 51.7%; learning right answers alone: about four fifths "
    "of that gain, at second hand",
    measure="sealed accuracy, greedy, all tasks of one or two steps, %",
    ours=Practised("nft", SIDE, pooled, points=pooled_accuracy),
    baseline=Practised("nft", {**SIDE, "algorithm": "weighted_sft"}, pooled, points=pooled_accuracy),
    control=Practised("nft", {**SIDE, "reward": "chance"}, pooled, points=pooled_accuracy),
    against="the same loop on right answers alone, sampled anew at every step (RFT online)",
    without="the verifier: half of the answers are right, blindly",
)
