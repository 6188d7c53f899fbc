"""RENT: practise on nothing but one's own confidence, minus the entropy of each next token.

Source: Maximizing Confidence Alone Improves Reasoning (arXiv:2505.22660).

Each cycle takes `steps` on-policy GRPO steps. The reward of an answer of T tokens is R(y) = -(1/T) sum_t H(p_t), H the
entropy of the policy's own next-token distribution: no label and no vote, and every single answer has one. It lifts a
policy that is surer when it is right; one that is not yet competent it only makes sure. Like all such rewards it falls
again when it is maximised for long (arXiv:2603.08660), so that a run is short and the gate looks at each cycle.

The base has read gold rows of which 20% have the answer to another task: a wrong answer begins like any other, and goes
on unsurely. Accuracy is that of drawn answers, for greedy decoding has what sharpening gives already.

Scaled down: a model of well under 5M parameters on additions of two digits, groups of 8, all tokens of an answer
instead of its last ones, which the source finds to matter most.
"""

from __future__ import annotations

from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.recipes.label_free import OFTEN, ConfidenceConfig, practise
from autotroph.recipes.sides import Practised
from autotroph.rewards.confidence import NegativeEntropy

SOURCE = "arXiv:2505.22660"
Config = ConfidenceConfig


def build(config: ConfidenceConfig) -> Loop:
    return practise(config, NegativeEntropy())


CLAIM = Claim(
    says="minimising entropy alone improves accuracy of a competent base, more than a reward for the format does",
    reported="better than the base and than a format reward on GSM8K, MATH500, AMC, AIME and GPQA; figures not read",
    measure="sealed accuracy of drawn answers, percent",
    ours=Practised("rent", OFTEN),
    baseline=Practised("rent", {**OFTEN, "reward": "format", "steps": 100}),
    control=Practised("rent", {**OFTEN, "reward": "shuffled"}),
    against="GRPO on a reward for the format alone",
    without="telling whose entropy it is: they are dealt anew in each group",
    seeds=6,
    first=10,
    note="A second trial, on fresh seeds. The first, seeds 0 to 2, could not tell: +6.67 (-5.67 to 19), ahead by 12, 5 "
    "and 3 points. Its bases had read 30% wrong rows and were right in 57 to 68% of drawn answers; on such bases "
    "`intuitor` gained with the better ones and lost with the others. The claim is about competent bases: these have "
    "read 20%, and pilots (seeds 101 to 104) were right in 78 to 85% and gained 3 to 8 points, for which six seeds are "
    "enough. Of two drawn answers to a task, one right and one wrong, the right one has the lower entropy in 88% (a "
    "base with 30%, seed 100). Greedy answers of that base are right in 99.5%: nothing is gained that they do not "
    "have. From a base that is right in 30% accuracy fell to 11% in 120 steps.",
)
