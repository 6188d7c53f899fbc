"""Landscapes for search policies: what edits and evaluations do to a genome is drawn, and its true skill is known.

On all of them a genome's skill is its expected mean outcome over the tasks, in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, Self

import numpy as np
from scipy.special import expit

Genome = np.ndarray
"""One dimension, of numbers; what they mean is the landscape's."""


class Landscape(Protocol):
    """`noisy`: whether an outcome is drawn, so that the same one may come out otherwise another time."""

    noisy: bool

    @property
    def tasks(self) -> int: ...
    def root(self, rng: np.random.Generator) -> Genome: ...
    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome: ...
    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float: ...
    def skill(self, genome: Genome) -> float: ...


def mixed(parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
    """Each number from one of the parents, by chance."""
    if len(parents) == 1:
        return parents[0].copy()
    return np.choose(rng.integers(len(parents), size=len(parents[0])), parents)


def replayed(genome: Genome, better: Genome, worse: Genome) -> Genome:
    """A genome in which what differs between two others is as the better one has it: their edit, made once more."""
    return np.where(better != worse, better, genome)


def tossed(chance: float, rng: np.random.Generator) -> float:
    return float(rng.random() < chance)


@dataclass(frozen=True)
class DriftTree:
    """Skill drifts from parent to child; part of what a child differs by is its own and not passed on.

    Genome: what is passed on, and skill. A child's first is its first parent's + N(0, drift); its skill is that +
    N(0, noise), cut to [0, 1]. With chance `failure` it is broken: skill 0, for all its descendants too.
    """

    tasks: int = 20
    start: float = 0.10
    drift: float = 0.04
    noise: float = 0.03
    failure: float = 0.05
    noisy = True

    def root(self, rng: np.random.Generator) -> Genome:
        return np.array([self.start, self.start])

    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
        passed = parents[0][0]
        if np.isneginf(passed) or rng.random() < self.failure:
            return np.array([-np.inf, 0.0])
        passed += self.drift * rng.standard_normal()
        return np.array([passed, np.clip(passed + self.noise * rng.standard_normal(), 0.0, 1.0)])

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return tossed(self.skill(genome), rng)

    def skill(self, genome: Genome) -> float:
        return float(genome[1])


@dataclass(frozen=True)
class SkillMatrix:
    """Each task asks for two skills of a genome, and an edit that raises one lowers another a little.

    Task t is solved with chance sigmoid(4 (mean of its two skills - difficulty_t)). Genome: skills, 0 at the root. An
    edit adds N(gain, step) to one skill and takes a third of its size from another.
    """

    pairs: np.ndarray
    difficulty: np.ndarray
    skills: int = 8
    step: float = 0.4
    gain: float = -0.1
    noisy = True

    @classmethod
    def drawn(cls, rng: np.random.Generator, tasks: int = 20, skills: int = 8) -> Self:
        pairs = np.array([rng.choice(skills, 2, replace=False) for _ in range(tasks)])
        return cls(pairs, rng.uniform(0.2, 1.2, tasks), skills)

    @property
    def tasks(self) -> int:
        return len(self.difficulty)

    def root(self, rng: np.random.Generator) -> Genome:
        return np.zeros(self.skills)

    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
        made = mixed(parents, rng)
        raised, lowered = rng.choice(self.skills, 2, replace=False)
        change = self.gain + self.step * rng.standard_normal()
        made[raised] += change
        made[lowered] -= abs(change) / 3
        return made

    def chances(self, genome: Genome) -> np.ndarray:
        """Of each task [T]."""
        solved: np.ndarray = expit(4 * (genome[self.pairs].mean(axis=1) - self.difficulty))
        return solved

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return tossed(float(self.chances(genome)[task]), rng)

    def skill(self, genome: Genome) -> float:
        return float(self.chances(genome).mean())


class ClearSkills(SkillMatrix):
    """The same, judged without noise: an outcome is the chance itself. An edit can be chosen by its kind: a skill that
    is raised or lowered by |N(0, step)|; a third of that is taken from another one, by chance."""

    noisy = False

    @property
    def kinds(self) -> list[str]:
        return [f"{way} {skill}" for skill in range(self.skills) for way in ("raise", "lower")]

    def edited(self, genome: Genome, kind: str, rng: np.random.Generator) -> Genome:
        made, (way, skill) = genome.copy(), kind.split()
        size = abs(self.step * rng.standard_normal())
        made[int(skill)] += size if way == "raise" else -size
        made[(int(skill) + rng.integers(1, self.skills)) % self.skills] -= size / 3
        return made

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return float(self.chances(genome)[task])


@dataclass(frozen=True)
class KModule:
    """Modules of bits, each with a hidden key; a task is a module. What is nearly the key is worth least: a trap.

    A module at Hamming distance d > 0 from its key of k bits is worth lure (d - 1) / (k - 1), and the key itself 1. An
    edit turns one bit, or draws a module anew, with even chances.
    """

    keys: np.ndarray
    lure: float = 0.6
    noisy = False

    @classmethod
    def drawn(cls, rng: np.random.Generator, modules: int = 5, bits: int = 3) -> KModule:
        return cls(rng.integers(2, size=(modules, bits)))

    @property
    def tasks(self) -> int:
        return len(self.keys)

    def root(self, rng: np.random.Generator) -> Genome:
        """Drawn, but no module of it is solved."""
        root = rng.integers(2, size=self.keys.shape)
        solved = (root == self.keys).all(axis=1)
        root[solved] = 1 - root[solved]
        return root.reshape(-1)

    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
        made = mixed(parents, rng)
        if rng.random() < 0.5:
            made[rng.integers(len(made))] ^= 1
        else:
            bits = self.keys.shape[1]
            place = int(rng.integers(self.tasks)) * bits
            made[place : place + bits] = rng.integers(2, size=bits)
        return made

    def values(self, genome: Genome) -> np.ndarray:
        """Worth of each module [T]."""
        distance = (genome.reshape(self.keys.shape) != self.keys).sum(axis=1)
        return np.where(distance == 0, 1.0, self.lure * (distance - 1) / (self.keys.shape[1] - 1))

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return float(self.values(genome)[task])

    def skill(self, genome: Genome) -> float:
        return float(self.values(genome).mean())


@dataclass(frozen=True)
class NK:
    """Kauffman's NK landscape: what a bit is worth depends on itself and on K others, by a drawn table.

    A task is the mean worth of `block` neighbouring bits; an edit turns one bit. `linked` [N, K + 1], `worth` [N, 2^(K
    + 1)].
    """

    linked: np.ndarray
    worth: np.ndarray
    block: int = 3
    noisy = False

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int = 24, k: int = 3) -> NK:
        others = [[i, *rng.choice(np.delete(np.arange(n), i), k, replace=False)] for i in range(n)]
        return cls(np.array(others), rng.random((n, 2 ** (k + 1))))

    @property
    def tasks(self) -> int:
        return len(self.linked) // self.block

    def root(self, rng: np.random.Generator) -> Genome:
        return rng.integers(2, size=len(self.linked))

    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
        made = mixed(parents, rng)
        made[rng.integers(len(made))] ^= 1
        return made

    def values(self, genome: Genome) -> np.ndarray:
        """Worth of each task [T]."""
        rows = genome[self.linked] @ (1 << np.arange(self.linked.shape[1]))
        each = self.worth[np.arange(len(rows)), rows]
        means: np.ndarray = each.reshape(-1, self.block).mean(axis=1)
        return means

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return float(self.values(genome)[task])

    def skill(self, genome: Genome) -> float:
        return float(self.values(genome).mean())


