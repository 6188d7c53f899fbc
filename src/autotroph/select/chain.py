"""Several selectors, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotroph.core.protocols import Selector, View
from autotroph.core.trace import Group


@dataclass
class Chain:
    """Selectors in order, each seeing what the ones before it rejected.

    `dropped`: the bare tasks that the last call removed, by reason; `metrics`: what its selectors measured in it.
    """

    selectors: Sequence[Selector]
    dropped: dict[str, int] = field(default_factory=dict, init=False)
    metrics: dict[str, float] = field(default_factory=dict, init=False)

    def select(self, groups: Sequence[Group], view: View) -> list[Group]:
        dropped: Counter[str] = Counter()
        self.metrics = {}
        for selector in self.selectors:
            groups = selector.select(groups, view)
            dropped.update(getattr(selector, "dropped", {}))
            self.metrics |= getattr(selector, "metrics", {})
        self.dropped = dict(dropped)
        return list(groups)


def summary(groups: Sequence[Group]) -> dict[str, int]:
    """Reason -> number of traces rejected for it, the most frequent first; ties by name."""
    counts = Counter(trace.rejected for group in groups for trace in group.traces if trace.rejected)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def counted(selector: Selector, groups: Sequence[Group]) -> str:
    """What became of everything, in words: "12 too easy, 3 duplicate"; "nothing was acquired" where there was none."""
    counts = Counter(summary(groups)) + Counter(getattr(selector, "dropped", {}))
    return ", ".join(f"{n} {reason}" for reason, n in counts.most_common()) or "nothing was acquired"
