"""What the arena came to: intervals, a table for the terminal and for a page, a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, median
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from rich.table import Table
from rich.text import Text

from autotroph.evaluate.intervals import paired_interval
from autotroph.evolve.arena import BASELINES, Contest, Trial
from autotroph.report.theme import GREEN, GREY, blank

COLUMNS = ("policy", "true skill", "against random", "against best of N", "best made", "nodes", "solved")
Found = Mapping[str, Any]


def summary(contest: Contest, trials: Mapping[str, Mapping[str, Sequence[Trial]]]) -> dict[str, Any]:
    """Means of the true skill with 95% t intervals over the seeds, and differences to the baselines, paired by seed."""
    return {
        "evaluations": contest.evaluations,
        "seeds": contest.seeds,
        "landscapes": {
            place: {name: _side(own, {one: row[one] for one in BASELINES if one in row}) for name, own in row.items()}
            for place, row in trials.items()
        },
    }


def _side(own: Sequence[Trial], baselines: Mapping[str, Sequence[Trial]]) -> dict[str, Any]:
    solved = [trial.solved for trial in own if trial.solved is not None]
    return {
        "skill": _mean([trial.skill for trial in own]),
        "against": {
            name: _mean([ours.skill - theirs.skill for ours, theirs in zip(own, other, strict=True)])
            for name, other in baselines.items()
            if other is not own
        },
        "best": fmean(trial.best for trial in own),
        "nodes": fmean(trial.nodes for trial in own),
        "solved": len(solved),
        "median_solved": median(solved) if len(solved) * 2 > len(own) else None,
        "trials": [asdict(trial) for trial in own],
    }


def _mean(values: Sequence[float]) -> dict[str, Any]:
    return {"mean": fmean(values), "interval": paired_interval(values)}


def arena_tables(found: Found) -> list[Table]:
    """A table a landscape, best policy first."""
    tables = []
    for place, row in found["landscapes"].items():
        table = Table(title=Text(f"{place}, {found['evaluations']} evaluations, {found['seeds']} seeds"))
        for name in COLUMNS:
            table.add_column(name, justify="left" if name == "policy" else "right")
        for cells in _rows(row, found["seeds"]):
            table.add_row(*cells)
        tables.append(table)
    return tables


def arena_markdown(found: Found) -> str:
    """The same tables as Markdown."""
    text = ""
    for place, row in found["landscapes"].items():
        lines = [COLUMNS, ["---"] * len(COLUMNS), *_rows(row, found["seeds"])]
        text += f"\n### {place}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text


def _rows(row: Mapping[str, Any], seeds: int) -> list[list[str]]:
    ranked = sorted(row.items(), key=lambda item: -item[1]["skill"]["mean"])
    return [
        [
            name,
            _estimate(side["skill"], ""),
            *(_estimate(side["against"].get(other), "+") for other in BASELINES),
            f"{side['best']:.3f}",
            f"{side['nodes']:.0f}",
            f"{side['solved']} of {seeds}" if side["solved"] else "–",
        ]
        for name, side in ranked
    ]


def _estimate(found: Mapping[str, Any] | None, sign: str) -> str:
    if found is None:
        return "–"
    low, high = found["interval"]
    return f"{found['mean']:{sign}.3f} ({low:.3f} to {high:.3f})"


def arena_chart(found: Found) -> go.Figure:
    """A panel a landscape: the true skill of each policy's pick with its interval; baselines are grey."""
    places = found["landscapes"]
    rows = -(-len(places) // 2)
    figure = make_subplots(rows, 2, subplot_titles=[place.replace("_", " ") for place in places], vertical_spacing=0.09)
    for panel, row in enumerate(places.values()):
        ranked = sorted(row.items(), key=lambda item: item[1]["skill"]["mean"])
        means = [side["skill"]["mean"] for _, side in ranked]
        low, high = zip(*(side["skill"]["interval"] for _, side in ranked), strict=True)
        bars = {"array": [h - m for h, m in zip(high, means, strict=True)], "symmetric": False}
        bars["arrayminus"] = [m - b for m, b in zip(means, low, strict=True)]
        dots = go.Scatter(
            x=means,
            y=[name for name, _ in ranked],
            error_x=bars,
            mode="markers",
            marker={"size": 8, "color": [GREY if name in BASELINES else GREEN for name, _ in ranked]},
            showlegend=False,
        )
        figure.add_trace(dots, panel // 2 + 1, panel % 2 + 1)
    layout = blank([], 260 * rows).layout
    figure.update_layout(
        template=layout.template, font=layout.font, height=layout.height, paper_bgcolor="white", plot_bgcolor="white",
        margin={"l": 90, "r": 12, "t": 32, "b": 32},
    )  # fmt: skip
    return figure.update_yaxes(gridcolor="#e3e9e5", automargin=True)
