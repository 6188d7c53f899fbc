"""`autotroph recipes`: what there is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from autotroph.cli.claim import RESULTS


@click.command()
@click.option("as_json", "--json", is_flag=True, help="print one JSON array")
@click.option("--pages", type=click.Path(path_type=Path), default=None, help="write a page of each to this folder")
def recipes(as_json: bool, pages: Path | None) -> None:
    """What there is, and its source."""
    from autotroph.recipes import registry

    found = [registry.find(name) for name in registry.names()]
    if pages is not None:
        from autotroph.report.claims import recipe_page
        from autotroph.store.disk import clear_disk_errors

        with clear_disk_errors(pages):
            pages.mkdir(parents=True, exist_ok=True)
            for recipe in found:
                tried = RESULTS / f"{recipe.name}.json"
                claim = json.loads(tried.read_text()) if tried.is_file() else None
                (pages / f"{recipe.name}.md").write_text(recipe_page(recipe.name, recipe.text, claim))
        return
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
