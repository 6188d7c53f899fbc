"""Several rewards as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import RewardFn
from autotroph.core.trace import Group, Trace
from autotroph.rewards.asked import ask


@dataclass
class Weighted:
    """A weighted sum: every part stays on the trace under its own name, scaled by its weight, and `Trace.reward` sums.

    A part that gives None makes the whole unscored, whatever its weight. Raises AutotrophError where two parts share a
    name.
    """

    parts: Sequence[tuple[RewardFn, float]]
    name: str = "weighted"

    def __post_init__(self) -> None:
        names = [part.name for part, _ in self.parts]
        if len(set(names)) < len(names):
            raise AutotrophError(f"reward {self.name!r}: two parts share a name in {names}; give each its own")

    @property
    def verifier_calls(self) -> int:
        return sum(part.verifier_calls for part, _ in self.parts)

    def score(self, group: Group) -> Group:
        return self.score_all([group])[0]

    def score_all(self, groups: Sequence[Group]) -> list[Group]:
        for part, _ in self.parts:
            groups = ask(part, groups)
        weights = {part.name: weight for part, weight in self.parts}
        return [Group(group.task, tuple(_scaled(trace, weights) for trace in group.traces)) for group in groups]


def _scaled(trace: Trace, weights: Mapping[str, float]) -> Trace:
    return replace(
        trace,
        rewards={
            name: None if value is None else value * weights.get(name, 1.0) for name, value in trace.rewards.items()
        },
    )
