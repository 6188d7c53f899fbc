"""Self-play in a zero-sum game, with an advantage for each role.

Source: SPIRAL (arXiv:2506.24119).

A base that knows the rules of a card game and makes any legal move plays both seats against itself. What a seat wins,
in stakes, is its reward; A = R_p - b[G, p] with a running mean b for each game and role (`RAE`), and the clipped policy
gradient on every token that it said. Self-play runs in circles: what approaches an equilibrium is the average of the
policies that it passes through. So the policy is read from the model, exactly, at every place of the game; `nash_conv`
is what two best responses win against the average, and `game_value` what its first player wins, -1/18 in Kuhn poker.
The gate compares sampled games against opponents of several strengths, none of which is ever practised against.

Scaled down: Kuhn or Leduc poker, a model of well under 5M parameters that says its move without any reasoning before,
and an entropy term in place of the pretrained model's own variety. What the claim reads is a table in the model's
place: the same games, advantages and loss, with nothing between a place and its probabilities.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.acquire.selfplay import Exploited, SelfPlay, exploited, places
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.evaluate.claim import Claim, Trial
from autotroph.loop import Loop
from autotroph.models.episode import rollout_for
from autotroph.optimize.algo.rae import RAE
from autotroph.optimize.gro import GRO
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.table import Table
from autotroph.recipes.bases import SkillConfig, practise
from autotroph.refine.sampled import Sampled
from autotroph.tasks.games.family import Played, strong
from autotroph.tasks.games.game import Policy, uniform
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.solve import Average

SOURCE = "arXiv:2506.24119"


class Config(SkillConfig):
    task: str = Field("kuhn_rules", description="kuhn_rules or leduc_rules")
    level: int | None = Field(3, ge=1, description="strongest opponent that is measured, and never practised against")
    cycles: int = Field(2, ge=1, description="most cycles, each judged by the gate")
    steps: int = Field(150, ge=1, description="on-policy steps a cycle")
    tables: int = Field(1000, ge=1, description="different tables at which a cycle plays")
    prompts: int = Field(32, ge=1, description="tables a step")
    games: int = Field(8, ge=1, description="games for each table of a step")
    decay: float = Field(0.95, ge=0, le=1, description="of the running mean of each role; 1: no baseline")
    entropy: float = Field(0.06, ge=0, description="weight of the entropy of what is said, in stakes")
    opponent: Literal["self", "uniform", "minimax"] = Field("self", description="who has the other seat")
    blind: bool = Field(False, description="let a coin say who has won")
    rate: float = Field(0.3, gt=0, description="learning rates, as a share of the base's")
    learner: LearnerConfig = LearnerConfig(average=1.0)

    def game(self) -> Played:
        """Raises AutotrophError for a task that is no game with hidden cards."""
        family = self.family()
        if not isinstance(family, Played) or family.game.open:
            raise AutotrophError(f"task '{self.task}': self-play needs hidden cards; use kuhn_rules or leduc_rules")
        return family


def opponent_of(name: str, family: Played) -> Policy | None:
    """Who has the other seat; None for the policy itself."""
    fixed: Mapping[str, Policy] = {"uniform": uniform, "minimax": strong(type(family.game))}
    return fixed.get(name)


def build(config: Config) -> Loop:
    family = config.game()
    levels = config.levels(family)
    loop = practise(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Bare(family, levels, config.tables),
        filters=[],
        optimize=GRO(
            RAE(config.decay, config.entropy),
            SelfPlay(family, opponent_of(config.opponent, family), config.blind),
            SamplingParams(),
            config.games,
            [],
            config.learner,
            config.steps,
            config.prompts,
            config.rate,
            "constant",
            config.lora,
            watch=Exploited(family, [f"{level}{number}" for level in levels for number in (1234, 8765)]),
        ),
        cycles=config.cycles,
    )
    return replace(loop, stages=replace(loop.stages, refiner=Sampled(family.max_action + 1, rollout_for(family))))


@dataclass(frozen=True)
class Tabular:
    """A side: a table instead of the model, Kuhn poker for so many steps, or until it has said as much as it may."""

    opponent: Literal["self", "uniform", "minimax"] = "self"
    blind: bool = False
    decay: float = 0.95
    steps: int = 500
    games: int = 200
    rate: float = 20.0
    entropy: float = 0.03

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, family, algorithm = time.monotonic(), Played(Kuhn(), rules=True), RAE(self.decay, self.entropy)
        table = Table(family.alphabet, "pb", algorithm, self.rate)
        prompts = {place.seen: place.ids(family, table.tokenizer, "") for place in places(family.game)}
        play = SelfPlay(family, opponent_of(self.opponent, family), self.blind)
        average, task, step, tokens = Average(family.game), Task.of(family.name, ":", None), 0, 0
        while tokens < compute["tokens"] if compute else step < self.steps:
            policy = {seen: table.probabilities(ids) for seen, ids in prompts.items()}
            if step % 5 == 0:
                average.add(policy, step // 5 + 1)
            groups = play([task], table, SamplingParams(), self.games, seed * 1_000_003 + step)
            table.step(algorithm.signals(groups))
            tokens += sum(sum(trace.sampled) for group in groups for trace in group.traces)
            step += 1
        found = exploited(family.game, average.table(), policy)
        return Trial(-found["nash_conv"], {"tokens": tokens}, time.monotonic() - began, (), found)


CLAIM = Claim(
    says="self-play makes a policy that is harder to exploit than one that was trained against a fixed opponent",
    reported="not read",
    measure="NashConv of the average policy in Kuhn poker, negated, in chips; 0 in equilibrium, -11/12 at random",
    ours=Tabular(),
    baseline=Tabular(opponent="minimax"),
    control=Tabular(blind=True),
    against="the same games and advantages against a fixed opponent that cannot be exploited",
    without="self-play in which a coin says who has won",
    counter="tokens",
    note="A softmax table in the model's place, so that every probability is exact.",
)
