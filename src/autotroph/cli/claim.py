"""`autotroph claim` and `autotroph claims`: what was published, tried again."""

from __future__ import annotations

import json
from pathlib import Path

import click

RESULTS = Path("bench/results/claims")


@click.command()
@click.argument("name", metavar="RECIPE")
@click.option("--seeds", type=int, default=None, help="seeds of each side [default: the claim's own]")
@click.option("as_json", "--json", is_flag=True, help="print the findings as one line of JSON")
def claim(name: str, seeds: int | None, as_json: bool) -> None:
    """Try what a recipe's source claims: both sides at equal compute, and the recipe without its mechanism."""
    from autotroph.claims import tried

    found = tried(name, seeds).as_dict()
    if as_json:
        click.echo(json.dumps(found))
    else:
        _show(found)


@click.command()
@click.argument("names", metavar="[RECIPE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="try all of them")
@click.option("--seeds", type=int, default=None, help="seeds of each side [default: each claim's own]")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True, help="of the findings")
@click.option("--page", type=click.Path(path_type=Path), default=None, help="write a page of all that is there")
def claims(names: tuple[str, ...], every: bool, seeds: int | None, results: Path, page: Path | None) -> None:
    """List the claims, or try some and keep what was found."""
    from autotroph.claims import claim_of, claiming, tried
    from autotroph.report.claims import claims_page
    from autotroph.store.disk import clear_disk_errors

    chosen = claiming() if every else list(names)
    for name in chosen:
        found = tried(name, seeds).as_dict()
        with clear_disk_errors(results):
            results.mkdir(parents=True, exist_ok=True)
            (results / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
        _show(found)
    if page is not None:
        with clear_disk_errors(page):
            page.write_text(claims_page(json.loads(file.read_text()) for file in sorted(results.glob("*.json"))))
    if not chosen and page is None:
        for name in claiming():
            click.echo(f"{name:24}{claim_of(name).says}")


def _show(found: dict[str, object]) -> None:
    from rich.console import Console

    from autotroph.report.claims import claim_table

    Console().print(claim_table(found))
