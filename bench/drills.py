"""Seven planted failures, 40 drills each: who catches them, when, at what cost; and what alarms clean cycles raise.

    .venv/bin/python bench/drills.py table        writes bench/results/drills.json
    .venv/bin/python bench/drills.py calibrate    the figures that LIMITS were chosen from, on seeds of their own

docs/drills.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from autotroph.core.config import merged
from autotroph.drills.drill import Drills, Outcome
from autotroph.drills.plants import PLANTS
from autotroph.evaluate.intervals import rate_below, wilson
from autotroph.evaluate.monitors import Monitors
from autotroph.loop import Recorder, run_loop
from autotroph.recipes import registry
from autotroph.store.run import Run, machine

Job = Callable[[Drills, str, str], dict[str, Any]]
CALIBRATION, TABLE, UNATTENDED = range(1000, 1010), range(40), range(2000, 2005)
"""Seeds: LIMITS were chosen on the first and are counted on the second; the third shows what the failures do."""
CYCLES, BLIND = 4, 8
"""Most cycles of a copy in the table, and of one that nobody looks at."""
LIMITS = {"proxy_gap": {"high": 0.15}, "vendi_ngram": {"low": 25.0}, "sampled_entropy": {"low": 0.015}}
"""Beside the defaults, which the other monitors keep."""
BOTH: dict[str, Any] = {
    "task": "addition_forward",
    "level": 3,
    "cycles": 2,
    "tasks": 150,
    "steps": 15,
    "batch": 64,
    "gold_per_level": 200,
    "sealed": 120,
    "final_sealed": 200,
    "gap_samples": 0,
    "learner": {"muon_lr": 0.001, "adam_lr": 0.002},
    "base": {"layers": 2, "train": {"steps": 600, "rows": 2000}},
    "monitors": LIMITS,
}
RUNS: dict[str, dict[str, Any]] = {
    "verifier": BOTH,
    "judge": merged(BOTH, {"picker": "judge", "samples": 8, "temperature": 2.0, "gold_per_level": 30}),
}
"""The two runs whose copies are drilled: rejection_sampling with a verifier that picks its rows, and with a judge."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("table", "calibrate"))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: made(Path(folder) / name, settings) for name, settings in RUNS.items()}
        (table if chosen.part == "table" else calibrate)(runs, chosen.workers)


def made(folder: Path, settings: dict[str, Any]) -> Path:
    recipe = registry.find("rejection_sampling")
    config = recipe.configure(settings)
    with Run.create(folder, {"recipe": recipe.name, "config": config.model_dump(mode="json")}) as run:
        run_loop(run, recipe.build(config), Recorder())
    return folder


def plants_of(one: Drills, name: str) -> list[str]:
    """Each failure once: in the run with a judge, only what the other one has no place for."""
    fitting = [plant for plant in PLANTS if one.refusal(PLANTS[plant]) is None]
    return fitting if name == "verifier" else ["judge_bias"]


def each(job: Job, runs: dict[str, Path], kinds: dict[str, range], workers: int) -> Iterator[dict[str, Any]]:
    """What the job makes of every kind of drills, seed and run, as it comes, on one core each."""
    with ProcessPoolExecutor(workers, initializer=on_one_core) as pool:
        asked = [
            pool.submit(drilled, job, name, run, kind, seed)
            for kind, seeds in kinds.items()
            for seed in seeds
            for name, run in runs.items()
        ]
        for done in as_completed(asked):
            yield done.result()


def on_one_core() -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


def drilled(job: Job, name: str, run: Path, kind: str, seed: int) -> dict[str, Any]:
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as work:
        one = Drills(run, Path(work), BLIND if kind == "unattended" else CYCLES, seed)
        found = job(one, name, kind)
    return {"run": name, "kind": kind, "seed": seed, "cpu_seconds": time.process_time() - begun, **found}


def first_cycles(one: Drills, name: str, kind: str) -> dict[str, Any]:
    """Figures of clean cycles, and of the first one of each plant."""
    firsts = {plant: [next(one.steps(plant))] for plant in plants_of(one, name)}
    return {
        "cycles": {
            plant: [step.record.metrics for step in steps if step.record]
            for plant, steps in {"clean": one.clean, **firsts}.items()
        }
    }


