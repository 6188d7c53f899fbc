"""One comparison: how it is measured, and how it is written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

Work = Callable[[], float]
"""Does the work once; returns how many units of it were done."""


@dataclass(frozen=True)
class Case:
    """Medians of `n` runs each, in `unit`. `ratio`: how many times as much as the peer we do, None without a peer.
    `spread`: lowest and highest ratio of two neighbouring runs; without a peer, lowest and highest figure of ours."""

    case: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    spread: tuple[float, float] | None
    n: int


def measured(
    case: str, unit: str, ours: Work, peer: Work | None = None, peer_name: str | None = None, n: int = 5
) -> Case:
    """Both sides warmed up once, then run in turns n times, so that a slow minute slows both."""
    sides = [ours] if peer is None else [ours, peer]
    for side in sides:
        side()
    rates = [[rate(side) for side in sides] for _ in range(n)]
    mine = median(pair[0] for pair in rates)
    if peer is None:
        return Case(case, unit, mine, None, None, None, (min(map(min, rates)), max(map(max, rates))), n)
    ratios = [pair[0] / pair[1] for pair in rates]
    spread = (min(ratios), max(ratios))
    return Case(case, unit, mine, median(pair[1] for pair in rates), peer_name, median(ratios), spread, n)


def rate(work: Work) -> float:
    """Units a second of one run."""
    begun = time.perf_counter()
    return work() / (time.perf_counter() - begun)


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Slope, intercept and R² of the least-squares line through (x, y) points."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    intercept = mean_y - slope * mean_x
    residual = sum((y - intercept - slope * x) ** 2 for x, y in points)
    total = sum((y - mean_y) ** 2 for _, y in points)
    return slope, intercept, 1 - residual / total if total else 1.0


def as_table(cases: Sequence[Case]) -> Table:
    table = Table("work", "unit", "ours", "peer", "ratio", "spread", "n", box=None)
    for case in cases:
        table.add_row(
            case.case,
            case.unit,
            f"{case.ours:,.4g}",
            "–" if case.peer is None else f"{case.peer:,.4g} ({case.peer_name})",
            "–" if case.ratio is None else f"{case.ratio:.2f}x",
            "–" if case.spread is None else f"{case.spread[0]:.3g}–{case.spread[1]:.3g}",
            str(case.n),
        )
    return table
