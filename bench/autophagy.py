"""Feeding on oneself, measured: the exact laws of two linear models, and a decoder that learns from its own answers.

    .venv/bin/python bench/autophagy.py [laws] [replace] [accumulate] [guarded]

Writes bench/results/autophagy.json; about ten minutes on two cores. docs/autophagy.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import norm, t

from autotroph.acquire.curated import Curated
from autotroph.acquire.interaction import Interaction
from autotroph.acquire.replay import Mixed, Replay
from autotroph.core.protocols import Signal, Source, TaskFamily
from autotroph.evaluate.gate import PairedGate
from autotroph.loop import Loop, Recorder, run_loop
from autotroph.models import checkpoint
from autotroph.models.episode import gold_for
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.gro import Replayed
from autotroph.optimize.learner import logprobs
from autotroph.optimize.packing import Sheet, rows_of
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes.bases import BaseConfig, SkillConfig, practise
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.guard import Guard
from autotroph.store.run import Run

Rng = np.random.Generator
CYCLES, SEEDS, LEVEL = 10, 6, 3
GENERATIONS = (1, 10, 20, 30, 40, 50)


def main() -> None:
    parts: dict[str, Callable[[], Any]] = {"laws": laws, **{name: partial(loops, name) for name in ARMS}}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(parts)} [default: all]")
    path = Path(__file__).parent / "results" / "autophagy.json"
    for name in parser.parse_args().parts or parts:
        found = parts[name]()
        figures = {**(json.loads(path.read_text()) if path.is_file() else {}), name: found}
        path.write_text(json.dumps(figures, indent=1) + "\n")


def laws() -> list[dict[str, Any]]:
    """Expected values after every ten generations: by the law, and the mean of simulated chains with its interval.

    A variance of many refits is a product of as many draws: few chains carry its mean, so it takes many of them.
    """
    rng = np.random.default_rng(0)
    variance = refits(rng, 200_000, samples=20, generations=50)
    replaced, accumulated = regressions(rng, 4000, rows=100, features=10, noise=1.0, generations=50)
    u = 1.0 * 10 / (100 - 10 - 1)
    rows = []
    for n in GENERATIONS:
        rows += [
            law("Gaussian refit, variance", n, (1 - 1 / 20) ** n, variance[:, n - 1]),
            law("regression, replace, error", n, n * u, replaced[:, n - 1]),
            law("regression, accumulate, error", n, u * math.pi**2 / 6, accumulated[:, n - 1], bound=True),
        ]
    for row in rows:
        print(row)
    return rows


def law(name: str, n: int, expected: float, seen: np.ndarray, bound: bool = False) -> dict[str, Any]:
    """One line: does the interval of the simulated mean hold the law, or end below a law that is a bound?

    All intervals of the table hold together with 95% (Bonferroni).
    """
    sure = norm.ppf(1 - 0.05 / (2 * 3 * len(GENERATIONS)))
    mean, reach = float(seen.mean()), float(sure * seen.std(ddof=1) / math.sqrt(len(seen)))
    holds = mean + reach <= expected if bound else abs(mean - expected) <= reach
    return {
        "law": name,
        "generation": n,
        "expected": round(expected, 4),
        "bound": bound,
        "seen": round(mean, 4),
        "interval": [round(mean - reach, 4), round(mean + reach, 4)],
        "holds": bool(holds),
        "runs": len(seen),
    }


def refits(rng: Rng, runs: int, samples: int, generations: int) -> np.ndarray:
    """Variances, (runs, generations), of a Gaussian that is fitted by maximum likelihood to draws from the last one."""
    mean, deviation, found = np.zeros(runs), np.ones(runs), []
    for _ in range(generations):
        drawn = rng.standard_normal((runs, samples))
        mean, deviation = mean + deviation * drawn.mean(axis=1), deviation * drawn.std(axis=1)
        found.append(deviation**2)
    return np.stack(found, axis=1)


def regressions(
    rng: Rng, runs: int, rows: int, features: int, noise: float, generations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Squared errors |w - w*|^2, (runs, generations), of least squares on labels that the last fit gave, plus noise.

    Fresh standard normal inputs in every generation. Replaced: fitted to the newest rows alone. Accumulated: to all
    rows so far, the first generation's being real ones (arXiv:2404.01413).
    """
    replaced, accumulated = np.zeros((runs, generations)), np.zeros((runs, generations))
    for run in range(runs):
        last = total = np.zeros(features)  # of w*, which is 0 without loss of generality
        gram, moment = np.zeros((features, features)), np.zeros(features)
        for n in range(generations):
            x = rng.standard_normal((rows, features))
            e = noise * rng.standard_normal(rows)
            square = x.T @ x
            last = np.linalg.solve(square, x.T @ (x @ last + e))
            gram, moment = gram + square, moment + x.T @ (x @ total + e)
            total = np.linalg.solve(gram, moment)
            replaced[run, n], accumulated[run, n] = last @ last, total @ total
    return replaced, accumulated


