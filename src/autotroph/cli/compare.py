"""`autotroph compare`: recipes side by side."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import click

from autotroph.core.config import merged
from autotroph.core.errors import AutotrophError


@click.command()
@click.argument("names", metavar="RECIPE[:ALGORITHM]...", nargs=-1, required=True)
@click.option("--task", required=True, help="task family that all of them practise")
@click.option("--level", type=int, default=None, help="highest level [default: the task's lowest]")
@click.option("--flops", type=float, required=True, help="what the practice of each may cost, with each seed")
@click.option("--seeds", type=int, default=3, show_default=True, help="seeds 0, 1, ... of each")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="a setting of all recipes that have it")
@click.option("as_json", "--json", is_flag=True, help="print figures, trials and curves as one line of JSON")
def compare(
    names: tuple[str, ...],
    task: str,
    level: int | None,
    flops: float,
    seeds: int,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare recipes on one task, from the same bases, at equal compute.

    Each goes on, cycle by cycle, until its practice has cost as much, and no gate stands in its way.
    """
    from autotroph.comparison import Contest, compared

    settings: dict[str, Any] = {}
    for change in changes:
        settings = merged(settings, parsed(change))
    found = compared(Contest(names, task, level, flops, seeds, settings))
    if as_json:
        click.echo(json.dumps(found))
        return
    from rich.console import Console

    from autotroph.report.comparison import comparison_table

    Console().print(comparison_table(found))


def parsed(change: str) -> dict[str, Any]:
    """`base.train.rows=150` as a tree; the value is read as TOML, or is the text as it stands."""
    key, separator, value = change.partition("=")
    if not separator or not key:
        raise AutotrophError(f"--set {change}: no setting; use --set KEY=VALUE, such as --set base.train.rows=150")
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        read = value
    tree: dict[str, Any] | Any = read
    for part in reversed(key.split(".")):
        tree = {part: tree}
    return dict(tree)
