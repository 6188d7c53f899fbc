"""Any recipes side by side: one task, the same bases, as much compute for each."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from statistics import fmean
from typing import Any

from autotroph.claims import alone
from autotroph.core.config import merged
from autotroph.core.errors import AutotrophError
from autotroph.evaluate.claim import Trial
from autotroph.evaluate.intervals import paired_interval
from autotroph.recipes import registry
from autotroph.recipes.sides import Practised, pooled, pooled_accuracy
from autotroph.store.run import machine

SHORT: dict[str, Any] = {"steps": 4}
"""Of every recipe that has it: short cycles end close to the compute that is given."""


@dataclass(frozen=True)
class Contest:
    """What is the same for all: `flops` of practice, seeds 0, 1, ..., and settings, of the recipes that have them."""

    names: Sequence[str]
    task: str
    level: int | None
    flops: float
    seeds: int = 3
    settings: Mapping[str, Any] | None = None

    def sides(self) -> dict[str, Practised]:
        """A side for each name, `recipe` or `recipe:algorithm`.

        Raises AutotrophError for a name, an algorithm or a setting that none has, and for less than two names or seeds.
        """
        if len(set(self.names)) < 2:
            raise AutotrophError(f"compare: {len(set(self.names))} recipe; name two or more different ones")
        if self.seeds < 2:
            raise AutotrophError(f"compare: {self.seeds} seeds; use --seeds 2 or more, an interval needs them")
        if self.flops <= 0:
            raise AutotrophError(f"compare: {self.flops:g} flops; use --flops 1e10, say")
        recipes = {name: registry.find(name.partition(":")[0]) for name in self.names}
        fields = {field for recipe in recipes.values() for field in recipe.config.model_fields}
        given = merged({"task": self.task, "level": self.level}, dict(self.settings or {}))
        if strange := set(given) - fields:
            raise AutotrophError(f"compare: no recipe here has '{min(strange)}'; see `autotroph run RECIPE --help`")
        sides = {}
        for name, recipe in recipes.items():
            own = {key: value for key, value in merged(SHORT, given).items() if key in recipe.config.model_fields}
            if algorithm := name.partition(":")[2]:
                own["algorithm"] = algorithm
            recipe.configure(own)
            sides[name] = Practised(recipe.name, own, pooled, points=pooled_accuracy)
        return sides


def compared(contest: Contest) -> dict[str, Any]:
    """Every side with every seed: values and curves in percent, means with 95% t intervals over the seeds, and the
    differences to the first side, paired by seed."""
    sides, began = contest.sides(), time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), alone) as pool:
        jobs = {
            name: [pool.submit(side, seed, {"flops": contest.flops}) for seed in range(contest.seeds)]
            for name, side in sides.items()
        }
        trials = {name: [job.result() for job in own] for name, own in jobs.items()}
    first = [trial.value for trial in next(iter(trials.values()))]
    return {
        **asdict(contest),
        "measure": "sealed accuracy of all levels' tasks at the end, greedy, percent",
        "sides": {name: summary(own, first) for name, own in trials.items()},
        "seconds": time.monotonic() - began,
        "machine": machine(),
    }


def summary(trials: Sequence[Trial], first: Sequence[float]) -> dict[str, Any]:
    """One side's figures beside its trials; `first`: values of the side that it is compared with."""
    values = [trial.value for trial in trials]
    differences = [value - other for value, other in zip(values, first, strict=True)]
    return {
        "mean": fmean(values),
        "interval": paired_interval(values),
        "difference": fmean(differences),
        "difference_interval": paired_interval(differences),
        "flops": fmean(trial.compute["flops"] for trial in trials),
        "trials": [asdict(trial) for trial in trials],
    }
