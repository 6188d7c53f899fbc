"""What of a cycle's record follows from other figures of it, computed anew: for whoever takes none of it on trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from math import isclose
from typing import Any

from autotroph.core.decision import Comparison, Decision, Report, Result
from autotroph.evaluate.monitors import Monitors
from autotroph.evaluate.refinement import compare, outcome
from autotroph.store.record import Alarm, CycleRecord


def decision_faults(given: Decision, due: Decision) -> Iterator[str]:
    """Fields that differ; the refinement is no part of a verdict."""
    ours, theirs = (asdict(replace(decision, refinement=None)) for decision in (given, due))
    for name, value in ours.items():
        if not alike(value, theirs[name]):
            yield f"{name} is {value!r}, recomputed {theirs[name]!r}"


def refinement_faults(decision: Decision) -> Iterator[str]:
    """What does not follow from the scores that the refinement holds."""
    found = decision.refinement
    if found is None:
        return
    if not decision.promoted:
        yield "there is one of a candidate that was not promoted"
    for number, one in enumerate(found.comparisons):
        again = asdict(_compared(one))
        for name, value in asdict(one).items():
            if not alike(value, again[name]) and not (name == "p_value" and _partial(one)):
                yield f"{name} of comparison {number} is {value!r}, recomputed {again[name]!r}"
    if (due := outcome(found.comparisons)) != found.outcome:
        yield f"its outcome is {found.outcome!r}, recomputed {due!r}"
    gains = tuple(sorted(level for level, flips in decision.levels.items() if flips.gained > flips.lost))
    if found.levels != gains:
        yield f"it is of levels {found.levels}, and the gain is on {gains}"


def alarms_due(record: CycleRecord, config: Mapping[str, Any], knobs: Mapping[str, float]) -> tuple[Alarm, ...]:
    """The alarms that a cycle's figures call for. `knobs`: those that monitors had turned before it."""
    configured = {"temperature": config.get("temperature"), "real_floor": config.get("guard", {}).get("real_floor")}
    before = {name: value for name, value in configured.items() if value is not None}
    return Monitors.model_validate(config.get("monitors", {})).alarms(record.metrics, {**before, **knobs})


def alike(one: Any, two: Any) -> bool:
    """Equal, floats to nine digits: on another machine the last ones of a p-value may differ."""
    if isinstance(one, float) and isinstance(two, float):
        return isclose(one, two, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(alike(value, two[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(alike, one, two))
    return bool(one == two)


def _compared(one: Comparison) -> Comparison:
    sides = zip(*one.scores, strict=True) if one.scores else ((), ())
    champion, candidate = (
        Report("", "", tuple(Result(str(i), 0, score) for i, score in enumerate(scores)), {}, cost=cost)
        for scores, cost in zip(sides, (one.champion_cost, one.candidate_cost), strict=True)
    )
    return compare(champion, candidate, one.champion, one.candidate, one.equal_cost)


def _partial(one: Comparison) -> bool:
    """Whether a p-value rests on the tasks' keys, which the scores are kept without: `statistics.rounded`."""
    return any(score not in (None, 0, 1) for pair in one.scores for score in pair)
