"""`autotroph metrics`: the runs below a folder, for Prometheus."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@click.option("--port", type=click.IntRange(0, 65535), default=9464, show_default=True, help="0: any that is free")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="write this file once instead of serving")
def metrics(folder: Path, port: int, out: Path | None) -> None:
    """Serve the state and the figures of the runs below FOLDER [default: runs] to Prometheus, on this machine alone."""
    from autotroph.track.sink import require

    require("prometheus_client", "prometheus")
    from autotroph.track import prometheus

    if out is not None:
        prometheus.write(folder, out)
        click.echo(out)
        return
    with prometheus.server(folder, port) as server:
        click.echo(f"http://{prometheus.ADDRESS}:{server.server_port}/metrics")
        server.serve_forever()
