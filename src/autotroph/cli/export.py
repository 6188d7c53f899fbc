"""`autotroph export`: a run in one file, for somebody else to check."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="bundle to write [default: NAME.tar.gz]")
@click.option("--light", is_flag=True, help="without policies: their names stay, their weights cannot be hashed again")
def export(folder: Path, out: Path | None, light: bool) -> None:
    """Write a run's ledger, artifacts and report to one file, which `autotroph verify` checks on another machine."""
    from autotroph.report import html
    from autotroph.store import bundle
    from autotroph.store.run import Run

    with Run.open(folder, write=False) as run:
        record = run.record()
        target = out or Path(f"{folder.resolve().name}.tar.gz")
        bundle.write(run, html.render(record).encode(), target, light=light)
    click.echo(f"{target}: {target.stat().st_size:,} bytes; ledger root {record.root} ({record.events} events)")
