"""`autotroph diff`: two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("one", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("two", metavar="RUN", type=click.Path(path_type=Path))
@click.option("as_json", "--json", is_flag=True, help="print one line of JSON")
def diff(one: Path, two: Path, as_json: bool) -> None:
    """Show two runs side by side: settings that differ, cycles, where their verdicts part, champions, cost."""
    from rich.console import Console

    from autotroph.report import diff as shown
    from autotroph.store.run import Run

    with Run.open(one, write=False) as first, Run.open(two, write=False) as second:
        found = shown.diff(first.record(), second.record())
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    console = Console()
    for table in (shown.settings_table, shown.cycles_table, shown.accuracy_table, shown.cost_table):
        console.print(table(found))
        console.print()
    console.print(shown.sentence(found))
