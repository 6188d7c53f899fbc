"""What the bookkeeping of evaluation takes of a run's time: gate, monitors, lineage, guard, decontamination.

    .venv/bin/python bench/overhead.py

Writes bench/results/overhead.json; some minutes. Answering sealed tasks and verifying the answers is not counted as
bookkeeping, nor is the champion's sampling beside a promoted gain; all of it is in the time that the share is of. Base
training and the last measurement are in neither.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, cast

from autotroph.core.protocols import Selector, View
from autotroph.core.trace import Group
from autotroph.loop import Loop, Recorder, run_loop
from autotroph.recipes import registry
from autotroph.select.chain import Chain
from autotroph.select.guard import Guard
from autotroph.store.run import Run, machine

RUNS: dict[str, dict[str, Any]] = {
    "length_generalisation": {"rounds": 3},
    "grpo": {"task": "copy", "level": 8, "cycles": 2},
    "rejection_sampling": {"task": "addition", "level": 3, "cycles": 3},
    "distill": {"task": "addition", "level": 3, "cycles": 3},
}
REPEATS = 2


@dataclass
class Timed:
    """A selector and the seconds of each call of it."""

    selector: Selector
    seconds: list[float]

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        begun = time.perf_counter()
        selected = self.selector.select(groups, view)
        self.seconds.append(time.perf_counter() - begun)
        return selected


def main() -> None:
    found = [measured(name, settings) for name, settings in RUNS.items()]
    figures = {"machine": machine(), "runs": found}
    (Path(__file__).parent / "results" / "overhead.json").write_text(json.dumps(figures, indent=1) + "\n")


def measured(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Share of bookkeeping in each cycle of several runs."""
    parts = [cycle for _ in range(REPEATS) for cycle in one_run(name, settings)]
    shares = [sum(cycle[part] for part in ("gate", "guard", "decontaminate")) / cycle["all"] for cycle in parts]
    whole = {part: sum(cycle[part] for cycle in parts) for part in parts[0]}
    booked = whole["gate"] + whole["guard"] + whole["decontaminate"]
    line = {
        "recipe": name,
        "settings": settings,
        "cycles": len(parts),
        "share": round(booked / whole["all"], 5),
        "by_cycle": {"median": round(median(shares), 5), "least": round(min(shares), 5), "most": round(max(shares), 5)},
        "seconds": {part: round(seconds, 3) for part, seconds in whole.items()},
    }
    print(line, flush=True)
    return line


def one_run(name: str, settings: dict[str, Any]) -> list[dict[str, float]]:
    """Seconds of each part, cycle by cycle."""
    recipe = registry.find(name)
    config = recipe.configure(settings)
    loop, decontaminate, guard = timed(recipe.build(config))
    with tempfile.TemporaryDirectory() as folder:
        start = {"recipe": name, "config": config.model_dump(mode="json")}
        with Run.create(Path(folder) / "run", start) as run:
            run_loop(run, loop, Recorder())
            cycles = run.record().cycles
    return [
        {
            "gate": cycle.metrics["gate_seconds"],
            "guard": guarded,
            "decontaminate": cleaned,
            "evaluate": cycle.metrics["evaluate_seconds"],
            "all": cycle.metrics["seconds"],
        }
        for cycle, guarded, cleaned in zip(cycles, guard.seconds, decontaminate.seconds, strict=True)
    ]


def timed(loop: Loop) -> tuple[Loop, Timed, Timed]:
    """The loop with a clock on its decontamination, the first of its selectors, and on its guard."""
    first, *filters = cast(Chain, loop.stages.selector).selectors
    decontaminate, guard = Timed(first, []), Timed(loop.guard, [])
    stages = replace(loop.stages, selector=Chain([decontaminate, *filters]))
    return replace(loop, stages=stages, guard=cast(Guard, guard)), decontaminate, guard


if __name__ == "__main__":
    main()
