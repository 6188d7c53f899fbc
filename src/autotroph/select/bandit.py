"""A curriculum that learns which kind of task teaches most (Self-Evolving Curriculum, arXiv:2505.14970)."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.core.task import Task
from autotroph.core.trace import Group


def level(task: Task) -> str:
    return str(task.level)


def softmax(values: Mapping[str, float], temperature: float) -> dict[str, float]:
    most = max(values.values(), default=0.0)
    weights = {name: math.exp((value - most) / temperature) for name, value in values.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


@dataclass
class Bandit:
    """Draws categories of tasks by softmax(Q / temperature), and a task of each; Q is 0 for one never tried.

    After a step Q(c) <- (1 - rate) Q(c) + rate r(c) for the categories that it practised, r(c) the mean |advantage|
    over all samples of the category: for right-or-wrong rewards it is highest where half of the answers are right.
    Implements `core.protocols.Curriculum`; its state is Q.
    """

    rate: float = 0.5
    temperature: float = 1.0
    category: Callable[[Task], str] = level
    q: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not (0 < self.rate <= 1 and self.temperature > 0):
            raise AutotrophError(
                f"bandit: rate {self.rate}, temperature {self.temperature}; use a rate above 0, at most 1, and a "
                "temperature above 0"
            )

    def draw(self, tasks: Sequence[Task], n: int, rng: random.Random) -> list[Task]:
        waiting: defaultdict[str, list[Task]] = defaultdict(list)
        for task in rng.sample(tasks, len(tasks)):
            waiting[self.category(task)].append(task)
        drawn: list[Task] = []
        while len(drawn) < n and any(waiting.values()):
            chances = softmax({c: self.q.get(c, 0.0) for c in sorted(waiting) if waiting[c]}, self.temperature)
            (chosen,) = rng.choices(list(chances), list(chances.values()))
            drawn.append(waiting[chosen].pop())
        return drawn

    def observe(self, groups: Sequence[Group], signals: Sequence[Signal]) -> None:
        for category, reward in self.rewards(groups, signals).items():
            self.q[category] = (1 - self.rate) * self.q.get(category, 0.0) + self.rate * reward

    def rewards(self, groups: Sequence[Group], signals: Sequence[Signal]) -> dict[str, float]:
        """r(c) of a step; a sample without a signal has advantage 0."""
        of = {group.task.key: self.category(group.task) for group in groups}
        samples: defaultdict[str, int] = defaultdict(int)
        total: defaultdict[str, float] = defaultdict(float)
        for group in groups:
            samples[of[group.task.key]] += len(group.traces)
        for signal in signals:
            given = signal.advantage
            each = abs(given) if isinstance(given, int | float) else sum(map(abs, given)) / max(1, len(given))
            total[of[signal.trace.task_key]] += each
        return {category: total[category] / n for category, n in samples.items() if n}

    @property
    def metrics(self) -> dict[str, float]:
        return {f"q_{category}": value for category, value in sorted(self.q.items())}

    def state_dict(self) -> dict[str, float]:
        return dict(self.q)

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        self.q = dict(state)
