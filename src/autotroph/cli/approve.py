"""`autotroph approve`, `reject`, `unlock`: what a person decides about a run that waits for it."""

from __future__ import annotations

from pathlib import Path

import click

from autotroph.cli.options import by, reason
from autotroph.core.errors import AutotrophError


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("candidate", metavar="HASH", required=False)
@click.option("--budget", metavar="NAME=N,...", default=None, help="caps from now on, like tokens=1000000,dollars=none")
@click.option("--code", is_flag=True, help="go on with the code as it is now")
@reason()
@by
def approve(folder: Path, candidate: str | None, budget: str | None, code: bool, reason: str, by: str) -> None:
    """Approve a candidate's promotion, other budget caps, or that the run goes on with other code."""
    from autotroph.oversight import approvals, redline
    from autotroph.store.run import Run

    if [candidate is not None, budget is not None, code].count(True) != 1:
        raise AutotrophError("approve: give one of HASH, --budget and --code")
    with Run.open(folder) as run:
        redline.refuse_locked(run)
        if candidate is not None:
            approvals.answer(run, candidate, "approve", by, reason)
            click.echo(f"approved: {candidate}; `autotroph resume {folder}` goes on")
        elif budget is not None:
            caps = approvals.set_budget(run, budget, by, reason).model_dump(exclude_none=True)
            capped = ", ".join(f"{name} {cap:g}" for name, cap in caps.items())
            click.echo(f"approved: {capped or 'no cap'}; `autotroph resume {folder}` goes on")
        else:
            approvals.approve_code(run, by, reason)
            click.echo(f"approved: the code as it is now; `autotroph resume {folder}` goes on")


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("candidate", metavar="HASH")
@reason()
@by
def reject(folder: Path, candidate: str, reason: str, by: str) -> None:
    """Refuse a candidate's promotion: it is held, and the run can go on."""
    from autotroph.oversight import approvals, redline
    from autotroph.store.run import Run

    with Run.open(folder) as run:
        redline.refuse_locked(run)
        approvals.answer(run, candidate, "reject", by, reason)
    click.echo(f"rejected: {candidate}; `autotroph resume {folder}` goes on")


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@reason(required=True)
@by
def unlock(folder: Path, reason: str, by: str) -> None:
    """Let a run go on that has crossed a red line; `resume` looks again at everything."""
    from autotroph.oversight import redline
    from autotroph.store.run import Run

    with Run.open(folder) as run:
        redline.unlock(run, by, reason)
    click.echo(f"unlocked; `autotroph resume {folder}` goes on")
