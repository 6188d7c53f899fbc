"""The pictures of a run: pure functions RunRecord -> Figure, or None where the record holds nothing to draw."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from autotroph.report.levels import Estimate, by_level
from autotroph.report.markup import visible
from autotroph.report.sentences import PAST
from autotroph.report.theme import AMBER, GREEN, GREY, HEAT, PALE, PAPER, RED, SERIES, VIOLET, blank
from autotroph.store.record import Accuracy, CycleRecord, RunRecord

MARK = {"promote": ("▲", GREEN), "hold": ("●", AMBER), "roll back": ("▼", RED)}
POISONED = ("◆", VIOLET)

Value = Callable[[CycleRecord], float | None]


def _colored(mark: tuple[str, str]) -> str:
    return f'<span style="color:{mark[1]}">{mark[0]}</span>'


def _cell(share: float | None) -> str:
    """Whole percent, in which 100 and 0 mean exactly that."""
    if share is None:
        return ""
    if 0 < share < 1:
        return "<1" if share < 0.01 else ">99" if share > 0.99 else f"{100 * share:.0f}"
    return f"{100 * share:.0f}"


def accuracy_by_cycle(record: RunRecord) -> go.Figure | None:
    """Heat map: cycles x levels. Row 0 is the base; row k + 1 the candidate of cycle k, with the gate's mark."""
    first = record.base_accuracy or (record.cycles[0].champion_accuracy if record.cycles else {})
    rows: list[Accuracy] = [first, *(cycle.candidate_accuracy for cycle in record.cycles)]
    levels = sorted(set().union(*rows))
    if not levels:
        return None
    names, ticks = ["base"], ["base"]
    for cycle in record.cycles:
        poisoned = f" {_colored(POISONED)}" if cycle.poisoned else ""
        ticks.append(f"{cycle.cycle} {_colored(MARK[cycle.decision.verdict])}{poisoned}")
        names.append(f"cycle {cycle.cycle}, {PAST[cycle.decision.verdict]}")
    shares = [[row[level][0] if level in row else None for level in levels] for row in rows]
    heat = go.Heatmap(
        x=[str(level) for level in levels],
        z=shares,
        text=[[html.escape(_cell(share)) for share in row] for row in shares],
        texttemplate="%{text}",
        customdata=[
            [[name, level, row[level][1] if level in row else 0] for level in levels]
            for name, row in zip(names, rows, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>level %{customdata[1]}: %{z:.1%} of %{customdata[2]}<extra></extra>",
        hoverongaps=False,
        colorscale=[[i / (len(HEAT) - 1), color] for i, color in enumerate(HEAT)],
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,
    )
    figure = blank([heat], 28 * len(rows) + 88, margin={"l": 44, "r": 4, "t": 30, "b": 48})
    figure.update_xaxes(title_text="level", type="category", tickangle=0)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=ticks, autorange="reversed", showgrid=False, zeroline=False
    )
    edge = sum(level <= record.taught for level in levels) - 0.5
    if 0 < edge < len(levels) - 1:
        figure.add_vline(edge, line={"color": PAPER, "width": 8})
        for text, side in (("taught ◂ ", "right"), (" ▸ beyond", "left")):
            figure.add_annotation(x=edge, y=1, yref="paper", text=text, xanchor=side, yanchor="bottom", showarrow=False)
    return figure


def _dots(name: str, estimates: dict[int, Estimate], shift: float, color: str, symbol: str) -> go.Scatter:
    found = estimates.values()
    return go.Scatter(
        name=name,
        x=[level + shift for level in estimates],
        y=[e.mean for e in found],
        error_y={
            "array": [e.high - e.mean for e in found],
            "arrayminus": [e.mean - e.low for e in found],
            "thickness": 1.5,
            "width": 3,
        },
        mode="lines+markers",
        marker={"color": color, "size": 8, "symbol": symbol},
        line={"color": color, "width": 1.5, "dash": "dot" if color == GREY else "solid"},
        customdata=[[level, e.n, e.low, e.high] for level, e in estimates.items()],
        hovertemplate="level %{customdata[0]}: %{y:.1%} of %{customdata[1]}"
        "<br>95% CI %{customdata[2]:.1%} to %{customdata[3]:.1%}",
    )


def base_and_champion(record: RunRecord) -> go.Figure | None:
    """Sealed accuracy by level with 95% Wilson intervals; the shaded levels are those of the base's training."""
    levels = by_level(record)
    if not levels:
        return None
    base = {row.level: row.base for row in levels if row.base}
    champion = {row.level: row.champion for row in levels if row.champion}
    dots = [_dots("base", base, -0.07, GREY, "circle-open"), _dots("champion", champion, 0.07, GREEN, "circle")]
    left, right = levels[0].level - 0.5, levels[-1].level + 0.5
    figure = blank(dots, 360, showlegend=True)
    figure.update_xaxes(title_text="level", range=[left, right], tickformat="d", dtick=math.ceil((right - left) / 12))
    figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], zeroline=False)
    if record.taught > left:
        edge = min(record.taught + 0.5, right)
        figure.add_vrect(
            left, edge, fillcolor=PALE, opacity=0.35, line_width=0, layer="below",
            annotation_text="taught", annotation_position="inside left",
        )  # fmt: skip
    return figure


