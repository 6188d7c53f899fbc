"""`autotroph`: the command line.

Exit codes: 0 done; 2 a mistake in what was given (one line on stderr says what, where and the way out); 3 a budget cap
stopped the run at a safe point; 4 a person has to decide; 5 a red line was crossed, and the run is locked; 130
interrupted or stopped by a person, resumable. `gate` has its own: 0 promote, 1 hold, 3 roll back; and so has `verify`:
0 sound, 1 not, 3 sound as far as it is there, and `track`: 0 all delivered, 1 not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from autotroph.cli.approve import approve, reject, unlock
from autotroph.cli.arena import arena
from autotroph.cli.audit import audit
from autotroph.cli.bench import bench
from autotroph.cli.claim import claim, claims
from autotroph.cli.compare import compare
from autotroph.cli.diff import diff
from autotroph.cli.drill import drill
from autotroph.cli.evolve import evolve
from autotroph.cli.export import export
from autotroph.cli.gate import gate
from autotroph.cli.gc import gc
from autotroph.cli.keygen import keygen
from autotroph.cli.lineage import lineage
from autotroph.cli.metrics import metrics
from autotroph.cli.recipes import recipes
from autotroph.cli.report import report
from autotroph.cli.run import resume, run
from autotroph.cli.runs import runs
from autotroph.cli.stop import stop
from autotroph.cli.track import track
from autotroph.cli.verify import verify
from autotroph.core.errors import ApprovalNeeded, AutotrophError, BudgetExceeded, Interrupted, Locked, RedLine

EXIT_MISTAKE, EXIT_BUDGET, EXIT_WAITING, EXIT_LOCKED, EXIT_INTERRUPTED = 2, 3, 4, 5, 130


def main(arguments: Sequence[str] | None = None) -> None:
    sys.exit(invoke(sys.argv[1:] if arguments is None else arguments))


def invoke(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    try:
        return cli.main(list(arguments), prog_name="autotroph", standalone_mode=False) or 0
    except BudgetExceeded as stop:
        click.echo(f"stopped: {stop}", err=True)
        return EXIT_BUDGET
    except ApprovalNeeded as waiting:
        click.echo(f"waiting: {waiting}", err=True)
        return EXIT_WAITING
    except (RedLine, Locked) as locked:
        click.echo(f"locked: {locked}", err=True)
        return EXIT_LOCKED
    except Interrupted as stop:
        click.echo(f"stopped: {stop}", err=True)
        return EXIT_INTERRUPTED
    except AutotrophError as mistake:
        click.echo(f"error: {mistake}", err=True)
        return EXIT_MISTAKE
    except click.ClickException as mistake:
        click.echo(f"error: {' '.join(mistake.format_message().split())}", err=True)
        return EXIT_MISTAKE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what was committed is safe; `autotroph resume RUN` goes on", err=True)
        return EXIT_INTERRUPTED


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="autotroph")
def cli() -> None:
    """A closed-loop self-improvement engine for language models and agents."""


COMMANDS = (
    run, evolve, resume, stop, approve, reject, unlock, runs, recipes, claim, claims, compare, arena,
    report, lineage, verify, export, diff, gc, keygen, track, metrics, gate, audit, drill, bench,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)
