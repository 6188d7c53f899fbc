"""Co-Reward: what an answer is worth is said by the vote on the same question otherwise put.

Source: Co-Reward (arXiv:2508.00410).

Each cycle takes `steps` on-policy GRPO steps, half of whose prompts are rephrasings q' of the other half q: of an
addition the operands the other way round, of a function the examples in reverse order. With v(q) the majority answer to
q, answers to q get r(y) = 1[y = v(q')] and those to q' get 1[y = v(q)]. What is particular to one wording
has no vote of its own to lean on, which makes it harder to agree with oneself on what is wrong. An answer that is the
same to every question would still be agreed on. With `--no-crossed` each wording keeps its own vote: the control.

Base, rates and the monitor are those of `srt`; accuracy is that of drawn answers.

Scaled down: a model of well under 5M parameters on additions of two digits; rephrasings by rule, not by a model; no KL
to a reference (the source: .005); as many prompts as `srt` altogether, where the source has the rephrasings on top.
"""

from __future__ import annotations

from pydantic import Field

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import RewardFn
from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.models.rephrased import WithRephrasings
from autotroph.recipes.label_free import VoteConfig, practise
from autotroph.recipes.sides import Practised
from autotroph.recipes.srt import LONG, foresight
from autotroph.rewards.heuristic import MajorityAgreement
from autotroph.rewards.rephrased import CrossAgreement

SOURCE = "arXiv:2508.00410"


class Config(VoteConfig):
    crossed: bool = Field(True, description="whether the vote on the other wording is the label")


def build(config: Config) -> Loop:
    """Raises AutotrophError for a task family that cannot put its problems otherwise."""
    family = config.family()
    rephrase = getattr(family, "rephrase", None)
    if rephrase is None:
        raise AutotrophError(f"task '{family.name}': it cannot rephrase its problems; use --task addition or listfn")
    vote: RewardFn = CrossAgreement(threshold=config.threshold)
    if not config.crossed:
        vote = MajorityAgreement(threshold=config.threshold)
    return practise(config, vote, WithRephrasings(rollout_for(family), rephrase))


CLAIM = Claim(
    says="contrastive agreement across rephrased questions outlasts a vote on the question alone, and ends higher",
    reported="+3.31% on average over other self-rewards, without their collapse (abstract of v2)",
    measure="sealed accuracy of drawn answers after as much compute, percent",
    ours=Practised("co_reward", LONG, beside=foresight),
    baseline=Practised("srt", LONG, beside=foresight),
    control=Practised("co_reward", {**LONG, "crossed": False}, beside=foresight),
    against="srt, the vote on the question alone",
    without="crossing: each wording is labelled by its own vote",
    seeds=6,
    first=10,
    note="A second trial, on fresh seeds. The first, seeds 0 to 2 on the same ground, could not tell: +32.4 (-17.2 to "
    "82.1), ahead by 48, 40 and 10 points. With those and pilots (seeds 100 to 102: 30, 49 and 32) six seeds were "
    "thought to be enough. The ground is that of `srt`: the rate, the same for all sides, is one at which the vote "
    "alone collapses within a hundred steps. At a third of it nothing collapses so soon and both end alike (seeds 100 "
    "and 101: 93 and 97 against 94 and 96): what crossing does is to put the collapse off.",
)
