"""Easy-to-hard self-labelling: a model teaches itself problems longer than any that it was taught.

Source: Self-Improving Transformers Overcome Easy-to-Hard and Length Generalization Challenges (arXiv:2502.01612).

Each round, the champion's members answer `per_round` problems of the `ahead` levels above those that they have
mastered. What all of them agree on is kept (no gold label is looked at), joins the gold rows of the taught levels and
the self-made rows of promoted rounds, and every member goes on learning from where it stopped. The gate promotes the
result only when it is proven better on fresh sealed problems; one that is merely not proven better yet goes on
training.

Scaled down: 2 models of 0.16M parameters (d=64, 3 layers, no positional encoding as in the paper) instead of 5 of 14M;
taught on 8 digits instead of 16; 2,000 problems a round instead of 50,000, 80 steps of 128 rows instead of 1,000 of
1,024; Muon for the matrices, a constant rate and averaged weights. Unlike there, the vote is part of every task, and a
level is only learnt from where enough of its problems find agreement.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Curated
from autotroph.acquire.replay import Mixed, Poisoned, Replay
from autotroph.acquire.synthesis import Harder
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Selector, Source
from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.gro import Replayed
from autotroph.recipes.bases import PractiseConfig, levels_up_to, practise
from autotroph.recipes.sides import Practised
from autotroph.select.dedup import ExactDedup
from autotroph.select.length import LengthFilter
from autotroph.select.score import EntropyFilter
from autotroph.select.vote import MajorityVote
from autotroph.store.record import RunRecord

SOURCE = "arXiv:2502.01612"


class Config(PractiseConfig):
    taught: int = Field(8, ge=1, description="highest level of the base's gold rows")
    target: int = Field(16, ge=2, description="level at which the run is done")
    rounds: int = Field(40, ge=1, description="most rounds")
    ahead: int = Field(2, ge=1, description="levels above the mastered ones that a round tries")
    per_round: int = Field(2000, ge=0, description="problems that the champion labels each round; 0: gold rows alone")
    members: int = Field(2, ge=1, description="models that learn side by side and vote; the first one answers")
    votes: int = Field(1, ge=1, description="answers of each member to each problem; the majority of all is taken")
    temperature: float = Field(0.7, gt=0, description="of the sampled answers, where a member gives several")
    vote_share: float = Field(1.0, gt=0, le=1, description="share of the answers that a majority needs")
    reach: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of a level with a majority below which nothing is kept, halved each round without promotion",
    )
    mastery: float = Field(0.8, ge=0, le=1, description="share of a level kept at which it counts as mastered")
    filter: Literal["none", "length"] = Field("length", description="length: answers shorter than their level's go out")
    entropy: float = Field(0.1, ge=0, description="nats a token above which an answer goes out; 0: never")
    gold_per_level: int = Field(1000, ge=1, description="gold rows of each taught level that every round sees")
    steps: int = Field(80, ge=1, description="training steps a round")
    batch: int = Field(128, ge=2, description="rows a step")
    poison_round: int | None = Field(None, ge=1, description="corrupt all labels of this round, 1-based")


def build(config: Config) -> Loop:
    family = config.family()
    taught = levels_up_to(family, config.taught, "--taught")
    levels_up_to(family, config.target, "--target")
    if config.target <= config.taught:
        raise AutotrophError(
            f"target level {config.target} is not above taught level {config.taught}; raise --target or lower --taught"
        )
    poison = None if config.poison_round is None else config.poison_round - 1
    harder: Source = Harder(family, config.per_round, config.ahead, config.votes, config.temperature)
    if poison is not None:
        harder = Poisoned(harder, poison)
    sampled = {"temperature": config.temperature} if config.votes > 1 else {}
    filters: list[Selector] = []
    if config.filter == "length":
        filters.append(LengthFilter(slack=0))
    if config.entropy:
        filters.append(EntropyFilter(config.entropy))
    if config.members * config.votes > 1:
        filters.append(MajorityVote(config.vote_share, config.reach))
    return practise(
        config,
        family,
        taught=taught,
        measured=levels_up_to(family, min(config.target + 4, family.levels[-1]), "--target"),
        source=Mixed([Curated(family, taught, config.gold_per_level), Replay(newest=True), harder]),
        filters=[*filters, ExactDedup()],
        optimize=Replayed(SFT(), config.learner, config.steps, config.batch, config.guard.real_floor, config.lora),
        cycles=config.rounds,
        earliest=min(config.rounds, -(-(config.target - config.taught) // config.ahead)),
        members=config.members,
        knobs={"real_floor": config.guard.real_floor, **sampled},
        target_level=config.target,
        poison_cycle=poison,
        mastery=config.mastery,
        gap=config.gap(
            family,
            range(config.taught + 1, min(config.taught + config.ahead, family.levels[-1]) + 1),
            config.temperature,
            "vote",
        ),
    )


def reach(record: RunRecord) -> float:
    """The greatest length up to which the last champion solves at least 90% of each, over the greatest one taught."""
    solved = 0
    for length, (share, _) in sorted(record.champion_accuracy.items()):
        if share < 0.9:
            break
        solved = length
    return solved / record.taught


SIDE = {
    "task": "copy",
    "taught": 5,
    "target": 10,
    "rounds": 16,
    "per_round": 1000,
    "batch": 64,
    "sealed": 20,
    "final_sealed": 50,
    "base": {"train": {"steps": 1600, "settle": 300}},
}

CLAIM = Claim(
    says="self-labelled rounds bring a model to at least twice the length that it was taught",
    reported="from additions of 10 digits to 100 without apparent saturation; copying, from 10 letters to 120",
    measure="greatest length up to which each is solved at 90% or more, over the greatest one taught",
    ours=Practised("length_generalisation", SIDE, reach),
    baseline=Practised("length_generalisation", {**SIDE, "per_round": 0}, reach),
    control=Practised(
        "length_generalisation",
        {**SIDE, "members": 1, "filter": "none", "entropy": 0, "mastery": 0, "ahead": 1},
        reach,
    ),
    against="gold rows of the taught lengths alone",
    without="vote and filters: every label of one's own is learnt, and each round is a letter longer",
    margin=0.5,
    note="copying, taught 5 letters to reach 10; no gate in any side, as in the paper. Copying did without filters "
    "there; a model as small as this one labels the next length about 96% right, which is not enough for that.",
)
