"""The search: a policy chooses, mutators and evaluators work, the archive remembers.

Work goes on in threads, up to `ahead` choices at a time, and what came of it enters the archive in the order in which
it was chosen, not in which it was done. So a choice rests on the same archive however long anything took, and a search
that is resumed with its paid work at hand is the one that was never interrupted.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from autotroph.core.budget import Meter
from autotroph.core.task import stable_hash
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.cognition import Briefing, Cognition
from autotroph.evolve.mutate.merge import common_ancestor
from autotroph.evolve.protocols import Choice, Edit, Evaluate, Expand, Left, Mutator, Parent, SearchPolicy, Surroundings

BARREN = 200
"""Choices in a row that made no child after which a search ends: its mutators find nothing more."""
BEST = 3
"""Candidates that a mutator is shown beside those that it edits."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What an evaluator says of a candidate on a task: an outcome in [0, 1], None where nothing could be scored, and
    words for whoever edits it next."""

    outcome: float | None
    feedback: str = ""


class Evaluator(Protocol):
    """Tries candidates on numbered tasks, cheap ones first; several threads may call it."""

    @property
    def tasks(self) -> int: ...
    def evaluate(self, candidate: Candidate, task: int) -> Tried: ...


@dataclass(frozen=True)
class Stage:
    """After its first `tasks` a candidate whose mean is below `least` is tried no further."""

    tasks: int
    least: float


@dataclass(frozen=True)
class Settings:
    """`evaluations`: of one candidate on one task. `ahead`: choices under way at a time. `z`: standard errors between a
    mean and the bound by which the final pick is made; 0 for outcomes without noise. `describe`: the goal, in words.
    `cognition`: draws lessons for mutators from what was tried."""

    evaluations: int
    ahead: int = 4
    workers: int = 2
    z: float = 1.0
    stage: Stage | None = None
    describe: str = ""
    cognition: Cognition | None = None


@dataclass
class Population:
    """An archive with the candidates that its nodes stand for, and what was said of them."""

    archive: Archive
    candidates: dict[str, Candidate] = field(default_factory=dict)
    feedback: list[dict[int, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """Why choices made no child."""

    def add(self, candidate: Candidate, node: Node) -> int:
        self.candidates[candidate.id] = candidate
        self.feedback.append({})
        return self.archive.add(node)

    @classmethod
    def of(cls, root: Candidate, tasks: int) -> Population:
        """One candidate, from which a search on so many tasks begins."""
        population = cls(Archive(tasks))
        population.add(root, Node(root.id))
        return population

    def record(self, node: int, task: int, tried: Tried) -> None:
        self.archive.record(node, task, tried.outcome)
        if tried.feedback:
            self.feedback[node][task] = tried.feedback

    def close(self, node: int) -> None:
        """Try it no further."""
        self.archive.close(node)

    def candidate(self, node: int) -> Candidate:
        return self.candidates[self.archive.nodes[node].candidate]

    def parent(self, node: int) -> Parent:
        outcomes = dict(self.archive.outcomes[node])
        mean = sum(outcomes.values()) / len(outcomes) if outcomes else None
        note = self.archive.nodes[node].note
        return Parent(self.candidate(node), mean, outcomes, dict(self.feedback[node]), note)


@dataclass
class _Job:
    """A choice that is under way."""

    choice: Choice
    task: int
    future: Future[Edit | Tried]


class Search:
    """Spends a budget of evaluations on a population, in place."""

    def __init__(
        self,
        population: Population,
        policy: SearchPolicy,
        mutator: Mutator,
        evaluator: Evaluator,
        settings: Settings,
        seed: int,
        meter: Meter | None = None,
    ):
        self.population, self.archive = population, population.archive
        self.policy, self.mutator, self.evaluator, self.settings = policy, mutator, evaluator, settings
        self.seed, self.meter = seed, meter or Meter()
        self._jobs: deque[_Job] = deque()
        self._step = self._begun = self._barren = 0

    def run(self, watch: Callable[[Population], None] = lambda population: None) -> int:
        """The node that is finally picked. `watch` is called after every evaluation.

        An evaluator's or a mutator's own error ends the search, once everything under way has ended.
        """
        with ThreadPoolExecutor(self.settings.workers) as pool:
            try:
                while self._goes_on():
                    while len(self._jobs) < self.settings.ahead and self._goes_on():
                        self._jobs.append(self._begin(pool))
                    self._commit(watch)
                while self._jobs:
                    self._commit(watch)
            finally:
                for job in self._jobs:
                    job.future.cancel()
        return self.archive.best(self.settings.z)

    def _goes_on(self) -> bool:
        return self._begun < self.settings.evaluations and self._barren < BARREN

    def _begin(self, pool: ThreadPoolExecutor) -> _Job:
        left = Left(self.settings.evaluations - self._begun, self.settings.evaluations)
        rng = np.random.default_rng([self.seed, self._step])
        choice = self.policy.choose(self.archive, left, rng)
        self._step += 1
        if isinstance(choice, Evaluate):
            task = self.archive.begin(choice.node)
            assert task is not None, f"policy '{self.policy.name}' chose a node whose tasks are all begun"
            self._begun += 1
            return _Job(
                choice, task, pool.submit(self.evaluator.evaluate, self.population.candidate(choice.node), task)
            )
        self.archive.expanding += 1
        edit_rng = random.Random(stable_hash(str(self.seed), str(self._step), "edit"))
        nodes = self._mates(choice.parents, edit_rng)
        parents = [self.population.parent(node) for node in nodes]
        return _Job(choice, -1, pool.submit(self.mutator.edit, parents, self._surroundings(nodes, edit_rng)))

    def _mates(self, chosen: Sequence[int], rng: random.Random) -> list[int]:
        """The chosen parents, and beside them as many others as the mutator can make use of, drawn among those that
        were tried."""
        nodes, tried = list(chosen), np.flatnonzero(self.archive.column("trials"))
        while len(nodes) < self.mutator.parents and len(tried) > len(nodes):
            if (other := int(tried[rng.randrange(len(tried))])) not in nodes:
                nodes.append(other)
        return nodes

    def _surroundings(self, nodes: Sequence[int], rng: random.Random) -> Surroundings:
        lower = self.archive.lower(self.settings.z)
        best = np.argsort(-lower, kind="stable")[:BEST]
        shown = [self.population.parent(int(node)) for node in best if lower[node] >= 0]
        common = common_ancestor(self.archive, nodes[0], nodes[1]) if len(nodes) > 1 else None
        ancestor = None if common is None else self.population.candidate(common)
        cognition = self.settings.cognition
        briefing = cognition.briefing(self.archive, nodes[0]) if cognition else Briefing()
        return Surroundings(rng, self.meter, self.settings.describe, shown, self._step, ancestor, briefing)

    def _commit(self, watch: Callable[[Population], None]) -> None:
        job = self._jobs.popleft()
        if isinstance(job.choice, Expand):
            self.archive.expanding -= 1
            self._barren += 1
            try:
                made = job.future.result()
            except NoEdit as error:
                self._refuse(error.failed or [(self.mutator.name, error.kind)])
                return
            assert isinstance(made, Edit)
            self._adopt(job.choice, made)
            return
        tried = job.future.result()
        assert isinstance(tried, Tried)
        self.population.record(job.choice.node, job.task, tried)
        self._close(job.choice.node)
        watch(self.population)

    def _adopt(self, choice: Expand, made: Edit) -> None:
        """The child, unless it is one that is there already."""
        by = made.mutator or self.mutator.name
        self._refuse(made.failed)
        if made.candidate.id in self.population.candidates:
            self._refuse([(by, "it is in the archive already")])
            return
        self._barren = 0
        node = Node(made.candidate.id, choice.parents, by, made.note, choice.tag)
        self.population.add(made.candidate, node)

    def _refuse(self, failed: Iterable[tuple[str, str]]) -> None:
        self.population.refused.update(f"{mutator}: {kind}" for mutator, kind in failed)

    def _close(self, node: int) -> None:
        stage = self.settings.stage
        if stage and len(self.archive.outcomes[node]) == stage.tasks and self.archive.means[node] < stage.least:
            self.population.close(node)
