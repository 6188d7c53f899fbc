"""`autotroph verify`: whether a run is what its ledger says.

Exit codes: 0 sound, 1 not, 3 sound as far as a light bundle can be checked, 2 bad input.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

EXIT_FAULTS, EXIT_ABSENT = 1, 3


@click.command()
@click.argument("path", metavar="RUN|BUNDLE", type=click.Path(path_type=Path))
@click.option("--root", metavar="HASH", default=None, help="the ledger root that was printed at the end of the run")
@click.option("--key", metavar="PUBLIC", default=None, help="the public key that has signed it: a .pub file, or digits")
@click.option("as_json", "--json", is_flag=True, help="print the findings as one line of JSON")
def verify(path: Path, root: str | None, key: str | None, as_json: bool) -> int:
    """Check a run's ledger, re-hash its artifacts, recompute what follows: sound (exit 0), not (1); bad input is 2.

    3: sound, but for policies that a light bundle leaves away. Without --root or --key a ledger that was rewritten as a
    whole, or cut short, can pass.
    """
    from autotroph.report.markup import visible
    from autotroph.store.signing import public_key
    from autotroph.verify import verify as check

    public = None if key is None else public_key(key)
    found = check(path, root, public)
    if as_json:
        click.echo(json.dumps({"sound": not found.faults, **asdict(found)}))
    else:
        for fault in found.faults:
            click.echo(visible(fault))
        for name in found.absent:
            click.echo(f"policy {name} is not in the bundle, and was not hashed again")
        counts = f"{found.events} events, {found.artifacts} artifacts, {found.decisions} decisions"
        verdict = f"{len(found.faults)} faults" if found.faults else "sound as far as it is there"
        verdict = "sound" if not (found.faults or found.absent) else verdict
        compared = "" if root else ", not compared with a printed one"
        by = " by the key given" if public else ""
        signed = f"; signed up to event {found.signed - 1}{by}" if found.signed else ""
        click.echo(f"{verdict}: {counts}; root {found.root}{compared}{signed}")
    return EXIT_FAULTS if found.faults else EXIT_ABSENT if found.absent else 0
