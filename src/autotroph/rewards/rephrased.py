"""Agreement across rephrasings: what a question's answers are worth is said by those to the same question otherwise
put."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import elected


@dataclass
class CrossAgreement:
    """1 for the majority answer to the rephrased question, 0 for any other, and the other way round (Co-Reward,
    arXiv:2508.00410).

    A rephrasing names the question that it is of as the parent of its task. None where the rollout failed, or the
    other question has no answer of at least `threshold` of its samples. Raises AutotrophError for a question that came
    alone.
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "cross_agreement"
    threshold: float = 0.0

    def score(self, group: Group) -> Group:
        return self.score_all([group])[0]

    def score_all(self, groups: Sequence[Group]) -> list[Group]:
        own = {group.task.key: group for group in groups}
        twins = {key: parent for key, g in own.items() for parent in g.task.provenance.parents if parent in own}
        twins |= {parent: key for key, parent in twins.items()}
        alone = [key for key in own if key not in twins]
        if alone:
            raise AutotrophError(
                f"reward '{self.name}': task {alone[0]} came without its rephrasing; sample both in one step"
            )
        labels = {key: elected(own[twin], self.threshold) for key, twin in twins.items()}

        def scored(group: Group) -> Group:
            label = labels[group.task.key]

            def agreement(trace: Trace) -> float | None:
                return None if label is None or trace.error is not None else float(trace.text == label)

            return Group(group.task, tuple(trace.scored(self.name, agreement(trace)) for trace in group.traces))

        return [scored(group) for group in groups]
