"""`autotroph lineage`: where training rows come from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("row", required=False)
@click.option("as_json", "--json", is_flag=True, help="print one line of JSON")
def lineage(folder: Path, row: str | None, as_json: bool) -> None:
    """What each cycle of a run was fed; with ROW (the start of its id or of its task's key), that row's ancestry."""
    from collections import deque

    from autotroph.report.table import ancestry_lines, lineage_table
    from autotroph.store import lineage as store
    from autotroph.store.run import Run

    with Run.open(folder, write=False) as opened:
        if row is not None:
            found = store.find(opened, row)
            line = store.ancestry(opened, found.policy)
            lines = [json.dumps({"row": asdict(found), "ancestry": [generation.as_dict() for generation in line]})]
            click.echo("\n".join(lines if as_json else ancestry_lines(found, line)))
            return
        record, newest = opened.record(), deque(store.rows(opened), maxlen=5)
    if as_json:
        cycles = [[strand.model_dump() for strand in cycle.lineage] for cycle in record.cycles]
        click.echo(json.dumps({"cycles": cycles, "newest": [row.id for row in newest]}))
        return
    from rich.console import Console

    Console().print(lineage_table(record))
    click.echo(f"newest rows: {', '.join(row.id for row in newest) or 'none'}")
