"""How long the archive's operations and each policy's choice take in an archive of 100,000 nodes.

    .venv/bin/python bench/archive.py

Writes bench/results/archive.json: medians and 95th percentiles in milliseconds of the processor's time, which other
work on the machine does not add to; about a minute. The archive is a
random recursive tree: each node's parent is drawn evenly from those before it, its outcomes are tosses. Since an
outcome counts for all ancestors, recording is timed at the end of a chain of CHAIN nodes as well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.policies.registry import POLICIES, policy
from autotroph.evolve.protocols import Left
from autotroph.store.run import machine

OUT = Path(__file__).parent / "results" / "archive.json"
NODES, TASKS, CHAIN, REPEATS, CHOICES = 100_000, 10, 1000, 300, 20


def tree(rng: np.random.Generator) -> Archive:
    """All nodes are evaluated on all tasks, as most policies leave them; skills drift from 0.1 on."""
    archive = Archive(TASKS, turn=3)
    skills = np.empty(NODES)
    for number in range(NODES):
        parent = int(rng.integers(number)) if number else None
        skills[number] = 0.1 if parent is None else np.clip(skills[parent] + 0.04 * rng.standard_normal(), 0, 1)
        archive.add(Node(str(number), () if parent is None else (parent,), tag=number % 5))
        for toss in rng.random(TASKS) < skills[number]:
            task = archive.begin(number)
            assert task is not None
            archive.record(number, task, float(toss))
    return archive


def timed(work: Callable[[int], Any], repeats: int) -> dict[str, float]:
    seconds = []
    for number in range(repeats):
        began = time.process_time()
        work(number)
        seconds.append(time.process_time() - began)
    return {"median_ms": 1e3 * float(np.median(seconds)), "p95_ms": 1e3 * float(np.quantile(seconds, 0.95))}


def operations(archive: Archive) -> dict[str, dict[str, float]]:
    parents = np.random.default_rng(1).integers(NODES, size=REPEATS)
    found = {"add": timed(lambda i: archive.add(Node("new", (int(parents[i]),))), REPEATS)}
    found["begin"] = timed(lambda i: archive.begin(NODES + i), REPEATS)
    found["record"] = timed(lambda i: archive.record(NODES + i, 0, 1.0), REPEATS)
    found["line"] = timed(lambda i: list(archive.line(NODES + i)), REPEATS)
    archive.lower()
    found["record and lower"] = timed(lambda i: (archive.record(NODES + i, 1, 1.0), archive.lower()), REPEATS)
    found["record and best"] = timed(lambda i: (archive.record(NODES + i, 2, 1.0), archive.best()), REPEATS)
    found["means"] = timed(lambda i: archive.means, REPEATS)
    last = NODES
    for _ in range(CHAIN):
        last = archive.add(Node("chain", (last,)))
    tasks = iter(range(TASKS))
    found[f"record, below a chain of {CHAIN}"] = timed(lambda i: archive.record(last, next(tasks), 1.0), TASKS)
    return found


def main() -> None:
    archive = tree(np.random.default_rng(0))
    left = Left(1000, NODES * TASKS)
    choices = {}
    for name in POLICIES:
        chooser = policy(name)

        def choose(number: int, chooser: Any = chooser) -> None:
            chooser.choose(archive, left, np.random.default_rng(number))

        choose(0)
        choices[name] = timed(choose, CHOICES)
    found = {
        "nodes": NODES,
        "tasks": TASKS,
        "choices": choices,
        "operations": operations(archive),
        "machine": machine(),
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    for part in ("operations", "choices"):
        for name, one in found[part].items():
            print(f"{part:10} {name:32} median {one['median_ms']:8.3f} ms, 95% within {one['p95_ms']:8.3f} ms")


if __name__ == "__main__":
    main()
