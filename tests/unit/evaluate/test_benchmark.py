"""Sealed suites."""

from typing import Any, cast

from autotroph.core.task import Task
from autotroph.evaluate.benchmark import SealedSuite


class Overlapping:
    """A family whose levels share a task."""

    name = "overlapping"

    def generate(self, level: int, n: int, seed: int, split: str) -> list[Task]:
        return [Task.of("t", prompt, "x", level) for prompt in ("shared", f"own {level}")]


def test_a_task_that_two_levels_share_is_measured_once() -> None:
    assert len(SealedSuite(cast(Any, Overlapping()), [1, 2], per_level=2, seed=0)) == 3
