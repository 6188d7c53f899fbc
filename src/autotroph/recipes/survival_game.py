"""The Survival Game: a searcher is judged by how many failures come before its success, and by the tail of that.

Source: Evaluating Intelligence via Trial and Error (arXiv:2502.18858).

A subject tries until it succeeds, on many tasks. Limited: the expectation of its failures is infinite, as in blind
enumeration; capable: the expectation is finite and the variance is not; autonomous: both are finite. With a tail
P(failures > x) ~ x^-k these are k <= 1, 1 < k <= 2 and k > 2; k is fitted as `evaluate/survival.py` says.

A run plays the game with its own search as the subject. A task is to better a candidate: its failures are the children
that were no better, up to the first one that was; where there is none it was given up. Among a cycle's metrics are
the mean of `failures`, the share `given_up`, and from ten such tasks on the `exponent` and its `level`, 0 to 2.

Scaled down: no model is judged. The claim is tried on subjects whose class is known: guessers, whose chance of success
is drawn for each task as U^(1/k); enumerators, whose answer is one of rank U^(-1/k) in their order; and guessers that
have the same chance on all tasks, whose tail is exponential.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.claim import Claim, Trial
from autotroph.evaluate.survival import LEVELS, Level, exponent, level_of
from autotroph.evolve.archive import Archive
from autotroph.loop import Loop
from autotroph.recipes.evolved import EvolveConfig, evolve

SOURCE = "arXiv:2502.18858"


class Config(EvolveConfig):
    problem: str = "function_minimisation"
    evaluations: int = Field(300, ge=1, description="of one candidate on one task, in each cycle")


def games(archive: Archive) -> tuple[np.ndarray, np.ndarray]:
    """Of each node with a finished child: children that were no better before the first that was [M], and whether none
    was [M]."""
    means, complete = archive.means, archive.complete
    found: dict[int, tuple[int, bool]] = {}
    for node in np.flatnonzero(complete):
        parent = int(archive.column("parent")[node])
        if parent >= 0:
            failures, given_up = found.get(parent, (0, True))
            if given_up:
                better = bool(means[node] > means[parent])
                found[parent] = (failures + (not better), not better)
    failures_M, given_up_M = zip(*found.values(), strict=True) if found else ((), ())
    return np.array(failures_M, dtype=float), np.array(given_up_M, dtype=bool)


def figures(archive: Archive, before: int) -> dict[str, float]:
    """Of the whole archive, not of the last cycle alone: games go on."""
    failures, given_up = games(archive)
    if not len(failures):
        return {}
    shown = {"failures": float(failures.mean()), "given_up": float(given_up.mean())}
    try:
        tail = exponent(failures, given_up, 0.2)
    except AutotrophError:
        return shown
    return shown | {"exponent": tail, "level": float(LEVELS.index(level_of(tail)))}


def build(config: Config) -> Loop:
    return evolve(config, figures=figures)


RANGES: Mapping[Level, tuple[float, float]] = {"limited": (0.3, 0.8), "capable": (1.25, 1.75), "autonomous": (2.5, 4)}
"""Exponents of the subjects of each class."""


def counts(level: Level, kind: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Failures of a drawn subject on n tasks [n]: kind 0 is a guesser, 1 an enumerator; 2 one whose chance is the same
    on all tasks, which is autonomous, and a guesser in other classes. What its trials come to is drawn at once."""
    k = rng.uniform(*RANGES[level])
    if kind == 1:
        return np.floor(rng.random(n) ** (-1 / k)) - 1
    chance = rng.random(n) ** (1 / k) if kind == 0 or level != "autonomous" else np.full(n, rng.uniform(0.02, 0.2))
    return np.floor(np.log1p(-rng.random(n)) / np.log1p(-np.clip(chance, 1e-12, 1 - 1e-12)))


@dataclass(frozen=True)
class Told:
    """A side: subjects whose class is told rightly, in percent, ten of each class on `tasks` tasks each; they give up
    after `patience` trials. `beside`: the same for each class."""

    by: Literal["tail", "moments", "dealt"]
    tasks: int = 5000
    patience: int = 100_000

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        began, rng = time.monotonic(), np.random.default_rng(seed)
        truth = [level for level in LEVELS for _ in range(10)]
        failures_SN = np.stack([counts(level, i % 3, self.tasks, rng) for i, level in enumerate(truth)])
        failures_SN = np.minimum(failures_SN, self.patience)
        spent = {"verifier_calls": float(np.minimum(failures_SN + 1, self.patience).sum())}
        if self.by == "dealt":
            failures_SN = rng.permuted(failures_SN.reshape(-1)).reshape(failures_SN.shape)
        right = np.array([self._level(own) == level for own, level in zip(failures_SN, truth, strict=True)])
        shares = 100 * right.reshape(len(LEVELS), -1).mean(axis=1)
        beside: dict[str, float] = {level: float(share) for level, share in zip(LEVELS, shares, strict=True)}
        return Trial(float(shares.mean()), spent, time.monotonic() - began, (), beside)

    def _level(self, failures: np.ndarray) -> Level:
        if self.by == "moments":
            return by_moments(failures)
        return level_of(exponent(failures, failures >= self.patience))


def by_moments(failures: np.ndarray, within: float = 1.25) -> Level:
    """Mean and variance count as finite where both halves of the counts have them alike, up to this factor."""
    halves = np.array_split(failures, 2)
    alike = [max(pair) <= within * min(pair) for pair in (list(map(np.mean, halves)), list(map(np.var, halves)))]
    return LEVELS[0 if not alike[0] else 1 + alike[1]]


CLAIM = Claim(
    says="the tail of failure counts tells limited, capable and autonomous subjects apart",
    reported="levels of real models on their tasks; no subject of known class",
    measure="subjects whose class is told rightly, percent",
    ours=Told("tail"),
    baseline=Told("moments"),
    control=Told("dealt"),
    against="whether mean and variance come out alike in both halves of the counts",
    without="knowing whose a count is: all are dealt out anew among the subjects",
    counter="verifier_calls",
    seeds=12,
    note="Thirty subjects a seed, 5000 tasks each, given up after 100,000 trials; exponents of 0.3 to 0.8, 1.25 to "
    "1.75, and 2.5 to 4 or an exponential tail. Nearer to 1 or 2 no finite number of counts would tell.",
)
