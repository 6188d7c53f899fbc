"""SWE-Search: a tree search over states of a program with failing tests, which goes back where a linear agent cannot.

Source: SWE-Search (arXiv:2410.20285), and the released code, moatless-tree-search.

Each edit of a program is a node of a tree; a value agent estimates how good the state is, and the next edit is made
where

    V + C sqrt(ln N(parent) / N) + alpha exp(-beta (d - 1)) - gamma sqrt(d)

is highest: V the estimate, N the visits that are backed up, d the depth. A state whose edits come to nothing loses its
lead to another one. A linear agent edits its last state, whatever the edit before has broken.

Scaled down: the share of tests that pass in the place of the value agent and of the debate that picks the final state;
typed edits of the syntax tree in the place of the agent. A run repairs the program of `repair`. With a model,
`--llm-form reflect` shows it what was said of the tests that went worst, the source's hindsight feedback:

    autotroph run swe_search --llm-name MODEL --llm-url URL --llm-forms diff,reflect

The claim is tried on a simulated program, whose functions have places that are right or wrong, so that twenty seeds
cost seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from autotroph.evaluate.claim import Claim, Trial
from autotroph.evolve.arena import Game
from autotroph.evolve.landscapes import BrokenProgram
from autotroph.evolve.policies.hill_climb import HillClimb
from autotroph.evolve.policies.latest import Latest
from autotroph.evolve.policies.uct import UCT
from autotroph.evolve.protocols import SearchPolicy
from autotroph.loop import Loop
from autotroph.recipes.evolved import RepairConfig, Weights, evolve

SOURCE = "arXiv:2410.20285"


class Config(RepairConfig):
    mutators: Weights = Field({"syntax": 1.0}, description="NAME=WEIGHT,...: who edits")
    exploration: float = Field(0.01, ge=0, description="C, the weight of what was seldom visited")
    bonus: float = Field(0.01, ge=0, description="alpha, the weight of early depth")
    penalty: float = Field(0.008, ge=0, description="gamma, the weight of late depth")


def build(config: Config) -> Loop:
    return evolve(config, UCT(config.exploration, config.bonus, penalty=config.penalty))


@dataclass(frozen=True)
class Searched:
    """A side: tests that the picked state of a program passes, in percent. `beside`: whether all do, in percent; the
    depth of the picked state; with `greedy`, what going on from the best state comes to at as many evaluations."""

    policy: SearchPolicy
    evaluations: int = 1800
    greedy: bool = False

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began = time.monotonic()
        game = Game(BrokenProgram.drawn(np.random.default_rng([seed, 4])), self.policy, seed, self.evaluations)
        done = sum(1 for _ in game.steps())
        passed = 100 * game.skill(game.picked)
        beside = {"solved": 100.0 * (passed >= 100), "depth": float(len(list(game.archive.line(game.picked))) - 1)}
        if self.greedy:
            beside["hill_climb"] = Searched(HillClimb(), self.evaluations)(seed, compute).value
        return Trial(passed, {"verifier_calls": float(done)}, time.monotonic() - began, (), beside)


CLAIM = Claim(
    says="tree search beats a linear agent at equal budget",
    reported="SWE-bench Lite: 23% better, relative, over five models, than agents without the search (abstract)",
    measure="tests that the picked state of the program passes, percent",
    ours=Searched(UCT(), greedy=True),
    baseline=Searched(Latest(steps=3)),
    control=Searched(UCT(estimates=False)),
    against="a linear agent, which edits its last state and begins again after three edits; its best state counts",
    without="value estimates: they are drawn by lot",
    counter="verifier_calls",
    seeds=20,
    note="A simulation: six functions of six places, six of all places wrong; 1800 runs of one function's tests, which "
    "are 300 edits. Three edits in a row were best for the linear agent among 1, 2, 3, 5 and 8 in pilots on other "
    "seeds. Nothing deceives on this ground: going on from the best state alone is as good (`hill_climb` beside).",
)
