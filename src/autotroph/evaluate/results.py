"""Per-task results from a file that anyone may have written: one JSON object a line, nothing taken on trust."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError, field_validator

from autotroph.core.config import Config
from autotroph.core.decision import Report, Result
from autotroph.core.errors import AutotrophError

MAX_LINE = 1 << 20
"""Bytes of the longest line that is read."""


class Row(Config):
    """One line: `key`, `score` in [0, 1] or null, and what else is known of the task."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: str = Field(min_length=1)
    score: float | None = Field(ge=0, le=1)
    level: int = Field(default=0, ge=0, le=10**9)
    tag: str = ""
    cluster: str | None = None
    protected: bool = False
    cost: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    @field_validator("tag")
    @classmethod
    def _printable(cls, tag: str) -> str:
        if not tag.isprintable() or len(tag) > 80:
            raise ValueError("give at most 80 printable characters")
        return tag


def read_report(path: Path) -> Report:
    """The results in `path`, in the order of its lines; the policy's id is the hash of what they say.

    `cost` is the mean cost where every line gives one. Raises AutotrophError, with the number of the line, for
    anything that is not such a file.
    """
    rows: dict[str, Row] = {}
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        row = _row(line, f"{path}, line {number}")
        if row.key in seen:
            raise AutotrophError(
                f"{path}, line {number}: key {_short(row.key)} stands on line {seen[row.key]} already; "
                "give each task once"
            )
        rows[row.key], seen[row.key] = row, number
    if not rows:
        raise AutotrophError(f"{path}: no results; give one JSON object a line, with key and score")
    costs = [row.cost for row in rows.values() if row.cost is not None]
    cost = sum(costs) / len(costs) if len(costs) == len(rows) else None
    results = tuple(Result(row.key, row.level, row.score, row.tag, row.cluster, row.protected) for row in rows.values())
    scored = sorted((result.key, result.score) for result in results if result.score is not None)
    identity = hashlib.sha256(repr(scored).encode()).hexdigest()[:16]
    return Report(identity, "", results, {}, cost=cost)


def check_same_tasks(champion: Report, candidate: Report, other: str = "candidate") -> None:
    """Raises AutotrophError, naming a task, unless both reports are about the same tasks and describe them alike.

    `other` is what the second one is called.
    """
    ours = {result.key: result for result in champion.results}
    theirs = {result.key: result for result in candidate.results}
    for name, extra in (("champion", ours.keys() - theirs.keys()), (other, theirs.keys() - ours.keys())):
        if extra:
            raise AutotrophError(
                f"gate: {len(extra)} tasks stand in the {name}'s file alone, such as {_short(min(extra))}; "
                "measure both on the same tasks, with score null where there is none"
            )
    for key, one in ours.items():
        two = theirs[key]
        for field in ("level", "tag", "cluster", "protected"):
            if getattr(one, field) != getattr(two, field):
                raise AutotrophError(
                    f"gate: task {_short(key)} has {field} {_short(getattr(one, field))} in the champion's file and "
                    f"{_short(getattr(two, field))} in the {other}'s; make them equal"
                )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines that are not blank; never more than MAX_LINE bytes in memory at a time."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise AutotrophError(
                        f"{path}, line {number}: longer than {MAX_LINE} bytes; keep key, score and the few fields of "
                        "the format, nothing else"
                    )
                if line.strip():
                    yield number, line
    except OSError as error:
        raise AutotrophError(f"{path}: {error.strerror}; give a file of per-task results") from None


def _row(line: bytes, where: str) -> Row:
    try:
        data = json.loads(line.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise AutotrophError(f"{where}: nested too deeply; give one flat JSON object") from None
    except ValueError as error:  # of the encoding, too, and of numbers with thousands of digits
        raise AutotrophError(f"{where}: not a JSON object ({_clip(str(error))}); fix the line") from None
    if not isinstance(data, dict):
        raise AutotrophError(f"{where}: a JSON {type(data).__name__}; give an object with key and score")
    try:
        return Row.model_validate(data)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise AutotrophError(
            f"{where}: {_short(field)}: {_clip(first['msg'])}; fields are {', '.join(Row.model_fields)}"
        ) from None


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(items)
    if len(fields) < len(items):
        raise ValueError("a field is given twice")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number; write null for a task without a score")


def _short(value: object) -> str:
    return _clip(ascii(value))


def _clip(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
