"""The same problem in other words."""

from __future__ import annotations

from dataclasses import replace

from autotroph.core.task import Provenance, Task


def rephrasing(task: Task, twin: Task) -> Task | None:
    """The twin with the task as its parent; None where it is of another split, and so for nobody who has the task."""
    origin = Provenance("rephrased", (task.key,), task.provenance.depth)
    return replace(twin, provenance=origin) if twin.split == task.split else None
