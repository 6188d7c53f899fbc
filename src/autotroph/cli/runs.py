"""`autotroph runs`: the runs below a folder, and what has become of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

STYLES = {"running": "cyan", "finished": "green", "stopped": "yellow", "crashed": "red"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@click.option("as_json", "--json", is_flag=True, help="print one JSON array")
def runs(folder: Path, as_json: bool) -> None:
    """List the runs below FOLDER [default: runs]: running, finished, stopped or crashed, as it is at this moment."""
    from autotroph.store.runs import runs as found

    rows = list(found(folder))
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autotroph.report.markup import visible

    table = Table("run", "state", "recipe", "cycles", "promoted", box=None)
    for row in rows:
        cells = (row.folder, row.problem or row.recipe or "–", row.cycles, row.promoted)
        name, *rest = (Text(visible(cell)) for cell in cells)
        table.add_row(name, Text(row.state, style=STYLES[row.state]), *rest)
    Console().print(table)
