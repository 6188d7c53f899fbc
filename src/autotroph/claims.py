"""Claims, tried: all sides with all seeds, on as many cores as there are."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.claim import Claim, Comparison, Trial, compare, refuse_unequal
from autotroph.recipes import registry
from autotroph.store.run import machine


@dataclass(frozen=True)
class Findings:
    """A claim beside what was found. `comparison`: ours against the baseline; `control`: the control against it."""

    recipe: str
    source: str
    claim: Claim
    comparison: Comparison
    control: Comparison
    trials: Mapping[str, tuple[Trial, ...]]
    seconds: float

    @property
    def verdict(self) -> str:
        return self.comparison.verdict

    def as_dict(self) -> dict[str, Any]:
        told = ("says", "reported", "measure", "against", "without", "margin", "within", "counter", "note")
        return {
            "recipe": self.recipe,
            "source": self.source,
            **{name: getattr(self.claim, name) for name in told},
            "verdict": self.verdict,
            "comparison": asdict(self.comparison),
            "control": asdict(self.control),
            "first": self.claim.first,
            "trials": {side: [asdict(trial) for trial in own] for side, own in self.trials.items()},
            "seconds": self.seconds,
            "machine": machine(),
        }


def claim_of(name: str) -> Claim:
    """Raises AutotrophError for a recipe that claims nothing."""
    claim: Claim | None = getattr(registry.load(name), "CLAIM", None)
    if claim is None:
        raise AutotrophError(f"recipe '{name}': it has no claim; `autotroph claims` lists those that have one")
    return claim


def claiming() -> list[str]:
    """The recipes that have a claim."""
    return [name for name in registry.names() if hasattr(registry.load(name), "CLAIM")]


def tried(name: str, seeds: int | None = None) -> Findings:
    """Try a recipe's claim with seeds from its first one on: our side first, then the others at its compute.

    Raises AutotrophError for fewer than two seeds, and where our side had more compute than its baseline.
    """
    claim, began = claim_of(name), time.monotonic()
    numbers = range(claim.first, claim.first + (claim.seeds if seeds is None else seeds))
    if len(numbers) < 2:
        raise AutotrophError(f"claim: {len(numbers)} seeds; use --seeds 2 or more, an interval needs them")
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), alone) as pool:
        first = {pool.submit(_trial, name, "ours", seed, {}): seed for seed in numbers}
        others: dict[str, dict[int, Future[Trial]]] = {"baseline": {}, "control": {}}
        for done in as_completed(first):
            seed, compute = first[done], done.result().compute
            spent = {claim.counter: compute[claim.counter]} if claim.counter in compute else {}
            for side, jobs in others.items():
                jobs[seed] = pool.submit(_trial, name, side, seed, spent)
        ours = [job.result() for job in first]
        baseline, control = ([jobs[seed].result() for seed in numbers] for jobs in others.values())
    comparison = compare(claim, ours, baseline)
    refuse_unequal(claim, comparison)
    return Findings(
        name,
        registry.find(name).source,
        claim,
        comparison,
        compare(claim, control, baseline),
        {"ours": tuple(ours), "baseline": tuple(baseline), "control": tuple(control)},
        time.monotonic() - began,
    )


def alone() -> None:
    """A worker has one core: trials side by side do more than trials that share their products."""
    import torch

    torch.set_num_threads(1)


def _trial(name: str, side: str, seed: int, compute: Mapping[str, float]) -> Trial:
    trial: Trial = getattr(claim_of(name), side)(seed, compute)
    return trial
