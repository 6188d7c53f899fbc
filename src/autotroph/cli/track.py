"""`autotroph track`: tell trackers of a run that is finished, or still running in another process.

Exit codes: 0 all delivered, 1 not, 2 bad input.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autotroph.track.trackers import Trackers

NAMES = "tensorboard, wandb, mlflow, trackio; several with commas"


def _trackers(_context: click.Context, _parameter: click.Parameter, names: str) -> Trackers:
    from autotroph.report.markup import visible
    from autotroph.track.sink import parse
    from autotroph.track.trackers import Trackers

    return Trackers(parse(names), lambda text: click.echo(visible(text), err=True))


track_option = click.Option(
    ["trackers", "--track"], default="", metavar="NAMES", callback=_trackers, help=f"trackers to tell: {NAMES}"
)


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("trackers", "--to", required=True, metavar="NAMES", callback=_trackers, help=NAMES)
def track(folder: Path, trackers: Trackers) -> int:
    """Tell trackers of a run: what they do not have yet, and as long as it runs, every cycle."""
    from autotroph.report.markup import visible
    from autotroph.store.run import Run

    Run.open(folder, write=False).close()
    trackers.start(folder)
    deliveries = trackers.wait(None)
    for delivery in deliveries:
        click.echo(visible(delivery.sentence(folder)))
    return 0 if all(delivery.problem is None for delivery in deliveries) else 1
