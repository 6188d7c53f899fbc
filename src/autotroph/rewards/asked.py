"""Where a reward is asked: all groups at once if it can, and an answer that is none is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import RewardFn
from autotroph.core.trace import Group


@runtime_checkable
class Together(Protocol):
    """A reward that scores groups together: because that is faster, or because they say something of one another."""

    def score_all(self, groups: Sequence[Group]) -> list[Group]: ...


def ask(reward: RewardFn, groups: Sequence[Group]) -> list[Group]:
    """The groups with what the reward says of each trace.

    Raises AutotrophError where it is not one number, or None, for each trace, or is not finite.
    """
    found = reward.score_all(groups) if isinstance(reward, Together) else [reward.score(group) for group in groups]
    if len(found) != len(groups):
        raise AutotrophError(f"reward '{reward.name}': {len(found)} groups of {len(groups)} came back; give each one")
    for asked, answered in zip(groups, found, strict=True):
        _check(reward.name, asked, answered)
    return found


def _check(name: str, asked: Group, answered: Group) -> None:
    n, m = len(asked.traces), len(answered.traces)
    if n != m or asked.task.key != answered.task.key:
        raise AutotrophError(
            f"reward '{name}': {m} scores for the {n} traces of task {asked.task.key}; give each its own, None where "
            "it is unscored"
        )
    for trace in answered.traces:
        for part, value in trace.rewards.items():
            if value is not None and not (isinstance(value, float | int) and math.isfinite(value)):
                raise AutotrophError(
                    f"reward '{part}': {value!r} for the answer {trace.text[:40]!r}; give a finite number, or None for "
                    "unscored"
                )
