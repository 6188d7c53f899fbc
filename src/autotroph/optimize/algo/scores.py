"""The rewards of a group that algorithms read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Group, Trace

EPSILON = 1e-6
"""Rewards, or advantages, that differ by less are equal."""

Scored = Sequence[tuple[Trace, float]]


def scores(group: Group) -> Scored:
    """Traces that take part, with their rewards: kept, scored, and with a token that the policy chose.

    Raises AutotrophError for a reward that is no finite number.
    """
    found = [(trace, trace.reward) for trace in group.kept if any(trace.sampled)]
    for trace, reward in found:
        if reward is not None and not math.isfinite(reward):
            raise AutotrophError(
                f"task {trace.task_key}: a reward is {reward}; a reward function gives a number, or None for unscored"
            )
    return [(trace, reward) for trace, reward in found if reward is not None]


def differ(scored: Scored) -> bool:
    """Whether rewards say anything about each other: those of one trace, or equal ones, do not."""
    rewards = [reward for _, reward in scored]
    return bool(rewards) and max(rewards) - min(rewards) > EPSILON


def telling(groups: Sequence[Group]) -> list[Scored]:
    """What takes part of every group whose rewards differ; the others are left out, exactly."""
    return [scored for scored in map(scores, groups) if differ(scored)]
