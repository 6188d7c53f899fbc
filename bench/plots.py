"""The pictures of docs/, drawn from bench/results/ with Plotly and photographed by a headless Chromium.

.venv/bin/python bench/plots.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import plotly.graph_objects as go

from autotroph.report.charts import accuracy_by_cycle
from autotroph.report.theme import GREEN, SERIES, blank
from autotroph.store.run import Run

ROOT = Path(__file__).parent.parent
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"]  # fmt: skip


def load(name: str) -> list[dict]:
    figures = json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text())
    return figures["cases"] if isinstance(figures, dict) else figures


def cost() -> go.Figure:
    """Seconds of a round against the problems that it labels."""
    rounds = [case for case in load("cost") if case["unit"] == "s"]
    samples = [int(case["case"].split()[3]) for case in rounds]
    low, high = zip(*(case["spread"] for case in rounds), strict=True)
    middle = [case["ours"] for case in rounds]
    bars = {
        "symmetric": False,
        "array": [h - m for h, m in zip(high, middle, strict=True)],
        "arrayminus": [m - b for m, b in zip(middle, low, strict=True)],
    }
    figure = blank([go.Scatter(x=samples, y=middle, error_y=bars, mode="lines+markers", line={"color": GREEN})], 360)
    figure.update_xaxes(title_text="problems labelled in the round", rangemode="tozero")
    return figure.update_yaxes(title_text="seconds of the round", rangemode="tozero")


def seeds() -> go.Figure:
    """Sealed accuracy by problem length, base and champion, a line for each seed."""
    lines = []
    for i, run in enumerate(load("seeds")):
        seed = run["arguments"][run["arguments"].index("--seed") + 1]
        for role, dash in (("base", "dot"), ("champion", "solid")):
            levels = sorted(map(int, run[role]))
            lines.append(
                go.Scatter(
                    name=f"{role}, seed {seed}",
                    x=levels,
                    y=[run[role][str(level)]["accuracy"] for level in levels],
                    line={"color": SERIES[i % len(SERIES)], "dash": dash, "width": 1.5},
                )
            )
    figure = blank(lines, 400, showlegend=True)
    figure.update_xaxes(title_text="digits", dtick=1)
    return figure.update_yaxes(title_text="sealed accuracy", tickformat=".0%", range=[-0.03, 1.03])


def autophagy() -> go.Figure:
    """How far the loss of gold answers is from the base's after each cycle: mean of the seeds, 95% interval shaded."""
    arms = json.loads((ROOT / "bench" / "results" / "autophagy.json").read_text())
    traces = []
    for name, color in zip(("replace", "accumulate", "guarded"), SERIES, strict=False):
        cycles = arms[name]["change"]["gold_loss"]
        x = list(range(1, len(cycles) + 1))
        low, high = zip(*(cycle["interval"] for cycle in cycles), strict=True)
        band = {"x": [*x, *x[::-1]], "y": [*high, *low[::-1]], "fill": "toself", "opacity": 0.15}
        traces.append(go.Scatter(**band, line={"width": 0}, fillcolor=color, hoverinfo="skip", showlegend=False))
        means = [cycle["mean"] for cycle in cycles]
        traces.append(go.Scatter(name=name, x=x, y=means, line={"color": color, "width": 2}))
    figure = blank(traces, 380, showlegend=True)
    figure.update_xaxes(title_text="cycle", dtick=1)
    return figure.update_yaxes(title_text="change of the loss of gold answers, nats")


def demo(run: Path) -> go.Figure:
    """The heat map of a run's report."""
    with Run.open(run, write=False) as opened:
        figure = accuracy_by_cycle(opened.record())
    assert figure is not None, "the run has no round yet"
    return figure


def photograph(figure: go.Figure, target: Path, width: int = 900) -> None:
    figure.update_layout(width=width)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        figure.write_html(page, include_plotlyjs=True, config={"displayModeBar": False})
        size = f"--window-size={width + 20},{figure.layout.height + 20}"
        camera = [f"--user-data-dir={folder}/profile", size, "--virtual-time-budget=4000", f"--screenshot={target}"]
        subprocess.run([*CHROMIUM, *camera, page.as_uri()], check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", choices=["seeds", "cost", "autophagy", "demo"])
    parser.add_argument("--run", type=Path, help="run folder, for demo")
    chosen = parser.parse_args()
    drawn = {"seeds": seeds, "cost": cost, "autophagy": autophagy, "demo": lambda: demo(chosen.run)}[chosen.picture]()
    photograph(drawn, ROOT / "docs" / f"{chosen.picture}.png")


if __name__ == "__main__":
    main()
