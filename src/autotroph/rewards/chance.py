"""A reward that says nothing: what is left of a method whose reward is replaced by it needed no reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.errors import AutotrophError
from autotroph.core.task import stable_hash
from autotroph.core.trace import Group, Trace


@dataclass
class Chance:
    """1 with probability `share`, else 0, whatever the answer says (arXiv:2506.10947); None where the rollout failed.

    Drawn from the trace's place in its group, its text and its log-probabilities, which change as the policy does: the
    same answer is not always the lucky one, and a run that is resumed draws alike.
    """

    verifier_calls: ClassVar[int] = 0
    share: float = 0.5
    name: str = "chance"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise AutotrophError(f"reward 'chance': share {self.share} is no probability; give one from 0 to 1")

    def score(self, group: Group) -> Group:
        return Group(group.task, tuple(self._scored(place, trace) for place, trace in enumerate(group.traces)))

    def _scored(self, place: int, trace: Trace) -> Trace:
        drawn = int(stable_hash(self.name, trace.task_key, str(place), trace.text, repr(trace.logprobs))[:13], 16)
        return trace.scored(self.name, None if trace.error else float(drawn < self.share * 16**13))
