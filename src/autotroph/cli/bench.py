"""`autotroph bench`: this machine, measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("name", type=click.Choice(["rollouts", "train", "grpo", "scale", "limits", "verify", "cost"]))
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True, help="measured runs of each side")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="JSON file to write the figures to")
@click.option("as_json", "--json", is_flag=True, help="print a last line with the figures as JSON")
def bench(name: str, repeats: int, out: Path | None, as_json: bool) -> None:
    """Measure this machine.

    rollouts, train and grpo: beside what you would use instead, where it is installed (`make bench` installs it).
    scale: how sampling grows with prompts, and the memory that it takes under a bound. limits: what the machine can do,
    and the share of it that is reached. verify: verifiers. cost: a round's seconds.
    """
    import importlib

    from autotroph.bench.case import as_table
    from autotroph.store.disk import clear_disk_errors
    from autotroph.store.run import machine

    cases = importlib.import_module(f"autotroph.bench.{name}").run(repeats)
    figures = json.dumps({"bench": name, "machine": machine(), "cases": [asdict(case) for case in cases]})
    if out is not None:
        with clear_disk_errors(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(figures + "\n")
    if as_json:
        click.echo(figures)
    else:
        from rich.console import Console

        Console().print(as_table(cases))
