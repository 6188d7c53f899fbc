"""Sides of claims that are runs of a recipe."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from autotroph.core.config import merged
from autotroph.evaluate.claim import Trial
from autotroph.loop import PRACTICE, Recorder, run_loop
from autotroph.recipes import registry
from autotroph.store.record import Accuracy, RunRecord
from autotroph.store.run import Run

BARE: dict[str, Any] = {
    "gate": {"off": True},
    "gap_samples": 0,
    "rival_tasks": 0,
    "sealed": 50,
    "monitors": {"tasks": 0},
}
"""Of a side: every candidate counts, as in the papers, and nothing is measured that nobody asks for."""
MOST = 200
"""Cycles after which a side ends that costs less than it might."""


def mean_accuracy(accuracy: Accuracy) -> float:
    """Mean over the levels, in percentage points."""
    return 100 * fmean(mean for mean, _ in accuracy.values())


def pooled_accuracy(accuracy: Accuracy) -> float:
    """Share of all tasks, whatever their level, in percent: a level of a few tasks counts as that."""
    return 100 * sum(mean * n for mean, n in accuracy.values()) / sum(n for _, n in accuracy.values())


def pooled(record: RunRecord) -> float:
    """Sealed accuracy of the last champion, greedy, over all tasks, in percent."""
    return pooled_accuracy(record.champion_accuracy)


def final_accuracy(record: RunRecord) -> float:
    """Sealed accuracy of the last champion, greedy, mean over the levels, in percentage points."""
    return mean_accuracy(record.champion_accuracy)


@dataclass(frozen=True)
class Practised:
    """A side that runs a recipe with these settings and is measured at its end.

    With compute given it goes on, cycle by cycle, until its practice has cost as much. `refined`: whether votes and
    the best of five are taken at the end, too (`RunRecord.refined`). `points`: of the curve. `beside`: other figures of
    the run.
    """

    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    measure: Callable[[RunRecord], float] = final_accuracy
    refined: bool = False
    points: Callable[[Accuracy], float] = mean_accuracy
    beside: Callable[[RunRecord], Mapping[str, float]] | None = None
    """Other figures of the run, by name."""

    def __call__(self, seed: int, compute: Mapping[str, float]) -> Trial:
        recipe = registry.find(self.recipe)
        config = recipe.configure(merged(BARE, merged(self.settings, {"seed": seed})))
        loop = recipe.build(config)
        if compute:
            loop = replace(loop, cycles=MOST, practice=compute)
        if not self.refined:
            loop = replace(loop, stages=replace(loop.stages, other_refiners=()))
        start = {"recipe": self.recipe, "config": config.model_dump(mode="json")}
        with tempfile.TemporaryDirectory() as work, Run.create(Path(work) / "run", start) as run:
            run_loop(run, loop, Recorder())
            record = run.record()
        return Trial(
            self.measure(record),
            {name: sum(cycle.metrics[f"practice_{name}"] for cycle in record.cycles) for name in PRACTICE},
            record.seconds,
            (self.points(record.base_accuracy), *(self.points(cycle.candidate_accuracy) for cycle in record.cycles)),
            self.beside(record) if self.beside else {},
        )
