"""The reward that everything rests on: the task's own verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.protocols import ExecutedFamily, TaskFamily, Verify, VerifyAll
from autotroph.core.task import Task
from autotroph.core.trace import Group


@dataclass
class Verifiable:
    """The verifier's score in [0, 1]; None where it gives None or the rollout failed.

    Each different text of a group is verified once, all of them by one call of `verify_all` where that is given.
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
        texts = dict.fromkeys(trace.text for trace in group.traces if trace.error is None)
        pairs = [(group.task, text) for text in texts]
        found = self.verify_all(pairs) if self.verify_all else [self.verify(*pair) for pair in pairs]
        scores = dict(zip(texts, found, strict=True))
        return Group(
            group.task,
            tuple(trace.scored(self.name, None if trace.error else scores[trace.text]) for trace in group.traces),
        )