class Config(SkillConfig):
    """A half-taught base, so that there is something to lose; every candidate becomes the champion."""

    task: str = "addition"
    level: int | None = LEVEL
    cycles: int = CYCLES
    sealed: int = 200
    final_sealed: int = 20
    gap_samples: int = 0
    rival_tasks: int = 0
    base: BaseConfig = BaseConfig(rope_theta=10000.0, train=PretrainConfig(steps=200, rows=3000))
    gate: PairedGate = PairedGate(off=True)


Arm = tuple[Guard, Callable[[TaskFamily, range, Source], Source]]
ARMS: dict[str, Arm] = {
    "replace": (Guard(real_floor=0), lambda family, levels, own: own),
    "accumulate": (Guard(real_floor=0), lambda family, levels, own: Mixed([Replay(), own])),
    "guarded": (
        Guard(real_floor=0.1, max_depth=3),
        lambda family, levels, own: Mixed([Curated(family, levels, 100), Replay(), own]),
    ),
}
"""What each cycle is fed: the champion's own answers alone; with those of all cycles before; or those, none deeper than
three generations, beside 100 fresh real rows a level."""


def loop(config: Config, arm: Arm) -> Loop:
    """Each cycle the champion answers 1,000 problems once, at temperature 1; nobody looks at whether it is right."""
    family = config.family()
    levels, (guard, feed) = config.levels(family), arm
    own = Interaction(family, levels, 1000, Verifiable(family.verify), samples=1)
    return practise(
        config.model_copy(update={"guard": guard}),
        family,
        taught=levels,
        measured=levels,
        source=feed(family, levels, own),
        filters=[],
        optimize=Replayed(SFT(), config.learner, 60, 128, guard.real_floor),
        cycles=config.cycles,
    )


def loops(name: str) -> dict[str, Any]:
    """One arm, on sealed tasks of the hardest level: greedy accuracy and loss of the gold answers after every cycle,
    and how far both are from the base's.
    """
    runs = [one_run(Config(seed=seed), ARMS[name]) for seed in range(SEEDS)]
    changes = {
        figure: [summary([run[figure][cycle] - run[figure][0] for run in runs]) for cycle in range(1, CYCLES + 1)]
        for figure in ("accuracy", "gold_loss")
    }
    print(name, {figure: by_cycle[-1] for figure, by_cycle in changes.items()}, flush=True)
    return {"runs": runs, "change": changes}


def one_run(config: Config, arm: Arm) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        start = {"recipe": "bench/autophagy.py", "config": config.model_dump(mode="json")}
        with Run.create(Path(folder) / "run", start) as run:
            run_loop(run, loop(config, arm), Recorder())
            record = run.record()
            policies = [record.base, *(cycle.candidate for cycle in record.cycles)]
            losses = [gold_loss(run.policies.path(policy), config.family()) for policy in policies]
    cycles = record.cycles
    base = cycles[0].champion_accuracy[LEVEL]
    return {
        "seed": config.seed,
        "accuracy": [round(base[0], 4), *(round(cycle.candidate_accuracy[LEVEL][0], 4) for cycle in cycles)],
        "tasks": base[1],
        "gold_loss": [round(loss, 4) for loss in losses],
        "label_accuracy": [cycle.metrics.get("label_accuracy") for cycle in cycles],
        "self_made_share": [round(cycle.metrics["self_made_share"], 3) for cycle in cycles],
        "depth": [cycle.metrics["depth"] for cycle in cycles],
    }


def gold_loss(folder: Path, family: TaskFamily, tasks: int = 400) -> float:
    """Negative log-probability of a gold answer in nats, mean over the same sealed tasks for every policy."""
    model, tokenizer = checkpoint.load(folder)
    gold = [gold_for(task, family, tokenizer) for task in family.generate(LEVEL, tasks, 2000, "sealed")]
    with torch.inference_mode():
        logp_N = logprobs(model, Sheet.of(list(rows_of([Signal(trace, likelihood=1.0) for trace in gold]))))
    return -float(logp_N.sum()) / len(gold)


def summary(changes: list[float]) -> dict[str, Any]:
    """Mean over seeds and its 95% Student interval."""
    mean, n = float(np.mean(changes)), len(changes)
    reach = float(t.ppf(0.975, n - 1) * np.std(changes, ddof=1) / math.sqrt(n))
    return {"mean": round(mean, 4), "interval": [round(mean - reach, 4), round(mean + reach, 4)], "seeds": n}


if __name__ == "__main__":
    main()
