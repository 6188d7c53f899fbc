"""Huxley-Goedel Machine: who is worth editing is told by what became of all its descendants.

Source: Huxley-Goedel Machine (arXiv:2510.21614).

An agent that does well need not have children that do. The clade metaproductivity of a node is estimated by the pooled
outcomes of the node and all its descendants: who is expanded is drawn by Beta(c (1 + S), c (1 + F)) over those sums,
who is evaluated by the same draw over its own, and a node is expanded as long as evaluations^.6 >= nodes - 1.
Evaluation is decoupled from expansion, so that agents that fail their first tasks cost no more.

The claim is tried where true skill is known, on the drift tree of docs/arena.md: skill is inherited with noise, and an
outcome is a toss. `autotroph run hgm` evolves agents that find list functions by search, and edit themselves.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from autotroph.evaluate.claim import Claim, Trial
from autotroph.evolve.arena import Game, landscape
from autotroph.evolve.policies.registry import policy
from autotroph.loop import Loop
from autotroph.recipes.agents import AgentConfig
from autotroph.recipes.evolved import evolve

SOURCE = "arXiv:2510.21614"


class Config(AgentConfig):
    policy: str = Field("hgm", description="who chooses what is edited and tried; docs/arena.md compares them")


def build(config: Config) -> Loop:
    return evolve(config)


@dataclass(frozen=True)
class Played:
    """A side: a policy on a landscape, measured by the true skill of its pick, in points."""

    policy: str
    pooled: bool | None = None
    landscape: str = "drift_tree"
    evaluations: int = 3000

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        begun = time.monotonic()
        settings = {} if self.pooled is None else {"pooled": self.pooled}
        game = Game(landscape(self.landscape, seed), policy(self.policy, **settings), seed, self.evaluations)
        done = sum(1 for _ in game.steps())
        return Trial(100 * game.skill(game.picked), {"verifier_calls": float(done)}, time.monotonic() - begun)


CLAIM = Claim(
    says="choosing parents by what became of their clades finds better agents than DGM at equal evaluations",
    reported="SWE-bench Verified-60 56.7% against DGM's 53.3%, in fewer hours; from memory",
    measure="true skill of the agent that is finally picked, in points",
    ours=Played("hgm"),
    baseline=Played("dgm"),
    control=Played("hgm", pooled=False),
    against="DGM, every child on all of 20 tasks",
    without="clades: parents are drawn by their own outcomes alone",
    counter="verifier_calls",
    seeds=40,
    note="A simulation: the drift tree of docs/arena.md, whose settings were published and not tuned. The control "
    "shares the other half of the machine, evaluation decoupled from expansion.",
)
