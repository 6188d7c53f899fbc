"""What distilling refined answers gains: one answer before and after, and the share of the vote's gain that it keeps.

    .venv/bin/python bench/distill.py

Writes bench/results/distill.json; a few minutes. docs/evaluation.md says what the figures mean.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autotroph.acquire.refined import Refined
from autotroph.core.policy import Policy
from autotroph.core.protocols import Refiner, SamplingParams
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.gate import PairedGate
from autotroph.loop import Loop, Recorder, run_loop
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes import distill
from autotroph.recipes.bases import BaseConfig
from autotroph.refine.greedy import Greedy
from autotroph.refine.self_consistency import SelfConsistency
from autotroph.select.guard import Guard
from autotroph.state import State
from autotroph.store.run import Run

LEVEL, SEEDS, SAMPLES, CYCLES = 3, 3, 16, 3
WARM = SamplingParams(max_tokens=LEVEL + 2)


def config(seed: int) -> distill.Config:
    """A half-taught base that learns from nothing but its own refined answers; every candidate becomes the champion."""
    return distill.Config(
        seed=seed,
        task="addition",
        level=LEVEL,
        cycles=CYCLES,
        gold_per_level=0,
        guard=Guard(real_floor=0),
        gate=PairedGate(off=True),
        gap_samples=0,
        rival_tasks=0,
        sealed=50,
        final_sealed=400,
        base=BaseConfig(rope_theta=10000.0, train=PretrainConfig(steps=200, rows=3000)),
    )


def unrefined(loop: Loop, chosen: distill.Config) -> Loop:
    """The same loop, in which the first sample is learnt instead of the vote's."""
    family = chosen.family()
    source = Refined(family, chosen.levels(family), chosen.tasks, SelfConsistency(WARM, 1))
    return replace(loop, stages=replace(loop.stages, source=source))


def main() -> None:
    runs = [measured(seed, arm) for arm in ("vote", "first sample") for seed in range(SEEDS)]
    figures = {"level": LEVEL, "cycles": CYCLES, "samples": SAMPLES, "runs": runs}
    (Path(__file__).parent / "results" / "distill.json").write_text(json.dumps(figures, indent=1) + "\n")


def measured(seed: int, arm: str) -> dict[str, Any]:
    chosen = config(seed)
    loop = distill.build(chosen)
    if arm != "vote":
        loop = unrefined(loop, chosen)
    with tempfile.TemporaryDirectory() as folder:
        start = {"recipe": "distill", "config": chosen.model_dump(mode="json")}
        with Run.create(Path(folder) / "run", start) as run:
            state = run_loop(run, loop, Recorder())
            record = run.record()
            before, after = (scores(state, policy, chosen) for policy in (run.base_policy(), state.champion))
    found = {
        "arm": arm,
        "seed": seed,
        "tasks": len(before["one sample"]),
        "label_accuracy": [round(cycle.metrics["label_accuracy"], 4) for cycle in record.cycles],
        "before": {name: round(float(values.mean()), 4) for name, values in before.items()},
        "after": {name: round(float(values.mean()), 4) for name, values in after.items()},
        "kept": {raw: kept(before[raw], before["vote"], after[raw], seed) for raw in ("one sample", "greedy")},
    }
    print(found, flush=True)
    return found


def scores(state: State, policy: Policy, chosen: distill.Config) -> dict[str, np.ndarray]:
    """Score of each sealed task of the hardest level: mean of single samples, greedy, vote."""
    suite, sampler = SealedSuite(chosen.family(), [LEVEL], 400, seed=1000 + chosen.seed), state.sampler(policy)

    def of(refiner: Refiner, seed: int = 0) -> np.ndarray:
        return np.array([result.score for result in suite.run(sampler, refiner, seed=seed).results], dtype=float)

    return {
        "one sample": np.mean([of(SelfConsistency(WARM, 1), seed) for seed in range(SAMPLES)], axis=0),
        "greedy": of(Greedy(WARM.max_tokens)),
        "vote": of(SelfConsistency(WARM, chosen.samples), SAMPLES),
    }


def kept(raw: np.ndarray, refined: np.ndarray, after: np.ndarray, seed: int) -> dict[str, Any]:
    """Gain of the raw answer by distillation over the gain by refinement, 95% bootstrap interval over tasks."""
    draws = np.random.default_rng(seed).integers(len(raw), size=(2000, len(raw)))
    gain, refinement = (after - raw)[draws].mean(axis=1), (refined - raw)[draws].mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.quantile(np.where(refinement > 0, gain / refinement, np.nan), (0.025, 0.975))
    whole = float(np.mean(refined - raw))
    return {
        "refinement_gain": round(whole, 4),
        "distilled_gain": round(float(np.mean(after - raw)), 4),
        "share": round(float(np.mean(after - raw)) / whole, 3) if whole > 0 else None,
        "interval": [round(float(low), 3), round(float(high), 3)] if np.isfinite(low) else None,
    }


if __name__ == "__main__":
    main()
