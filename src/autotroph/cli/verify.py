"""`autotroph verify`: whether a run is what its ledger says.

Exit codes: 0 sound, 1 not, 2 bad input.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--root", metavar="HASH", default=None, help="the ledger root that was printed at the end of the run")
@click.option("as_json", "--json", is_flag=True, help="print the findings as one line of JSON")
def verify(folder: Path, root: str | None, as_json: bool) -> int:
    """Check a run's ledger, re-hash its artifacts, recompute every decision: sound (exit 0), not (1); bad input is 2.

    Without --root a ledger that was rewritten as a whole, or cut short, can pass.
    """
    from autotroph.report.markup import visible
    from autotroph.verify import verify as check

    found = check(folder, root)
    if as_json:
        click.echo(json.dumps({"sound": not found.faults, **asdict(found)}))
    else:
        for fault in found.faults:
            click.echo(visible(fault))
        counts = f"{found.events} events, {found.artifacts} artifacts, {found.decisions} decisions"
        verdict = f"{len(found.faults)} faults" if found.faults else "sound"
        click.echo(f"{verdict}: {counts}; root {found.root}{'' if root else ', not compared with a printed one'}")
    return 1 if found.faults else 0