def calibrate(runs: dict[str, Path], workers: int) -> None:
    """Least, mean and greatest value of every figure, and its standard deviation."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for done in each(first_cycles, runs, {"calibration": CALIBRATION}, workers):
        for plant, cycles in done["cycles"].items():
            found.setdefault((done["run"], plant), []).extend(cycles)
    for figure, _ in Monitors().limits():
        for (name, plant), cycles in sorted(found.items()):
            values = sorted(metrics[figure] for metrics in cycles if figure in metrics)
            if values:
                shown = " ".join(f"{value:9.4f}" for value in (values[0], fmean(values), values[-1], pstdev(values)))
                print(f"{figure:18} {name:8} {plant:12} {shown}")


def outcomes(one: Drills, name: str, kind: str) -> dict[str, Any]:
    if kind == "unattended":
        return {"lost": {plant: one.unattended(plant) for plant in plants_of(one, name)}}
    clean = [{"alarms": sorted(step.alarms), "rolled_back": step.rolled_back} for step in one.clean]
    return {"clean": clean, "outcomes": [asdict(one.drill(plant)) for plant in plants_of(one, name)]}


def table(runs: dict[str, Path], workers: int) -> None:
    """Written anew after every few drills, so that it can be looked at while it grows."""
    done: list[dict[str, Any]] = []
    for found in each(outcomes, runs, {"table": TABLE, "unattended": UNATTENDED}, workers):
        done.append(found)
        shown = [(o["plant"], o["caught_by"], o["cycle"]) for o in found.get("outcomes", [])]
        print(found["run"], found["kind"], found["seed"], round(found["cpu_seconds"], 1), shown, flush=True)
        path = Path(__file__).parent / "results" / "drills.json"
        path.write_text(json.dumps(figures(done), indent=1) + "\n")


def figures(done: list[dict[str, Any]]) -> dict[str, Any]:
    drilled = [Outcome(**outcome) for found in done for outcome in found.get("outcomes", [])]
    lost = {plant: [found["lost"][plant] for found in done if plant in found.get("lost", {})] for plant in PLANTS}
    clean = {name: [c for found in done if found["run"] == name for c in found.get("clean", [])] for name in RUNS}
    return {
        "machine": machine(),
        "cpu_seconds": round(sum(found["cpu_seconds"] for found in done)),
        "seeds": {"limits": [*CALIBRATION], "table": [*TABLE], "unattended": [*UNATTENDED]},
        "runs": RUNS,
        "plants": {plant: row([o for o in drilled if o.plant == plant], lost[plant]) for plant in PLANTS},
        "clean": {
            name: alarms(cycles)
            for name, cycles in {**clean, "both": [c for cycles in clean.values() for c in cycles]}.items()
        },
    }


def row(outcomes: list[Outcome], lost: list[list[float]]) -> dict[str, Any]:
    """How often a failure was caught, by others than the gate and with at most 2 points lost, and who did."""
    alarmed = [o for o in outcomes if set(o.caught_by) - {"gate"}]
    in_time = [o for o in alarmed if o.cost <= 2]
    n = len(outcomes)
    return {
        "drills": n,
        "caught": len(alarmed),
        "caught_in_time": len(in_time),
        "wilson_95": [round(end, 4) for end in wilson(len(in_time) / n, n)] if n else None,
        "caught_by": dict(Counter(who for o in outcomes for who in o.caught_by).most_common()),
        "in_cycle": dict(sorted(Counter(str(o.cycle) for o in outcomes).items())),
        "champion_lost": spread([o.cost for o in outcomes]),
        "candidate_lost": spread([o.damage for o in outcomes if o.damage is not None]),
        "unattended": len(lost),
        "unattended_lost_by_cycle": [round(fmean(points), 2) for points in zip(*lost, strict=True)],
        "unattended_lost": spread([points[-1] for points in lost if points]),
    }


def spread(points: list[float]) -> dict[str, float] | None:
    if not points:
        return None
    return {"mean": round(fmean(points), 2), "least": round(min(points), 2), "most": round(max(points), 2)}


def alarms(cycles: list[dict[str, Any]]) -> dict[str, Any]:
    """Clean cycles with an alarm, which is a false one, and those in which the gate rolled back."""
    n, hits = len(cycles), sum(bool(one["alarms"]) for one in cycles)
    return {
        "cycles": n,
        "with_alarm": hits,
        "wilson_95": [round(end, 4) for end in wilson(hits / n, n)] if n else None,
        "upper_95_one_sided": round(rate_below(hits, n), 4) if n else None,
        "alarms": dict(Counter(name for one in cycles for name in one["alarms"])),
        "rolled_back": sum(one["rolled_back"] for one in cycles),
    }


if __name__ == "__main__":
    main()
