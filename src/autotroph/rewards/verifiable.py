"""The reward that everything rests on: the task's own verifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.protocols import Verify
from autotroph.core.trace import Group


@dataclass
class Verifiable:
    """The verifier's score in [0, 1]; None where it gives None or the rollout failed.

    Each different text of a group is verified once.
    """

    verifier_calls: ClassVar[int] = 1
    verify: Verify
    name: str = "verified"

    def score(self, group: Group) -> Group:
        texts = dict.fromkeys(trace.text for trace in group.traces if trace.error is None)
        scores = {text: self.verify(group.task, text) for text in texts}
        return Group(
            group.task,
            tuple(trace.scored(self.name, None if trace.error else scores[trace.text]) for trace in group.traces),
        )
