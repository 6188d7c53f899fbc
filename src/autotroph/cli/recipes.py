"""`autotroph recipes`: what there is."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("as_json", "--json", is_flag=True, help="print one JSON array")
def recipes(as_json: bool) -> None:
    """What there is, and its source."""
    from autotroph.recipes import registry

    found = [registry.find(name) for name in registry.names()]
    if as_json:
        rows = [
            {"name": r.name, "title": r.title, "source": r.source, "config": r.config().model_dump()} for r in found
        ]
        click.echo(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "what it does", "source", box=None)
    for recipe in found:
        table.add_row(recipe.name, recipe.title, recipe.source)
    Console().print(table)
