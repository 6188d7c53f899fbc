"""What a comparison came to: a table with curves, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from rich.table import Table
from rich.text import Text

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 12
"""Characters of a curve."""
COLUMNS = ("recipe", "start", "end", "against the first", "flops", "curve")

Found = Mapping[str, Any]
"""`comparison.compared`'s result, or the same from JSON."""


def comparison_table(found: Found) -> Table:
    title = f"{found['task']}{level_of(found)}, {found['flops']:.3g} flops of practice, {found['seeds']} seeds"
    table = Table(title=Text(title), caption=Text(f"{found['measure']}; 95% intervals over the seeds"))
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in ("recipe", "curve") else "right")
    for row in rows(found):
        table.add_row(*row)
    return table


def comparison_markdown(found: Found) -> str:
    """The same table as Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows(found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rows(found: Found) -> list[list[str]]:
    sides = list(found["sides"].items())
    return [
        [
            name,
            f"{fmean(trial['curve'][0] for trial in side['trials']):.1f}",
            f"{side['mean']:.1f} ({within(side['interval'])})",
            f"{side['difference']:+.1f} ({within(side['difference_interval'])})" if place else "–",
            f"{side['flops'] / found['flops']:.2f}x",
            sparkline([trial["curve"] for trial in side["trials"]]),
        ]
        for place, (name, side) in enumerate(sides)
    ]


def level_of(found: Found) -> str:
    return "" if found["level"] is None else f" up to level {found['level']}"


def within(interval: Sequence[float]) -> str:
    low, high = interval
    return f"{low:.1f} to {high:.1f}"


def sparkline(curves: Sequence[Sequence[float]]) -> str:
    """The mean of curves in percent, from the base to the end of practice, each stretched to the same width."""
    places = [place / (WIDTH - 1) for place in range(WIDTH)]
    means = [fmean(curve[round(place * (len(curve) - 1))] for curve in curves) for place in places]
    return "".join(BARS[min(len(BARS) - 1, max(0, int(mean / 100 * len(BARS))))] for mean in means)