@dataclass(frozen=True)
class NoisyPlateau:
    """A stair that an edit climbs or descends by one place, and that shows nothing until a step of `width` is done.

    Skill is base + rise for each whole step, at most 1; an outcome is a toss with that chance. Genome: the place, 0 at
    the root and never below. An edit goes up with chance `up`, else down.
    """

    tasks: int = 20
    width: int = 3
    base: float = 0.2
    rise: float = 0.1
    up: float = 0.4
    noisy = True

    def root(self, rng: np.random.Generator) -> Genome:
        return np.zeros(1, dtype=int)

    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
        made: Genome = np.maximum(parents[0] + (1 if rng.random() < self.up else -1), 0)
        return made

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return tossed(self.skill(genome), rng)

    def skill(self, genome: Genome) -> float:
        return min(1.0, self.base + self.rise * (int(genome[0]) // self.width))


@dataclass(frozen=True)
class BrokenProgram:
    """Functions with bugs; a task is the tests of a function, its outcome the share of them that pass.

    A function has places, each of which holds one of several things, one of them right. Of the tests of a function a
    share passes though a place is wrong, drawn from U(0, `hidden`) for each place; with more wrong places those shares
    multiply. Genome: what each place holds, function after function; the root has `bugs` wrong ones. An edit puts
    something else into a place, drawn from all places alike, and with chance `more` goes on with another one.
    """

    right: np.ndarray
    passing: np.ndarray
    wrong: np.ndarray
    """What is right in each place, which share of the tests passes if it is not, and whether it is wrong at the root,
    [F, P] each."""
    things: int = 4
    more: float = 0.0
    noisy = False

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, functions: int = 6, places: int = 6, bugs: int = 6, hidden: float = 0.8,
        kinds: Sequence[int] | None = None, more: float = 0.0,
    ) -> BrokenProgram:  # fmt: skip
        """`kinds`: places of a function, alike in all of them, where alone the root has bugs."""
        right, passing = rng.integers(cls.things, size=(functions, places)), rng.uniform(0, hidden, (functions, places))
        may = np.zeros(right.shape, dtype=bool)
        may[:, list(range(places) if kinds is None else kinds)] = True
        wrong = np.zeros(right.shape, dtype=bool)
        wrong.reshape(-1)[rng.choice(np.flatnonzero(may), bugs, replace=False)] = True
        return cls(right, passing, wrong, more=more)

    @property
    def tasks(self) -> int:
        return len(self.right)

    def root(self, rng: np.random.Generator) -> Genome:
        off = rng.integers(1, self.things, size=self.right.shape)
        broken: Genome = ((self.right + off * self.wrong) % self.things).reshape(-1)
        return broken

    def child(self, parents: Sequence[Genome], rng: np.random.Generator) -> Genome:
        made = mixed(parents, rng)
        made = self.edited(made, int(rng.integers(len(made))), rng)
        while self.more and rng.random() < self.more:
            made = self.edited(made, int(rng.integers(len(made))), rng)
        return made

    def edited(self, genome: Genome, place: int, rng: np.random.Generator) -> Genome:
        made = genome.copy()
        made[place] = (made[place] + rng.integers(1, self.things)) % self.things
        return made

    def values(self, genome: Genome) -> np.ndarray:
        """Share of the tests of each function that passes [T]."""
        off = genome.reshape(self.right.shape) != self.right
        shares: np.ndarray = np.where(off, self.passing, 1.0).prod(axis=1)
        return shares

    def outcome(self, genome: Genome, task: int, rng: np.random.Generator) -> float:
        return float(self.values(genome)[task])

    def skill(self, genome: Genome) -> float:
        return float(self.values(genome).mean())


LANDSCAPES: Mapping[str, Callable[[np.random.Generator], Landscape]] = MappingProxyType(
    {
        "drift_tree": lambda rng: DriftTree(),
        "drift_tree_60": lambda rng: DriftTree(tasks=60),
        "skill_matrix": SkillMatrix.drawn,
        "k_module": KModule.drawn,
        "nk": NK.drawn,
        "noisy_plateau": lambda rng: NoisyPlateau(),
    }
)
"""Name -> a landscape, as drawn."""
