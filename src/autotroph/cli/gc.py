"""`autotroph gc`: the artifacts of a run that its ledger does not name."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="only say what would be removed")
def gc(folder: Path, dry_run: bool) -> None:
    """Remove the artifacts that no event of a run's ledger names, and what crashes have left half written.

    Refused while the run is running.
    """
    from autotroph.store.garbage import collect

    sizes = []
    for path, size in collect(folder, remove=not dry_run):
        click.echo(f"{path}: {size:,} bytes")
        sizes.append(size)
    click.echo(f"{'would remove' if dry_run else 'removed'} {len(sizes)}, {sum(sizes):,} bytes")