def _by_cycle(record: RunRecord, traces: Sequence[Any], height: int, **layout: Any) -> go.Figure:
    """A chart whose x axis is the cycle, with the poisoned cycles shaded."""
    figure = blank(traces, height, **layout)
    cycles = [cycle.cycle for cycle in record.cycles]
    figure.update_xaxes(title_text="cycle", range=[min(cycles) - 0.6, max(cycles) + 0.6])
    figure.update_xaxes(tickformat="d", dtick=math.ceil(len(cycles) / 10))
    for cycle in record.cycles:
        if cycle.poisoned:
            x0, x1 = cycle.cycle - 0.5, cycle.cycle + 0.5
            figure.add_vrect(x0, x1, fillcolor=VIOLET, opacity=0.16, line_width=0, layer="below")
    return figure


def _bars(record: RunRecord, name: str, heights: list[int], color: str) -> go.Bar:
    return go.Bar(
        name=name,
        x=[cycle.cycle for cycle in record.cycles],
        y=heights,
        marker={"color": color, "line": {"width": 0}},
        customdata=[abs(height) for height in heights],
        hovertemplate=f"cycle %{{x}}: %{{customdata:,}} {name}<extra></extra>",
    )


def flips(record: RunRecord) -> go.Figure | None:
    """Sealed tasks, candidate against champion: gained above zero, lost below; kept on a scale of its own."""
    decisions = [cycle.decision for cycle in record.cycles]
    if not any(d.gained or d.lost or d.kept for d in decisions):
        return None
    traces = [
        _bars(record, "gained", [d.gained for d in decisions], GREEN),
        _bars(record, "lost", [-d.lost for d in decisions], RED),
        _bars(record, "kept", [d.kept for d in decisions], PALE).update(yaxis="y2"),
    ]
    return _by_cycle(
        record,
        traces,
        380,
        barmode="relative",
        bargap=0.35,
        xaxis={"anchor": "y2"},
        yaxis={"domain": [0.3, 1], "title": {"text": "gained, lost"}},
        yaxis2={"domain": [0, 0.2], "title": {"text": "kept"}, "nticks": 3},
    )


def rejections(record: RunRecord) -> go.Figure | None:
    """Self-made rows turned away, stacked by reason; the rarest reasons beyond the palette are one."""
    total = sum((Counter(cycle.rejected) for cycle in record.cycles), Counter())
    if not total:
        return None
    ranked = [reason for reason, _ in total.most_common()]
    groups = [[reason] for reason in ranked[: len(SERIES)]]
    if len(ranked) > len(SERIES):
        groups[-1] = ranked[len(SERIES) - 1 :]
    traces = []
    for group, color in zip(groups, SERIES, strict=False):
        name = html.escape(visible(group[0])) if len(group) == 1 else f"{len(group)} other reasons"
        heights = [sum(cycle.rejected.get(reason, 0) for reason in group) for cycle in record.cycles]
        traces.append(_bars(record, name, heights, color))
    return _by_cycle(
        record,
        traces,
        320,
        barmode="stack",
        bargap=0.35,
        showlegend=True,
        legend_traceorder="normal",
        yaxis_title_text="rejected rows",
    )


def line(record: RunRecord, value: Value, *, share: bool = True) -> go.Figure | None:
    """One figure of merit over the cycles; a cycle without it is a gap."""
    values = [value(cycle) for cycle in record.cycles]
    values = [y if y is not None and math.isfinite(y) else None for y in values]
    if all(y is None for y in values):
        return None
    form = ".1%" if share else ".4~g"
    trace = go.Scatter(
        x=[cycle.cycle for cycle in record.cycles],
        y=values,
        mode="lines+markers",
        marker={"color": GREEN, "size": 6},
        line={"color": GREEN, "width": 1.5},
        hovertemplate=f"cycle %{{x}}: %{{y:{form}}}<extra></extra>",
    )
    figure = _by_cycle(record, [trace], 210)
    if share:
        return figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%", tickvals=[0, 0.5, 1], zeroline=False)
    return figure.update_yaxes(rangemode="tozero", nticks=5)


def metric(name: str) -> Value:
    return lambda cycle: cycle.metrics.get(name)


def kept_fraction(cycle: CycleRecord) -> float | None:
    generated, kept = cycle.metrics.get("generated"), cycle.metrics.get("kept")
    return kept / generated if generated and kept is not None else None


def refinement(record: RunRecord) -> go.Figure | None:
    """Mean sealed score of base and champion by inference refinement, same weights."""
    if not record.refined:
        return None
    bars = [
        go.Bar(
            name=html.escape(visible(role)),
            x=[html.escape(visible(name)) for name in scores],
            y=list(scores.values()),
            marker={"color": SERIES[i]},
            hovertemplate="%{x}: %{y:.1%}",
        )
        for i, (role, scores) in enumerate(record.refined.items())
    ]
    figure = blank(bars, 300, showlegend=True)
    return figure.update_yaxes(range=[0, 1.06], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], zeroline=False)
