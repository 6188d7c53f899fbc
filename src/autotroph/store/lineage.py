"""Where training rows come from: what each cycle was fed, and the ancestry of any self-made row.

A run keeps its self-made rows whole, under the cycle that made them. Gold rows are drawn anew from their task's
generator, so they are counted here and not kept.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.task import stable_hash
from autotroph.core.trace import Group
from autotroph.store.record import CycleRecord, Strand
from autotroph.store.run import Run

DIGITS = 12
"""Of a row's name, in hexadecimal."""


@dataclass(frozen=True)
class Row:
    """A self-made training row: a task, and the answer to it that `policy` gave in `cycle`."""

    id: str
    cycle: int
    policy: str
    depth: int
    task: dict[str, Any]
    text: str


@dataclass(frozen=True)
class Generation:
    """A policy behind a row, the cycle that made it, and what that one was fed; a base has neither."""

    policy: str
    cycle: int | None
    strands: tuple[Strand, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"policy": self.policy, "cycle": self.cycle, "strands": [strand.model_dump() for strand in self.strands]}


def strands(groups: Sequence[Group], trainee: str) -> tuple[Strand, ...]:
    """All that a cycle may train on, counted by the task's source, the answering policy and the answer's depth.

    A task without traces is answered by the trainee while it learns. The verifier's score is the label then, so that
    its depth is the task's own.
    """
    counts: Counter[tuple[str, str, int]] = Counter()
    for group in groups:
        origin = group.task.provenance
        if not group.traces:
            counts[origin.source, trainee, origin.depth] += 1
        counts.update((origin.source, trace.policy, trace.depth) for trace in group.kept)
    return tuple(Strand(source=s, policy=p, depth=d, rows=n) for (s, p, d), n in sorted(counts.items()))


def rows(run: Run) -> Iterator[Row]:
    """Every self-made row of a run, oldest first; those of refused cycles too."""
    for event in run.ledger.events("cycle"):
        with (run.rows.path(event.data["rows"]) / "rows.jsonl").open() as file:
            for line in file:
                row = json.loads(line)
                task, trace = row["task"], row["trace"]
                name = stable_hash(task["key"], trace["policy"], trace["text"])[:DIGITS]
                yield Row(name, event.data["record"]["cycle"], trace["policy"], trace["depth"], task, trace["text"])


def find(run: Run, name: str) -> Row:
    """The row whose id, or whose task's key, begins with `name`; where several cycles kept it, as the first one did.

    Raises AutotrophError unless there is exactly one.
    """
    found: dict[str, Row] = {}
    for row in rows(run):
        if row.id.startswith(name) or row.task["key"].startswith(name):
            found.setdefault(row.id, row)
    if not found:
        raise AutotrophError(
            f"run {run.folder}: no self-made row '{name}'; `autotroph lineage {run.folder}` names some"
        )
    if len(found) > 1:
        raise AutotrophError(
            f"run {run.folder}: '{name}' fits {len(found)} rows, {' and '.join(sorted(found)[:2])} among them; "
            "give more digits"
        )
    return next(iter(found.values()))


def ancestry(run: Run, policy: str) -> list[Generation]:
    """The policy and every one that it went on from, the base last."""
    trainee = run.base_policy().id
    made: dict[str, tuple[str, Generation]] = {}
    for event in run.ledger.events("cycle"):
        record = CycleRecord.model_validate(event.data["record"])
        made.setdefault(record.candidate, (trainee, Generation(record.candidate, record.cycle, record.lineage)))
        trainee = event.data["state"]["trainee"]["id"]
    line: list[Generation] = []
    while policy in made:
        policy, generation = made.pop(policy)
        line.append(generation)
    return [*line, Generation(policy, None)]
