"""What a decision rests on, kept: per-task results of champion and candidate, in the format of `autotroph gate`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotroph.core.decision import Report, Result

SIDES = ("champion", "candidate")


def write(folder: Path, champion: Report, candidate: Report) -> None:
    """`champion.jsonl` and `candidate.jsonl`, a task a line; a score that is no number is written as null."""
    for side, report in zip(SIDES, (champion, candidate), strict=True):
        with (folder / f"{side}.jsonl").open("w") as file:
            for result in report.results:
                row: dict[str, Any] = asdict(result)
                if result.score is not None and math.isnan(result.score):
                    row["score"] = None
                if report.cost is not None:
                    row["cost"] = report.cost
                file.write(json.dumps(row, sort_keys=True) + "\n")


def read(folder: Path, champion: str, candidate: str) -> tuple[Report, Report]:
    """The reports, of policies with these ids, for `Gate.decide`. Raises ValueError or OSError where there are none."""
    first, second = (
        _read(folder / f"{side}.jsonl", policy) for side, policy in zip(SIDES, (champion, candidate), strict=True)
    )
    return first, second


def _read(path: Path, policy: str) -> Report:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    try:
        costs = {row.pop("cost", None) for row in rows}
        results = tuple(Result(**row) for row in rows)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    return Report(policy, "", results, {}, cost=costs.pop() if len(costs) == 1 else None)
