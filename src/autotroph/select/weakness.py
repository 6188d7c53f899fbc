"""Which concepts a policy keeps failing at (SwS: weakness-driven problem synthesis, arXiv:2506.08989)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from autotroph.core.task import Task
from autotroph.core.trace import Group
from autotroph.rewards.measure import is_scored


@dataclass(frozen=True)
class WeaknessMiner:
    """A task is failed that was never solved in more than `most` of a round's tries, and is not getting better.

    The weight of a concept is the share of its tasks that are failed.
    """

    concepts_of: Callable[[Task], Sequence[str]]
    most: float = 0.5

    def __call__(self, rounds: Sequence[Sequence[Group]]) -> dict[str, float]:
        """Weights by concept, of tries oldest round first; concepts of which nothing was scored are not in it."""
        rates: dict[str, list[float]] = {}
        tasks: dict[str, Task] = {}
        for groups in rounds:
            scores: defaultdict[str, list[float]] = defaultdict(list)
            for group in groups:
                tasks[group.task.key] = group.task
                scores[group.task.key] += [reward for trace in group.traces if is_scored(reward := trace.reward)]
            for key, found in scores.items():
                if found:
                    rates.setdefault(key, []).append(fmean(found))
        asked: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        for key, course in rates.items():
            concepts = set(self.concepts_of(tasks[key]))
            asked.update(concepts)
            if max(course) <= self.most and course[-1] <= course[0]:
                failed.update(concepts)
        return {concept: failed[concept] / asked[concept] for concept in sorted(asked)}
