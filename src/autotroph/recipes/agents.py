"""What recipes share whose agents edit themselves: the agent that they begin with, and sides of their claims."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np
from pydantic import Field

from autotroph.core.budget import Meter
from autotroph.evaluate.claim import Trial
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.mutate.own import META, Own
from autotroph.evolve.policies.registry import policy
from autotroph.evolve.programs import Trying
from autotroph.evolve.search import Population, Search, Settings, Tried
from autotroph.recipes.evolved import EvolveConfig, Weights
from autotroph.sandbox.jail import Jail
from autotroph.tasks.programs.family import ProgramFamily
from autotroph.tasks.registry import task_family

SEEDS = Path(__file__).parent / "seeds"
LISTFN = "agent_listfn"


def agent(family: ProgramFamily) -> Candidate:
    """The problem's starter, with the meta agent that goes with it."""
    own = SEEDS / family.name / META
    return Candidate.of({**family.starter, META: own.read_text()} if own.is_file() else family.starter)


class AgentConfig(EvolveConfig):
    """A run in which an agent is evolved that is asked for its own children."""

    problem: str = Field(LISTFN, description="what agents are for, or path/to/file.py:Class of your own")
    mutators: Weights = Field({"own": 1.0}, description="NAME=WEIGHT,...: who edits; own: the agent itself")
    evaluations: int = Field(400, ge=1, description="of one candidate on one task, in each cycle")
    cycles: int = Field(2, ge=1, description="most cycles, each judged by the gate")
    sealed: int = Field(200, ge=1, description="fresh sealed tasks that every gate decision looks at")

    def seed_program(self, family: ProgramFamily) -> Candidate:
        return agent(family) if self.program is None else super().seed_program(family)


@dataclass(frozen=True)
class Evolved:
    """A side: a search among agents, measured by its pick's mean on sealed tasks, in percent.

    `editable`: whether a child's `meta.py` is asked for its children, or that of the seed. `blind`: outcomes are coins.
    """

    policy: str
    editable: bool = True
    blind: bool = False
    problem: str = LISTFN
    evaluations: int = 2000
    tasks: int = 5
    sealed: int = 200
    settings: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        begun, family, meter = time.monotonic(), task_family(self.problem), Meter()
        assert isinstance(family, ProgramFamily)
        level, root = family.levels[0], agent(family)
        with Jail(workers=1) as jail:
            trying = Trying(family, family.generate(level, self.tasks, seed), jail, meter)
            population = Population.of(root, self.tasks)
            evaluator = Blind(trying, seed) if self.blind else trying
            own = Own(jail, None if self.editable else root)
            chooser = policy(self.policy, **self.settings)
            settings = Settings(self.evaluations, ahead=1, workers=1)
            pick = population.candidate(Search(population, chooser, own, evaluator, settings, seed, meter).run())
            asked = family.generate(level, self.sealed, seed, "sealed")
            scores = [family.verify(task, family.ask(jail, pick.directory, task)[0]) for task in asked]
        spent = {"verifier_calls": float(population.archive.evaluations)}
        return Trial(100 * fmean(score or 0.0 for score in scores), spent, time.monotonic() - begun)


@dataclass(frozen=True)
class Blind:
    """An evaluator that runs everything and says what a coin says."""

    trying: Trying
    seed: int

    @property
    def tasks(self) -> int:
        return self.trying.tasks

    def evaluate(self, candidate: Candidate, task: int) -> Tried:
        self.trying.evaluate(candidate, task)
        coin = np.random.default_rng([self.seed, int(candidate.id[:12], 16), task]).random()
        return Tried(float(coin < 0.5))
