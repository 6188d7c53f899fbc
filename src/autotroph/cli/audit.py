"""`autotroph audit`: what a verifier accepts and refuses."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("task")
@click.option("--verifier", default=None, help="of a jsonl task: module:function or file.py:function")
@click.option("--level", type=int, default=None, help="level of the tasks [default: the lowest]")
@click.option("--n", type=click.IntRange(1), default=100, show_default=True, help="train tasks to probe with")
@click.option("as_json", "--json", is_flag=True, help="print the findings as one line of JSON")
def audit(task: str, verifier: str | None, level: int | None, n: int, as_json: bool) -> None:
    """What a task's verifier accepts and refuses: right, wrong, adversarial and empty answers, with error rates."""
    from autotroph.evaluate.audit import audit as examine
    from autotroph.tasks.registry import task_family

    family = task_family(task, **({"verifier": verifier} if verifier else {}))
    found = examine(family, family.levels[0] if level is None else level, n)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        from rich.console import Console

        from autotroph.report.table import audit_table

        Console().print(audit_table(found))
