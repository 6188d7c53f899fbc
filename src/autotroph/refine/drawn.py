"""One draw from the policy's own distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.protocols import Rollout, Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.models.rollout import rollout


@dataclass
class Drawn:
    """One sample of each task: its accuracy is the mean of all that the policy would say (avg@k)."""

    n: ClassVar[int] = 1
    params: SamplingParams
    rollout: Rollout = rollout
    name: str = "drawn"

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]:
        return [group.traces[0] for group in self.rollout(tasks, sampler, self.params, 1, seed)]
