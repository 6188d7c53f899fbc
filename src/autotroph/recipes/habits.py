"""A base with a latent ability: it was taught to answer in two ways, one of which the verifier wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from autotroph.core.protocols import TaskFamily
from autotroph.core.task import Task, stable_hash
from autotroph.recipes.bases import BaseConfig


class HabitualBase(BaseConfig):
    """A base that has two habits: to write the answer; or the prompt's last sign again, then the answer backwards.

    It stands in for a large model whose pretraining has left it several strategies, of which practice has only to
    find the right one.
    """

    backwards: float = Field(0.65, ge=0, le=1, description="share of its gold rows with the second habit")

    def taught(self, family: TaskFamily, levels: Sequence[int], seed: int) -> list[Task]:
        return [self._written(task) for task in super().taught(family, levels, seed)]

    def identity(self, family: TaskFamily, levels: Sequence[int]) -> str:
        return f"{super().identity(family, levels)}, {self.backwards:g} backwards"

    def _written(self, task: Task) -> Task:
        drawn = int(stable_hash("habit", task.key)[:8], 16)
        if task.answer is None or drawn >= self.backwards * 16**8:
            return task
        return replace(task, answer=task.prompt[-1] + task.answer[::-1])
