"""`autotroph evolve`: the recipe of that name, with the folder in front."""

from __future__ import annotations

import click

from autotroph.cli.run import run


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    short_help="Evolve a folder of your own: DIR --eval CMD.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="DIR --eval CMD [OPTIONS]")
def evolve(arguments: tuple[str, ...]) -> None:
    """Evolve a folder of your own by what a command says of it; the flags are those of `autotroph run evolve`."""
    folder = ["--folder", arguments[0]] if arguments and not arguments[0].startswith("-") else []
    run.main(["evolve", *folder, *arguments[len(folder) // 2 :]], prog_name="autotroph run", standalone_mode=False)
