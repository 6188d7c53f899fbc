"""What the parts of a search promise one another."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from autotroph.core.budget import Meter
from autotroph.evolve.archive import Archive
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.cognition import Briefing


@dataclass(frozen=True, slots=True)
class Expand:
    """Make a child of these nodes, the first of which is edited. `tag` is the child's."""

    parents: tuple[int, ...]
    tag: int = 0


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Try a node on the next of its tasks."""

    node: int


Choice = Expand | Evaluate


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a search's budget, in evaluations of one node on one task, and what it was in all."""

    evaluations: int
    total: int


class SearchPolicy(Protocol):
    """Chooses what to try next. All that it knows is the archive; it keeps nothing of its own, so that a search that is
    resumed makes the same choices. `rng` is fresh for every choice."""

    name: str

    def choose(self, archive: Archive, left: Left, rng: np.random.Generator) -> Choice:
        """The root is there before the first choice. Never an `Evaluate` of a node whose tasks are all begun."""
        ...


@dataclass(frozen=True)
class Parent:
    """A candidate to edit, and what is known of it. `feedback`: of its tasks, what the evaluator had to say."""

    candidate: Candidate
    mean: float | None = None
    outcomes: Mapping[int, float] = field(default_factory=dict)
    feedback: Mapping[int, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What else a mutator may use. `describe`: what the search is for, in words. `best`: the best candidates so far,
    best first. `step`: the number of the choice. `ancestor`: the nearest common ancestor of the parents, where it is
    known and none of them. `briefing`: what is known of edits so far, where the search draws lessons."""

    rng: random.Random
    meter: Meter
    describe: str = ""
    best: Sequence[Parent] = ()
    step: int = 0
    ancestor: Candidate | None = None
    briefing: Briefing = field(default_factory=Briefing)


@dataclass(frozen=True)
class Edit:
    """A child, and what its maker has to say of it. `mutator`: which it was, where it is one of several; `failed`: what
    was tried before it, each with the kind of its `NoEdit`."""

    candidate: Candidate
    note: str = ""
    mutator: str = ""
    failed: tuple[tuple[str, str], ...] = ()


class Mutator(Protocol):
    """Makes a child of one candidate or more."""

    name: str

    @property
    def parents(self) -> int:
        """How many it can make use of; it is given at least one."""
        ...

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        """Deterministic in its arguments, `around.rng` included. Raises `candidate.NoEdit` where it makes nothing."""
        ...
