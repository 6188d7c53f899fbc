"""Accuracy by level with its uncertainty: what every table and chart of a run starts from."""

from __future__ import annotations

from dataclasses import dataclass

from autotroph.evaluate.intervals import wilson
from autotroph.store.record import Accuracy, RunRecord


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of solved tasks and its 95% interval, all in [0, 1]."""

    mean: float
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Level:
    """Base and champion at one level; None where a policy was not measured there."""

    level: int
    base: Estimate | None
    champion: Estimate | None


def estimate(accuracy: Accuracy, level: int) -> Estimate | None:
    if level not in accuracy:
        return None
    mean, n = accuracy[level]
    return Estimate(mean, n, *wilson(mean, n))


def by_level(record: RunRecord) -> list[Level]:
    """Every level at which base or champion was measured, ascending."""
    base, champion = record.base_accuracy, record.champion_accuracy
    return [Level(k, estimate(base, k), estimate(champion, k)) for k in sorted({*base, *champion})]
