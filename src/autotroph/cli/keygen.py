"""`autotroph keygen`: a key to sign ledgers with."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Make an Ed25519 key: FILE for `run --sign`, FILE.pub for whoever is to verify."""
    from autotroph.store.signing import keygen as make

    click.echo(f"public key: {make(file)}")
