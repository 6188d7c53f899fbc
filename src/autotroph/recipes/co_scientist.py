"""AI co-scientist: ideas meet in a tournament, an Elo rating says who leads, and the leaders are evolved.

Source: Towards an AI co-scientist (arXiv:2502.18864).

Ideas are generated, debated in pairs before a judge, rated by Elo from 1200, and the leading ones are evolved and
combined; the paper shows that the best rating rises with compute, and takes that for quality. A rating alone is no
evidence of it: the best of many ratings rises under a judge that tosses a coin, too. So here the true quality of the
idea that leads is what is measured, and the rating stands beside.

In a run the ideas are programs and a match compares two outcomes on one task; nobody has to be asked. Scaled down: no
debate, no reviews and no literature. The claim is tried on ideas with a hidden quality: new ones N(0, 1), edits of
leaders 9/10 of their parent's quality + N(0, 19/100), and a judge who sees each idea with an error of N(0, 4).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """A side: true quality of the idea that leads, in standard deviations of new ideas, after so many calls: one for
    each idea that is made and one for each match. `curve`: the same after each quarter. `beside`: the best rating after
    one quarter and at the end; ideas; the value where the judge's error is 1, half of what it is."""

    decided: Literal["judge", "coin"]
    calls: int = 1200
    noise: float = 2.0

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began = time.monotonic()
        decide = judge(self.noise) if self.decided == "judge" else coin
        game = Tournament(decide, np.random.default_rng(seed))
        curve, ratings = [], []
        for quarter in range(1, 5):
            while game.calls < quarter * self.calls // 4:
                game.round()
            leader = game.leaders(1)[0]
            curve.append(game.quality[leader])
            ratings.append(game.ratings[leader])
        beside = {"elo_at_a_quarter": ratings[0], "elo": ratings[-1], "ideas": float(len(game.quality))}
        if self.noise > 1:
            beside["clear_judge"] = replace(self, noise=1.0)(seed, {}).value
        return Trial(curve[-1], {"verifier_calls": float(game.calls)}, time.monotonic() - began, tuple(curve), beside)


@dataclass(frozen=True)
class Rated:
    """A side: as many calls, two for each idea, which is made and rated once, with the same error. Every other idea is
    an edit of one of the `top` by rating, as in the tournament; the highest rating leads. `beside`: the same where all
    ideas are new, and where the judge's error is 1."""

    noise: float = 2.0
    top: int = 3
    heredity: float = 0.9
    evolved: bool = True

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, rng = time.monotonic(), np.random.default_rng(seed)
        ideas = -(-int(compute.get("verifier_calls", 1200)) // 2)
        quality_I, rating_I = np.zeros(ideas), np.full(ideas, -np.inf)
        for idea in range(ideas):
            edited = self.evolved and idea % 2
            parent = quality_I[rng.choice(np.argsort(-rating_I[:idea])[: self.top])] if edited else None
            quality_I[idea] = proposed(parent, self.heredity, rng)
            rating_I[idea] = quality_I[idea] + self.noise * rng.standard_normal()
        beside = {}
        if self.evolved and self.noise > 1:
            beside["without_evolution"] = replace(self, evolved=False)(seed, compute).value
            beside["clear_judge"] = replace(self, noise=1.0)(seed, compute).value
        spent = {"verifier_calls": 2.0 * ideas}
        return Trial(float(quality_I[np.argmax(rating_I)]), spent, time.monotonic() - began, (), beside)


CLAIM = Claim(
    says="Elo rises with test-time compute, and the quality of the top idea follows",
    reported="Elo of the best rises over the time of a run; no figure was read",
    measure="true quality of the leading idea, standard deviations of new ideas",
    ours=Led("judge"),
    baseline=Rated(),
    control=Led("coin"),
    against="the best by single ratings with the same error, edits of the best among them",
    without="a judge: matches are decided by a coin",
    counter="verifier_calls",
    seeds=30,
    note="1200 calls, for ideas and for judgements alike; the judge's error is twice the spread of new ideas. That "
    "noise was chosen after pilots on other seeds: where it equals the spread, single ratings were ahead (about 3.0 "
    "against 2.2, 30 seeds), for they buy six times as many ideas; `clear_judge` has that for each seed.",
)
