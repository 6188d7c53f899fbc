"""The best share of the tasks, by any score."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import View
from autotroph.core.reject import is_live, reject_groups
from autotroph.core.trace import Group
from autotroph.rewards.measure import is_scored

Scorer = Callable[[Sequence[Group], View], Sequence[float | None]]
"""Groups to scores, in order, the higher the better; None where there is none to be had."""


@dataclass
class TopShare:
    """Keeps the `share` of all groups that score highest, the earlier one of equals, at least one.

    The others go for "low NAME", those without a score for "unscored". Raises AutotrophError for scores of another
    number than the groups. `metrics`: mean score of all and of the kept ones, and the seconds that scoring took.
    """

    scorer: Scorer
    share: float
    name: str = "score"
    dropped: dict[str, int] = field(default_factory=dict, init=False)
    metrics: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise AutotrophError(f"top share: {self.share} of the tasks cannot be kept; use a share above 0, at most 1")

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        live, begun = [i for i, group in enumerate(groups) if is_live(group)], time.monotonic()
        scores = self.scorer([groups[i] for i in live], view)
        if len(scores) != len(live):
            raise AutotrophError(f"top share: {len(scores)} scores by '{self.name}' of {len(live)} groups")
        known = {i: score for i, score in zip(live, scores, strict=True) if is_scored(score)}
        best = sorted(known, key=lambda i: -known[i])[: math.ceil(self.share * len(known) - 1e-9)]
        reasons: dict[int, str] = {i: "unscored" if i not in known else f"low {self.name}" for i in live}
        for i in best:
            del reasons[i]
        remaining, self.dropped = reject_groups(groups, (reasons.get(i) for i in range(len(groups))))
        self.metrics = {f"{self.name}_seconds": time.monotonic() - begun}
        if best:
            self.metrics |= {
                f"{self.name}_mean": fmean(known.values()),
                f"{self.name}_kept": fmean(known[i] for i in best),
            }
        return remaining


@dataclass(frozen=True)
class Shuffled:
    """A scorer that gives every group the score of another one: all that selection by it still does is leave out."""

    scorer: Scorer

    def __call__(self, groups: Sequence[Group], view: View) -> list[float | None]:
        scores = list(self.scorer(groups, view))
        random.Random(view.seed("shuffled scores")).shuffle(scores)
        return scores
