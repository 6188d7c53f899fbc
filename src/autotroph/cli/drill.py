"""`autotroph drill`: plant a failure in a copy of a run, and see who catches it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from autotroph.drills.drill import Outcome


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--plant", "name", default=None, help="the failure to plant; an unknown name lists them")
@click.option("every", "--all", is_flag=True, help="one after the other, every failure that fits the run")
@click.option("--cycles", type=click.IntRange(1), default=3, show_default=True, help="most cycles that a copy goes on")
@click.option("--seed", type=click.IntRange(0), default=None, help="of the copies [default: the run's]")
@click.option("as_json", "--json", is_flag=True, help="print one JSON array")
def drill(folder: Path, name: str | None, every: bool, cycles: int, seed: int | None, as_json: bool) -> None:
    """Plant a failure in a copy of a run and go on: who catches it, in which cycle, and what had it cost by then.

    The run itself is only read. Points are of gold accuracy, against a copy that goes on without the failure.
    """
    from autotroph.drills.drill import Drills
    from autotroph.drills.plants import PLANTS, plant_named

    names = list(PLANTS) if every else [plant_named(name).name]
    with tempfile.TemporaryDirectory(prefix="drill-") as work:
        drills = Drills(folder, Path(work), cycles, seed)
        fitting = [one for one in names if not every or drills.refusal(PLANTS[one]) is None]
        outcomes = [drills.drill(one) for one in fitting]
        if as_json:
            click.echo(json.dumps([asdict(outcome) for outcome in outcomes]))
            return
        from rich.console import Console

        Console().print(_table(outcomes))
        for one in names:
            if one not in fitting:
                click.echo(f"{one}: {drills.refusal(PLANTS[one])}")


def _table(outcomes: Sequence[Outcome]) -> Table:
    from rich.table import Table

    from autotroph.drills.plants import PLANTS

    table = Table("planted", "what it is", "caught by", "in cycle", "champion", "candidate", box=None)
    for found in outcomes:
        table.add_row(
            found.plant,
            PLANTS[found.plant].what,
            ", ".join(found.caught_by) or "nobody",
            str(found.cycle or f"none of {found.cycles}"),
            f"{-found.cost:+.1f}",
            "–" if found.damage is None else f"{-found.damage:+.1f}",
        )
    table.caption = "points of gold accuracy, against the copy without the failure"
    return table
