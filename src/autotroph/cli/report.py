"""`autotroph report`: a run as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="HTML file [default: RUN/report.html]")
def report(folder: Path, out: Path | None) -> None:
    """Write a run's report: one self-contained HTML file."""
    from autotroph.report import html
    from autotroph.store.run import Run

    with Run.open(folder, write=False) as opened:
        target = out or folder / "report.html"
        html.write(opened.record(), target)
    click.echo(target)
