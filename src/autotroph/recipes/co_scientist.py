"""AI co-scientist: ideas meet in a tournament, an Elo rating says who leads, and the leaders are evolved.

Source: Towards an AI co-scientist (arXiv:2502.18864).

Ideas are generated, debated in pairs before a judge, rated by Elo from 1200, and the leading ones are evolved and
combined; the paper shows that the best rating rises with compute, and takes that for quality. A rating alone is no
evidence of it: the best of many ratings rises under a judge that tosses a coin, too. So here the true quality of the
idea that leads is what is measured, and the rating stands beside.

In a run the ideas are programs and a match compares two outcomes on one task; nobody has to be asked. Scaled down: no
debate, no reviews and no literature. The claim is tried on ideas with a hidden quality: new ones N(0, 1), edits of
leaders 9/10 of their parent's quality + N(0, 19/100), and a judge who sees each idea with an error of N(0, 1).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from autotroph.evaluate.claim import Claim, Trial
from autotroph.evolve.elo import Tournament, coin, judge, proposed
from autotroph.evolve.policies.elo_tournament import EloTournament
from autotroph.loop import Loop
from autotroph.recipes.evolved import EvolveConfig, evolve

SOURCE = "arXiv:2502.18864"


class Config(EvolveConfig):
    problem: str = "function_minimisation"
    evaluations: int = Field(300, ge=1, description="of one candidate on one task, in each cycle")
    league: int = Field(16, ge=2, description="candidates that meet, the best and the newest")
    top: int = Field(4, ge=2, description="leaders among whom parents are found")


def build(config: Config) -> Loop:
    return evolve(config, EloTournament(config.league, config.top))


@dataclass(frozen=True)
class Led:
    """A side: true quality of the idea that leads, in standard deviations of new ideas, after `calls` of the judge, each
    of which looks at one pair. `curve`: the same after each eighth of them; `beside`: the best rating at a quarter of
    the calls and at the end, and the quality at a quarter."""

    decided: Literal["judge", "coin"]
    calls: int = 960
    noise: float = 1.0

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began = time.monotonic()
        decide = judge(self.noise) if self.decided == "judge" else coin
        game = Tournament(decide, np.random.default_rng(seed))
        curve, ratings = [], []
        for eighth in range(1, 9):
            while game.played < eighth * self.calls // 8:
                game.round()
            leader = game.leaders(1)[0]
            curve.append(game.quality[leader])
            ratings.append(game.ratings[leader])
        spent = {"verifier_calls": float(game.played)}
        beside = {"elo": ratings[-1], "elo_at_a_quarter": ratings[1], "at_a_quarter": curve[1]}
        return Trial(curve[-1], spent, time.monotonic() - began, tuple(curve), beside | {"ideas": len(game.quality)})


@dataclass(frozen=True)
class Rated:
    """A side: the same number of calls, each of which rates one idea once, with the same error. Half of the ideas are
    new, half edits of the `top` by their single ratings, as in the tournament; the highest rating leads."""

    calls: int = 960
    noise: float = 1.0
    top: int = 3
    heredity: float = 0.9

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, rng = time.monotonic(), np.random.default_rng(seed)
        calls = int(compute.get("verifier_calls", self.calls))
        quality, seen, single = np.zeros(calls), np.full(calls, -np.inf), rng.standard_normal(calls)
        for idea in range(calls):
            parent = rng.choice(np.argsort(-seen[:idea])[: self.top]) if idea % 2 else None
            quality[idea] = proposed(None if parent is None else quality[parent], self.heredity, rng)
            seen[idea] = quality[idea] + self.noise * rng.standard_normal()
        beside = {"without_evolution": float(single[np.argmax(single + self.noise * rng.standard_normal(calls))])}
        spent = {"verifier_calls": float(calls)}
        return Trial(float(quality[np.argmax(seen)]), spent, time.monotonic() - began, (), beside)


CLAIM = Claim(
    says="Elo rises with test-time compute, and the quality of the top idea follows",
    reported="Elo of the best and of the ten best rises over ten equal parts of the time; no figure was read",
    measure="true quality of the leading idea, standard deviations of new ideas",
    ours=Led("judge"),
    baseline=Rated(),
    control=Led("coin"),
    against="the best by single ratings with the same error, edits of the best among them",
    without="a judge: matches are decided by a coin",
    counter="verifier_calls",
    seeds=40,
)
