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
from autotroph.recipes.sides import Practised, pooled

SOURCE = "arXiv:2505.18116"


class Config(grpo.Config):
    algorithm: OnPolicy = Field("nft", description="what is made of the rewards")
    updates: int = Field(2, ge=1, description="times that each step's answers are learnt")


def build(config: Config) -> Loop:
    return grpo.build(config)


SIDE = {**grpo.SIDE, "steps": 10}
ROUNDS = {**grpo.ONCE, "author": "champion"}

CLAIM = Claim(
    says="learning from wrong answers too goes beyond rejection sampling, with supervised learning alone",
    reported="mean of six mathematical benchmarks, 7B: above RFT, level with DAPO; the figures were not read",
    measure="sealed accuracy, greedy, all tasks of copy up to 4 letters, %",
    ours=Practised("nft", SIDE, pooled),
    baseline=Practised("rejection_sampling", ROUNDS, pooled),
    control=Practised("nft", {**SIDE, "reward": "chance"}, pooled),
    against="rounds of rejection sampling fine-tuning, without gold rows",
    without="the verifier: half of the answers are right, blindly",
)
