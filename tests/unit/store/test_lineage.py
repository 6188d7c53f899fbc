"""Counting what a cycle is fed, by hand."""

from __future__ import annotations

from autotroph.core.task import Provenance, Task
from autotroph.core.trace import Group, Trace
from autotroph.store.lineage import strands
from autotroph.store.record import Strand


def group(source: str, *answers: tuple[str, int, str | None], depth: int = 0) -> Group:
    task = Task.of("toy", source, "1", provenance=Provenance(source, depth=depth))
    return Group(
        task,
        tuple(
            Trace(task.key, policy, (0,), (True,), (0.0,), "1", "stop", depth=depth, rejected=why)
            for policy, depth, why in answers
        ),
    )


def test_strands_count_kept_rows_by_source_policy_and_depth() -> None:
    fed = [
        group("real", ("gold", 0, None)),
        group("real", ("gold", 0, None), ("p", 1, None)),
        group("made", ("p", 1, None), ("p", 1, None), ("q", 2, None), ("q", 2, "short"), depth=1),
        group("made", ("p", 1, "minority"), depth=1),
    ]
    assert strands(fed, "trainee") == (
        Strand(source="made", policy="p", depth=1, rows=2),
        Strand(source="made", policy="q", depth=2, rows=1),
        Strand(source="real", policy="gold", depth=0, rows=2),
        Strand(source="real", policy="p", depth=1, rows=1),
    )


def test_bare_tasks_are_the_trainees_to_answer() -> None:
    assert strands([group("real"), group("real")], "t") == (Strand(source="real", policy="t", depth=0, rows=2),)
