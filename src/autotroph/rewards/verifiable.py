"""The reward that everything rests on: the task's own verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.protocols import ExecutedFamily, TaskFamily, Verify, VerifyAll
from autotroph.core.task import Task
from autotroph.core.trace import Group


@dataclass
class Verifiable:
    """The verifier's score in [0, 1]; None where it gives None or the rollout failed.

    Each different text of a group is verified once; those of all groups by one call of `verify_all`, where it is given.
    """

    verifier_calls: ClassVar[int] = 1
    verify: Verify
    name: str = "verified"
    verify_all: VerifyAll | None = None

    @classmethod
    def of(cls, family: TaskFamily) -> Verifiable:
        return cls(family.verify, verify_all=family.verify_all)

    @classmethod
    def visible(cls, family: ExecutedFamily) -> Verifiable:
        """The score of a program on what its task shows, which may be asked before it is given as the answer."""

        def verify_all(pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
            return family.verify_all([(family.visible(task), text) for task, text in pairs])

        return cls(lambda task, text: verify_all([(task, text)])[0], "visible", verify_all)

    def score(self, group: Group) -> Group:
        return self.score_all([group])[0]

    def score_all(self, groups: Sequence[Group]) -> list[Group]:
        texts = [dict.fromkeys(trace.text for trace in group.traces if trace.error is None) for group in groups]
        pairs = [(group.task, text) for group, own in zip(groups, texts, strict=True) for text in own]
        found = iter(self.verify_all(pairs) if self.verify_all else [self.verify(*pair) for pair in pairs])
        scores = [{text: next(found) for text in own} for own in texts]
        return [self._scored(group, own) for group, own in zip(groups, scores, strict=True)]

    def _scored(self, group: Group, scores: Mapping[str, float | None]) -> Group:
        return Group(
            group.task,
            tuple(trace.scored(self.name, None if trace.error else scores[trace.text]) for trace in group.traces),
        )
