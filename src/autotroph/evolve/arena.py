"""The arena: search policies on the same landscapes, with as many evaluations for each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from autotroph.core.errors import AutotrophError
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.landscapes import LANDSCAPES, Genome, Landscape
from autotroph.evolve.policies.registry import POLICIES, policy
from autotroph.evolve.protocols import Expand, Left, SearchPolicy

BASELINES = ("random", "best_of_n")
TURN = 3
"""Node n begins with task 3n: minibatches differ, and no task is tried before another everywhere."""
BARREN = 1000
"""Children made since the last evaluation after which a policy is taken to be stuck."""


@dataclass(frozen=True)
class Contest:
    """What is the same for all: `evaluations` for each, of one node on one task, and seeds 0, 1, ..."""

    policies: Sequence[str] = tuple(POLICIES)
    landscapes: Sequence[str] = tuple(LANDSCAPES)
    evaluations: int = 1000
    seeds: int = 40

    def check(self) -> None:
        """Raises AutotrophError for names that there are not, and for no policy, evaluation or second seed."""
        for given, known, kind in (
            (self.policies, POLICIES, "search policy"),
            (self.landscapes, LANDSCAPES, "landscape"),
        ):
            if strange := [name for name in given if name not in known]:
                raise AutotrophError(f"arena: no {kind} '{strange[0]}'; there are {', '.join(known)}")
            if not given:
                raise AutotrophError(f"arena: no {kind}; name one of {', '.join(known)}")
        if self.evaluations < 1:
            raise AutotrophError(f"arena: {self.evaluations} evaluations; use --evaluations 1 or more")
        if self.seeds < 2:
            raise AutotrophError(f"arena: {self.seeds} seeds; use --seeds 2 or more, an interval needs them")


@dataclass(frozen=True)
class Trial:
    """What a policy came to with one seed. `skill`: the true skill of the node that is finally picked, by the highest
    lower bound. `best`: the highest true skill of any node. `solved`: evaluations until a finished node had skill 1,
    None where none had."""

    skill: float
    best: float
    nodes: int
    solved: int | None


@dataclass
class Game:
    """One search on a landscape. A seed gives the same landscape and root to all policies."""

    landscape: Landscape
    policy: SearchPolicy
    seed: int
    evaluations: int
    archive: Archive = field(init=False)
    genomes: list[Genome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.archive = Archive(self.landscape.tasks, TURN)
        self._edits, self._outcomes, self._choices = (np.random.default_rng([self.seed, 1 + i]) for i in range(3))
        self._add(self.landscape.root(np.random.default_rng([self.seed, 0])), ())

    def steps(self) -> Iterator[int]:
        """Play to the end; yields the node of each evaluation. Raises RuntimeError for a policy that only expands."""
        begun = barren = 0
        while begun < self.evaluations:
            left = Left(self.evaluations - begun, self.evaluations)
            choice = self.policy.choose(self.archive, left, self._choices)
            if isinstance(choice, Expand):
                if (barren := barren + 1) > BARREN:
                    raise RuntimeError(f"policy '{self.policy.name}': {BARREN} children and no evaluation")
                genome, edit = self.made(choice)
                self._add(genome, choice.parents, choice.tag, edit)
                continue
            task = self.archive.begin(choice.node)
            if task is None:
                raise RuntimeError(f"policy '{self.policy.name}': node {choice.node} has no task left")
            begun, barren = begun + 1, 0
            outcome = self.landscape.outcome(self.genomes[choice.node], task, self._outcomes)
            self.archive.record(choice.node, task, outcome)
            yield choice.node

    @property
    def picked(self) -> int:
        """By the mean itself where outcomes are without noise."""
        return self.archive.best(z=1.0 if self.landscape.noisy else 0.0)

    def skill(self, node: int) -> float:
        return self.landscape.skill(self.genomes[node])

    def made(self, choice: Expand) -> tuple[Genome, str]:
        """A child, and the kind of edit that made it: here the landscape's own."""
        return self.landscape.child([self.genomes[parent] for parent in choice.parents], self._edits), ""

    def _add(self, genome: Genome, parents: tuple[int, ...], tag: int = 0, edit: str = "") -> None:
        self.archive.add(Node(str(len(self.genomes)), parents, edit, tag=tag))
        self.genomes.append(genome)


def landscape(name: str, seed: int) -> Landscape:
    return LANDSCAPES[name](np.random.default_rng([seed, 4]))


def played(name: str, place: str, seed: int, evaluations: int, stop: bool = False) -> Trial:
    """A policy on a landscape; `stop`: end with the first finished node of skill 1."""
    game = Game(landscape(place, seed), policy(name), seed, evaluations)
    solved = None
    for number, node in enumerate(game.steps(), start=1):
        if solved is None and len(game.archive.outcomes[node]) == game.landscape.tasks and game.skill(node) >= 1:
            solved = number
            if stop:
                break
    skills = [game.skill(one) for one in range(len(game.archive))]
    return Trial(skills[game.picked], max(skills), len(skills), solved)


def contested(contest: Contest, pool: Executor) -> dict[str, dict[str, list[Trial]]]:
    """Landscape -> policy -> its trials, one a seed. Raises AutotrophError as `Contest.check` does."""
    contest.check()
    jobs = {
        place: {
            name: [pool.submit(played, name, place, seed, contest.evaluations) for seed in range(contest.seeds)]
            for name in contest.policies
        }
        for place in contest.landscapes
    }
    return {place: {name: [job.result() for job in own] for name, own in row.items()} for place, row in jobs.items()}


def processes() -> ProcessPoolExecutor:
    """As many as there are cores."""
    return ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))
