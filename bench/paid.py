"""What keeping paid work takes of a run: the share of processor time in the journal, and in all that feeds it.

    .venv/bin/python bench/paid.py

Writes bench/results/paid.json; a minute or so. Processor time of the thread that does it, so that other work on the
machine counts on neither side: digests of calls, packing of completions, commits and marks against the whole process.
Waiting for the disk is counted apart, against the wall.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotroph import state
from autotroph.loop import Recorder, run_loop
from autotroph.models import recorded
from autotroph.recipes import registry
from autotroph.rewards import scoring
from autotroph.store import journal
from autotroph.store.run import Run, machine

RUNS: dict[str, dict[str, Any]] = {
    "length_generalisation": {"rounds": 3},
    "grpo": {"task": "copy", "level": 8, "cycles": 1},
}
PARTS = (
    (recorded, "_digest"), (recorded, "packed"), (recorded, "fingerprint"), (state, "fingerprint"), (state, "digest"),
    (scoring, "digest"), (journal.Journal, "record"), (journal.Journal, "parts"), (journal.Journal, "begin"),
    (journal.Journal, "mark"),
)  # fmt: skip


def main() -> None:
    found = [measured(name, settings) for name, settings in RUNS.items()]
    figures = {"machine": machine(), "runs": found}
    (Path(__file__).parent / "results" / "paid.json").write_text(json.dumps(figures, indent=1) + "\n")


def measured(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """A run after its base is there."""
    recipe = registry.find(name)
    config = recipe.configure(settings)
    loop = recipe.build(config)
    loop.base(Recorder())
    spent: dict[str, list[float]] = {}
    originals = [(place, part, getattr(place, part)) for place, part in PARTS]
    for place, part, original in originals:
        setattr(place, part, timed(original, spent.setdefault(part, [0.0, 0.0, 0])))
    with tempfile.TemporaryDirectory() as folder:
        start = {"recipe": name, "config": config.model_dump(mode="json")}
        with Run.create(Path(folder) / "run", start) as run:
            begun, before = time.perf_counter(), time.process_time()
            run_loop(run, loop, Recorder())
            wall, processor = time.perf_counter() - begun, time.process_time() - before
            most = max(file.stat().st_size for file in run.folder.glob("journal.sqlite*"))
    for place, part, original in originals:
        setattr(place, part, original)
    line = {
        "recipe": name,
        "settings": settings,
        "share_of_processor": round(sum(one[1] for one in spent.values()) / processor, 5),
        "share_of_wall": round(sum(one[0] for one in spent.values()) / wall, 5),
        "seconds": round(wall, 1),
        "processor_seconds": round(processor, 1),
        "journal_megabytes": round(most / 1e6, 1),
        "parts": {part: {"seconds": round(one[1], 4), "calls": int(one[2])} for part, one in spent.items()},
    }
    print(line, flush=True)
    return line


def timed(work: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        begun, before = time.perf_counter(), time.thread_time()
        try:
            return work(*args, **named)
        finally:
            spent[0] += time.perf_counter() - begun
            spent[1] += time.thread_time() - before
            spent[2] += 1

    return call


if __name__ == "__main__":
    main()
