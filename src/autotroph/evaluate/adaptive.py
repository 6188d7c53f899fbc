"""Adaptive difficulty: where sealed tasks can tell two policies apart, and where they would be wasted."""

from __future__ import annotations

from collections.abc import Mapping

FLOOR, CEILING = 0.05, 0.95
WATCHED = 0.3
"""Share of its tasks that a level keeps where the champion fails or solves nearly all: a loss there must still show."""


def informative(accuracy: Mapping[int, float]) -> list[int]:
    """Levels, ascending, of which a policy solves a part, and the easiest one above them of which it solves none yet.

    Where it solves some of no level this is the easiest one that it fails; where it solves all, the hardest one.
    """
    part = [level for level, mean in sorted(accuracy.items()) if FLOOR < mean < CEILING]
    solved = [level for level, mean in accuracy.items() if mean > FLOOR]
    beyond = [level for level in accuracy if level > max(solved, default=-1)]
    return [*part, min(beyond)] if beyond else part or [max(accuracy)]


def allotted(accuracy: Mapping[int, float], per_level: int) -> dict[int, int]:
    """Level -> number of tasks: in all as many as `per_level` of each, what is saved elsewhere going where it tells."""
    telling = informative(accuracy)
    watched = max(1, round(WATCHED * per_level))
    saved = (per_level - watched) * (len(accuracy) - len(telling))
    return {level: per_level + saved // len(telling) if level in telling else watched for level in sorted(accuracy)}
