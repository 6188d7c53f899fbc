"""ASI-Evolve: learn, design, experiment, analyze. Lessons of what was tried condition what is tried next.

Source: ASI-Evolve (2026-03).

A cognition base holds what is known beforehand and what the search has learnt; an analyzer draws lessons from the
outcomes of experiments; the next candidate is designed with both. Here an experiment is an edit of a candidate with
what its child came to; the base gives back those whose parents were likest by outcomes; the analyzer counts for each
kind of edit how often it was tried and how often it helped. Without a key a kind is drawn with weight

    w_kind (helped_kind + 2 p) / (tried_kind + 2),    p = (helped + 1) / (tried + 2) over all kinds

so that kinds of edit are learnt, and nothing is said of why. With a model the form `lessons` shows lessons and single
experiments, each with the sentence that its designer said beforehand, and `--priors` what is known already:

    autotroph run asi_evolve --llm-name MODEL --llm-url URL

Scaled down: no literature in the base, and an analyzer that counts. Of the source only the cycle is known, from memory;
figures not read. The claim is tried on the task-by-skill landscape without noise: a kind of edit is a skill that is
raised or lowered.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from pydantic import Field

from autotroph.evaluate.claim import Claim, Trial
from autotroph.evolve.archive import weighted
from autotroph.evolve.arena import Game
from autotroph.evolve.cognition import Cognition, analyzed, taught
from autotroph.evolve.landscapes import ClearSkills, Genome
from autotroph.evolve.mutate.registry import mixture
from autotroph.evolve.mutate.taught import Taught, apart
from autotroph.evolve.policies.hill_climb import HillClimb
from autotroph.evolve.protocols import Expand, Mutator
from autotroph.loop import Loop
from autotroph.recipes.evolved import EvolveConfig, ModelConfig, evolve

SOURCE = "ASI-Evolve (2026-03)"
Knows = Literal["lessons", "dealt", "nothing"]


class Config(EvolveConfig):
    problem: str = "symbolic_regression"
    policy: str = "hill_climb"
    evaluations: int = Field(300, ge=1, description="of one candidate on one task, in each cycle")
    llm: ModelConfig = ModelConfig(forms=("lessons",))
    nearest: int = Field(40, ge=1, description="experiments that an edit's lessons are drawn from, the likest")
    priors: str = Field("", description="what is known before the search, in words that a model is shown")

    def programmatic(self) -> Mutator:
        return Taught(apart(mixture(self.mutators).parts))


def build(config: Config) -> Loop:
    return evolve(config, cognition=Cognition(config.nearest, config.priors))


@dataclass
class Designed(Game):
    """A search in which it is designed which skill an edit raises or lowers; how much is the landscape's chance."""

    landscape: ClearSkills
    knows: Knows = "lessons"
    cognition: Cognition = field(default_factory=Cognition)

    def made(self, choice: Expand) -> tuple[Genome, str]:
        kinds, weights = self.landscape.kinds, self.weights(choice.parents[0])
        edit = kinds[weighted(weights, self._edits)]
        return self.landscape.edited(self.genomes[choice.parents[0]], edit, self._edits), edit

    def weights(self, node: int) -> list[float]:
        """Of each kind of edit. With lessons that are dealt, kinds are dealt out anew among the experiments."""
        even = [1.0] * len(self.landscape.kinds)
        if self.knows == "nothing":
            return even
        known = self.cognition.experiments(self.archive, node)
        if self.knows == "dealt":
            edits = self._edits.permutation(len(known))
            known = tuple(replace(one, edit=known[other].edit) for one, other in zip(known, edits, strict=True))
        return taught(even, self.landscape.kinds, analyzed(known))


@dataclass(frozen=True)
class Evolved:
    """A side: true skill of the pick, in percent. `beside`: children better than their parent, in percent."""

    knows: Knows
    evaluations: int = 2000

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, ground = time.monotonic(), ClearSkills.drawn(np.random.default_rng([seed, 4]))
        game = Designed(ground, HillClimb(), seed, self.evaluations, knows=self.knows)
        for _ in game.steps():
            pass
        skills = np.array([game.skill(node) for node in range(len(game.genomes))])
        better = skills[1:] > skills[game.archive.column("parent")[1:].astype(int)]
        spent = {"verifier_calls": float(self.evaluations)}
        beside = {"better": 100 * float(better.mean())}
        return Trial(100 * float(skills[game.picked]), spent, time.monotonic() - began, (), beside)


CLAIM = Claim(
    says="a cognition base and an analyzer beat plain evolution",
    reported="not read",
    measure="true skill of what is finally picked, percent",
    ours=Evolved("lessons"),
    baseline=Evolved("nothing"),
    control=Evolved("dealt"),
    against="the same evolution, kinds of edit drawn evenly",
    without="knowing which edit came to what: kinds are dealt out anew among the experiments",
    counter="verifier_calls",
    seeds=20,
    note="Eight skills, 20 tasks judged without noise, 100 children of a hill climb; sixteen kinds of edit, each "
    "skill raised or lowered. Pilots, seeds 1000 to 1015: +9.6 (6.4 to 12.8), control -5.5 (-12.1 to 1.2); "
    "children were better than their parent in 58% and 43%. What can be learnt is there by construction: most "
    "kinds that lower a skill harm. Which experiments are remembered mattered little: earlier pilots, with the "
    "edit sizes of the landscape, came to 86% with all of them for each edit and to 83% with the likest 40. "
    "Where kinds hardly differ there was nothing to gain: 61% with lessons and 59% without, on modules that "
    "deceive, five kinds, 200 children, 8 seeds.",
)
