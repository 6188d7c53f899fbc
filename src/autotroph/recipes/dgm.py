"""Darwin Goedel Machine: an archive of agents that edit their own code, each of which may be a parent again.

Source: Darwin Goedel Machine (arXiv:2505.22954).

A parent is drawn with weight sigmoid(10 (score - .5)) / (1 + children), is asked for its own child, and the child is
evaluated and stays in the archive, whatever it came to: what looks like a step back may lead on.

Scaled down: agents that find list functions by search, edited by a meta agent of their own that is a small program
(see `hyperagents`); 2,000 evaluations, every child on all of five tasks.
"""

from __future__ import annotations

from pydantic import Field

from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.recipes.agents import AgentConfig, Evolved
from autotroph.recipes.evolved import evolve

SOURCE = "arXiv:2505.22954"


class Config(AgentConfig):
    policy: str = Field("dgm", description="who chooses what is edited and tried; docs/arena.md compares them")


def build(config: Config) -> Loop:
    return evolve(config)


CLAIM = Claim(
    says="an archive of agents beats a chain of them at equal evaluations",
    reported="SWE-bench 20.0% -> 50.0%; without the archive, and without self-modification, less",
    measure="sealed list functions solved by the agent that is picked, percent",
    ours=Evolved("dgm"),
    baseline=Evolved("latest"),
    control=Evolved("dgm", blind=True),
    against="no archive: the newest agent makes the next one",
    without="selection: outcomes are coins",
    counter="verifier_calls",
    seeds=8,
)
