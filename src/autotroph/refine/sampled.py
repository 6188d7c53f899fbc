"""One draw from the policy itself: the raw answer where mixing is part of it, as in games and under preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.protocols import Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.models.rollout import rollout


@dataclass
class Sampled:
    """One answer at temperature 1."""

    n: ClassVar[int] = 1
    max_tokens: int = 64
    rollout: Rollout = rollout
    name: str = "sampled"

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        params = SamplingParams(max_tokens=self.max_tokens)
        return [group.traces[0] for group in self.rollout(tasks, sampler, params, 1, seed)]
