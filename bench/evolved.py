"""How fast programs are evaluated, and whether cheating ones get anywhere: the figures of docs/problems.md.

    .venv/bin/python bench/evolved.py [speed cheats packing]

Writes bench/results/evolved.json; without names, all of it.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "attack"))

from cheats import OWN, POOR, WORTHLESS, accepted  # noqa: E402

from autotroph.evaluate.intervals import wilson  # noqa: E402
from autotroph.sandbox import Directory, Jail  # noqa: E402
from autotroph.store.run import machine  # noqa: E402
from autotroph.tasks.programs.bin_packing import BinPacking, best_fit  # noqa: E402
from autotroph.tasks.programs.family import ProgramFamily  # noqa: E402
from autotroph.tasks.registry import task_family  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "evolved.json"
SMALL = ("modules", "circle_packing", "symbolic_regression", "sorting_networks")
CANDIDATES, ROUNDS, THREADS = 200, 5, 2
TASKS = 100


def speed() -> dict[str, Any]:
    """Different small candidates a second, from their files to their scores, two at a time. Each candidate is the
    starter with another number in a comment, and is evaluated on one task."""
    with Jail(workers=THREADS) as jail, ThreadPoolExecutor(THREADS) as pool:
        return {name: _rates(task_family(name), jail, pool) for name in SMALL}


def _rates(family: Any, jail: Jail, pool: ThreadPoolExecutor) -> dict[str, Any]:
    assert isinstance(family, ProgramFamily)
    [task] = family.generate(family.levels[min(2, len(family.levels) - 1)], 1, 0)

    def score(number: int) -> float | None:
        files = {name: f"{text}\n# {number}\n".encode() for name, text in family.starter.items()}
        answer, reason = family.ask(jail, Directory(files), task)
        assert answer, reason
        return family.verify(task, answer)

    first = list(pool.map(score, range(20)))
    rates = []
    for turn in range(ROUNDS):
        start = time.perf_counter()
        scores = list(pool.map(score, range(turn * CANDIDATES, (turn + 1) * CANDIDATES)))
        rates.append(CANDIDATES / (time.perf_counter() - start))
        assert set(scores) == set(first)
    return {"candidates": CANDIDATES * ROUNDS, "a second": _of(rates)}


def cheats() -> dict[str, Any]:
    """Every trick on every problem: how many are worth more than what they give."""
    with Jail(workers=1) as jail:
        through = [f"{name}: {trick}" for name in OWN for trick in accepted(jail, name)]
    n = len(OWN) * (len(WORTHLESS) + len(POOR)) + sum(map(len, OWN.values()))
    different = {text for tricks in (WORTHLESS, POOR, *OWN.values()) for text in tricks.values()}
    return {"problems": len(OWN), "programs": len(different), "tried": n, "accepted": through,
            "share": {"interval": wilson(len(through), n)}}  # fmt: skip


def packing() -> dict[str, Any]:
    """The excess of best fit and of first fit on our instances, beside what is published for OR-Library's."""
    family = BinPacking()
    found = {}
    for level in family.levels:
        tasks = family.generate(level, TASKS, 0)
        capacity, smallest, largest = family.arguments(tasks[0])
        best = best_fit(capacity, smallest, largest)
        tables = {"best fit": best, "first fit": [[0.0] * len(row) for row in best]}
        found[f"level {level}"] = {
            name: _of([family.measure(task, table) for task in tasks]) for name, table in tables.items()
        }
    return found


def _of(values: Sequence[float]) -> dict[str, Any]:
    """Mean and 95% bootstrap interval."""
    rng = random.Random(0)
    means = sorted(float(np.mean(rng.choices(values, k=len(values)))) for _ in range(2000))
    return {"n": len(values), "mean": float(np.mean(values)), "low": means[49], "high": means[1949]}


def main(names: Sequence[str]) -> None:
    parts = {"speed": speed, "cheats": cheats, "packing": packing}
    for name in names or parts:
        part = {name: {**parts[name](), "machine": machine()}}
        print(json.dumps(part, indent=1))
        found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps(found | part, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
