"""`autotroph stop`: the end of a run, at its next safe point or at once."""

from __future__ import annotations

from pathlib import Path

import click

from autotroph.cli.options import by, reason


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--now", is_flag=True, help="every process of the run is killed at once, whatever it does")
@reason()
@by
def stop(folder: Path, now: bool, reason: str, by: str) -> None:
    """End a run: after its cycle, or with --now at once with every process of it; `resume` goes on with either.

    Waits until it has ended. Ctrl-C leaves the request standing.
    """
    from autotroph.oversight import stop as end

    outcome = end.now(folder, by, reason) if now else end.at_safe_point(folder, by, reason)
    click.echo(outcome)
