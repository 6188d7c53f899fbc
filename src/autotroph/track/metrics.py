"""What trackers are told: a cycle and the end of a run as flat names and numbers; docs/tracking.md lists the names.

The step is the cycle, from 0; the end has the step after the last one. What was not measured has no entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autotroph.core.decision import Verdict
from autotroph.store.ledger import Event
from autotroph.store.record import Accuracy, CycleRecord

VERDICTS: Mapping[Verdict, int] = {"promote": 1, "hold": 0, "roll back": -1}


@dataclass(frozen=True, slots=True)
class Point:
    """What a tracker is told at once. `at`: seconds since 1970."""

    step: int
    at: float
    metrics: dict[str, float]


def points(events: Iterable[Event]) -> Iterator[Point]:
    """Of a run's events, those that have figures; steps count up from 0 without a gap."""
    step = 0
    for event in events:
        at = event.at / 1e6
        if event.kind == "cycle":
            yield Point(step, at, of_cycle(CycleRecord.model_validate(event.data["record"]), event.data["meter"]))
            step += 1
        elif event.kind == "end":
            yield Point(step, at, of_end(event.data))


def of_cycle(record: CycleRecord, meter: Mapping[str, Any]) -> dict[str, float]:
    decision = record.decision
    low, high = decision.interval or (None, None)
    figures: dict[str, float | None] = {
        "level": record.level,
        "mastered": record.mastered,
        "accuracy/champion": mean(record.champion_accuracy),
        "accuracy/candidate": mean(record.candidate_accuracy),
        **_by_level("level", champion=record.champion_accuracy, candidate=record.candidate_accuracy),
        "gate/verdict": VERDICTS[decision.verdict],
        "gate/gained": decision.gained,
        "gate/lost": decision.lost,
        "gate/kept": decision.kept,
        "gate/unscored": decision.unscored,
        "gate/difference": decision.difference,
        "gate/low": low,
        "gate/high": high,
        "gate/p_value": decision.p_value,
        "gate/alpha": decision.alpha,
        **_below("cycle", record.metrics),
        **_below("rejected", record.rejected),
        "alarms": len(record.alarms),
        **_below("alarm", {alarm.monitor: alarm.value for alarm in record.alarms}),
        **_spent(meter),
    }
    return _scored(figures)


def of_end(data: Mapping[str, Any]) -> dict[str, float]:
    """`data`: of the event `end`."""
    base, champion = (_levels(data[f"{role}_accuracy"]) for role in ("base", "champion"))
    figures: dict[str, float | None] = {
        "final/base": mean(base),
        "final/champion": mean(champion),
        **_by_level("final_level", base=base, champion=champion),
        **_spent(data["meter"]),
    }
    for role, refined in data["refined"].items():
        figures |= _below(f"refined/{role}", refined)
    return _scored(figures)


def mean(accuracy: Accuracy) -> float | None:
    """Over the tasks of all levels; None where none was scored."""
    n = sum(count for _, count in accuracy.values())
    return sum(score * count for score, count in accuracy.values()) / n if n else None


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str | float]:
    """A configuration as `{"base.train.steps": 60}`; what is neither text nor a number is written as text."""
    leaves: dict[str, str | float] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            leaves |= flat(value, f"{prefix}{name}.")
        else:
            leaves[prefix + name] = value if isinstance(value, str | int | float) else str(value)
    return leaves


def _levels(stored: Mapping[str, Any]) -> Accuracy:
    return {int(level): (score, count) for level, (score, count) in stored.items()}


def _by_level(group: str, **sides: Accuracy) -> dict[str, float | None]:
    return {f"{group}_{level}/{side}": score for side, levels in sides.items() for level, (score, _) in levels.items()}


def _spent(meter: Mapping[str, Any]) -> dict[str, float]:
    """`meter`: a snapshot of `core.budget.Meter`."""
    return {f"spent/{name}": meter[name] for name in meter if name != "lost"} | _below("lost", meter["lost"])


def _below(group: str, figures: Mapping[str, float]) -> dict[str, float]:
    return {f"{group}/{name}": value for name, value in figures.items()}


def _scored(figures: Mapping[str, float | None]) -> dict[str, float]:
    """Without those that were not measured, under names that every tracker takes."""
    return {
        re.sub(r"[^0-9A-Za-z_./-]", "_", name): float(value) for name, value in figures.items() if value is not None
    }
