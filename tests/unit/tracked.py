"""A run's ledger, written by hand: cycles whose figures are known, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotroph.core.budget import Meter
from autotroph.core.decision import Decision, Verdict
from autotroph.store.record import Alarm, CycleRecord
from autotroph.store.run import Run

CONFIG: dict[str, Any] = {
    "seed": 7,
    "budget": {"tokens": 5000, "seconds": None},
    "learner": {"lr": 0.5, "note": None},
}


def begun(folder: Path) -> Run:
    """A new run, which this process holds."""
    run = Run.create(folder, {"recipe": "grpo", "config": CONFIG})
    run.ledger.append("base", {"policy": {"id": "p0"}, "taught": 2, "meter": Meter().snapshot()})
    return run


def record(cycle: int, verdict: Verdict = "promote", **changes: Any) -> CycleRecord:
    decision = Decision(
        verdict, "so", "p0", f"p{cycle + 1}", 3, 1, 6, 0, 0.25, 0.05, difference=0.2, interval=(0.1, 0.3)
    )
    fields: dict[str, Any] = {
        "cycle": cycle,
        "level": 3,
        "mastered": 2,
        "champion": "p0",
        "candidate": f"p{cycle + 1}",
        "decision": decision,
        "champion_accuracy": {2: (0.5, 2), 3: (0.0, 6)},
        "candidate_accuracy": {2: (1.0, 2), 3: (0.5, 6)},
        "metrics": {"entropy": 0.25 + cycle, "acquire_seconds": 1.5},
        "rejected": {"no majority": 4},
        "samples": (),
        "alarms": (Alarm(monitor="entropy", value=0.25, limit=0.3, response="warn"),) if cycle == 1 else (),
    }
    return CycleRecord(**(fields | changes))


def add_cycle(run: Run, cycle: int, verdict: Verdict = "promote") -> None:
    meter = Meter(tokens=100 * (cycle + 1), dollars=0.5, lost={"tokens": 7 * cycle})
    champion = f"p{cycle + 1}" if verdict == "promote" else "p0"
    run.ledger.append(
        "cycle",
        {
            "record": record(cycle, verdict).model_dump(mode="json"),
            "state": {"level": 3, "champion": {"id": champion}},
            "meter": meter.snapshot(),
        },
    )


def add_end(run: Run) -> None:
    run.ledger.append(
        "end",
        {
            "base_accuracy": {2: (0.25, 4)},
            "champion_accuracy": {2: (0.75, 4)},
            "refined": {"base": {"greedy": 0.25}, "champion": {"vote@5": 0.75}},
            "meter": Meter(tokens=1000).snapshot(),
        },
    )
