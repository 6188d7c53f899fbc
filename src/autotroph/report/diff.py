"""Two runs side by side: what was set, what came of it, where they part, what each cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from rich.table import Table
from rich.text import Text

from autotroph.core.config import flat
from autotroph.core.decision import Verdict
from autotroph.core.policy import short
from autotroph.report.levels import Estimate, estimate
from autotroph.report.markup import visible
from autotroph.report.sentences import PAST, cells, percent
from autotroph.store.record import CycleRecord, RunRecord

Both = tuple[Any, Any]
"""What the first run has, and the second; None where it has nothing there."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run in one cycle. `accuracy`: mean score of the candidate over all its scored tasks."""

    level: int
    candidate: str
    verdict: Verdict
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Diff:
    """`parted`: first cycle whose verdicts differ, one run having none among them; `candidates_parted`: first one whose
    candidates are not the same weights. None: nowhere."""

    runs: tuple[str, str]
    settings: dict[str, Both]
    """What differs of recipe, configuration, versions and machine."""
    cycles: tuple[tuple[Side | None, Side | None], ...]
    parted: int | None
    candidates_parted: int | None
    accuracy: dict[int, tuple[Estimate | None, Estimate | None]]
    """Of the champions at the end, by level."""
    cost: dict[str, tuple[float, float]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def diff(one: RunRecord, two: RunRecord) -> Diff:
    records = (one, two)
    cycles = tuple(zip_longest(*(map(_side, record.cycles) for record in records)))
    levels = sorted({*one.champion_accuracy, *two.champion_accuracy})
    return Diff(
        runs=(one.id, two.id),
        settings=dict(_differing(*map(_settings, records))),
        cycles=cycles,
        parted=_first(cycles, lambda side: side.verdict),
        candidates_parted=_first(cycles, lambda side: side.candidate),
        accuracy={
            level: (estimate(one.champion_accuracy, level), estimate(two.champion_accuracy, level)) for level in levels
        },
        cost={name: (one.spent[name], two.spent[name]) for name in one.spent},
    )


def settings_table(found: Diff) -> Table:
    table = _table("what was set", *found.runs)
    for name, values in found.settings.items():
        table.add_row(
            Text(visible(name)), *(Text("–" if value is None else visible(_shown(value))) for value in values)
        )
    return table


def cycles_table(found: Diff) -> Table:
    """A line a cycle; where verdicts part first, an arrow."""
    table = _table("cycle", *(name for run in found.runs for name in (run, "level", "candidate", "mean")))
    for number, sides in enumerate(found.cycles):
        row = [text for side in sides for text in _cells(side)]
        table.add_row(f"{'→ ' if number == found.parted else ''}{number}", *row)
    return table


def accuracy_table(found: Diff) -> Table:
    """Champions at the end with 95% Wilson intervals."""
    table = _table("level", *(name for run in found.runs for name in (run, "95% CI", "n")))
    for level, (one, two) in found.accuracy.items():
        table.add_row(str(level), *cells(one), *cells(two))
    return table


def cost_table(found: Diff) -> Table:
    table = _table("cost", *found.runs)
    for name, (one, two) in found.cost.items():
        table.add_row(name.replace("_", " "), f"{one:,.6g}", f"{two:,.6g}")
    return table


def sentence(found: Diff) -> str:
    """Where they part, in words."""
    if not found.cycles:
        return "Neither run has a cycle."
    if found.candidates_parted is None:
        return "Every cycle made the same candidate and had the same verdict."
    made = f"The candidates are other weights from cycle {found.candidates_parted} on"
    return (
        f"{made}; the verdicts are the same." if found.parted is None else f"{made}; verdicts part in {found.parted}."
    )


def _side(cycle: CycleRecord) -> Side:
    scored = sum(n for _, n in cycle.candidate_accuracy.values())
    total = sum(mean * n for mean, n in cycle.candidate_accuracy.values())
    return Side(cycle.level, cycle.candidate, cycle.decision.verdict, total / scored if scored else None)


def _settings(record: RunRecord) -> dict[str, Any]:
    parts = {"recipe": record.recipe, **record.config, "versions": record.versions, "machine": record.machine}
    return dict(flat(parts))


def _differing(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[tuple[str, Both]]:
    for name in {**one, **two}:
        values = one.get(name), two.get(name)
        if values[0] != values[1]:
            yield name, values


def _first(cycles: tuple[tuple[Side | None, Side | None], ...], of: Any) -> int | None:
    """The first cycle in which `of` the two sides differs."""
    seen = (tuple(None if side is None else of(side) for side in sides) for sides in cycles)
    return next((number for number, (one, two) in enumerate(seen) if one != two), None)


def _cells(side: Side | None) -> tuple[str, str, str, str]:
    if side is None:
        return "–", "–", "–", "–"
    accuracy = "–" if side.accuracy is None else percent(side.accuracy)
    return PAST[side.verdict], str(side.level), short(visible(side.candidate)), accuracy


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(*columns: str) -> Table:
    table = Table(box=None)
    for name in columns:
        table.add_column(Text(visible(name)), no_wrap=True)
    return table
