"""HyperAgents: the agent that makes the next agent is a part of it, and so is edited, too.

Source: HyperAgents (github.com/facebookresearch/HyperAgents, 2026), after the Darwin Goedel Machine (arXiv:2505.22954).

An agent is a folder: files that solve tasks, and a meta agent, `meta.py`, that says how the folder is to change. A
parent is drawn with weight sigmoid(10 (s - m)) exp(-(children / 8)^3), m the mean score of the three best; its own meta
agent makes the child, meta agent included. So a lineage that edits well has children that edit well.

Scaled down: agents that find list functions by search (`agent_listfn`), whose meta agent is a program of forty lines
that adds and drops operations and changes its own numbers, in a language model's place; 2,000 evaluations on five
tasks. One domain, where the source has several.
"""

from __future__ import annotations

from pydantic import Field

from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.recipes.agents import AgentConfig, Evolved
from autotroph.recipes.evolved import evolve

SOURCE = "github.com/facebookresearch/HyperAgents"


class Config(AgentConfig):
    policy: str = Field("hyperagents", description="who chooses what is edited and tried; docs/arena.md compares them")


def build(config: Config) -> Loop:
    return evolve(config)


CLAIM = Claim(
    says="an editable meta agent beats the same one held fixed",
    reported="in each of its domains; figures not read",
    measure="sealed list functions solved by the agent that is picked, percent",
    ours=Evolved("hyperagents"),
    baseline=Evolved("hyperagents", editable=False),
    control=Evolved("hyperagents", blind=True),
    against="the same search, whose agents are all edited by the first one's meta agent",
    without="selection: outcomes are coins",
    counter="verifier_calls",
    seeds=8,
)
