"""Intuitor: practise on self-certainty, how far the policy's next-token distributions are from uniform.

Source: Learning to Reason without External Rewards (arXiv:2505.19590); self-certainty: arXiv:2502.18581.

Each cycle takes `steps` on-policy GRPO steps. The reward of an answer of T tokens is
u(y) = (1/T) sum_t KL(U || p_t) = -(1/(T V)) sum_t sum_v log(V p_t(v)), U uniform over the V tokens. The mean of log p
looks at the unlikely tokens: the reward grows without bound as they are excluded, where negative entropy ends at 0.

The base has read gold rows of which 20% have the answer to another task: a wrong answer begins like any other, and goes
on unsurely. Accuracy is that of drawn answers, for greedy decoding has what sharpening gives already.

Scaled down: a model of well under 5M parameters on additions of two digits, groups of 8; no KL to a reference; what the
source finds on tasks that were not trained on (code after mathematics) is not tried.
"""

from __future__ import annotations

from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.recipes.label_free import OFTEN, ConfidenceConfig, practise
from autotroph.recipes.sides import Practised
from autotroph.rewards.confidence import SelfCertainty

SOURCE = "arXiv:2505.19590"
Config = ConfidenceConfig


def build(config: ConfidenceConfig) -> Loop:
    return practise(config, SelfCertainty())


CLAIM = Claim(
    says="self-certainty as the only reward improves accuracy, without a label",
    reported="about what GRPO with labels gains on mathematics, by its abstract; figures not read",
    measure="sealed accuracy of drawn answers, percent",
    ours=Practised("intuitor", OFTEN),
    baseline=Practised("intuitor", {**OFTEN, "reward": "format", "steps": 100}),
    control=Practised("intuitor", {**OFTEN, "reward": "shuffled"}),
    against="GRPO on a reward for the format alone, which leaves the base as it is",
    without="telling whose certainty it is: they are dealt anew in each group",
    seeds=6,
    first=10,
    note="A second trial, on fresh seeds. The first, seeds 0 to 5, could not tell: +1.67 (-7.5 to 10.8), ahead by 7 to "
    "11 points with three seeds, whose bases were right in 60 to 70% of drawn answers, and behind by up to 10 with the "
    "others, 57 to 61%. They had read 30% wrong rows. The source begins with competent models: these bases have read "
    "20%, and pilots (seeds 101 to 104) were right in 78 to 85% and gained 3 to 7 points, for which six seeds are "
    "enough. It came to be ahead by 3 to 7 with five seeds and behind by 4 with the sixth, whose base is the least "
    "competent, right in 73%. Of two drawn answers to a task, one right and one wrong, the right one has the higher "
    "self-certainty in 81% (a base with 30%, seed 100). Greedy answers of that base are right in 99.5%: nothing is "
    "gained that they do not have.",
)
