"""`autotroph arena`: search policies side by side."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("names", metavar="[POLICY]...", nargs=-1)
@click.option("--on", "landscapes", metavar="LANDSCAPE", multiple=True, help="one landscape of it; all by default")
@click.option("--evaluations", type=int, default=1000, show_default=True, help="of one node on one task, for each")
@click.option("--seeds", type=int, default=40, show_default=True, help="seeds 0, 1, ... of each")
@click.option("as_json", "--json", is_flag=True, help="print figures and trials as one line of JSON")
def arena(names: tuple[str, ...], landscapes: tuple[str, ...], evaluations: int, seeds: int, as_json: bool) -> None:
    """Compare search policies on synthetic landscapes whose true skills are known, at equal evaluations.

    All policies where none is named. Scored is the true skill of the node that is finally picked.
    """
    from autotroph.evolve.arena import Contest, contested, processes
    from autotroph.evolve.landscapes import LANDSCAPES
    from autotroph.evolve.policies.registry import POLICIES
    from autotroph.report.arena import arena_tables, summary

    contest = Contest(names or tuple(POLICIES), landscapes or tuple(LANDSCAPES), evaluations, seeds)
    contest.check()
    with processes() as pool:
        found = summary(contest, contested(contest, pool))
    if as_json:
        click.echo(json.dumps(found))
        return
    from rich.console import Console

    console = Console()
    for table in arena_tables(found):
        console.print(table)
